package failure_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/failure"
	"github.com/ess-operator/ess-operator/internal/ess"
	"github.com/ess-operator/ess-operator/internal/notifications"
	"github.com/ess-operator/ess-operator/internal/session"
)

const (
	backOff     = failure.BackOff
	waitForUser = failure.WaitForUser
	terminal    = failure.Terminal

	behindOthers = 15 * time.Second
)

// policy is what each failure has to mean, by the name of its kind.
var policy = map[string]struct {
	reason string // why it has to
	kind   error
	want   failure.Verdict
}{
	"failure.ErrConnectionNotFound": {"creating the connection wakes the object", failure.ErrConnectionNotFound,
		failure.Verdict{Reason: v1alpha1.ConnectionNotFoundReason, Class: waitForUser}},
	"failure.ErrConnectionNotReady": {"the connection has its own conditions, and wakes the object", failure.ErrConnectionNotReady,
		failure.Verdict{Reason: v1alpha1.ConnectionNotReadyReason, Class: waitForUser}},
	"failure.ErrConnectionNotAllowed": {"only the connection's owner can help", failure.ErrConnectionNotAllowed,
		failure.Verdict{Reason: v1alpha1.ConnectionNotAllowedReason, Class: waitForUser, Stalled: true}},
	"failure.ErrReceiverNotConfigured": {"only another spec or a restarted manager can help", failure.ErrReceiverNotConfigured,
		failure.Verdict{Reason: v1alpha1.ReceiverNotConfiguredReason, Class: terminal, Stalled: true}},
	"failure.ErrSecretNotFound": {"Secrets often come after the objects that name them", failure.ErrSecretNotFound,
		failure.Verdict{Reason: v1alpha1.SecretNotFoundReason, Class: waitForUser}},
	"failure.ErrSecretInvalid": {"an incomplete Secret does not complete itself", failure.ErrSecretInvalid,
		failure.Verdict{Reason: v1alpha1.SecretInvalidReason, Class: waitForUser, Stalled: true}},
	"failure.ErrCABundleInvalid": {"the bundle is part of the spec", failure.ErrCABundleInvalid,
		failure.Verdict{Reason: v1alpha1.CABundleInvalidReason, Class: terminal, Stalled: true}},
	"failure.ErrSinkInvalid": {"the address is part of the spec", failure.ErrSinkInvalid,
		failure.Verdict{Reason: v1alpha1.InvalidSpecReason, Class: terminal, Stalled: true}},
	"failure.ErrSinkNotAllowed": {"another reference or another flag is needed", failure.ErrSinkNotAllowed,
		failure.Verdict{Reason: v1alpha1.SinkNotAllowedReason, Class: terminal, Stalled: true}},
	"failure.ErrSinkNotReady": {"nothing is watched, so that only looking again can tell", failure.ErrSinkNotReady,
		failure.Verdict{Reason: v1alpha1.SinkNotReadyReason, Class: backOff}},
	"failure.ErrTopicNotAllowed": {"a new scope shows at the next resync, which wakes the object", failure.ErrTopicNotAllowed,
		failure.Verdict{Reason: v1alpha1.TopicNotAllowedReason, Class: waitForUser, Stalled: true}},
	"failure.ErrAlreadyExists": {"a person has to decide whose it is", failure.ErrAlreadyExists,
		failure.Verdict{Reason: v1alpha1.AlreadyExistsReason, Class: terminal, Stalled: true}},
	"failure.ErrIDConflict": {"the end of the older object wakes this one, but not all that may make it yield", failure.ErrIDConflict,
		failure.Verdict{Reason: v1alpha1.IDConflictReason, Class: waitForUser, Stalled: true, LookAgain: behindOthers}},
	"failure.ErrContested": {"correcting once more would only go on with the quarrel", failure.ErrContested,
		failure.Verdict{Reason: v1alpha1.ContestedReason, Class: terminal, Stalled: true, Refused: true}},
	"failure.ErrNotSynced": {"ESS may show a write a little later", failure.ErrNotSynced,
		failure.Verdict{Reason: v1alpha1.ProgressingReason, Class: backOff}},

	"session.ErrReadBack": {"what ESS accepted is read again soon", session.ErrReadBack,
		failure.Verdict{Reason: v1alpha1.ProgressingReason, Class: backOff}},
	"session.ErrQuota": {"a place that frees wakes the object, but not all that clears the way to it; no call was made", session.ErrQuota,
		failure.Verdict{Reason: v1alpha1.QuotaExceededReason, Class: waitForUser, Refused: true, LookAgain: behindOthers}},
	"session.ErrNotReady": {"the refresh that succeeds wakes the object; no call was made", session.ErrNotReady,
		failure.Verdict{Reason: v1alpha1.ConnectionNotReadyReason, Class: waitForUser}},
	"session.ErrHeld": {"the time of Retry-After ends by itself; a PUT may have been answered before the call that was held", session.ErrHeld,
		failure.Verdict{Reason: v1alpha1.RateLimitedReason, Class: backOff}},
	"session.ErrBudget": {"calls that wait become fewer by themselves", session.ErrBudget,
		failure.Verdict{Reason: v1alpha1.RateLimitedReason, Class: backOff}},
	"session.ErrSuspended": {"the end of the suspension wakes the object", session.ErrSuspended,
		failure.Verdict{Reason: v1alpha1.ConnectionNotReadyReason, Class: waitForUser}},
	"session.ErrNotConfigured": {"the connection says what it lacks", session.ErrNotConfigured,
		failure.Verdict{Reason: v1alpha1.ConnectionNotReadyReason, Class: waitForUser}},

	"ess.ErrConfig": {"the spec of the connection cannot be used", ess.ErrConfig,
		failure.Verdict{Reason: v1alpha1.InvalidSpecReason, Class: terminal, Stalled: true, OfConnection: true}},
	"ess.ErrHostNotAllowed": {"a flag of the manager or the URL has to change", ess.ErrHostNotAllowed,
		failure.Verdict{Reason: v1alpha1.HostNotAllowedReason, Class: terminal, Stalled: true, OfConnection: true}},
	"ess.ErrCredentials": {"a new Secret wakes the connection; trying the old one again may lock the application", ess.ErrCredentials,
		failure.Verdict{Reason: v1alpha1.CredentialsRejectedReason, Class: waitForUser, Stalled: true, OfConnection: true}},
	"ess.ErrUnauthorized": {"a scope is granted at Concur, where nothing wakes us", ess.ErrUnauthorized,
		failure.Verdict{Reason: v1alpha1.UnauthorizedReason, Class: backOff, Stalled: true, OfConnection: true}},
	"ess.ErrTaken": {"ids are unique in all of ESS", ess.ErrTaken,
		failure.Verdict{Reason: v1alpha1.IDTakenReason, Class: terminal, Stalled: true, Refused: true}},
	"ess.ErrQuota": {"the session has learned the limit, and a place that frees wakes the object", ess.ErrQuota,
		failure.Verdict{Reason: v1alpha1.QuotaExceededReason, Class: waitForUser, Refused: true, LookAgain: behindOthers}},
	"ess.ErrForbidden": {"this write is refused, the connection works", ess.ErrForbidden,
		failure.Verdict{Reason: v1alpha1.ForbiddenReason, Class: terminal, Stalled: true, Refused: true}},
	"ess.ErrInvalid": {"the same spec is refused again", ess.ErrInvalid,
		failure.Verdict{Reason: v1alpha1.RejectedReason, Class: terminal, Stalled: true, Refused: true}},
	"ess.ErrRateLimited": {"it passes; asking for a LIST now would make it worse", ess.ErrRateLimited,
		failure.Verdict{Reason: v1alpha1.RateLimitedReason, Class: backOff}},
	"ess.ErrUnavailable": {"it passes", ess.ErrUnavailable,
		failure.Verdict{Reason: v1alpha1.UnavailableReason, Class: backOff, OfConnection: true}},
	"ess.ErrTimeout": {"it passes, and a write may have been done", ess.ErrTimeout,
		failure.Verdict{Reason: v1alpha1.TimeoutReason, Class: backOff, OfConnection: true}},
	"ess.ErrDNS": {"names come back without a word to us", ess.ErrDNS,
		failure.Verdict{Reason: v1alpha1.DNSErrorReason, Class: backOff, OfConnection: true}},
	"ess.ErrTLS": {"the host may get another certificate", ess.ErrTLS,
		failure.Verdict{Reason: v1alpha1.TLSErrorReason, Class: backOff, OfConnection: true}},
	"ess.ErrConnect": {"hosts come back without a word to us", ess.ErrConnect,
		failure.Verdict{Reason: v1alpha1.UnreachableReason, Class: backOff, OfConnection: true}},
	"ess.ErrTooLarge": {"a proxy in between may be mended", ess.ErrTooLarge,
		failure.Verdict{Reason: v1alpha1.InvalidResponseReason, Class: backOff}},
	"ess.ErrMalformed": {"a proxy in between may be mended", ess.ErrMalformed,
		failure.Verdict{Reason: v1alpha1.InvalidResponseReason, Class: backOff}},
	"notifications.ErrConfig": {"it is part of the spec", notifications.ErrConfig,
		failure.Verdict{Reason: v1alpha1.InvalidSpecReason, Class: terminal, Stalled: true}},
	"notifications.ErrToken": {"a person has to bring another, or give the role, of which nobody tells us", notifications.ErrToken,
		failure.Verdict{Reason: v1alpha1.TokenRejectedReason, Class: waitForUser, Stalled: true}},
	"notifications.ErrHostNotAllowed": {"another URL or another flag is needed", notifications.ErrHostNotAllowed,
		failure.Verdict{Reason: v1alpha1.HostNotAllowedReason, Class: terminal, Stalled: true}},
	"notifications.ErrInvalid": {"one notification must not stop the others", notifications.ErrInvalid,
		failure.Verdict{Reason: v1alpha1.RejectedReason, Class: backOff}},
	"notifications.ErrRateLimited": {"it says itself when", notifications.ErrRateLimited,
		failure.Verdict{Reason: v1alpha1.RateLimitedReason, Class: backOff}},
	"notifications.ErrUnavailable": {"Concur comes back without a word to us", notifications.ErrUnavailable,
		failure.Verdict{Reason: v1alpha1.UnavailableReason, Class: backOff}},
	"notifications.ErrUnreachable": {"hosts come back without a word to us", notifications.ErrUnreachable,
		failure.Verdict{Reason: v1alpha1.UnreachableReason, Class: backOff}},
	"notifications.ErrMalformed": {"a proxy in between may be mended", notifications.ErrMalformed,
		failure.Verdict{Reason: v1alpha1.InvalidResponseReason, Class: backOff}},
	"failure.ErrUserNameConflict": {"the other one's end, or another name in either Secret, wakes it", failure.ErrUserNameConflict,
		failure.Verdict{Reason: v1alpha1.UserNameConflictReason, Class: waitForUser, Stalled: true, LookAgain: behindOthers}},
	"failure.ErrNotRouted": {"the routes are being written, which wakes it", failure.ErrNotRouted,
		failure.Verdict{Reason: v1alpha1.ProgressingReason, Class: backOff}},
	"ess.ErrNotFound": {"what was just written has to be there", ess.ErrNotFound,
		failure.Verdict{Reason: v1alpha1.InvalidResponseReason, Class: backOff}},
}

func TestOf(t *testing.T) {
	t.Parallel()
	for name, tc := range policy {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forms := map[string]error{
				"bare":    tc.kind,
				"wrapped": fmt.Errorf("doing something: %w", tc.kind),
				"of ess":  fmt.Errorf("doing something: %w", &ess.Error{Kind: tc.kind, Op: "doing", Status: 599}),
				"told":    failure.New(tc.kind, "for a person"),
			}
			for form, err := range forms {
				if diff := cmp.Diff(tc.want, failure.Of(err), cmpopts.IgnoreFields(failure.Verdict{}, "Advice")); diff != "" {
					t.Errorf("%s, because %s (-want +got):\n%s", form, tc.reason, diff)
				}
			}
		})
	}
}

func TestOfWhatNobodyForesaw(t *testing.T) {
	t.Parallel()
	for _, err := range []error{errors.New("new"), context.Canceled, &ess.Error{Kind: context.Canceled}} {
		if diff := cmp.Diff(failure.Verdict{Reason: v1alpha1.UnknownReason, Class: backOff}, failure.Of(err)); diff != "" {
			t.Errorf("%v must be tried again (-want +got):\n%s", err, diff)
		}
	}
}

// TestPolicyIsComplete fails for a kind of failure that somebody declared without deciding what it means.
func TestPolicyIsComplete(t *testing.T) {
	t.Parallel()
	declared := slices.Concat(
		sentinels(t, "failure", "."),
		sentinels(t, "session", "../../../internal/session"),
		sentinels(t, "ess", "../../../internal/ess"),
		sentinels(t, "notifications", "../../../internal/notifications"),
	)
	slices.Sort(declared)
	if diff := cmp.Diff(declared, slices.Sorted(maps.Keys(policy))); diff != "" {
		t.Errorf("kinds declared and kinds with a policy differ (-declared +policy):\n%s", diff)
	}
}

func TestVerdictsAreConsistent(t *testing.T) {
	t.Parallel()
	for name, tc := range policy {
		verdict := failure.Of(tc.kind)
		if !slices.Contains(v1alpha1.Reasons(), verdict.Reason) {
			t.Errorf("%s has the reason %q, which is not documented", name, verdict.Reason)
		}
		if verdict.Refused && verdict.Class == backOff {
			t.Errorf("%s is refused for certain and yet tried again soon", name)
		}
		if verdict.Class == terminal && !verdict.Stalled {
			t.Errorf("%s is terminal, and nothing says so to kstatus", name)
		}
	}
}
