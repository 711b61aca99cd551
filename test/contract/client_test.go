package contract_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ess-operator/ess-operator/internal/ess"
	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// kinds are the errors by the names used in the exchanges.
var kinds = map[string]error{
	"ErrInvalid": ess.ErrInvalid, "ErrUnauthorized": ess.ErrUnauthorized, "ErrNotFound": ess.ErrNotFound,
	"ErrRateLimited": ess.ErrRateLimited, "ErrCredentials": ess.ErrCredentials,
}

// otherErrors are exchanges whose situation is told to the client in another way than by the published answer.
var otherErrors = map[string]error{
	"refused-400": ess.ErrQuota, // the sixth subscription, which the client recognises by the emulator's text
}

// TestClientReadsTheEmulator makes each published call with the client, in the situation of its exchange.
func TestClientReadsTheEmulator(t *testing.T) {
	t.Parallel()
	for name, x := range exchanges(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := situations[name]
			b := x.prepare(t, s)
			if s.published {
				x.inject(b)
			}
			// The published geolocation is not ours to call.
			client := b.client(t, func(cfg *ess.Config) { cfg.APIURL, cfg.ClientSecret = b.server.URL, secret+s.secret })
			got, err := x.play(t.Context(), client)
			want := kinds[x.failure]
			if other := otherErrors[name]; other != nil {
				want = other
			}
			if !errors.Is(err, want) {
				t.Fatalf("got error %v, want %v", err, want)
			}
			if want != nil || x.result == "" {
				return
			}
			data, err := json.Marshal(got)
			if err != nil {
				t.Fatal(err)
			}
			x.checkResult(t, decode(t, string(data)))
		})
	}
}

// checkResult compares what the client made of the emulator's answer with what it makes of the published one.
func (x exchange) checkResult(t *testing.T, got any) {
	t.Helper()
	want := decode(t, x.result)
	if x.call == "topics" { // a scope may open more topics, in an order that is not documented
		c := comparison{anyOrder: true}
		c.compare("topics", want, got)
		for _, difference := range c.found {
			t.Error(difference)
		}
		return
	}
	// Every exchange here takes place under one application.
	ignored := cmpopts.IgnoreMapEntries(func(name string, v any) bool { return v == nil || v == "" || name == "ApplicationID" })
	if diff := cmp.Diff(want, got, ignored); diff != "" {
		t.Errorf("result (-published +emulated):\n%s", diff)
	}
}

// play makes the call and returns its result in the form of result.json.
func (x exchange) play(ctx context.Context, c *ess.Client) (any, error) {
	verb, argument, _ := strings.Cut(x.call, " ")
	switch verb {
	case essemulator.OpToken:
		token, err := c.Token(ctx)
		return map[string]any{
			"Geolocation": token.Geolocation, "Scopes": token.Scopes, "Seconds": int(token.ExpiresAt.Sub(token.IssuedAt) / time.Second),
		}, err
	case essemulator.OpTopics:
		topics, err := c.Topics(ctx)
		return topics, err
	case essemulator.OpList:
		list, err := c.Subscriptions(ctx)
		return list, err
	case essemulator.OpGet:
		s, err := c.Subscription(ctx, argument)
		return []ess.Subscription{s}, err
	case essemulator.OpDelete:
		return nil, c.Delete(ctx, argument)
	case essemulator.OpPut:
		var s ess.Subscription
		if err := json.Unmarshal([]byte(argument), &s); err != nil {
			return nil, err
		}
		return nil, c.Put(ctx, s)
	}
	return nil, errors.New("no such call: " + verb)
}

// TestLife follows one subscription through both, in each form that is documented or not excluded.
func TestLife(t *testing.T) {
	t.Parallel()
	forms := map[string]func(*essemulator.Assumptions){
		"Defaults":       nil,
		"Object":         func(a *essemulator.Assumptions) { a.GetShape = essemulator.GetObject },
		"AbsentIs200":    func(a *essemulator.Assumptions) { a.Statuses.UnknownID = 200 },
		"LifeIsNumber":   func(a *essemulator.Assumptions) { a.ExpiresIn = essemulator.ExpiresInNumber },
		"StrictPut":      func(a *essemulator.Assumptions) { a.ReadOnlyFields = essemulator.RejectReadOnly },
		"MarkedIsHidden": func(a *essemulator.Assumptions) { a.MarkedListed = false },
	}
	for name, form := range forms {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, func(a *essemulator.Assumptions) {
				a.DeleteDelay = 0
				if form != nil {
					form(a)
				}
			})
			c := b.client(t)
			want := wanted("a.b-1")
			if err := c.Put(t.Context(), want); err != nil {
				t.Fatal(err)
			}
			want.ApplicationID = ourApp
			checkSees(t, c, want)
			want.Filter = `statusChange\.APPROVED`
			if err := c.Put(t.Context(), want); err != nil { // what only ESS writes is not sent
				t.Fatal(err)
			}
			if err := b.ConnectCompany(ourApp, "company", "group"); err != nil {
				t.Fatal(err)
			}
			want.CompanyIDs, want.Groups = []string{"company"}, []string{"group"}
			checkSees(t, c, want)
			for range 2 { // the second finds nothing
				if err := c.Delete(t.Context(), want.ID); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := c.Subscription(t.Context(), want.ID); !errors.Is(err, ess.ErrNotFound) {
				t.Errorf("reading what was deleted: %v", err)
			}
		})
	}
}

// checkSees compares what LIST and GET show.
func checkSees(t *testing.T, c *ess.Client, want ess.Subscription) {
	t.Helper()
	list, err := c.Subscriptions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	one, err := c.Subscription(t.Context(), want.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]ess.Subscription{want, want}, append(list, one)); diff != "" {
		t.Errorf("LIST and GET (-want +got):\n%s", diff)
	}
}
