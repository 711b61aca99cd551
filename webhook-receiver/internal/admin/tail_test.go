package admin_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/admin"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// line is a line of a tail as callers see it.
type line struct {
	Record *struct {
		Seq   uint64
		Event struct {
			ID     string
			Header map[string][]string
		}
	}
	Missed    uint64
	Heartbeat time.Time
}

// tailing is an open tail over a real connection.
type tailing struct {
	t     testing.TB
	lines *bufio.Scanner
	close func()
}

// serve starts the real server of b.
func serve(t testing.TB, b *bench) (server *http.Server, url string) {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server = b.Server()
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		_ = server.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("serving ended with %v", err)
		}
	})
	return server, "http://" + listener.Addr().String()
}

func openTail(t testing.TB, url, query string) *tailing {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/v1/tail?"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = answer.Body.Close() })
	if got := answer.Header.Get("Content-Type"); answer.StatusCode != http.StatusOK || got != "application/x-ndjson" {
		t.Fatalf("status %d, content type %q", answer.StatusCode, got)
	}
	tail := &tailing{t, bufio.NewScanner(answer.Body), cancel}
	if tail.next().Heartbeat.IsZero() {
		t.Fatal("a tail does not begin with a heartbeat")
	}
	return tail
}

func (s *tailing) next() line {
	s.t.Helper()
	if !s.lines.Scan() {
		s.t.Fatalf("the tail has ended: %v", s.lines.Err())
	}
	var l line
	if err := json.Unmarshal(s.lines.Bytes(), &l); err != nil {
		s.t.Fatalf("%v: %s", err, s.lines.Bytes())
	}
	return l
}

func TestTailShowsWhatIsStoredFromNowOn(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.fill()
	_, url := serve(t, b)
	all, dead := openTail(t, url, ""), openTail(t, url, "state=dead&namespace=finance")
	b.store.add(sample("a"), event.Stored)
	b.store.add(sample("b"), event.Dead)
	for _, want := range []string{"a", "b"} {
		if l := all.next(); l.Record == nil || l.Record.Event.ID != want || l.Record.Event.Header != nil {
			t.Errorf("the line is %+v, want metadata of %s", l, want)
		}
	}
	if l := dead.next(); l.Record == nil || l.Record.Event.ID != "b" || l.Missed != 0 {
		t.Errorf("the line is %+v, want b: what is not selected is not missed", l)
	}
	b.clock.Step(time.Minute)
	if l := all.next(); !l.Heartbeat.Equal(now.Add(time.Minute)) {
		t.Errorf("the line is %+v, want a heartbeat", l)
	}
}

// queued is a store whose tail is a queue that the test fills.
type queued chan event.Record

// Tail returns the queue.
func (q queued) Tail(context.Context) <-chan event.Record { return q }

func TestTailSaysHowManyItMissed(t *testing.T) {
	t.Parallel()
	queue := make(queued, 8)
	b := newBench(t, func(c *admin.Config) { c.Tailer = queue })
	for _, r := range []event.Record{{Seq: 10}, {Seq: 11}, {Seq: 15, Missed: 3}, {Seq: 17, Missed: 1}} {
		queue <- r
	}
	close(queue)
	var got []uint64 // Seq, or 1000 and how many were missed
	_, url := serve(t, b)
	for tail := openTail(t, url, ""); len(got) < 6; {
		if l := tail.next(); l.Record != nil {
			got = append(got, l.Record.Seq)
		} else {
			got = append(got, 1000+l.Missed)
		}
	}
	want := [6]uint64{10, 11, 1003, 15, 1001, 17}
	if [6]uint64(got) != want {
		t.Errorf("the lines are %v, want %v", got, want)
	}
	if text := b.get("/metrics").Body.String(); !strings.Contains(text, "ess_receiver_admin_tail_missed_total 4\n") {
		t.Errorf("the metric does not count what was missed: %s", text)
	}
}

func TestTailsAreBounded(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *admin.Config) { c.MaxTails = 2 })
	_, url := serve(t, b)
	first, second := openTail(t, url, ""), openTail(t, url, "")
	if w := b.get("/v1/tail"); w.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	} else {
		refused(t, w, http.StatusTooManyRequests)
	}
	if w := b.get("/v1/events"); w.Code != http.StatusOK {
		t.Errorf("tails keep lists out: status %d", w.Code)
	}
	first.close()
	second.close()
	b.FillSlots()() // hangs if a tail that has ended kept its place
	openTail(t, url, "")
}

func TestShutdownEndsTails(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	server, url := serve(t, b)
	tail := openTail(t, url, "")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		t.Fatalf("a tail holds up the shutdown: %v", err)
	}
	if tail.lines.Scan() || tail.lines.Err() != nil {
		t.Errorf("the tail did not end in good order: %v", tail.lines.Err())
	}
}

// stuck is a connection whose other end reads nothing: writes wait for their deadline.
type stuck struct {
	httptest.ResponseRecorder
	deadlines []time.Duration
}

// SetReadDeadline does nothing.
func (*stuck) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline remembers how far away it is.
func (s *stuck) SetWriteDeadline(at time.Time) error {
	s.deadlines = append(s.deadlines, time.Until(at))
	return nil
}

// Write fails, as it does once the deadline is over.
func (s *stuck) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestStuckReaderLosesItsConnection(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	w := &stuck{}
	r := httptest.NewRequest(http.MethodGet, "/v1/tail", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	b.ServeHTTP(w, r) // returns, or the test does not end
	if len(w.deadlines) == 0 {
		t.Fatal("a line may wait for ever")
	}
	for _, d := range w.deadlines {
		if d <= 0 || d > admin.LineTime {
			t.Errorf("a line may wait for %s, want %s at the most", d, admin.LineTime)
		}
	}
}
