package connection

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/controllers/internal/failure"
	"github.com/ess-operator/ess-operator/controllers/internal/wake"
	"github.com/ess-operator/ess-operator/internal/session"
)

func TestNewsForDependents(t *testing.T) {
	t.Parallel()
	ready := session.Snapshot{Phase: session.Ready, Limit: 5}
	failed := func(cause error) session.Snapshot {
		return session.Snapshot{Phase: session.Failed, Limit: 5, Cause: cause}
	}
	tests := map[string]struct {
		reason        string
		before, after session.Snapshot
		listed        bool
		want          *int
	}{
		"Nothing":     {"a pass that did nothing is no news", ready, ready, false, nil},
		"Listed":      {"the inventory may show drift", ready, ready, true, new(wake.Resync)},
		"Works":       {"they waited for it", session.Snapshot{Limit: 5}, ready, true, new(wake.Promptly)},
		"Ceased":      {"they would call in vain", ready, failed(failure.ErrSecretNotFound), false, new(wake.Promptly)},
		"OtherCause":  {"their messages name the reason", failed(failure.ErrSecretInvalid), failed(failure.ErrSecretNotFound), false, new(wake.Promptly)},
		"SameCause":   {"their messages stay as they are", failed(failure.ErrSecretNotFound), failed(errors.Join(failure.ErrSecretNotFound)), false, nil},
		"RaisedLimit": {"who waits for a place was woken by the new spec, perhaps before the session had it", ready, session.Snapshot{Phase: session.Ready, Limit: 6}, false, new(wake.Promptly)},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, news(tc.before, tc.after, tc.listed)); diff != "" {
				t.Errorf("%s: priority (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}
