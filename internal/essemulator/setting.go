package essemulator

import (
	"flag"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Bind adds one flag per assumption to fs, with the present values as defaults. The names are those of the
// program and of the admin API.
func (a *Assumptions) Bind(fs *flag.FlagSet) {
	a.bindTokens(fs)
	a.bindRequests(fs)
	a.bindLife(fs)
	a.bindDelivery(fs)
	a.bindCallouts(fs)
	a.bindFailed(fs)
	a.Statuses.bind(fs)
}

func (a *Assumptions) bindTokens(fs *flag.FlagSet) {
	fs.DurationVar(&a.TokenLifetime, "token-lifetime", a.TokenLifetime, "`time` for which an access token is valid")
	choose(fs, &a.ExpiresIn, "expires-in", "JSON type of expires_in", ExpiresInString, ExpiresInNumber)
}

func (a *Assumptions) bindRequests(fs *flag.FlagSet) {
	choose(fs, &a.ErrorShape, "error-shape", "body of refusals", ErrorSibling, ErrorFlat, ErrorText, ErrorEmpty)
	choose(fs, &a.GetShape, "get-shape", "answer to GET of one subscription", GetArray, GetObject)
	choose(fs, &a.FilterMatch, "filter-match", "whether a filter matches the whole event type or a part",
		MatchFull, MatchPartial)
	fs.BoolVar(&a.CheckFilter, "check-filter", a.CheckFilter, "refuse a filter that is no regular expression (RE2)")
	fs.BoolVar(&a.TopicChange, "topic-change", a.TopicChange, "let PUT change the topic of a subscription")
	choose(fs, &a.ReadOnlyFields, "read-only-fields", "what PUT does with fields that only ESS writes",
		IgnoreReadOnly, RejectReadOnly)
	fs.BoolVar(&a.PutKeepsCompanies, "put-keeps-companies", a.PutKeepsCompanies,
		"an update keeps companyIds and groups")
	fs.BoolVar(&a.PlainEndpoints, "plain-endpoints", a.PlainEndpoints, "accept http endpoints besides https")
}

func (a *Assumptions) bindLife(fs *flag.FlagSet) {
	fs.IntVar(&a.SubscriptionLimit, "subscription-limit", a.SubscriptionLimit,
		"`number` of subscriptions that an application may have")
	fs.DurationVar(&a.DeleteDelay, "delete-delay", a.DeleteDelay,
		"`time` from \"marked for deletion\" until a subscription is gone")
	fs.BoolVar(&a.MarkedListed, "marked-listed", a.MarkedListed, "list a subscription that is marked for deletion")
	fs.BoolVar(&a.MarkedDelivers, "marked-delivers", a.MarkedDelivers, "deliver new events to a marked subscription")
	choose(fs, &a.PutMarked, "put-marked", "what PUT does to a marked subscription", PutRevives, PutDoomed, PutRefused)
	fs.DurationVar(&a.RemovalAge, "removal-age", a.RemovalAge,
		"`time` after which a subscription without company or success is removed; 0 never")
}

func (a *Assumptions) bindDelivery(fs *flag.FlagSet) {
	choose(fs, &a.Padding, "padding", "RSA padding of Concur-Signature", PKCS1v15, PSS)
	fs.DurationVar(&a.AckTimeout, "ack-timeout", a.AckTimeout, "`time` that an endpoint has to answer")
	fs.DurationVar(&a.Retention, "retention", a.Retention, "`time` from publication for which delivery is tried")
	fs.DurationVar(&a.BackoffInitial, "backoff-initial", a.BackoffInitial,
		"`time` to wait after a first failed delivery; doubles")
	fs.DurationVar(&a.BackoffMax, "backoff-max", a.BackoffMax, "longest `time` to wait between attempts")
	fs.BoolVar(&a.HonourRetryAfter, "honour-retry-after", a.HonourRetryAfter,
		"wait as long as an endpoint's Retry-After asks")
	fs.BoolVar(&a.RetryRedirects, "retry-redirects", a.RetryRedirects,
		"retry after an answer of class 3xx instead of losing the event")
	fs.IntVar(&a.Workers, "workers", a.Workers, "`number` of deliveries of one subscription at once")
	fs.BoolVar(&a.Ordered, "ordered", a.Ordered, "deliver a subscription's events one after the other")
	fs.Float64Var(&a.Duplicates, "duplicates", a.Duplicates, "`share` (0 to 1) of events that are sent twice")
	fs.Uint64Var(&a.Seed, "seed", a.Seed, "`number` that decides which events are sent twice")
}

func (s *Statuses) bind(fs *flag.FlagSet) {
	for _, f := range []struct {
		status *int
		name   string
		usage  string
	}{
		{&s.MissingToken, "missing-token", "call without Authorization"},
		{&s.BadToken, "bad-token", "unknown, expired or revoked token"},
		{&s.MissingScope, "missing-scope", "token without events.topic.read"},
		{&s.Invalid, "invalid", "malformed body, missing or bad field"},
		{&s.TopicNotAllowed, "topic-not-allowed", "topic outside the application's scopes"},
		{&s.IDTaken, "id-taken", "id in use by another application"},
		{&s.LimitReached, "limit-reached", "one subscription too many"},
		{&s.UnknownID, "unknown-id", "no such id; 200 answers [] or success"},
		{&s.ForeignID, "foreign-id", "id of another application; 200 as for status-unknown-id"},
		{&s.MarkedID, "marked-id", "PUT of a marked id with put-marked=refuse"},
		{&s.InvalidClient, "invalid-client", "token service: unknown client, wrong secret"},
		{&s.TokenError, "token-error", "token service: every other refusal"},
		{&s.BadUserToken, "bad-user-token", "failed notifications: unknown, expired or revoked token, scheme not taken"},
		{&s.MissingRole, "missing-role", "failed notifications: token without a role that may see them"},
		{&s.FailedQuery, "failed-query", "failed notifications: list for another status than FAILED"},
		{&s.MalformedID, "malformed-id", "failed notifications: id that cannot be"},
		{&s.UnknownNotification, "unknown-notification", "failed notifications: no such id"},
	} {
		fs.Var((*statusValue)(f.status), "status-"+f.name, "HTTP `status` for: "+f.usage)
	}
}

// statusValue is a flag that takes an HTTP status.
type statusValue int

func (v *statusValue) String() string { return strconv.Itoa(int(*v)) }

// Set implements [flag.Value].
func (v *statusValue) Set(s string) error {
	n, err := strconv.Atoi(s)
	if err != nil || n < 200 || n > 599 {
		return fmt.Errorf("%q is not an HTTP status from 200 to 599: %w", s, ErrInvalid)
	}
	*v = statusValue(n)
	return nil
}

// choice is a flag that takes one of a few words.
type choice[T ~string] struct {
	value   *T
	allowed []T
}

func choose[T ~string](fs *flag.FlagSet, value *T, name, usage string, allowed ...T) {
	c := choice[T]{value, allowed}
	fs.Var(&c, name, usage+": `"+c.words()+"`")
}

func (c *choice[T]) words() string {
	words := make([]string, len(c.allowed))
	for i, w := range c.allowed {
		words[i] = string(w)
	}
	return strings.Join(words, "|")
}

func (c *choice[T]) String() string {
	if c.value == nil { // package flag asks a zero value for its default
		return ""
	}
	return string(*c.value)
}

// Set implements [flag.Value].
func (c *choice[T]) Set(s string) error {
	if !slices.Contains(c.allowed, T(s)) {
		return fmt.Errorf("%q is not one of %s: %w", s, c.words(), ErrInvalid)
	}
	*c.value = T(s)
	return nil
}

// Settings are the assumptions by flag name.
func (a Assumptions) Settings() map[string]string {
	fs := flag.NewFlagSet("assumptions", flag.ContinueOnError)
	a.Bind(fs)
	out := map[string]string{}
	fs.VisitAll(func(f *flag.Flag) { out[f.Name] = f.Value.String() })
	return out
}

// With returns a with some settings changed. The error is [ErrInvalid] for a name or value that does not
// exist.
func (a Assumptions) With(settings map[string]string) (Assumptions, error) {
	fs := flag.NewFlagSet("assumptions", flag.ContinueOnError)
	a.Bind(fs)
	for name, value := range settings {
		if fs.Lookup(name) == nil {
			return a, fmt.Errorf("setting %s: no such assumption: %w", name, ErrInvalid)
		}
		if err := fs.Set(name, value); err != nil {
			return a, fmt.Errorf("setting %s to %q: %w", name, value, ErrInvalid)
		}
	}
	return a, a.validate()
}
