package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// patience is for what must come. It says nothing of how fast that is, and is far
// beyond what the slowest machine takes.
const patience = 3 * time.Minute

// output collects what the program prints; its first write can be waited for.
type output struct {
	mu    sync.Mutex
	text  strings.Builder
	once  sync.Once
	first chan struct{}
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.once.Do(func() { close(o.first) })
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// start runs the program on free ports until the returned function stops it, and returns what it prints.
func start(t *testing.T, dir string, args ...string) (out *output, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out = &output{first: make(chan struct{})}
	logs, done := &bytes.Buffer{}, make(chan int, 1)
	args = append([]string{"--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0", "--state-dir=" + dir}, args...)
	go func() { done <- run(ctx, args, out, logs) }()
	select {
	case <-out.first:
	case code := <-done:
		cancel()
		t.Fatalf("the program ended with %d: %s", code, logs)
	}
	return out, func() {
		cancel()
		select {
		case code := <-done:
			if code != 0 {
				t.Errorf("the program ended with %d: %s", code, logs)
			}
		case <-time.After(patience):
			t.Error("the program does not stop")
		}
	}
}

// TestStopsWithASilentConnection opens a connection without a request, as a browser does ahead
// of time, and as Go's client does that dials while another connection becomes free.
func TestStopsWithASilentConnection(t *testing.T) {
	t.Parallel()
	welcome, stop := start(t, t.TempDir())
	admin := strings.TrimPrefix(regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(welcome.String()), "http://")
	silent, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", admin)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	(&session{t: t, client: http.DefaultClient}).do("GET", "http://"+admin+"/v1/applications", "", "") // accepted after the silent one
	stop()
}

func TestStartAndGracefulStop(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	welcome, stop := start(t, dir)
	admin := regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(welcome.String())
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, admin+"/v1/applications", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(body), demoID) || strings.Contains(string(body), demoSecret) {
		t.Errorf("applications: %s (%v), want the demo application without its secret", body, err)
	}
	stop()
}

func TestKeysOutliveARestart(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	files := []string{"ca.crt", "signing-key.pem", "token.key", "server.crt", "endpoint.crt", "own.crt"}
	read := func() (texts []string) {
		for _, name := range files {
			text, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Error(err)
			}
			texts = append(texts, string(text))
		}
		return texts
	}
	issue := "--issue-cert=hooks.example,127.0.0.1:" + filepath.Join(dir, "own")
	_, stop := start(t, dir, issue)
	first := read()
	stop()
	_, stop = start(t, dir, issue)
	if diff := cmp.Diff(first, read()); diff != "" {
		t.Errorf("a restart changed keys or certificates (-first +second):\n%s", diff)
	}
	stop()
	_, stop = start(t, dir, issue, "--server-name=concur.test")
	if second := read(); second[3] == first[3] || second[0] != first[0] {
		t.Error("a further server name changes the server certificate and nothing else")
	}
	stop()
}

func TestKeyFilesAreForTheirOwnerOnly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, stop := start(t, dir)
	stop()
	keys, err := filepath.Glob(filepath.Join(dir, "*.key"))
	if err != nil || len(keys) < 5 {
		t.Fatalf("keys: %v, %v", keys, err)
	}
	for _, name := range keys {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s has mode %o, want 600", name, mode)
		}
	}
}

func TestUnfinishedStateIsMadeAgainAndBrokenStateIsNot(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, stop := start(t, dir)
	stop()
	if err := os.Remove(filepath.Join(dir, "ca.crt")); err != nil {
		t.Fatal(err)
	}
	_, stop = start(t, dir)
	stop()
	if err := os.Remove(filepath.Join(dir, "webhook.key")); err != nil {
		t.Fatal(err)
	}
	var logs bytes.Buffer
	if code := run(t.Context(), []string{"--state-dir=" + dir}, io.Discard, &logs); code != 1 {
		t.Errorf("with a missing key the program ended with %d", code)
	}
	if !strings.Contains(logs.String(), "delete it to start afresh") {
		t.Errorf("the message does not say what to do: %s", &logs)
	}
}

func TestWrongFlags(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"--nothing"}, {"argument"}, {"--clock=fast"}, {"--log-format=xml"}, {"--log-level=LOUD"}, {"--padding=none"},
		{"--status-invalid=1000"}, {"--application=id=a"}, {"--application=id=a,secret=hush,colour=red"},
		{"--init", "--sink-listen=:0"}, {"--sample-interval=-1s"}, {"--sample-interval=often"},
	} {
		var logs bytes.Buffer
		if code := run(t.Context(), args, io.Discard, &logs); code != 2 {
			t.Errorf("%v ended with %d, want 2", args, code)
		}
		if strings.Contains(logs.String(), "hush") {
			t.Errorf("%v: the message repeats a secret: %s", args, &logs)
		}
	}
}

func TestApplicationFlag(t *testing.T) {
	t.Parallel()
	o, err := parse([]string{
		"--application=id=a,secret=s,secret=t,scopes=events.topic.read+FISVC,principal=p", "--application=id=b,secret=u",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []essemulator.Application{
		{ID: "a", Secrets: []string{"s", "t"}, Scopes: []string{"events.topic.read", "FISVC"}, AllowedPrincipal: "p"},
		{ID: "b", Secrets: []string{"u"}, Scopes: essemulator.AllScopes()},
	}
	if diff := cmp.Diff(want, o.applications); diff != "" {
		t.Errorf("applications (-want +got):\n%s", diff)
	}
}

func TestHelpAndManualHaveEveryFlag(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if code := run(t.Context(), []string{"--help"}, &out, io.Discard); code != 0 {
		t.Errorf("--help ended with %d", code)
	}
	manual, err := os.ReadFile("../../docs/emulator.md")
	if err != nil {
		t.Fatal(err)
	}
	fs, _ := newFlags()
	fs.VisitAll(func(f *flag.Flag) {
		if !strings.Contains(out.String(), "  --"+f.Name) {
			t.Errorf("--help lacks --%s", f.Name)
		}
		if row := manualRow(f); !strings.Contains(string(manual), row) {
			t.Errorf("docs/emulator.md lacks the row\n%s", row)
		}
	})
}

// manualRow is a flag as the manual's tables show it.
func manualRow(f *flag.Flag) string {
	_, usage := flag.UnquoteUsage(f)
	value := ""
	if f.DefValue != "" {
		value = "`" + f.DefValue + "`"
	}
	return fmt.Sprintf("| `--%s` | %s | %s |\n", f.Name, value, strings.ReplaceAll(usage, "|", `\|`))
}

func FuzzApplicationFlag(f *testing.F) {
	f.Add("id=a,secret=b,scopes=c+d,principal=e")
	f.Add("id=,secret=")
	f.Add(",,=")
	f.Fuzz(func(t *testing.T, text string) {
		app, err := readApplication(text)
		if err == nil && (app.ID == "" || len(app.Secrets) == 0) {
			t.Fatalf("%q was accepted as %+v", text, app)
		}
	})
}
