package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/internal/eventdisplay"
)

// contents reads all files of a directory.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[entry.Name()] = string(text)
	}
	return files
}

func TestInitWritesAllThatAStartNeeds(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "keys")
	flags := []string{"--state-dir=" + dir, "--server-name=ess-emulator.test", "--issue-cert=receiver.test:" + filepath.Join(dir, "receiver")}
	var out, logs bytes.Buffer
	if code := run(t.Context(), append(flags, "--init"), &out, &logs); code != 0 || !strings.Contains(out.String(), dir) {
		t.Fatalf("--init ended with %d and said %q: %s", code, &out, &logs)
	}
	first := contents(t, dir)
	for _, name := range []string{"ca.crt", "signing-key.pem", "webhook.crt", "server.crt", "receiver.crt", "receiver.key"} {
		if first[name] == "" {
			t.Errorf("--init has not written %s", name)
		}
	}
	if code := run(t.Context(), append(flags, "--init"), io.Discard, &logs); code != 0 {
		t.Errorf("a second --init ended with %d: %s", code, &logs)
	}
	// Whoever runs the tests as root can write into a directory of any mode: compare instead.
	_, stop := start(t, dir, flags[1:]...)
	stop()
	if diff := cmp.Diff(first, contents(t, dir)); diff != "" {
		t.Errorf("a start with the same flags wrote (-before +after):\n%s", diff)
	}
}

func TestClientCertificateFollowsItsKey(t *testing.T) {
	t.Parallel()
	dir, other := t.TempDir(), t.TempDir()
	for _, d := range []string{dir, other} {
		if code := run(t.Context(), []string{"--state-dir=" + d, "--init"}, io.Discard, io.Discard); code != 0 {
			t.Fatalf("--init ended with %d", code)
		}
	}
	for name, text := range contents(t, other) {
		if strings.HasPrefix(name, "webhook.") && name != "webhook.key" {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if code := run(t.Context(), []string{"--state-dir=" + dir, "--init"}, io.Discard, io.Discard); code != 0 {
		t.Fatalf("--init ended with %d", code)
	}
	keys, err := stateDir(dir).keys()
	if err != nil || !shows(keys, filepath.Join(dir, "webhook")) {
		t.Errorf("the certificate of another key was left in place (%v)", err)
	}
}

func TestSamplesReachTheBuiltInEndpoint(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	out, stop := start(t, dir, "--echo-listen=127.0.0.1:0", "--clock=manual", "--sample-interval=10s",
		"--application=id=app,secret=s,principal=acme")
	s := newSession(t, out.String(), dir)
	token := s.do("POST", s.concur+"/oauth2/v0/token", "application/x-www-form-urlencoded",
		"grant_type=client_credentials&client_id=app&client_secret=s")
	s.bearer = regexp.MustCompile(`"access_token":\s*"([^"]+)"`).FindStringSubmatch(token)[1]
	s.do("PUT", s.concur+"/events/v4/subscriptions/webhook", "application/json",
		`{"id":"s","topic":"public.concur.expense.report","filter":".*","webHookConfig":{"endpoint":"`+s.endpoint+`"}}`)
	tick, limit := time.NewTicker(5*time.Millisecond), time.After(patience)
	defer tick.Stop()
	for strings.Count(out.String(), "event at /hook, signature good") < 3 {
		select {
		case <-tick.C:
			s.do("POST", s.admin+"/v1/clock", "application/json", `{"by":"10s"}`)
		case <-limit:
			t.Fatalf("three samples did not arrive:\n%s", out)
		}
	}
	stop()
}

func TestEventDisplay(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "none")
	out, stop := start(t, dir, "--sink-listen=127.0.0.1:0")
	url := regexp.MustCompile(`http://\S+`).FindString(out.String())
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"Specversion": "1.0", "Type": "t", "Id": "1", "Source": "/s"} {
		r.Header.Set("Ce-"+name, value)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	var shown struct{ Events []eventdisplay.Event }
	s := &session{t: t, client: http.DefaultClient}
	if err := json.Unmarshal([]byte(s.do("GET", url, "", "")), &shown); err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != http.StatusNoContent || !slices.Equal(shown.Events, []eventdisplay.Event{{Type: "t", ID: "1", Source: "/s"}}) {
		t.Errorf("answered %d, shows %+v", answer.StatusCode, shown.Events)
	}
	if !strings.Contains(out.String(), "t subject= id=1 source=/s\n") {
		t.Errorf("the event is not printed:\n%s", out)
	}
	stop()
	if _, err := os.Stat(dir); err == nil {
		t.Error("the event display has made keys that it has no use for")
	}
}
