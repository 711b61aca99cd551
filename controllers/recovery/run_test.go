package recovery

import (
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/ess-operator/ess-operator/controllers/internal/login"
	"github.com/ess-operator/ess-operator/internal/notifications"
)

var aLogin = login.Login{Username: "user-of-test", Password: "password-of-test"}

// bench is a Concur with a list, and a receiver that takes everything.
type bench struct {
	t       *testing.T
	list    []map[string]string
	deleted int
	concur  *httptest.Server
	way     *run
}

func newBench(t *testing.T, deleting bool) *bench {
	t.Helper()
	b := &bench{t: t}
	b.concur = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodGet:
			_ = json.NewEncoder(w).Encode(b.list)
		case strings.HasSuffix(r.URL.Path, "bad"):
			w.WriteHeader(http.StatusBadRequest)
		default:
			b.deleted++
		}
	}))
	t.Cleanup(b.concur.Close)
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(receiver.Close)
	client, err := notifications.New(notifications.Config{BaseURL: b.concur.URL, Token: "t", Transport: http.DefaultTransport})
	if err != nil {
		t.Fatal(err)
	}
	b.way = &run{
		concur: client, receiver: Receiver{URL: receiver.URL}, poster: receiver.Client(), path: "/notify", login: aLogin,
		delete: deleting, budget: rate.NewLimiter(rate.Inf, 1),
	}
	return b
}

// fail lists another notification.
func (b *bench) fail(uri, context string) {
	b.list = append(b.list, map[string]string{
		"NotificationURI": b.concur.URL + "/" + uri, "ObjectType": "EXPRPT", "ObjectURI": "report of " + uri, "EventType": "x", "Context": context,
	})
}

// again is the next run, with what is remembered of the last.
func (b *bench) again() (stored, deleted int, more bool, err error) {
	b.way.stored, b.way.deleted, b.way.more, b.way.skipped = 0, 0, false, nil
	_, err = b.way.all(b.t.Context())
	return b.way.stored, b.way.deleted, b.way.more, err
}

func TestRunsAreBounded(t *testing.T) {
	t.Parallel()
	b := newBench(t, false)
	for n := range 450 {
		b.fail(fmt.Sprint(n), "")
	}
	for i, want := range []int{200, 200, 50, 0} {
		stored, _, more, err := b.again()
		if err != nil || stored != want || more != (i < 2) {
			t.Errorf("run %d stored %d, more: %t, %v; want %d", i, stored, more, err, want)
		}
	}
	b.list = b.list[:10]
	if _, _, _, err := b.again(); err != nil || len(b.way.done) != 10 {
		t.Errorf("%d notifications are remembered that are not listed any more: %v", len(b.way.done)-10, err)
	}
}

func TestOneNotificationHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	b := newBench(t, true)
	b.fail("huge", strings.Repeat("x", maxPost))
	b.fail("bad", "")
	b.fail("good", "")
	stored, deleted, more, err := b.again()
	if err != nil || stored != 2 || deleted != 1 || more {
		t.Errorf("stored %d, deleted %d, more: %t, %v", stored, deleted, more, err)
	}
	if !errors.Is(b.way.skipped, notifications.ErrInvalid) {
		t.Errorf("nobody is told: %v", b.way.skipped)
	}
}

func TestOnly200IsStored(t *testing.T) {
	t.Parallel()
	for status, says := range map[int]string{
		200: "", 204: "HTTP 204", 302: "HTTP 302", 401: "does not accept the connector's credentials", 404: "HTTP 404", 503: "HTTP 503",
	} {
		asked, err := postTo(t, status)
		if asked != 1 {
			t.Errorf("HTTP %d: %d requests", status, asked)
		}
		if says == "" && err == nil {
			continue
		}
		if !errors.Is(err, errReceiver) || !strings.Contains(err.Error(), says) {
			t.Errorf("HTTP %d: %v, want it to say %q", status, err, says)
		}
		if e, ok := errors.AsType[*refused](err); ok && status == 503 && e.retryAfter != 7*time.Second {
			t.Errorf("to be tried again after %s", e.retryAfter)
		}
	}
}

// postTo posts to a receiver that answers with one status.
func postTo(t *testing.T, status int) (asked int, err error) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		if user, password, _ := r.BasicAuth(); user != aLogin.Username || password != aLogin.Password {
			t.Errorf("posted as %q", user)
		}
		w.Header().Set("Location", "/elsewhere")
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(status)
	}))
	defer server.Close()
	r := Receiver{URL: server.URL}
	client, done, err := r.open()
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	err = r.post(t.Context(), client, "/notify", aLogin, []byte("<a/>"))
	return asked, err
}

func TestConnectTo(t *testing.T) {
	t.Parallel()
	host := ""
	server := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { host = r.Host }))
	defer server.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	post := func(r Receiver) error {
		client, done, err := r.open()
		if err != nil {
			return err
		}
		defer done()
		return r.post(t.Context(), client, "/notify", aLogin, nil)
	}
	address := server.Listener.Addr().String()
	if err := post(Receiver{URL: "https://example.com", ConnectTo: address, CAFile: ca}); err != nil || host != "example.com" {
		t.Errorf("%v; the host was %q", err, host)
	}
	for reason, r := range map[string]Receiver{
		"the certificate is for another host":  {URL: "https://events.example.net", ConnectTo: address, CAFile: ca},
		"the authority is not trusted":         {URL: "https://example.com", ConnectTo: address},
		"the file with the authority is gone":  {URL: "https://example.com", ConnectTo: address, CAFile: ca + "x"},
		"the file with the authority has none": {URL: "https://example.com", ConnectTo: address, CAFile: "run_test.go"},
	} {
		if err := post(r); !errors.Is(err, errReceiver) || strings.Contains(err.Error(), aLogin.Password) {
			t.Errorf("%s: %v", reason, err)
		}
	}
}
