package strictyaml_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/strictyaml"
)

type seconds time.Duration

func (s *seconds) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if err != nil {
		return errors.New("must be a duration such as 5s")
	}
	*s = seconds(d)
	return nil
}

type file struct {
	Name   string             `yaml:"name"`
	Wait   seconds            `yaml:"wait"`
	Count  int                `yaml:"count"`
	Strict bool               `yaml:"strict"`
	Inner  *inner             `yaml:"inner"`
	List   []inner            `yaml:"list"`
	Words  []string           `yaml:"words"`
	Later  *strictyaml.Unread `yaml:"later"`
	Hidden string
}

type inner struct {
	Key *int `yaml:"key"`
}

func TestDecodeFillsTheStruct(t *testing.T) {
	t.Parallel()
	got := file{Name: "default", Count: 7}
	document := strictyaml.Decode([]byte("wait: 5s\nstrict: true\ninner: {key: 0}\nlist:\n- key: 3\nwords: [a, \"1\"]\ncount:\n"), &got)
	if err := document.Err(); err != nil {
		t.Fatal(err)
	}
	zero, three := 0, 3
	want := file{
		Name: "default", Wait: seconds(5 * time.Second), Count: 7, Strict: true,
		Inner: &inner{Key: &zero}, List: []inner{{Key: &three}}, Words: []string{"a", "1"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("decoded (-want +got):\n%s", diff)
	}
	if document.Has("count") || !document.Has("inner.key") {
		t.Error("Has must know keys with a value, and take null for absence")
	}
}

const none = "no such key; the keys here are name, wait, count, strict, inner, list, words, later"
const written = "anchors (&), aliases (*) and tags (!) are not read here: write the value out"

// refusals are files with something wrong in them.
var refusals = map[string]struct {
	reason string
	yaml   string
	want   []string
}{
	"Unknown": {
		reason: "A misspelt key must not be taken for an absent one.",
		yaml:   "name: a\ninner:\n  kye: 1\n",
		want:   []string{"line 3: inner.kye: no such key; the keys here are key"},
	},
	"Untagged": {
		reason: "A field without a tag is no key, whatever its name.",
		yaml:   "Hidden: a\n",
		want:   []string{"line 1: Hidden: " + none},
	},
	"Twice": {
		reason: "Which of two values holds must not be a matter of luck.",
		yaml:   "name: a\ncount: 1\nname: b\n",
		want:   []string{"line 3: name: the key is given twice: take one away"},
	},
	"AllAtOnce": {
		reason: "Whoever mends a file wants to do so once.",
		yaml:   "name: 1\nwait: 5\ncount: x\nstrict: yes\ninner: []\nlist: {}\nwords: [1, ~]\n",
		want: []string{
			"line 1: name: must be text; if that is what it is, put it in quotes",
			"line 2: wait: must be a duration such as 5s",
			"line 3: count: must be a whole number, without quotes",
			"line 4: strict: must be true or false, without quotes",
			"line 5: inner: must be a block of keys: key",
			"line 6: list: must be a list: [a, b], or lines that begin with a dash",
			"line 7: words[0]: must be text; if that is what it is, put it in quotes",
			"line 7: words[1]: is empty: fill it in, or take it away",
		},
	},
	"Alias": {
		reason: "A file of aliases can be small and mean gigabytes.",
		yaml:   "name: &n a\nwords: [*n]\n",
		want:   []string{"line 1: name: " + written, "line 2: words[0]: " + written},
	},
	"Tag": {
		reason: "A tag would turn one kind of value into another.",
		yaml:   "name: !!str 1\n",
		want:   []string{"line 1: name: " + written},
	},
	"TwoDocuments": {
		reason: "The second would be read by nobody.",
		yaml:   "name: a\n---\nname: b\n",
		want:   []string{"line 2: reading YAML: the file holds a second document: split it, or take away the line of dashes"},
	},
	"StrangeKey": {
		reason: "A key may hold anything, also what would break a line of a log.",
		yaml:   "\"a\\nb\": 1\n",
		want:   []string{`line 1: "a\nb": ` + none},
	},
	"BlockForText": {
		reason: "What reads text must get one value.",
		yaml:   "wait: {a: 1}\n",
		want:   []string{"line 1: wait: must be one value, not a list or a block of keys"},
	},
	"NotABlock": {
		reason: "A file of another kind must not pass for an empty one.",
		yaml:   "just words\n",
		want:   []string{"line 1: must be a block of keys: name, wait, count, strict, inner, list, words, later"},
	},
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	for name, tc := range refusals {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, problems(strictyaml.Decode([]byte(tc.yaml), &file{}))); diff != "" {
				t.Errorf("%s\nproblems (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func problems(document *strictyaml.Document) []string {
	var e *strictyaml.Error
	if !errors.As(document.Err(), &e) {
		return nil
	}
	var all []string
	for _, p := range e.Problems {
		all = append(all, p.String())
	}
	return all
}

func TestMessagesKeepValuesOut(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"name: *hunter2\n", "name: [hunter2\n", "name: \"hunter2\\q\"\n", "count: hunter2\n",
		"strict: hunter2\n", "inner: hunter2\n", "name: !hunter2 a\n", "name: 'hunter2\n", "name: @hunter2\n",
	} {
		err := strictyaml.Decode([]byte(text), &file{}).Err()
		if err == nil {
			t.Errorf("%q passes", text)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error about %q tells the password: %v", text, err)
		}
	}
}

func TestRefuseFindsTheLine(t *testing.T) {
	t.Parallel()
	document := strictyaml.Decode([]byte("name: a\nlist:\n- key: 1\n-\n  key: 2\n"), &file{})
	document.Refuse("list[1].sink.uri", "is missing")
	document.Refuse("list[0].key", "must be %d", 2)
	want := []string{"line 3: list[0].key: must be 2", "line 5: list[1].sink.uri: is missing"}
	if diff := cmp.Diff(want, problems(document)); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	if !document.Wrong("list[1]") || !document.Wrong("list") || document.Wrong("lis") || document.Wrong("name") {
		t.Error("Wrong must be true of what was refused and of the blocks around it, and of nothing else")
	}
}

func TestUnread(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"later: {a: {b: [1]}}", "later: x", "later: [1]"} {
		if d := strictyaml.Decode([]byte(text), &file{}); d.Err() != nil || !d.Has("later") {
			t.Errorf("%s: Err = %v, Has = %v; want it noticed and not read", text, d.Err(), d.Has("later"))
		}
	}
}

func TestErrorIsBounded(t *testing.T) {
	t.Parallel()
	err := strictyaml.Decode([]byte("words: ["+strings.Repeat("1, ", 1000)+"]\n"), &file{}).Err()
	if got := err.Error(); !strings.HasSuffix(got, "; and 980 more") {
		t.Errorf("error ends with %q, want the number of those left out", got[len(got)-40:])
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	want := []string{"name", "wait", "count", "strict", "inner.key", "list[].key", "words[]", "later"}
	if diff := cmp.Diff(want, strictyaml.Keys(file{})); diff != "" {
		t.Errorf("Keys (-want +got):\n%s", diff)
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		"", "name: a\nwait: 5s\n", "list:\n- key: 1\n- {}\n", "a: &b [*b]\n", "? [x]\n: y\n", "<<: {name: a}\n", "---\n---\n",
		"\xff\xfe", "name: |\n  text\n", "{{{{{{", "words: [~, 1]\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var a, b file
		first, second := strictyaml.Decode(data, &a).Err(), strictyaml.Decode(data, &b).Err()
		if (first == nil) != (second == nil) || !cmp.Equal(a, b) {
			t.Errorf("two readings differ: %v, %v", first, second)
		}
		if first != nil && first.Error() == "" {
			t.Error("an error says nothing")
		}
	})
}
