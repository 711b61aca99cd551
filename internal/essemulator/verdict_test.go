package essemulator

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestBackoffDoublesUpToItsBound(t *testing.T) {
	t.Parallel()
	a := &Assumptions{BackoffInitial: 3 * time.Second, BackoffMax: 20 * time.Second}
	var got []time.Duration
	for n := range 5 {
		got = append(got, backoff(n+1, a)/time.Second)
	}
	if diff := cmp.Diff([]time.Duration{3, 6, 12, 20, 20}, got); diff != "" {
		t.Errorf("pauses in seconds (-want +got):\n%s", diff)
	}
	if got := backoff(1<<30, a); got != a.BackoffMax {
		t.Errorf("after very many attempts the pause is %v", got)
	}
}

func TestJudgeWithRedirectsRetried(t *testing.T) {
	t.Parallel()
	a := &Assumptions{RetryRedirects: true}
	if got := judge(302, false, a); got != retry {
		t.Errorf("judge(302) = %v, want retry", got)
	}
	if got := judge(200, true, a); got != retry {
		t.Errorf("a broken 200 is judged %v, want retry", got)
	}
}

func TestAssumptionsAreChecked(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*Assumptions){
		"token-lifetime": func(a *Assumptions) { a.TokenLifetime = 0 },
		"delete-delay":   func(a *Assumptions) { a.DeleteDelay = -1 },
		"workers":        func(a *Assumptions) { a.Workers = 0 },
		"limit":          func(a *Assumptions) { a.SubscriptionLimit = 0 },
		"duplicates":     func(a *Assumptions) { a.Duplicates = 1.1 },
	} {
		a := DefaultAssumptions()
		spoil(&a)
		if _, err := New(WithAssumptions(a)); err == nil {
			t.Errorf("New accepts a bad %s", name)
		}
	}
}
