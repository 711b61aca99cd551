package condition_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/condition"
)

const (
	firstTail  = " [Concur-Correlationid 11111111]"
	secondTail = " [Concur-Correlationid 22222222]"
)

func TestKeepTail(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 2*condition.MaxMessage)
	cut := strings.Repeat("x", condition.MaxMessage-len(firstTail)-len("…")) + "…"
	cases := map[string]struct {
		reason             string
		old, message, tail string
		want               string
	}{
		"First":        {"the id is for support", "", "no", firstTail, "no" + firstTail},
		"Again":        {"an id alone is no news", "no" + firstTail, "no", secondTail, "no" + firstTail},
		"Other":        {"another message is news, with its own id", "no" + firstTail, "yes", secondTail, "yes" + secondTail},
		"NoTail":       {"an answer without an id has none", "no" + firstTail, "no", "", "no"},
		"TailComes":    {"an id that is there at last is shown", "no", "no", secondTail, "no" + secondTail},
		"OnlyLonger":   {"a message that goes on in brackets is another message", "no [redacted] way" + firstTail, "no", secondTail, "no" + secondTail},
		"LongKeepsID":  {"the text is cut and not the id", "", long, firstTail, cut + firstTail},
		"LongIsStable": {"a cut text with another id is no news", cut + firstTail, long, secondTail, cut + firstTail},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var list []metav1.Condition
			if tc.old != "" {
				condition.On(&list, 1, earlier).False(v1alpha1.ReadyCondition, "R", tc.old)
			}
			got := condition.KeepTail(list, v1alpha1.ReadyCondition, tc.message, tc.tail)
			if got != tc.want {
				t.Errorf("got %q, want %q: %s", got, tc.want, tc.reason)
			}
			if condition.Cut(got) != got {
				t.Error("the setter would cut it once more")
			}
		})
	}
}

func TestCut(t *testing.T) {
	t.Parallel()
	full := strings.Repeat("x", condition.MaxMessage)
	cases := map[string]struct{ reason, message, want string }{
		"Fits":      {"what fits stays", full, full},
		"Over":      {"it shows that something is missing", full + "x", full[:condition.MaxMessage-3] + "…"},
		"Character": {"half a character is none", strings.Repeat("ä", 600), strings.Repeat("ä", 510) + "…"},
		"Invalid":   {"the API server takes UTF-8 only", "a\xffb", "a?b"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := condition.Cut(tc.message); got != tc.want {
				t.Errorf("got %q, want %q: %s", got, tc.want, tc.reason)
			}
		})
	}
}

func TestSetCuts(t *testing.T) {
	t.Parallel()
	var list []metav1.Condition
	condition.On(&list, 1, earlier).True(v1alpha1.ReadyCondition, "R", strings.Repeat("€", 100000))
	if got := list[0].Message; len(got) > condition.MaxMessage || !utf8.ValidString(got) {
		t.Errorf("a message of %d bytes could never be written", len(got))
	}
}

func FuzzCut(f *testing.F) {
	for _, seed := range []string{"", "plain", "a\xffb", strings.Repeat("€", 400), strings.Repeat("\xff", 1025)} {
		f.Add(seed, firstTail)
	}
	f.Fuzz(func(t *testing.T, message, tail string) {
		got := condition.Cut(message)
		if len(got) > condition.MaxMessage || !utf8.ValidString(got) {
			t.Errorf("Cut(%q) is %q", message, got)
		}
		if len(tail) > condition.MaxMessage/2 || !utf8.ValidString(tail) {
			t.Skip("tails are short")
		}
		kept := condition.KeepTail(nil, v1alpha1.ReadyCondition, message, tail)
		if !strings.HasSuffix(condition.Cut(kept), tail) {
			t.Errorf("the tail %q was cut off", tail)
		}
	})
}
