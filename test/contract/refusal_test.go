package contract_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ess-operator/ess-operator/internal/ess"
	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// refusal is one way in which the emulator says no, and what the client has to make of it.
type refusal struct {
	reason   string
	statuses []int // that ESS may use; none of them is documented
	set      func(*essemulator.Statuses, int)
	arrange  func(*bench)
	put      ess.Subscription
	want     error
	untoldBy map[int]error // what is left to think of a status when the answer has no words
}

var refusals = map[string]refusal{
	"Taken": {
		reason: "an id that another application has needs another id", statuses: []int{400, 403, 409, 422},
		set:     func(s *essemulator.Statuses, status int) { s.IDTaken = status },
		arrange: func(b *bench) { b.PutSubscription(held("a", otherApp)) },
		put:     wanted("a"), want: ess.ErrTaken,
		untoldBy: map[int]error{400: ess.ErrInvalid, 403: ess.ErrForbidden, 409: ess.ErrTaken, 422: ess.ErrInvalid},
	},
	"Limit": {
		reason: "one too many may fit later", statuses: []int{400, 403, 409, 422, 429},
		set: func(s *essemulator.Statuses, status int) { s.LimitReached = status },
		arrange: func(b *bench) {
			for i := range 5 {
				b.PutSubscription(held(fmt.Sprintf("s-%d", i), ourApp))
			}
		},
		put: wanted("a"), want: ess.ErrQuota,
		untoldBy: map[int]error{
			400: ess.ErrInvalid, 403: ess.ErrForbidden, 409: ess.ErrTaken, 422: ess.ErrInvalid, 429: ess.ErrRateLimited,
		},
	},
	"TopicNotAllowed": {
		reason: "ESS knows the application and refuses the write", statuses: []int{403},
		set: func(s *essemulator.Statuses, status int) { s.TopicNotAllowed = status },
		put: ess.Subscription{ID: "a", Topic: "public.concur.request", Filter: ".*", Endpoint: endpoint}, want: ess.ErrForbidden,
	},
	"BadID": {
		reason: "the same request is refused again", statuses: []int{400, 422},
		set: func(s *essemulator.Statuses, status int) { s.Invalid = status },
		put: wanted("Upper_Case"), want: ess.ErrInvalid,
	},
	"BadFilter": {
		reason: "the same request is refused again, though its words could be anything", statuses: []int{400, 422},
		set: func(s *essemulator.Statuses, status int) { s.Invalid = status },
		put: ess.Subscription{ID: "a", Topic: reports, Filter: "(", Endpoint: endpoint}, want: ess.ErrInvalid,
	},
	"IDOfTellingWords": {
		reason: "the id in an answer is not ESS's word", statuses: []int{400},
		set:     func(s *essemulator.Statuses, status int) { s.MarkedID = status },
		arrange: func(b *bench) { b.PutSubscription(marked("is.taken.too.many.subscriptions")) },
		put:     wanted("is.taken.too.many.subscriptions"), want: ess.ErrInvalid,
	},
}

func marked(id string) essemulator.Subscription {
	s := held(id, ourApp)
	s.MarkedForDeletion = true
	return s
}

// TestRefusedPuts meets each refusal with each status and in each form of body.
func TestRefusedPuts(t *testing.T) {
	t.Parallel()
	shapes := []essemulator.ErrorShape{essemulator.ErrorSibling, essemulator.ErrorFlat, essemulator.ErrorText, essemulator.ErrorEmpty}
	for name, r := range refusals {
		for _, status := range r.statuses {
			for _, shape := range shapes {
				t.Run(fmt.Sprintf("%s/%d/%s", name, status, shape), func(t *testing.T) {
					t.Parallel()
					b := newBench(t, func(a *essemulator.Assumptions) {
						a.ErrorShape, a.PutMarked = shape, essemulator.PutRefused
						r.set(&a.Statuses, status)
					})
					if r.arrange != nil {
						r.arrange(b)
					}
					want := r.want
					if silent, ok := r.untoldBy[status]; ok && shape == essemulator.ErrorEmpty {
						want = silent
					}
					checkRefused(t, b.client(t).Put(t.Context(), r.put), status, want, r.reason)
				})
			}
		}
	}
}

func checkRefused(t *testing.T, err error, status int, want error, reason string) {
	t.Helper()
	e, ok := errors.AsType[*ess.Error](err)
	if !ok || !errors.Is(err, want) || e.Status != status {
		t.Fatalf("got %v, want %v with status %d: %s", err, want, status, reason)
	}
	if e.CorrelationID == "" || strings.Contains(err.Error(), secret) {
		t.Errorf("the error has correlation id %q and says %q", e.CorrelationID, err)
	}
}

// refusedCallers are callers that ESS or the token service does not take.
var refusedCallers = map[string]struct {
	reason  string
	assume  func(*essemulator.Assumptions)
	arrange func(*bench)
	config  func(*ess.Config)
	want    error
	writes  error // what calls about one subscription return
	token   bool  // the token service refuses too
}{
	"NoScope403": {
		reason:  "403 with a fresh token is a missing scope; about one subscription it may be more",
		arrange: func(b *bench) { b.PutApplication(application(ourApp, "expense.report.read")) },
		want:    ess.ErrUnauthorized, writes: ess.ErrForbidden,
	},
	"NoScope401": {
		reason:  "some pages answer a missing scope 401",
		assume:  func(a *essemulator.Assumptions) { a.Statuses.MissingScope = 401 },
		arrange: func(b *bench) { b.PutApplication(application(ourApp, "expense.report.read")) },
		want:    ess.ErrUnauthorized, writes: ess.ErrUnauthorized,
	},
	"WrongSecret": {
		reason: "only another secret helps",
		config: func(cfg *ess.Config) { cfg.ClientSecret = "wrong" }, want: ess.ErrCredentials, writes: ess.ErrCredentials, token: true,
	},
	"WrongSecret400": {
		reason: "most errors of the token service are 400",
		assume: func(a *essemulator.Assumptions) { a.Statuses.InvalidClient = 400 },
		config: func(cfg *ess.Config) { cfg.ClientSecret = "wrong" }, want: ess.ErrCredentials, writes: ess.ErrCredentials, token: true,
	},
	"UnknownClient": {
		reason: "only another id helps",
		config: func(cfg *ess.Config) { cfg.ClientID = "nobody" }, want: ess.ErrCredentials, writes: ess.ErrCredentials, token: true,
	},
	"Disabled": {
		reason: "only SAP can help",
		arrange: func(b *bench) {
			app := application(ourApp, "events.topic.read")
			app.Disabled = true
			b.PutApplication(app)
		},
		want: ess.ErrCredentials, writes: ess.ErrCredentials, token: true,
	},
}

// TestRefusedCallers lets each of them try every operation.
func TestRefusedCallers(t *testing.T) {
	t.Parallel()
	for name, tc := range refusedCallers {
		for op, call := range operations {
			t.Run(name+"/"+op, func(t *testing.T) {
				t.Parallel()
				b := newBench(t, tc.assume)
				b.PutSubscription(held("mine", ourApp))
				if tc.arrange != nil {
					tc.arrange(b)
				}
				c := b.client(t, func(cfg *ess.Config) {
					if tc.config != nil {
						tc.config(cfg)
					}
				})
				want := tc.want
				switch {
				case op == essemulator.OpPut, op == essemulator.OpDelete, op == essemulator.OpGet:
					want = tc.writes
				case op == essemulator.OpToken && !tc.token:
					want = nil
				}
				if err := call(t.Context(), c); !errors.Is(err, want) {
					t.Errorf("got %v, want %v: %s", err, want, tc.reason)
				}
			})
		}
	}
}
