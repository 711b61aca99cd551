package sink_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/route"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/sink"
)

var simple = event.Event{
	Route: origin.Route, ID: "1", Source: "/s", Type: "t", Time: arrival, DataContentType: "application/json", Body: []byte(`{"a":1}`),
}

func TestWhatAnswersMean(t *testing.T) {
	t.Parallel()
	tests := map[int]struct {
		reason  string
		kind    error
		message string
	}{
		200: {reason: "It was taken."},
		202: {reason: "It was taken."},
		204: {reason: "It was taken."},
		299: {reason: "It was taken."},
		304: {reason: "There is nothing to ask again.", kind: sink.ErrRefused, message: `the sink answered 304 Not Modified`},
		400: {reason: "The same bytes are as wrong the next time.", kind: sink.ErrRefused, message: `the sink answered 400 Bad Request: "because"`},
		401: {reason: "As Knative has it.", kind: sink.ErrRefused, message: `the sink answered 401 Unauthorized: "because"`},
		404: {reason: "A pod that is not ready may be the cause.", kind: sink.ErrNotNow, message: `the sink answered 404 Not Found: "because"`},
		408: {reason: "It says itself that it was only slow.", kind: sink.ErrNotNow, message: `the sink answered 408 Request Timeout: "because"`},
		409: {reason: "Another attempt may be under way.", kind: sink.ErrNotNow, message: `the sink answered 409 Conflict: "because"`},
		410: {reason: "As Knative has it.", kind: sink.ErrRefused, message: `the sink answered 410 Gone: "because"`},
		429: {reason: "It wants to be asked later.", kind: sink.ErrUnavailable, message: `the sink answered 429 Too Many Requests: "because"`},
		500: {reason: "Its own fault.", kind: sink.ErrUnavailable, message: `the sink answered 500 Internal Server Error: "because"`},
		503: {reason: "Not up.", kind: sink.ErrUnavailable, message: `the sink answered 503 Service Unavailable: "because"`},
		599: {reason: "A status without a name.", kind: sink.ErrUnavailable, message: `the sink answered 599: "because"`},
	}
	c := client(t, sink.Config{})
	for status, tc := range tests {
		server, _ := recorder(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(status)
			fmt.Fprint(w, "because")
		})
		err := send(t, c, at(t, server.URL), simple, route.Binary)
		if !errors.Is(err, tc.kind) || err != nil && err.Error() != tc.message {
			t.Errorf("%d: %s: got %v, want %s", status, tc.reason, err, tc.message)
		}
		var failure *sink.Error
		if asked := errors.As(err, &failure) && failure.RetryAfter == 7*time.Second; asked != (status == 429 || status == 503) {
			t.Errorf("%d: got Retry-After %v", status, failure.RetryAfter)
		}
	}
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	t.Parallel()
	nobody := closedPort(t)
	hangUp, _ := recorder(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	ok, _ := recorder(t, nil)
	plain := strings.TrimPrefix(ok.URL, "http://")
	untrusted := overTLS(t, http.NotFoundHandler(), nil)

	tests := map[string]struct {
		reason string
		uri    string
		want   string
	}{
		"Refused":   {"Where, so that one can look there.", "http://" + nobody + "/p?token=secret", "nobody listens at " + nobody},
		"Lookup":    {"A misspelt Service is the commonest mistake.", "http://user:secret@expense-bot.invalid/?token=secret", "the sink's name cannot be looked up: expense-bot.invalid: "},
		"HungUp":    {"It was there, but said nothing.", hangUp.URL + "/?token=secret", "the sink closed the connection without an answer"},
		"NoTLS":     {"The likely cause is in the URI.", "https://" + plain + "/?token=secret", "the sink does not speak TLS: does its URI begin with https for a port that is http?"},
		"Untrusted": {"What to do is to give the CA.", untrusted.URL + "/?token=secret", "the sink's certificate is not signed by a CA that is trusted: give the CA as caBundle"},
		"Scheme":    {"Routes files cannot hold it, but a panic would be worse.", "ftp://secret:secret@h/?token=secret", "no answer from h: unsupported protocol scheme"},
	}
	c := client(t, sink.Config{})
	for name, tc := range tests {
		err := send(t, c, at(t, tc.uri), simple, route.Binary)
		if !errors.Is(err, sink.ErrUnavailable) || !strings.HasPrefix(err.Error(), tc.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %s: got %v, want %s", name, tc.reason, err, tc.want)
		}
	}
	if err := c.Send(t.Context(), route.Sink{}, simple, route.Binary); !errors.Is(err, sink.ErrUnavailable) {
		t.Errorf("without a URI: got %v", err)
	}
}

// closedPort is an address at which nobody listens, and nobody begins to: the port is that of a connection's other end.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c.LocalAddr().String()
}

// Where something else listens than a sink, what it says is no HTTP; an echo holds what it was sent.
func TestAnEchoIsNotRepeated(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		if c, err := l.Accept(); err == nil {
			_, _ = io.CopyN(c, c, 40)
			_ = c.Close()
		}
	}()
	err = send(t, client(t, sink.Config{}), at(t, "http://"+l.Addr().String()+"/?token=secret"), simple, route.Binary)
	if !errors.Is(err, sink.ErrUnavailable) || !strings.HasPrefix(err.Error(), "no answer from 127.0.0.1") || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
}

func TestDeadlineAndCancellation(t *testing.T) {
	t.Parallel()
	release, arrived := make(chan struct{}), make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/cut":
			arrived <- struct{}{}
			<-release
		case "/late":
			<-release
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(release) })
	c := client(t, sink.Config{})
	// From here on there is a connection, so that the deadline is over while the answer is waited for.
	if err := send(t, c, at(t, server.URL), simple, route.Binary); err != nil {
		t.Fatal(err)
	}

	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	err := c.Send(short, at(t, server.URL+"/late"), simple, route.Binary)
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, sink.ErrUnavailable) || err.Error() != "the sink did not answer in time" {
		t.Errorf("deadline: got %v", err)
	}

	cut, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	if err := c.Send(cut, at(t, server.URL+"/cut"), simple, route.Binary); !errors.Is(err, context.Canceled) {
		t.Errorf("cancellation: got %v", err)
	}
}

func TestDeniedAddresses(t *testing.T) {
	t.Parallel()
	inner, reached := recorder(t, nil)
	_, port, err := net.SplitHostPort(inner.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c := client(t, sink.Config{DenyCIDRs: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}})
	for _, host := range []string{"127.0.0.1", "127.9.9.9", "localhost", "0.0.0.0", "[::]", "[::ffff:127.0.0.1]", "[::1]", "2130706433"} {
		err := send(t, c, at(t, "http://"+host+":"+port), simple, route.Binary)
		denied := (*sink.DeniedError)(nil)
		switch {
		case host == "2130706433": // a spelling that some resolvers take; Go's takes it for a name
			if err == nil {
				t.Errorf("%s: reached", host)
			}
		case !errors.As(err, &denied) || !errors.Is(err, sink.ErrUnavailable) || !strings.Contains(err.Error(), "sinks.denyCIDRs"):
			t.Errorf("%s: got %v", host, err)
		}
	}
	if len(reached) != 0 {
		t.Error("the server was reached")
	}
}

func TestARedirectDoesNotGetAroundTheDenyList(t *testing.T) {
	t.Parallel()
	inner, reached := recorder(t, nil)
	_, port, err := net.SplitHostPort(inner.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	outer, _ := recorder(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://127.0.0.2:"+port+"/?token=secret", http.StatusTemporaryRedirect)
	})
	c := client(t, sink.Config{DenyCIDRs: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}})
	err = send(t, c, at(t, outer.URL), simple, route.Binary)
	if !errors.As(err, new(*sink.DeniedError)) || len(reached) != 0 {
		t.Errorf("got %v, and %d requests", err, len(reached))
	}
}
