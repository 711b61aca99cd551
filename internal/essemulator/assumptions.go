package essemulator

import (
	"fmt"
	"time"

	"github.com/ess-operator/ess-operator/internal/essemulator/callout"
)

// Assumptions are the answers to what Concur's pages leave open. None of them is a fact about ESS: each has
// a default we think likely and can be set to another reading. The zero value is not useful; start from
// [DefaultAssumptions].
type Assumptions struct {
	// ErrorShape is the body of refusals of the ESS API.
	ErrorShape ErrorShape
	// Statuses are the HTTP statuses of refusals.
	Statuses Statuses
	// GetShape is what reading one subscription answers: the topics page shows an array of one, the API
	// explorer an object.
	GetShape GetShape

	// TokenLifetime is how long an access token is valid; Concur documents one hour.
	TokenLifetime time.Duration
	// ExpiresIn is the JSON type of expires_in; Concur's pages show both.
	ExpiresIn ExpiresIn

	// SubscriptionLimit is how many subscriptions one application may have; Concur documents 5. Those
	// marked for deletion count until they are gone.
	SubscriptionLimit int
	// DeleteDelay is the time from "marked for deletion" until the subscription is gone.
	DeleteDelay time.Duration
	// MarkedListed tells whether a subscription marked for deletion is still listed and read.
	MarkedListed bool
	// MarkedDelivers tells whether it still gets new events.
	MarkedDelivers bool
	// PutMarked is what a PUT does to it.
	PutMarked PutMarked
	// RemovalAge is the age after which ESS removes a subscription that has no company, or whose endpoint
	// has failed all that time. Concur documents 30 days, not since when. Zero switches removal off.
	RemovalAge time.Duration

	// FilterMatch is how a filter has to match the event type.
	FilterMatch FilterMatch
	// CheckFilter makes PUT refuse a filter that is no regular expression of Go's dialect.
	CheckFilter bool
	// TopicChange lets a PUT change the topic of an existing subscription.
	TopicChange bool
	// ReadOnlyFields is what PUT does with fields that only ESS may write.
	ReadOnlyFields ReadOnlyFields
	// PutKeepsCompanies tells whether an update leaves companyIds and groups as they are.
	PutKeepsCompanies bool
	// PlainEndpoints accepts http endpoints besides https ones.
	PlainEndpoints bool

	// Padding is the RSA padding of Concur-Signature.
	Padding Padding
	// AckTimeout is how long an endpoint may take to answer; Concur documents 60 seconds.
	AckTimeout time.Duration
	// Retention is how long after publication delivery is tried; Concur documents 72 hours.
	Retention time.Duration
	// BackoffInitial is the pause after the first failed attempt; it doubles with each further one.
	BackoffInitial time.Duration
	// BackoffMax bounds the pause.
	BackoffMax time.Duration
	// HonourRetryAfter makes deliveries wait at least as long as an endpoint's Retry-After asks.
	HonourRetryAfter bool
	// RetryRedirects retries after an answer of class 3xx; otherwise such an event is lost.
	RetryRedirects bool
	// Workers is how many deliveries of one subscription run at once.
	Workers int
	// Ordered delivers the events of one subscription one after the other, each held until it is settled.
	Ordered bool
	// Duplicates is the share, from 0 to 1, of delivered events that are sent once more.
	Duplicates float64
	// Seed makes the choice of duplicates repeatable.
	Seed uint64

	// Callout is what is assumed of the Event Notification callout.
	Callout callout.Assumptions
	// UserTokenLifetime is how long a user's token is valid unless it says so itself.
	UserTokenLifetime time.Duration
	// FailedAuth is which schemes of Authorization the Failed Notifications API takes; Concur's samples show
	// OAuth, its token service hands out Bearer tokens.
	FailedAuth FailedAuth
	// FailedForm is what it answers to a caller who names neither XML nor JSON.
	FailedForm FailedForm
}

// DefaultAssumptions returns what the emulator assumes unless told otherwise.
func DefaultAssumptions() Assumptions {
	return Assumptions{
		ErrorShape: ErrorSibling, Statuses: defaultStatuses(), GetShape: GetArray,
		TokenLifetime: time.Hour, ExpiresIn: ExpiresInString,
		SubscriptionLimit: 5,
		DeleteDelay:       5 * time.Second, MarkedListed: true, PutMarked: PutRevives,
		RemovalAge:  30 * 24 * time.Hour,
		FilterMatch: MatchFull, CheckFilter: true, TopicChange: true,
		ReadOnlyFields: IgnoreReadOnly, PutKeepsCompanies: true,
		Padding: PKCS1v15, AckTimeout: time.Minute, Retention: 72 * time.Hour,
		BackoffInitial: time.Second, BackoffMax: 5 * time.Minute,
		Workers: 24, Seed: 1,
		Callout:           callout.DefaultAssumptions(),
		UserTokenLifetime: 365 * 24 * time.Hour, FailedAuth: FailedAnyScheme, FailedForm: FailedXML,
	}
}

// Statuses are the HTTP statuses of refusals; Concur documents none of them for ESS, and of those of the Failed
// Notifications API only 400 and 403 for its DELETE.
type Statuses struct {
	MissingToken    int // no Authorization header
	BadToken        int // token unknown, expired or revoked
	MissingScope    int // token without events.topic.read
	Invalid         int // malformed body, bad or missing field
	TopicNotAllowed int // topic outside the application's scopes
	IDTaken         int // id in use by another application
	LimitReached    int // one subscription too many
	UnknownID       int // no such id; 200 answers an empty array to GET and success to DELETE
	ForeignID       int // id of another application; 200 as for UnknownID
	MarkedID        int // PUT of an id marked for deletion, with PutRefused
	InvalidClient   int // token service: unknown client or wrong secret
	TokenError      int // token service: every other refusal

	BadUserToken        int // user's token unknown, expired or revoked, or the scheme is not taken
	MissingRole         int // user's token without a role that may see failed notifications
	FailedQuery         int // list of notifications for another status than FAILED
	MalformedID         int // id that no notification can have
	UnknownNotification int // id that no failed notification of the company has
}

func defaultStatuses() Statuses {
	return Statuses{
		MissingToken: 401, BadToken: 403, MissingScope: 403, Invalid: 400, TopicNotAllowed: 403, IDTaken: 409,
		LimitReached: 400, UnknownID: 404, ForeignID: 404, MarkedID: 409, InvalidClient: 401, TokenError: 400,
		BadUserToken: 403, MissingRole: 403, FailedQuery: 400, MalformedID: 400, UnknownNotification: 404,
	}
}

// validate refuses values under which the emulator could not work.
func (a *Assumptions) validate() error {
	positive := []struct {
		name  string
		value time.Duration
	}{
		{"token-lifetime", a.TokenLifetime}, {"ack-timeout", a.AckTimeout}, {"retention", a.Retention},
		{"backoff-initial", a.BackoffInitial}, {"backoff-max", a.BackoffMax},
		{"user-token-lifetime", a.UserTokenLifetime},
	}
	for _, p := range positive {
		if p.value <= 0 {
			return fmt.Errorf("checking assumptions: %s is %v, must be more than zero: %w", p.name, p.value, ErrInvalid)
		}
	}
	switch {
	case a.DeleteDelay < 0 || a.RemovalAge < 0:
		return fmt.Errorf("checking assumptions: delete-delay and removal-age must not be negative: %w", ErrInvalid)
	case a.Workers < 1:
		return fmt.Errorf("checking assumptions: workers is %d, must be at least 1: %w", a.Workers, ErrInvalid)
	case a.SubscriptionLimit < 1:
		return fmt.Errorf("checking assumptions: subscription-limit is %d, must be at least 1: %w",
			a.SubscriptionLimit, ErrInvalid)
	case !(a.Duplicates >= 0 && a.Duplicates <= 1): // written so that NaN is refused
		return fmt.Errorf("checking assumptions: duplicates is %v, must be from 0 to 1: %w", a.Duplicates, ErrInvalid)
	}
	return a.Callout.Validate()
}
