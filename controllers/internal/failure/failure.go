// Package failure decides what every failure means: to the object that shows
// it, and to the queue that may try again. The table in this package is the
// whole policy; nothing else in the controllers chooses a reason or a back-off.
//
// A failure is any error. What Concur answered is an *ess.Error and is
// recognised by its kind; what the operator itself found wrong is made with
// [New] from one of the kinds of this package. [Of] looks both up.
package failure

import (
	"errors"
	"fmt"
	"time"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/internal/ess"
	"github.com/ess-operator/ess-operator/internal/notifications"
	"github.com/ess-operator/ess-operator/internal/session"
)

// SetReceiverURL is what to do about an empty --receiver-url, in the words of those who
// installed by kustomize or Helm and have never seen the flag.
const SetReceiverURL = "have publicURL set in the ConfigMap ess-operator-receiver (receiver.publicURL of the Helm chart) and the manager restarted"

// Kinds of failures that the operator finds without asking Concur.
var (
	// ErrConnectionNotFound: the ConcurConnection referred to does not exist.
	ErrConnectionNotFound = errors.New("no such connection")
	// ErrConnectionNotReady: the ConcurConnection does not work.
	ErrConnectionNotReady = errors.New("connection not ready")
	// ErrConnectionNotAllowed: the ConcurConnection does not admit the namespace.
	ErrConnectionNotAllowed = errors.New("connection not allowed")
	// ErrReceiverNotConfigured: the manager knows no receiver URL.
	ErrReceiverNotConfigured = errors.New("receiver not configured")
	// ErrSecretNotFound: the Secret referred to does not exist.
	ErrSecretNotFound = errors.New("no such secret")
	// ErrSecretInvalid: the Secret lacks a key or a value.
	ErrSecretInvalid = errors.New("secret incomplete")
	// ErrCABundleInvalid: the CA bundle holds no certificate.
	ErrCABundleInvalid = errors.New("CA bundle invalid")
	// ErrSinkInvalid: the sink is no address.
	ErrSinkInvalid = errors.New("sink invalid")
	// ErrSinkNotAllowed: the sink is in another namespace.
	ErrSinkNotAllowed = errors.New("sink not allowed")
	// ErrSinkNotReady: the sink does not exist, may not be read, or has no address yet.
	ErrSinkNotReady = errors.New("sink not ready")
	// ErrTopicNotAllowed: the application may not use the topic.
	ErrTopicNotAllowed = errors.New("topic not allowed")
	// ErrAlreadyExists: a subscription exists that may not be adopted.
	ErrAlreadyExists = errors.New("subscription already exists")
	// ErrIDConflict: an older object has the same id.
	ErrIDConflict = errors.New("id conflict")
	// ErrUserNameConflict: an older connector has the same user name.
	ErrUserNameConflict = errors.New("user name conflict")
	// ErrNotRouted: the receiver's routes do not hold the connector yet.
	ErrNotRouted = errors.New("not routed yet")
	// ErrContested: someone else keeps changing the subscription at ESS.
	ErrContested = errors.New("contested")
	// ErrNotSynced: what was read back is not what was written.
	ErrNotSynced = errors.New("read back something else")
)

// problem is a failure that the operator found, told in full to a person.
type problem struct {
	kind    error
	message string
}

func (p *problem) Error() string { return p.message }
func (p *problem) Unwrap() error { return p.kind }

// New is a failure of one of the kinds of this package. The message says what
// is wrong and what to do, for a person.
func New(kind error, format string, args ...any) error {
	return &problem{kind: kind, message: fmt.Sprintf(format, args...)}
}

// Class says what happens next.
type Class int

const (
	// BackOff: the operator tries again by itself, less and less often.
	BackOff Class = iota
	// WaitForUser: another object has to change; that change wakes this one.
	WaitForUser
	// Terminal: only a change of this object, or of what Concur allows it, can help.
	Terminal
)

// Verdict is what a failure means.
type Verdict struct {
	// Reason is a reason constant of the API.
	Reason string
	// Class says what happens next.
	Class Class
	// Stalled says whether the object is marked as stalled.
	Stalled bool
	// Refused says that Concur certainly did not do what was asked.
	Refused bool
	// OfConnection says that every object of the connection would fail alike.
	OfConnection bool
	// Advice says what to do; empty where the error itself says it.
	Advice string
	// LookAgain is when to look again, without a call: other objects are in the way, and not all that they may do about
	// it wakes this one. Zero: what wakes it suffices.
	LookAgain time.Duration
}

// behindOthers is how long what other objects did may go unnoticed by one that they are in the way of.
const behindOthers = 15 * time.Second

// row is one line of the policy.
type row struct {
	kind error
	Verdict
}

// Of returns the verdict on a failure. First match wins; what matches nothing
// is Unknown and backs off.
func Of(err error) Verdict {
	for _, r := range verdicts {
		if errors.Is(err, r.kind) {
			return r.Verdict
		}
	}
	return Verdict{Reason: v1alpha1.UnknownReason}
}

// verdicts is all that a failure can mean.
var verdicts = []row{
	{ErrConnectionNotFound, Verdict{Reason: v1alpha1.ConnectionNotFoundReason, Class: WaitForUser}},
	{ErrConnectionNotReady, Verdict{Reason: v1alpha1.ConnectionNotReadyReason, Class: WaitForUser}},
	{ErrConnectionNotAllowed, Verdict{Reason: v1alpha1.ConnectionNotAllowedReason, Class: WaitForUser, Stalled: true}},
	{ErrReceiverNotConfigured, Verdict{Reason: v1alpha1.ReceiverNotConfiguredReason, Class: Terminal, Stalled: true}},
	{ErrSecretNotFound, Verdict{Reason: v1alpha1.SecretNotFoundReason, Class: WaitForUser}},
	{ErrSecretInvalid, Verdict{Reason: v1alpha1.SecretInvalidReason, Class: WaitForUser, Stalled: true}},
	{ErrCABundleInvalid, Verdict{Reason: v1alpha1.CABundleInvalidReason, Class: Terminal, Stalled: true}},
	{ErrSinkInvalid, Verdict{Reason: v1alpha1.InvalidSpecReason, Class: Terminal, Stalled: true}},
	{ErrSinkNotAllowed, Verdict{Reason: v1alpha1.SinkNotAllowedReason, Class: Terminal, Stalled: true}},
	{ErrSinkNotReady, Verdict{Reason: v1alpha1.SinkNotReadyReason}},
	{ErrTopicNotAllowed, Verdict{Reason: v1alpha1.TopicNotAllowedReason, Class: WaitForUser, Stalled: true}},
	{ErrAlreadyExists, Verdict{Reason: v1alpha1.AlreadyExistsReason, Class: Terminal, Stalled: true}},
	{ErrIDConflict, Verdict{Reason: v1alpha1.IDConflictReason, Class: WaitForUser, Stalled: true, LookAgain: behindOthers}},
	{ErrUserNameConflict, Verdict{Reason: v1alpha1.UserNameConflictReason, Class: WaitForUser, Stalled: true, LookAgain: behindOthers}},
	{ErrNotRouted, Verdict{Reason: v1alpha1.ProgressingReason}},
	{ErrContested, Verdict{Reason: v1alpha1.ContestedReason, Class: Terminal, Stalled: true, Refused: true}},
	{ErrNotSynced, Verdict{Reason: v1alpha1.ProgressingReason, Advice: "the operator reads again"}},
	{session.ErrQuota, Verdict{Reason: v1alpha1.QuotaExceededReason, Class: WaitForUser, Refused: true, LookAgain: behindOthers,
		Advice: "delete a subscription that is no longer needed, or use another application; spec.maxSubscriptions of the ConcurConnection raises the limit if SAP raised it"}},
	{session.ErrSuspended, Verdict{Reason: v1alpha1.ConnectionNotReadyReason, Class: WaitForUser,
		Advice: "set its spec.suspend to false"}},
	{session.ErrNotConfigured, Verdict{Reason: v1alpha1.ConnectionNotReadyReason, Class: WaitForUser,
		Advice: "the conditions of the ConcurConnection say what it lacks"}},
	{session.ErrNotReady, Verdict{Reason: v1alpha1.ConnectionNotReadyReason, Class: WaitForUser,
		Advice: "the operator goes on as soon as the ConcurConnection is ready; its conditions say what to do"}},
	{session.ErrHeld, Verdict{Reason: v1alpha1.RateLimitedReason,
		Advice: "the operator tries again when that time is over; if this goes on, lower spec.rateLimit of the ConcurConnection"}},
	{session.ErrBudget, Verdict{Reason: v1alpha1.RateLimitedReason,
		Advice: "the operator tries again; if this goes on, raise spec.rateLimit of every ConcurConnection of the application, as far as SAP Concur allows"}},

	{ess.ErrConfig, Verdict{Reason: v1alpha1.InvalidSpecReason, Class: Terminal, Stalled: true, OfConnection: true,
		Advice: "correct the spec of the ConcurConnection"}},
	{ess.ErrHostNotAllowed, Verdict{Reason: v1alpha1.HostNotAllowedReason, Class: Terminal, Stalled: true, OfConnection: true,
		Advice: "correct the URL, or have the manager started with --allowed-hosts that admit the host"}},
	{ess.ErrCredentials, Verdict{Reason: v1alpha1.CredentialsRejectedReason, Class: WaitForUser, Stalled: true, OfConnection: true,
		Advice: "correct client id and secret in the Secret, and check that baseURL is the application's own data center"}},
	{ess.ErrUnauthorized, Verdict{Reason: v1alpha1.UnauthorizedReason, Stalled: true, OfConnection: true,
		Advice: "ask SAP Concur support to give the application the scope events.topic.read, and check that it is not disabled"}},
	{ess.ErrTaken, Verdict{Reason: v1alpha1.IDTakenReason, Class: Terminal, Stalled: true, Refused: true,
		Advice: "the id belongs to another application, and ids are unique in all of ESS: make a new EventSubscription with another subscriptionID"}},
	{ess.ErrQuota, Verdict{Reason: v1alpha1.QuotaExceededReason, Class: WaitForUser, Refused: true, LookAgain: behindOthers,
		Advice: "delete a subscription that is no longer needed, or use another application"}},
	{ess.ErrForbidden, Verdict{Reason: v1alpha1.ForbiddenReason, Class: Terminal, Stalled: true, Refused: true,
		Advice: "ESS knows the application but refuses this write: check that its scopes cover the topic, and that the id is not another application's"}},
	{ess.ErrInvalid, Verdict{Reason: v1alpha1.RejectedReason, Class: Terminal, Stalled: true, Refused: true,
		Advice: "correct the spec"}},
	{ess.ErrRateLimited, Verdict{Reason: v1alpha1.RateLimitedReason,
		Advice: "the operator waits and tries again; if this goes on, lower spec.rateLimit of the ConcurConnection"}},
	{ess.ErrUnavailable, Verdict{Reason: v1alpha1.UnavailableReason, OfConnection: true,
		Advice: "the operator tries again; if this goes on, ask SAP Concur support"}},
	{ess.ErrTimeout, Verdict{Reason: v1alpha1.TimeoutReason, OfConnection: true,
		Advice: "the operator tries again; if this goes on, check the network path from the manager to the host"}},
	{ess.ErrDNS, Verdict{Reason: v1alpha1.DNSErrorReason, OfConnection: true,
		Advice: "check the host name and the cluster's DNS"}},
	{ess.ErrTLS, Verdict{Reason: v1alpha1.TLSErrorReason, OfConnection: true,
		Advice: "if the host has a private certificate, put its root into spec.caBundle of the ConcurConnection"}},
	{ess.ErrConnect, Verdict{Reason: v1alpha1.UnreachableReason, OfConnection: true,
		Advice: "check the network path from the manager to the host"}},
	{ess.ErrTooLarge, Verdict{Reason: v1alpha1.InvalidResponseReason,
		Advice: "this is not an answer of ESS: check baseURL, apiURL and any proxy in between"}},
	{ess.ErrMalformed, Verdict{Reason: v1alpha1.InvalidResponseReason,
		Advice: "this is not an answer of ESS: check baseURL, apiURL and any proxy in between"}},
	// What went wrong with the reading back, above, says more than this.
	{session.ErrReadBack, Verdict{Reason: v1alpha1.ProgressingReason, Advice: "the operator reads again"}},
	{ess.ErrNotFound, Verdict{Reason: v1alpha1.InvalidResponseReason,
		Advice: "check that apiURL is right"}},

	{notifications.ErrConfig, Verdict{Reason: v1alpha1.InvalidSpecReason, Class: Terminal, Stalled: true,
		Advice: "correct spec.recovery"}},
	{notifications.ErrToken, Verdict{Reason: v1alpha1.TokenRejectedReason, Class: WaitForUser, Stalled: true,
		Advice: "the token expired, was revoked, or its user lacks the role: put a new one into the Secret of spec.recovery.tokenSecretRef, of a user with the role Company Administrator or Web Services Administrator (Professional) or Can Administer (Standard)"}},
	{notifications.ErrHostNotAllowed, Verdict{Reason: v1alpha1.HostNotAllowedReason, Class: Terminal, Stalled: true,
		Advice: "correct spec.recovery.baseURL, or have the manager started with --allowed-hosts that admit the host"}},
	{notifications.ErrInvalid, Verdict{Reason: v1alpha1.RejectedReason,
		Advice: "the notification stays listed at SAP Concur: delete it there, or ask SAP Concur support"}},
	{notifications.ErrRateLimited, Verdict{Reason: v1alpha1.RateLimitedReason,
		Advice: "the operator waits and tries again; if this goes on, raise spec.recovery.interval"}},
	{notifications.ErrUnavailable, Verdict{Reason: v1alpha1.UnavailableReason,
		Advice: "the operator tries again; if this goes on, ask SAP Concur support"}},
	{notifications.ErrUnreachable, Verdict{Reason: v1alpha1.UnreachableReason,
		Advice: "the operator tries again; if this goes on, check spec.recovery.baseURL, the network path from the manager to the host, and spec.recovery.caBundle if its certificate is a private one"}},
	{notifications.ErrMalformed, Verdict{Reason: v1alpha1.InvalidResponseReason,
		Advice: "this is not the list of failed notifications: check spec.recovery.baseURL and any proxy in between"}},
}

// Message tells a failure to a person: what is wrong, then what to do. It
// holds nothing that changes from one attempt to the next.
func Message(err error) string {
	text := err.Error()
	if advice := Of(err).Advice; advice != "" {
		text += "; " + advice
	}
	return text
}

// Correlation is the tail that names Concur's correlation id, for support; empty without one.
func Correlation(err error) string {
	id := ess.CorrelationID(err)
	if id == "" {
		return ""
	}
	return " [Concur-Correlationid " + id + "]"
}
