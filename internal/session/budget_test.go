package session

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// roundTrip makes a RoundTripper of a function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		b := NewBudget(roundTrip(func(*http.Request) (*http.Response, error) {
			calls++
			return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
		}), 5, 2)
		start := time.Now()
		for range 12 {
			if err := send(t.Context(), b); err != nil {
				t.Fatal(err)
			}
		}
		if took, want := time.Since(start), 2*time.Second; took != want || calls != 12 {
			t.Errorf("%d calls took %v; with 5 a second and bursts of 2, twelve take %v", calls, took, want)
		}

		short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		start = time.Now()
		if err := send(short, b); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a call whose turn comes too late: %v", err)
		}
		if waited := time.Since(start); waited > 0 || calls != 12 {
			t.Errorf("it waited %v for nothing, or was made: %d calls", waited, calls)
		}
	})
}

func send(ctx context.Context, b *Budget) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, baseURL, http.NoBody)
	if err != nil {
		return err
	}
	answer, err := b.RoundTrip(r)
	if err != nil {
		return err
	}
	return answer.Body.Close()
}
