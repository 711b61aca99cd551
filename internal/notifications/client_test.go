package notifications_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/internal/notifications"
)

const token = "a-token-that-must-not-be-shown"

// concur answers with one status, and remembers what it was asked.
type concur struct {
	*httptest.Server
	asked []string
}

func newConcur(t *testing.T, answer http.HandlerFunc) *concur {
	t.Helper()
	c := &concur{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.asked = append(c.asked, r.Method+" "+r.RequestURI+" "+r.Header.Get("Authorization"))
		answer(w, r)
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *concur) client(t *testing.T, changes ...func(*notifications.Config)) *notifications.Client {
	t.Helper()
	cfg := notifications.Config{BaseURL: c.URL + "/", Token: token, Transport: c.Client().Transport}
	for _, change := range changes {
		change(&cfg)
	}
	client, err := notifications.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestCalls(t *testing.T) {
	t.Parallel()
	c := newConcur(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			fmt.Fprint(w, `[{"NotificationURI": "x"}]`)
		}
	})
	var codes []string
	client := c.client(t, func(cfg *notifications.Config) {
		cfg.Scheme = "Bearer"
		cfg.Observe = func(call notifications.Call) { codes = append(codes, call.Operation+" "+call.Code) }
	})
	list, err := client.Failed(t.Context())
	if err != nil || len(list) != 1 {
		t.Fatalf("Failed: %v, %v", list, err)
	}
	if err := c.client(t).Delete(t.Context(), c.URL+"/api/notification/n$1%2fx"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{
		"GET /api/platform/notifications/v1.0/notification?status=FAILED Bearer " + token,
		"DELETE /api/notification/n$1%2fx OAuth " + token,
	}, c.asked); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"failed_list 200"}, codes); diff != "" {
		t.Errorf("observed (-want +got):\n%s", diff)
	}
}

// TestURIsAreSentAsTheyAre has a server of its own, because net/http refuses what Concur's samples hold.
func TestURIsAreSentAsTheyAre(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	lines := make(chan string, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			close(lines)
			return
		}
		defer conn.Close()
		line, _ := bufio.NewReader(conn).ReadString('\n')
		lines <- line
		fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	}()
	client, err := notifications.New(notifications.Config{
		BaseURL: "http://" + listener.Addr().String(), Token: token, Transport: &http.Transport{DisableKeepAlives: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Delete(t.Context(), "http://"+listener.Addr().String()+"/notification/3%Rek29$wsI%"); err != nil {
		t.Error(err)
	}
	if got, want := <-lines, "DELETE /notification/3%Rek29$wsI% HTTP/1.1\r\n"; got != want {
		t.Errorf("sent %q, want %q", got, want)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason       string
		status       int
		list, delete error
	}{
		"Unauthorized": {"no token, or none that counts", 401, notifications.ErrToken, notifications.ErrToken},
		"Forbidden":    {"expired, revoked, or without the role", 403, notifications.ErrToken, notifications.ErrToken},
		"Malformed":    {"an id of another form", 400, notifications.ErrMalformed, notifications.ErrInvalid},
		"Gone":         {"somebody else deleted it", 404, notifications.ErrMalformed, nil},
		"TooMany":      {"to be left alone", 429, notifications.ErrRateLimited, notifications.ErrRateLimited},
		"Down":         {"later", 503, notifications.ErrUnavailable, notifications.ErrUnavailable},
		"Redirect":     {"the token goes nowhere else", 302, notifications.ErrMalformed, notifications.ErrMalformed},
		"NoContent":    {"nothing failed", 204, nil, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConcur(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "/elsewhere")
				w.Header().Set("Retry-After", "7")
				w.WriteHeader(tt.status)
				if tt.status != http.StatusNoContent {
					fmt.Fprint(w, "your token is "+token)
				}
			})
			client := c.client(t)
			_, listErr := client.Failed(t.Context())
			deleteErr := client.Delete(t.Context(), c.URL+"/n")
			checkRefusal(t, listErr, tt.list, tt.reason)
			checkRefusal(t, deleteErr, tt.delete, tt.reason)
			if len(c.asked) != 2 {
				t.Errorf("%d calls, want one each", len(c.asked))
			}
		})
	}
}

func checkRefusal(t *testing.T, got, want error, reason string) {
	t.Helper()
	switch {
	case want == nil && got == nil:
	case !errors.Is(got, want):
		t.Errorf("got %v, want %v: %s", got, want, reason)
	case strings.Contains(got.Error(), token) || notifications.RetryAfter(got) != 7*time.Second:
		t.Errorf("%v, to be tried after %s", got, notifications.RetryAfter(got))
	}
}

func TestAddressesThatGetNoToken(t *testing.T) {
	t.Parallel()
	c := newConcur(t, func(http.ResponseWriter, *http.Request) {})
	client := c.client(t, func(cfg *notifications.Config) {
		cfg.AllowURL = func(u *url.URL) error {
			if u.Hostname() == "www.concursolutions.com" || u.Hostname() == "127.0.0.1" {
				return nil
			}
			return errors.New("not this one")
		}
	})
	for uri, want := range map[string]error{
		"https://evil.example/n":                         notifications.ErrHostNotAllowed,
		"https://www.concursolutions.com.evil.example/n": notifications.ErrHostNotAllowed,
		"https://www.concursolutions.com@evil.example/n": notifications.ErrInvalid,
		"https://evil.example\\.concursolutions.com/n":   notifications.ErrInvalid,
		"https://evil.example?www.concursolutions.com/n": notifications.ErrInvalid,
		"http://www.concursolutions.com/n":               notifications.ErrHostNotAllowed,
		"/n":                                             notifications.ErrInvalid,
		"":                                               notifications.ErrInvalid,
		"file:///n":                                      notifications.ErrInvalid,
		"https:///n":                                     notifications.ErrInvalid,
		"https://www.concursolutions.com":                notifications.ErrInvalid,
		"https://www.concursolutions.com//evil.example/n":              notifications.ErrInvalid,
		"https://www.concursolutions.com/n#f":                          notifications.ErrInvalid,
		"https://www.concursolutions.com/n HTTP/1.1\r\nX: y":           notifications.ErrInvalid,
		"https://www.concursolutions.com/" + strings.Repeat("n", 2048): notifications.ErrInvalid,
	} {
		if err := client.Delete(t.Context(), uri); !errors.Is(err, want) {
			t.Errorf("deleting %q: %v, want %v", uri, err, want)
		}
	}
	if len(c.asked) > 0 {
		t.Errorf("asked: %q", c.asked)
	}
}

func TestNoAnswer(t *testing.T) {
	t.Parallel()
	c := newConcur(t, func(http.ResponseWriter, *http.Request) {})
	c.Close()
	_, err := c.client(t).Failed(t.Context())
	if !errors.Is(err, notifications.ErrUnreachable) || strings.Contains(err.Error(), token) {
		t.Errorf("refused connection: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.client(t).Failed(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
	hangs := newConcur(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	_, err = hangs.client(t, func(cfg *notifications.Config) { cfg.Timeout = 20 * time.Millisecond }).Failed(t.Context())
	if !errors.Is(err, notifications.ErrUnreachable) || !strings.Contains(err.Error(), "not in time") {
		t.Errorf("no answer: %v", err)
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{
		"a page":  func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html/>") },
		"too big": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.Copy(w, io.LimitReader(blanks{}, 9<<20)) },
	} {
		if _, err := newConcur(t, answer).client(t).Failed(t.Context()); !errors.Is(err, notifications.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type blanks struct{}

func (blanks) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func TestConfigsThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for reason, cfg := range map[string]notifications.Config{
		"no URL":         {Token: token},
		"a user":         {BaseURL: "https://u:p@a", Token: token},
		"no token":       {BaseURL: "https://a"},
		"two lines":      {BaseURL: "https://a", Token: token + "\n" + token},
		"not even ASCII": {BaseURL: "https://a", Token: "ä" + token},
	} {
		_, err := notifications.New(cfg)
		if !errors.Is(err, notifications.ErrConfig) || strings.Contains(err.Error(), token) {
			t.Errorf("%s: %v", reason, err)
		}
		if printed := fmt.Sprintf("%v %+v %#v", cfg, cfg, cfg); strings.Contains(printed, token) {
			t.Errorf("%s: %s", reason, printed)
		}
	}
}
