package ess

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// hijacked answers by writing raw bytes, or none, and closing the connection.
func hijacked(t *testing.T, raw string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Errorf("hijacking: %v", err)
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, raw)
	}
}

// brokenAnswer is one way in which a server can fail to answer.
type brokenAnswer struct {
	reason string
	api    func(*testing.T) http.HandlerFunc
	want   error
	code   string
}

var brokenAnswers = map[string]brokenAnswer{
	"Reset": {
		reason: "A connection that closes without an answer may work next time.",
		api:    func(t *testing.T) http.HandlerFunc { return hijacked(t, "") }, want: ErrConnect, code: "connect",
	},
	"Garbage": {
		reason: "What is not HTTP is not from ESS.",
		api:    func(t *testing.T) http.HandlerFunc { return hijacked(t, "\x00\x01garbage\r\n\r\n") }, want: ErrConnect, code: "connect",
	},
	"CutShort": {
		reason: "Half a list must not pass for a list.",
		api: func(t *testing.T) http.HandlerFunc {
			return hijacked(t, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[]")
		}, want: ErrConnect, code: "connect",
	},
	"RefusalCutShort": {
		reason: "Of a refusal the status is enough.",
		api: func(t *testing.T) http.HandlerFunc {
			return hijacked(t, "HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\nhal")
		}, want: ErrUnavailable, code: "503",
	},
	"NotGzip": {
		reason: "A body that lies about its encoding has the wrong shape.",
		api:    func(*testing.T) http.HandlerFunc { return answers(200, "[] but not gzip", "Content-Encoding", "gzip") },
		want:   ErrMalformed, code: "malformed",
	},
	"FiveMegabytes": {
		reason: "Memory is bounded.",
		api:    func(*testing.T) http.HandlerFunc { return answers(200, strings.Repeat(" ", 5<<20)) },
		want:   ErrTooLarge, code: "too_large",
	},
	"FiveMegabytesOfRefusal": {
		reason: "A large error page must not hide the status.",
		api:    func(*testing.T) http.HandlerFunc { return answers(502, strings.Repeat("x", 5<<20)) },
		want:   ErrUnavailable, code: "502",
	},
	"Redirect": {
		reason: "A redirect would carry the token to a host nobody allowed.",
		api:    func(*testing.T) http.HandlerFunc { return answers(302, "", "Location", "https://evil.example/") },
		want:   ErrMalformed, code: "302",
	},
	"Switch": {
		reason: "101 has no body; waiting for one would hang.",
		api: func(t *testing.T) http.HandlerFunc {
			return hijacked(t, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")
		}, want: ErrMalformed, code: "101",
	},
}

func TestAnswersThatAreNoAnswers(t *testing.T) {
	t.Parallel()
	for name, tc := range brokenAnswers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var codes []string
			client := newConcur(t, tc.api(t)).client(t, func(cfg *Config) {
				cfg.Observe = func(call Call) { codes = append(codes, call.Operation+" "+call.Code) }
			})
			err := callTopics(t.Context(), client)
			if !errors.Is(err, tc.want) {
				t.Errorf("%s\ngot %v, want kind %v", tc.reason, err, tc.want)
			}
			if diff := cmp.Diff([]string{"token 200", "topics " + tc.code}, codes); diff != "" {
				t.Errorf("observed exchanges (-want +got):\n%s", diff)
			}
		})
	}
}

// hangs answers after the request is given up; with headers it sends those first.
func hangs(headers bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if headers {
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
		}
		<-r.Context().Done()
	}
}

func TestHangingServerEndsInTimeout(t *testing.T) {
	t.Parallel()
	for name, headers := range map[string]bool{"NoHeaders": false, "NoBody": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newConcur(t, hangs(headers)).client(t, func(cfg *Config) { cfg.Timeout = 300 * time.Millisecond })
			err := callTopics(t.Context(), client)
			if !errors.Is(err, ErrTimeout) || errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want a timeout", err)
			}
		})
	}
}

func TestHangingTokenServiceEndsInTimeout(t *testing.T) {
	t.Parallel()
	server := newConcur(t, answers(200, "[]"))
	server.grant = hangs(false)
	err := callTopics(t.Context(), server.client(t, func(cfg *Config) { cfg.Timeout = 300 * time.Millisecond }))
	if !errors.Is(err, ErrTimeout) {
		t.Errorf("got %v, want a timeout", err)
	}
}

func TestSlowHeadersEndInTimeoutOfTheTransport(t *testing.T) {
	t.Parallel()
	server := newConcur(t, hangs(false))
	transport := unhurried(server.roots())
	transport.ResponseHeaderTimeout = 100 * time.Millisecond
	err := callTopics(t.Context(), server.client(t, func(cfg *Config) { cfg.Transport = transport }))
	if !errors.Is(err, ErrTimeout) {
		t.Errorf("got %v, want a timeout", err)
	}
}

func TestCancelledCallerIsNoTimeout(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	server := newConcur(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	err := callTopics(ctx, server.client(t))
	if !errors.Is(err, context.Canceled) || errors.Is(err, ErrTimeout) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestDeadlineIsThatOfConfigInFakeTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		never := roundTrip(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		client, err := New(Config{BaseURL: "https://us.example", ClientID: testID, ClientSecret: testSecret, Transport: never})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if err := callTopics(t.Context(), client); !errors.Is(err, ErrTimeout) {
			t.Errorf("got %v, want a timeout", err)
		}
		if took := time.Since(start); took != DefaultTimeout {
			t.Errorf("took %v, want %v", took, DefaultTimeout)
		}
	})
}

func TestRefusedConnection(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	// At the port of a connection's other end nobody listens, and nobody else gets it as long as that is open.
	open, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	address := open.LocalAddr().String()
	client, err := New(Config{BaseURL: "https://" + address, ClientID: testID, ClientSecret: testSecret})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Token(t.Context())
	if !errors.Is(err, ErrConnect) {
		t.Errorf("got %v, want %v", err, ErrConnect)
	}
	const want = "obtaining a token: no connection: 127.0.0.1: connect: connection refused"
	if err.Error() != want {
		t.Errorf("ports would make the text flap: got %q, want %q", err, want)
	}
}

// transportError is one error of a transport and how it must read.
type transportError struct {
	reason string
	err    error
	want   error
	text   string
}

var transportErrors = map[string]transportError{
	"UnknownHost": {
		reason: "The resolver's address is not the user's business.",
		err:    &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "us.example", Server: "10.0.0.1:53", IsNotFound: true}},
		want:   ErrDNS, text: "obtaining a token: host name not resolved: us.example: no such host",
	},
	"ResolverSilent": {
		reason: "A resolver that does not answer is a timeout.",
		err:    &net.DNSError{Err: "i/o timeout", Name: "us.example", IsTimeout: true},
		want:   ErrTimeout, text: "obtaining a token: no answer in time: us.example",
	},
	"Alert": {
		reason: "The peer's alert is about TLS.",
		err:    &net.OpError{Op: "remote error", Err: errors.New("tls: handshake failure")},
		want:   ErrTLS, text: "obtaining a token: no trusted connection: us.example: tls: handshake failure",
	},
	"Own": {
		reason: "A limiter below the client speaks for itself.",
		err:    &Error{Kind: ErrRateLimited, Detail: "paused", RetryAfter: time.Minute}, want: ErrRateLimited, text: "obtaining a token: too many requests: paused",
	},
	"ProxyPassword": {
		reason: "A proxy address can hold a password.",
		err:    errors.New("invalid proxy address http://me:hunter2@proxy:3128"),
		want:   ErrConnect, text: "obtaining a token: no connection: us.example: invalid proxy address http[redacted]proxy:3128",
	},
}

func TestTransportErrors(t *testing.T) {
	t.Parallel()
	for name, tc := range transportErrors {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, err := New(Config{BaseURL: "https://us.example", ClientID: testID, ClientSecret: testSecret,
				Transport: roundTrip(func(*http.Request) (*http.Response, error) { return nil, tc.err })})
			if err != nil {
				t.Fatal(err)
			}
			_, err = client.Token(t.Context())
			if !errors.Is(err, tc.want) || err.Error() != tc.text || !errors.Is(err, tc.err) {
				t.Errorf("%s\ngot  %v\nwant %s", tc.reason, err, tc.text)
			}
			if want := RetryAfter(tc.err); RetryAfter(err) != want {
				t.Errorf("got retry after %v, want %v", RetryAfter(err), want)
			}
		})
	}
}
