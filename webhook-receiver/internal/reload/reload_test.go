package reload_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/reload"
)

// interval is that of the tests; a bubble's clock makes it free.
const interval = 2 * time.Second

// bench is a watcher of one source, in a bubble.
type bench struct {
	*testing.T
	path    string
	watcher *reload.Watcher
	metrics *prometheus.Registry
	log     bytes.Buffer // to be read while the watcher sleeps
	now     chan os.Signal
	setting string

	applied []string
}

var errBad = errors.New("the content is bad")

func newBench(t *testing.T, content string) *bench {
	t.Helper()
	b := &bench{T: t, path: filepath.Join(t.TempDir(), "file"), metrics: prometheus.NewRegistry(), now: make(chan os.Signal, 1)}
	b.write(content)
	w, err := reload.New(reload.Config{Interval: interval, Logger: slog.New(slog.NewTextHandler(&b.log, nil)), Registerer: b.metrics})
	if err != nil {
		t.Fatal(err)
	}
	b.watcher = w
	return b
}

func (b *bench) source() reload.Source {
	return reload.Source{
		Name:     "thing",
		Files:    func() []string { return []string{b.path} },
		Settings: func() any { return b.setting },
		Apply: func(files reload.Files) error {
			content := string(files[b.path])
			if strings.HasPrefix(content, "bad") {
				return errBad
			}
			b.applied = append(b.applied, content+b.setting)
			return nil
		},
	}
}

func (b *bench) write(content string) {
	b.Helper()
	if err := os.WriteFile(b.path, []byte(content), 0o600); err != nil {
		b.Fatal(err)
	}
}

// run watches until the test ends.
func (b *bench) run() {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- b.watcher.Run(ctx, b.now) }()
	b.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			b.Errorf("Run: %v", err)
		}
	})
}

// pass lets time go by.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (b *bench) want(applied ...string) {
	b.Helper()
	if diff := cmp.Diff(applied, b.applied); diff != "" {
		b.Errorf("applied so far (-want +got):\n%s", diff)
	}
}

func (b *bench) wantLines(text string, want int) {
	b.Helper()
	if got := strings.Count(b.log.String(), text); got != want {
		b.Errorf("the log has %d lines with %q, want %d:\n%s", got, text, want, b.log.String())
	}
}

func TestChangeIsAppliedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, "one")
		if err := b.watcher.Watch(b.source()); err != nil {
			t.Fatal(err)
		}
		b.run()
		pass(10 * interval)
		b.want("one")
		b.write("two")
		pass(2 * interval)
		b.want("one", "two")
		pass(10 * interval)
		b.want("one", "two")
		b.wantLines("changed files are in force", 1)
	})
}

func TestHalfWrittenFileIsNotTaken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, "one")
		if err := b.watcher.Watch(b.source()); err != nil {
			t.Fatal(err)
		}
		b.run()
		b.write("tw") // half of it is there at the first look …
		pass(interval + time.Millisecond)
		b.write("two") // … and all at the second
		pass(interval)
		b.want("one", "two")
	})
}

func TestBadFileIsRefusedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, "one")
		if err := b.watcher.Watch(b.source()); err != nil {
			t.Fatal(err)
		}
		b.run()
		b.write("bad")
		pass(10 * interval)
		b.want("one")
		b.wantLines("refusing changed files", 1)
		if s := b.watcher.Status("thing"); !errors.Is(s.Refused, errBad) || s.Loaded.IsZero() || !s.RefusedAt.After(s.Loaded) {
			t.Errorf("status = %+v, want what is in force and what was refused", s)
		}
		b.write("one") // the old content again
		pass(2 * interval)
		b.want("one", "one")
		if s := b.watcher.Status("thing"); s.Refused != nil {
			t.Errorf("status = %+v after the file was mended", s)
		}
		want := map[string]float64{
			"ess_receiver_reload_refused": 0, "ess_receiver_reload_total failure": 1, "ess_receiver_reload_total success": 2,
		}
		if diff := cmp.Diff(want, b.counted()); diff != "" {
			t.Errorf("metrics (-want +got):\n%s", diff)
		}
	})
}

// counted returns the metrics, but the times, by name and result.
func (b *bench) counted() map[string]float64 {
	b.Helper()
	families, err := b.metrics.Gather()
	if err != nil {
		b.Fatal(err)
	}
	values := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			name := family.GetName()
			for _, label := range m.GetLabel() {
				if label.GetName() == "result" {
					name += " " + label.GetValue()
				}
			}
			if !strings.HasSuffix(name, "_seconds") {
				values[name] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return values
}

func TestMissingFile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, "")
		if err := os.Remove(b.path); err != nil {
			t.Fatal(err)
		}
		if err := b.watcher.Watch(b.source()); !errors.Is(err, os.ErrNotExist) {
			t.Fatalf("Watch = %v, want that the file is missing", err)
		}
		b.run()
		pass(10 * interval)
		b.want()
		b.write("one")
		pass(2 * interval)
		b.want("one")
		if err := os.Remove(b.path); err != nil {
			t.Fatal(err)
		}
		pass(10 * interval)
		b.want("one")
		b.wantLines("refusing changed files", 1)
	})
}

func TestSettingsCount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, "one")
		if err := b.watcher.Watch(b.source()); err != nil {
			t.Fatal(err)
		}
		b.setting = "+all"
		b.run()
		pass(2 * interval)
		b.want("one", "one+all")
	})
}

func TestSignalDoesNotWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, "one")
		if err := b.watcher.Watch(b.source()); err != nil {
			t.Fatal(err)
		}
		b.run()
		b.write("two")
		b.now <- syscall.SIGHUP
		synctest.Wait()
		b.want("one", "two")
	})
}
