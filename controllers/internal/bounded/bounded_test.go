package bounded_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/controllers/internal/bounded"
)

func TestSet(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		values []string
		want   []string
	}{
		"None":      {"an absent list stays absent", nil, nil},
		"Sorted":    {"the order of ESS must not write status anew", []string{"b", "c", "a"}, []string{"a", "b", "c"}},
		"Once":      {"the API server refuses a set with twins", []string{"b", "a", "b"}, []string{"a", "b"}},
		"TooLong":   {"a name cut off would be another name", []string{"abcdef", "abcde"}, []string{"abcde"}},
		"Bytes":     {"the limit is bytes, which are never fewer than characters", []string{"äää", "ää"}, []string{"ää"}},
		"TooMany":   {"the same ones each time, whatever the order", []string{"e", "d", "c", "b", "a"}, []string{"a", "b", "c"}},
		"TwinsAway": {"twins must not take the room of others", []string{"a", "a", "a", "b", "c"}, []string{"a", "b", "c"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			given := slices.Clone(tc.values)
			if diff := cmp.Diff(tc.want, bounded.Set(tc.values, 3, 5)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(given, tc.values); diff != "" {
				t.Errorf("the caller's list was changed:\n%s", diff)
			}
		})
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason, value, want string
	}{
		"Short":   {"what fits stays", "abc", "abc"},
		"Exact":   {"what just fits stays", "abcde", "abcde"},
		"Long":    {"the beginning says most", "abcdef", "abcde"},
		"Split":   {"half a character is none", "abcdä", "abcd"},
		"Invalid": {"the API server takes UTF-8 only", "a\xffb", "a?b"},
		"Empty":   {"nothing stays nothing", "", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := bounded.Text(tc.value, 5); got != tc.want {
				t.Errorf("got %q, want %q: %s", got, tc.want, tc.reason)
			}
		})
	}
}

func FuzzText(f *testing.F) {
	for _, seed := range []string{"", "abc", "äöü", "a\xffb", strings.Repeat("€", 10)} {
		for _, length := range []int{0, 1, 2, 10} {
			f.Add(seed, length)
		}
	}
	f.Fuzz(func(t *testing.T, value string, length int) {
		if length < 0 || length > 1<<16 {
			t.Skip("lengths are sizes in a schema")
		}
		got := bounded.Text(value, length)
		if len(got) > length || !utf8.ValidString(got) {
			t.Errorf("Text(%q, %d) is %q", value, length, got)
		}
		if utf8.ValidString(value) && !strings.HasPrefix(value, got) {
			t.Errorf("Text(%q, %d) is %q, not its beginning", value, length, got)
		}
	})
}
