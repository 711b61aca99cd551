package session

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
)

var (
	connA = types.NamespacedName{Namespace: "finance", Name: "a"}
	connB = types.NamespacedName{Namespace: "travel", Name: "b"}
)

func TestGovernorsAreThoseOfApplications(t *testing.T) {
	t.Parallel()
	us := Application{BaseURL: "https://us2.api.example.com", ClientID: appA}
	cases := map[string]struct {
		reason string
		other  Application
		same   bool
	}{
		"Equal":         {"two connections may act as one application", us, true},
		"Slash":         {"it is the same URL", Application{us.BaseURL + "/", appA}, true},
		"Case":          {"host names have no case", Application{"HTTPS://US2.api.example.com", appA}, true},
		"OtherClient":   {"another application has a budget of its own", Application{us.BaseURL, appB}, false},
		"OtherCenter":   {"data centers do not know each other", Application{"https://eu2.api.example.com", appA}, false},
		"PathHasCase":   {"paths have", Application{us.BaseURL + "/A", appA}, false},
		"ClientHasCase": {"ids are compared as they are written", Application{us.BaseURL, "x" + appA}, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := NewRegistry(time.Now)
			limit := Limit{PerSecond: 5, Burst: 10}
			if got := r.Govern(connA, us, limit) == r.Govern(connB, tc.other, limit); got != tc.same {
				t.Errorf("same governor: %v, want %v: %s", got, tc.same, tc.reason)
			}
		})
	}
}

func TestLowestLimitWins(t *testing.T) {
	t.Parallel()
	r := NewRegistry(time.Now)
	app, other := Application{BaseURL: baseURL, ClientID: appA}, Application{BaseURL: baseURL, ClientID: appB}
	limit := func(g *Governor) string {
		g.mu.Lock()
		defer g.mu.Unlock()
		return fmt.Sprintf("%v/%d", g.budget.bucket.Limit(), g.budget.bucket.Burst())
	}
	var got []string
	g := r.Govern(connA, app, Limit{PerSecond: 5, Burst: 10})
	got = append(got, limit(g))
	r.Govern(connB, app, Limit{PerSecond: 2, Burst: 20})
	got = append(got, limit(g))
	r.Govern(connA, app, Limit{PerSecond: 1, Burst: 30})
	got = append(got, limit(g))
	r.Govern(connA, other, Limit{PerSecond: 9, Burst: 9})
	got = append(got, limit(g))
	r.Govern(connA, app, Limit{PerSecond: 1, Burst: 1})
	r.Close(connB)
	got = append(got, limit(g))
	if diff := cmp.Diff([]string{"5/10", "2/10", "1/20", "2/20", "1/1"}, got); diff != "" {
		t.Errorf("limits (-want +got):\n%s", diff)
	}
	r.Close(connA)
	if len(r.shares)+len(r.applications) > 0 {
		t.Errorf("nobody is left, but %d governors and %d applications", len(r.shares), len(r.applications))
	}
}

func TestRaisedLimitHelpsThoseWhoWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, l := NewRegistry(time.Now), newLine()
		app := Application{BaseURL: baseURL, ClientID: appA}
		transport := r.Govern(connA, app, Limit{PerSecond: 1, Burst: 1}).Transport(l)
		wantNoError(t, send(t.Context(), transport, "first"))
		waiting := begin(t.Context(), transport, "waiting")
		synctest.Wait()
		r.Govern(connA, app, Limit{PerSecond: 100, Burst: 1})
		wantNoError(t, <-waiting)
		if diff := cmp.Diff([]string{"first 0s", "waiting 10ms"}, l.made()); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
	})
}

func TestConnectionsShareBudgetAndHold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var waits []string
		r := NewRegistry(time.Now, ObserveWaits(func(u Urgency, d time.Duration) { waits = append(waits, fmt.Sprint(u, " ", d)) }))
		l, limit := newLine(), Limit{PerSecond: 1, Burst: 1}
		app, other := Application{BaseURL: baseURL, ClientID: appA}, Application{BaseURL: baseURL, ClientID: appB}
		viaA, viaB := r.Govern(connA, app, limit).Transport(l), r.Govern(connB, app, limit).Transport(l)
		bystander := types.NamespacedName{Name: "bystander"}
		apart := r.Govern(bystander, other, limit).Transport(l)

		wantNoError(t, send(t.Context(), viaA, "a"))
		wantNoError(t, send(WithUrgency(t.Context(), Resync), viaB, "b"))
		wantNoError(t, send(WithUrgency(t.Context(), Delete), apart, "apart"))
		if diff := cmp.Diff([]string{"change 0s", "resync 1s", "delete 0s"}, waits); diff != "" {
			t.Errorf("waits (-want +got):\n%s", diff)
		}
		l.answers(http.StatusTooManyRequests, "60")
		wantNoError(t, send(t.Context(), viaA, "told"))
		l.answers(http.StatusOK, "")
		if err := send(t.Context(), viaB, "b"); !errors.Is(err, ErrHeld) {
			t.Errorf("another connection of the application got %v", err)
		}
		wantNoError(t, send(t.Context(), apart, "apart"))
		if a, b, c := r.Held(connA), r.Held(connB), r.Held(bystander); a < 59*time.Second || a != b || c != 0 {
			t.Errorf("held for %v and %v, and the other application for %v", a, b, c)
		}
	})
}

func TestHoldOutlivesItsConnections(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, app, limit := NewRegistry(time.Now), Application{BaseURL: baseURL, ClientID: appA}, Limit{PerSecond: 1, Burst: 1}
		r.Govern(connA, app, limit).hold(time.Minute)
		r.Close(connA)
		if r.Held(connA) != 0 {
			t.Error("a connection that is gone is held")
		}
		r.Govern(connA, app, limit)
		if got := r.Held(connA); got != time.Minute {
			t.Errorf("made again, the connection is held for %v, want 1m", got)
		}
		<-time.After(time.Minute)
		r.Close(connA)
		if len(r.shares) > 0 {
			t.Error("a governor that nobody needs stays")
		}
	})
}
