package contract_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/ess-operator/ess-operator/internal/ess"
	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// operations are all that the client can do, each such that it succeeds when nothing is wrong.
var operations = map[string]func(context.Context, *ess.Client) error{
	essemulator.OpToken:  func(ctx context.Context, c *ess.Client) error { _, err := c.Token(ctx); return err },
	essemulator.OpTopics: func(ctx context.Context, c *ess.Client) error { _, err := c.Topics(ctx); return err },
	essemulator.OpList:   func(ctx context.Context, c *ess.Client) error { _, err := c.Subscriptions(ctx); return err },
	essemulator.OpGet:    func(ctx context.Context, c *ess.Client) error { _, err := c.Subscription(ctx, "mine"); return err },
	essemulator.OpPut:    func(ctx context.Context, c *ess.Client) error { return c.Put(ctx, wanted("mine")) },
	essemulator.OpDelete: func(ctx context.Context, c *ess.Client) error { return c.Delete(ctx, "mine") },
}

// patienceWith waits for an answer that does not come as long as it must, and no longer.
func patienceWith(fault essemulator.Fault) func(*ess.Config) {
	return func(cfg *ess.Config) {
		if fault.Hang {
			cfg.Timeout = 2 * time.Second
		}
	}
}

// TestFaults lets every operation meet every fault.
func TestFaults(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		fault  essemulator.Fault
		want   error
		except map[string]error // by operation
	}{
		"None": {reason: "the operations work", fault: essemulator.Fault{Header: map[string][]string{"X-Nothing": {"wrong"}}}},
		"400": {
			reason: "the request is called wrong", fault: essemulator.Fault{Status: 400}, want: ess.ErrInvalid,
		},
		"400Busy": {
			reason: "too many requests may be answered 400", fault: essemulator.Fault{Status: 400, Body: `{"message":"Too many requests"}`},
			want: ess.ErrUnavailable, except: map[string]error{essemulator.OpToken: ess.ErrInvalid},
		},
		"404": {
			reason: "only one subscription can be absent; a path cannot", fault: essemulator.Fault{Status: 404}, want: ess.ErrMalformed,
			except: map[string]error{essemulator.OpGet: ess.ErrNotFound, essemulator.OpDelete: nil},
		},
		"429":       {reason: "it passes", fault: essemulator.Fault{Status: 429, RetryAfter: "7"}, want: ess.ErrRateLimited},
		"500":       {reason: "it passes", fault: essemulator.Fault{Status: 500}, want: ess.ErrUnavailable},
		"503":       {reason: "it passes", fault: essemulator.Fault{Status: 503, RetryAfter: "7"}, want: ess.ErrUnavailable},
		"Redirect":  {reason: "no token follows a redirect", fault: essemulator.Fault{Status: 307}, want: ess.ErrMalformed},
		"Hanging":   {reason: "every call ends", fault: essemulator.Fault{Hang: true}, want: ess.ErrTimeout},
		"Resetting": {reason: "connections break", fault: essemulator.Fault{Reset: true}, want: ess.ErrConnect},
		"TooLarge":  {reason: "memory is not Concur's to fill", fault: essemulator.Fault{BodySize: 5 << 20}, want: ess.ErrTooLarge},
		"Garbage": {
			reason: "success must be readable where it is read", fault: essemulator.Fault{Garbage: true}, want: ess.ErrMalformed,
			except: map[string]error{essemulator.OpPut: nil, essemulator.OpDelete: nil},
		},
		"Null": {
			reason: "null is neither a list nor a token", fault: essemulator.Fault{Body: "null"}, want: ess.ErrMalformed,
			except: map[string]error{essemulator.OpPut: nil, essemulator.OpDelete: nil},
		},
	}
	for name, tc := range cases {
		for op, call := range operations {
			t.Run(name+"/"+op, func(t *testing.T) {
				t.Parallel()
				b := newBench(t, nil)
				b.PutSubscription(held("mine", ourApp))
				c := b.client(t, patienceWith(tc.fault))
				fault := tc.fault
				fault.Operation = op
				b.InjectFault(fault)
				want := tc.want
				if other, ok := tc.except[op]; ok {
					want = other
				}
				err := call(t.Context(), c)
				if !errors.Is(err, want) {
					t.Fatalf("got %v, want %v: %s", err, want, tc.reason)
				}
				if tc.fault.RetryAfter != "" && ess.RetryAfter(err) != 7*time.Second {
					t.Errorf("Concur asked for 7s, the error says %v", ess.RetryAfter(err))
				}
			})
		}
	}
}

// TestFreshToken: Concur answers 401 or 403 for tokens that expired or were revoked, and a fresh one helps.
func TestFreshToken(t *testing.T) {
	t.Parallel()
	for _, status := range []int{401, 403} {
		for op, call := range operations {
			if op == essemulator.OpToken {
				continue
			}
			t.Run(fmt.Sprintf("%d/%s", status, op), func(t *testing.T) {
				t.Parallel()
				b := newBench(t, func(a *essemulator.Assumptions) { a.Statuses.BadToken = status })
				b.PutSubscription(held("mine", ourApp))
				c := b.client(t)
				if _, err := c.Token(t.Context()); err != nil {
					t.Fatal(err)
				}
				b.RevokeTokens(ourApp)
				b.ResetRequests()
				if err := call(t.Context(), c); err != nil {
					t.Errorf("a revoked token shows: %v", err)
				}
				if got := len(b.Requests()); got != 3 {
					t.Errorf("%d requests, want the refused call, a token, and the call again: %v", got, b.Requests())
				}
			})
		}
	}
}

// hostOnly allows one host and refuses all others with err.
func hostOnly(host string, err error) func(*url.URL) error {
	return func(u *url.URL) error {
		if u.Hostname() == host {
			return nil
		}
		return err
	}
}

// TestWayToTheEmulator is about hosts that cannot or must not be reached.
func TestWayToTheEmulator(t *testing.T) {
	t.Parallel()
	refuse := errors.New("not this host")
	cases := map[string]struct {
		reason string
		config func(*bench, *ess.Config)
		want   error
	}{
		"UnknownCA": {"its authority is not known",
			func(_ *bench, cfg *ess.Config) { cfg.Transport.(*http.Transport).TLSClientConfig.RootCAs = nil }, ess.ErrTLS},
		"NobodyListens": {"nothing is there",
			func(_ *bench, cfg *ess.Config) { cfg.BaseURL = "https://127.0.0.1:1" }, ess.ErrConnect},
		"PlainHTTP": {"the other side speaks TLS only",
			func(b *bench, cfg *ess.Config) { cfg.BaseURL = "http" + b.server.URL[len("https"):] }, ess.ErrInvalid},
		"GeolocationRefused": {"a token does not go where its owner may not",
			func(b *bench, cfg *ess.Config) {
				b.SetBaseURL("https://elsewhere.example.com")
				cfg.AllowURL = hostOnly("127.0.0.1", refuse)
			}, ess.ErrHostNotAllowed},
		"HostRefused": {"nothing is asked of a host that is not allowed",
			func(_ *bench, cfg *ess.Config) { cfg.AllowURL = hostOnly("elsewhere.example.com", refuse) }, ess.ErrHostNotAllowed},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, nil)
			c := b.client(t, func(cfg *ess.Config) { tc.config(b, cfg) })
			if _, err := c.Subscriptions(t.Context()); !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v: %s", err, tc.want, tc.reason)
			}
			for _, r := range b.Requests() {
				if r.Operation != essemulator.OpToken {
					t.Errorf("%v was sent all the same", r)
				}
			}
		})
	}
}
