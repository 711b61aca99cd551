package contract_test

import (
	"encoding/json"
	"fmt"
	"mime"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// onlyConcurs are members whose values only Concur knows; theirs are compared by type. applicationId is
// among them because every exchange here takes place under one application.
var onlyConcurs = []string{"access_token", "applicationId", "timestamp", "path"}

// wordings are members that hold texts and codes of a refusal.
var wordings = []string{"code", "error", "error_description", "httpStatus", "id", "message", "errorId", "errorMessage"}

// check compares an answer with the published one.
func (x exchange) check(t *testing.T, s situation, got message, status int) {
	t.Helper()
	if status != x.status {
		t.Errorf("answered %d %s, published is %d", status, got.body, x.status)
	}
	x.checkHeaders(t, got)
	if x.response.body == "" {
		return
	}
	c := comparison{s: s, anyOrder: x.call == "topics"}
	c.compare("body", decode(t, x.response.body), decode(t, got.body))
	for _, difference := range c.found {
		t.Error(difference)
	}
	if t.Failed() {
		t.Logf("answered: %s", got.body)
	}
}

func (x exchange) checkHeaders(t *testing.T, got message) {
	t.Helper()
	if published := x.response.header.Get("Content-Type"); published != "" && x.response.body != "" {
		want, _, wantErr := mime.ParseMediaType(published)
		is, _, isErr := mime.ParseMediaType(got.header.Get("Content-Type"))
		if wantErr != nil || isErr != nil || is != want {
			t.Errorf("Content-Type is %q, published is %q", got.header.Get("Content-Type"), published)
		}
	}
	if published := x.response.header.Get("Retry-After"); got.header.Get("Retry-After") != published {
		t.Errorf("Retry-After is %q, published is %q", got.header.Get("Retry-After"), published)
	}
}

// comparison collects where an answer lacks something of the published one. What it has beyond that is no fault.
type comparison struct {
	s        situation
	anyOrder bool // a scope opens more topics than the samples show, and their order is not documented
	found    []string
}

func (c *comparison) compare(at string, want, got any) {
	if fmt.Sprintf("%T", want) != fmt.Sprintf("%T", got) {
		c.found = append(c.found, fmt.Sprintf("%s is %#v, published is %#v: another type", at, got, want))
		return
	}
	switch want := want.(type) {
	case map[string]any:
		c.compareObjects(at, want, got.(map[string]any))
	case []any:
		c.compareArrays(at, want, got.([]any))
	default:
		if want != got {
			c.found = append(c.found, fmt.Sprintf("%s is %#v, published is %#v", at, got, want))
		}
	}
}

func (c *comparison) compareObjects(at string, want, got map[string]any) {
	for name, value := range want {
		if name == c.s.lacks {
			continue
		}
		is, ok := got[name]
		if !ok {
			c.found = append(c.found, at+" has no member "+name)
			continue
		}
		_, scalar := value.(string)
		if _, number := value.(float64); number {
			scalar = true
		}
		free := slices.Contains(onlyConcurs, name) || c.s.words && slices.Contains(wordings, name)
		if scalar && free && fmt.Sprintf("%T", value) == fmt.Sprintf("%T", is) {
			continue
		}
		c.compare(at+"."+name, value, is)
	}
}

func (c *comparison) compareArrays(at string, want, got []any) {
	if c.anyOrder {
		for _, value := range want {
			if !slices.Contains(got, value) {
				c.found = append(c.found, fmt.Sprintf("%s lacks %v", at, value))
			}
		}
		return
	}
	if len(want) != len(got) {
		c.found = append(c.found, fmt.Sprintf("%s has %d elements, published are %d", at, len(got), len(want)))
		return
	}
	for i := range want {
		c.compare(fmt.Sprintf("%s[%d]", at, i), want[i], got[i])
	}
}

func decode(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return v
}

// TestComparisonFindsDifferences: a comparison that finds nothing would pass everything.
func TestComparisonFindsDifferences(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		want, got string
		s         situation
		found     int
	}{
		"Equal":         {want: `{"a":[1,"x"]}`, got: `{"a":[1,"x"]}`},
		"More":          {want: `{"a":1}`, got: `{"a":1,"b":2}`},
		"Less":          {want: `{"a":1,"b":2}`, got: `{"a":1}`, found: 1},
		"Value":         {want: `{"a":1}`, got: `{"a":2}`, found: 1},
		"Type":          {want: `{"expires_in":"3600"}`, got: `{"expires_in":3600}`, found: 1},
		"VolatileValue": {want: `{"timestamp":"x"}`, got: `{"timestamp":"y"}`},
		"VolatileType":  {want: `{"timestamp":"x"}`, got: `{"timestamp":1}`, found: 1},
		"Words":         {want: `{"code":5}`, got: `{"code":64}`, s: situation{words: true}},
		"NoWords":       {want: `{"code":5}`, got: `{"code":64}`, found: 1},
		"Deep":          {want: `{"error":{"message":"x"}}`, got: `{"error":{}}`, s: situation{words: true}, found: 1},
		"Shorter":       {want: `[1,2]`, got: `[1]`, found: 1},
		"OtherShape":    {want: `[]`, got: `{}`, found: 1},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := comparison{s: tc.s}
			c.compare("body", decode(t, tc.want), decode(t, tc.got))
			if diff := cmp.Diff(tc.found, len(c.found)); diff != "" {
				t.Errorf("found %v", c.found)
			}
		})
	}
}
