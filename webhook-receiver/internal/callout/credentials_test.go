package callout

import (
	"crypto/subtle"
	"testing"
	"time"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

func TestCredentialsEnd(t *testing.T) {
	t.Parallel()
	end := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	s := NewSet([]Credential{{Connector: event.RouteID{Name: "a"}, Username: "former", Password: "secret", ValidUntil: end}})
	for _, tc := range []struct {
		at   time.Time
		want bool
	}{{end.Add(-time.Nanosecond), true}, {end, false}} {
		s.now = func() time.Time { return tc.at }
		if _, got := s.Match("former", "secret"); got != tc.want {
			t.Errorf("at %s a pair that is valid until %s is taken: %t", tc.at, end, got)
		}
	}
}

func connector(name string) event.RouteID {
	return event.RouteID{Kind: event.Connector, Namespace: "finance", Name: name}
}

// pairs are three connectors, the first of which is being rotated; two share a user name, and two a pair.
func pairs() []Credential {
	return []Credential{
		{Connector: connector("reports"), Username: "concur-reports", Password: "old-password"},
		{Connector: connector("reports"), Username: "concur-reports", Password: "new-password"},
		{Connector: connector("travel"), Username: "concur-travel", Password: "travel-password"},
		{Connector: connector("second"), Username: "concur-reports", Password: "second-password"},
		{Connector: connector("same"), Username: "concur-travel", Password: "travel-password"},
		{Connector: connector("nobody"), Username: "concur-nobody", Password: ""},
		{Connector: connector("nobody"), Username: "", Password: "nobody-password"},
		{Connector: connector("nobody"), Username: "", Password: ""},
	}
}

type matchCase struct {
	reason             string
	username, password string
	want               string // name of the connector; empty: none
	named              string // whose user name it is, when no connector is wanted
}

func matches() map[string]matchCase {
	return map[string]matchCase{
		"OldPair":       {"It is valid until its time is over.", "concur-reports", "old-password", "reports", ""},
		"NewPair":       {"It is valid at once.", "concur-reports", "new-password", "reports", ""},
		"OtherUser":     {"The user name tells connectors apart.", "concur-travel", "travel-password", "travel", ""},
		"SharedUser":    {"Where it does not, the password can.", "concur-reports", "second-password", "second", ""},
		"WrongPassword": {"Nobody's.", "concur-reports", "wrong-password", "", "reports"},
		"AnothersOne":   {"A password belongs to its user.", "concur-travel", "old-password", "", "travel"},
		"UnknownUser":   {"Nobody.", "concur-unknown", "old-password", "", ""},
		"OtherCase":     {"Neither is folded.", "Concur-Reports", "old-password", "", ""},
		"Prefix":        {"A part does not do.", "concur-reports", "old-passwor", "", "reports"},
		"Suffix":        {"Nor does more.", "concur-reports", "old-password\x00", "", "reports"},
		"Shifted":       {"The border between the two counts.", "concur-reportsold", "-password", "", ""},
		"NoPassword":    {"An empty value in a Secret opens nothing.", "concur-nobody", "", "", ""},
		"NoUser":        {"As above.", "", "nobody-password", "", ""},
		"Nothing":       {"As above.", "", "", "", ""},
	}
}

// The number of comparisons is the same whoever asks, so that time tells nothing; each of them takes constant time.
func TestCredentialsMatch(t *testing.T) {
	t.Parallel()
	for name, tc := range matches() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set, compared := NewSet(pairs()), 0
			set.equal = func(x, y []byte) int {
				compared++
				return subtle.ConstantTimeCompare(x, y)
			}
			got, ok := set.Match(tc.username, tc.password)
			want := event.RouteID{}
			if name := tc.want + tc.named; name != "" {
				want = connector(name)
			}
			if got != want || ok != (tc.want != "") {
				t.Errorf("Match = %s, %t; want %s: %s", got, ok, want, tc.reason)
			}
			if compared != 2*5 {
				t.Errorf("%d comparisons, want 2 for each of 5 pairs: %s", compared, tc.reason)
			}
		})
	}
}

func TestEmptySetMatchesNobody(t *testing.T) {
	t.Parallel()
	if got, ok := NewSet(nil).Match("", ""); ok {
		t.Errorf("Match = %s", got)
	}
}

func FuzzMatch(f *testing.F) {
	for _, tc := range matches() {
		f.Add(tc.username, tc.password)
	}
	set := NewSet(pairs())
	f.Fuzz(func(t *testing.T, username, password string) {
		want := false
		for _, c := range pairs() {
			want = want || c.Username != "" && c.Password != "" && c.Username == username && c.Password == password
		}
		if got, ok := set.Match(username, password); ok != want {
			t.Fatalf("Match(%q, %q) = %s, %t", username, password, got, ok)
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	set := NewSet(pairs())
	for name, tc := range matches() {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				set.Match(tc.username, tc.password)
			}
		})
	}
}
