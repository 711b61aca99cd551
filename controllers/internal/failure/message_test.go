package failure_test

import (
	"testing"

	"github.com/ess-operator/ess-operator/controllers/internal/failure"
	"github.com/ess-operator/ess-operator/internal/ess"
)

func TestMessage(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		err    error
		want   string
	}{
		"FoundByUs": {"the text of a failure that we found says what to do itself",
			failure.New(failure.ErrSecretNotFound, "Secret %q does not exist: create it", "acme"),
			`Secret "acme" does not exist: create it`},
		"Answered": {"ESS's words, then ours; the correlation id changes each time and stays out",
			&ess.Error{Kind: ess.ErrInvalid, Op: "saving subscription a.b", Status: 400, Detail: "filter is bad", CorrelationID: "c-1"},
			"saving subscription a.b: request refused as invalid: filter is bad (HTTP 400); correct the spec"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := failure.Message(tc.err); got != tc.want {
				t.Errorf("got %q, want %q: %s", got, tc.want, tc.reason)
			}
		})
	}
}

// TestEveryFailureOfConcurSaysWhatToDo holds for all that Concur or the way to it can answer; what the
// operator finds itself is told in full where it is found.
func TestEveryFailureOfConcurSaysWhatToDo(t *testing.T) {
	t.Parallel()
	for name, tc := range policy {
		if len(name) > 4 && name[:4] == "ess." && failure.Of(tc.kind).Advice == "" {
			t.Errorf("%s says what is wrong and not what to do", name)
		}
	}
}

func TestCorrelation(t *testing.T) {
	t.Parallel()
	if got := failure.Correlation(&ess.Error{CorrelationID: "c-1"}); got != " [Concur-Correlationid c-1]" {
		t.Errorf("got %q", got)
	}
	if got := failure.Correlation(failure.New(failure.ErrIDConflict, "no call was made")); got != "" {
		t.Errorf("a failure without a call has the tail %q", got)
	}
}
