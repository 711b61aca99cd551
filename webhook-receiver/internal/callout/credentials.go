package callout

import (
	"crypto/sha256"
	"crypto/subtle"
	"time"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// Credential is one pair of user name and password that is valid for a connector: what somebody typed into Concur's
// Register Application Connector page. During rotation a connector has several.
type Credential struct {
	Connector          event.RouteID
	Username, Password string
	// ValidUntil is when it ceases to be valid; zero: never.
	ValidUntil time.Time
}

// Set holds the credentials of all connectors. It never changes, and may be used by many goroutines at once.
type Set struct {
	entries []entry
	equal   func(x, y []byte) int // a test counts its calls
	now     func() time.Time
}

// entry holds hashes because only what has one length can be compared in constant time.
type entry struct {
	connector          event.RouteID
	username, password [sha256.Size]byte
	until              time.Time
}

// NewSet returns the set of the given credentials. Those without user name or password are left out: a Secret with
// an empty value must not open the door. Of several equal pairs the first one counts.
func NewSet(credentials []Credential) *Set {
	s := &Set{equal: subtle.ConstantTimeCompare, now: time.Now}
	for _, c := range credentials {
		if c.Username == "" || c.Password == "" {
			continue
		}
		s.entries = append(s.entries, entry{
			connector: c.Connector,
			username:  sha256.Sum256([]byte(c.Username)),
			password:  sha256.Sum256([]byte(c.Password)),
			until:     c.ValidUntil,
		})
	}
	return s
}

// valid is 1 until the entry's end, then 0. When that is, is no secret.
func (e *entry) valid(now time.Time) int {
	if e.until.IsZero() || now.Before(e.until) {
		return 1
	}
	return 0
}

// Match returns the connector that has these credentials; not ok: none has. Then it returns the connector of that user
// name, if there is one, so that it can be told whose password is wrong.
//
// How long it takes depends on the size of the set and on the lengths of the arguments, which the caller knows
// anyway: not on whether the user exists, which pair fits, or how much of a password is right.
func (s *Set) Match(username, password string) (connector event.RouteID, ok bool) {
	user, pass := sha256.Sum256([]byte(username)), sha256.Sum256([]byte(password))
	found, named, now := -1, -1, s.now()
	for i := len(s.entries) - 1; i >= 0; i-- { // backwards, so that the first of several stays
		e := &s.entries[i]
		isUser := s.equal(user[:], e.username[:])
		fits := isUser & s.equal(pass[:], e.password[:]) & e.valid(now)
		named = subtle.ConstantTimeSelect(isUser, i, named)
		found = subtle.ConstantTimeSelect(fits, i, found)
	}
	ok = found >= 0
	if !ok {
		found = named
	}
	if found < 0 {
		return event.RouteID{}, false
	}
	return s.entries[found].connector, ok
}
