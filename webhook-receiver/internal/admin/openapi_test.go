package admin_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/admin"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// document is openapi.json with every reference replaced by what it names.
type document struct {
	OpenAPI    string
	Security   []map[string][]string
	Paths      map[string]map[string]operation
	Components struct{ Schemas map[string]any }
}

type operation struct {
	Security    *[]any
	Parameters  []parameter
	RequestBody *struct {
		Content map[string]struct{ Schema map[string]any }
	}
	Responses map[string]struct {
		Headers map[string]any
		Content map[string]struct{ Schema map[string]any }
	}
}

type parameter struct {
	Name, In string
	Schema   map[string]any
}

func load(t testing.TB) document {
	t.Helper()
	var raw any
	if err := json.Unmarshal(newBench(t).get("/openapi.json").Body.Bytes(), &raw); err != nil {
		t.Fatal(err)
	}
	expanded, err := json.Marshal(expand(t, raw, raw))
	if err != nil {
		t.Fatal(err)
	}
	var d document
	if err := json.Unmarshal(expanded, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// expand replaces references within root, none of which may be recursive.
func expand(t testing.TB, root, v any) any {
	switch v := v.(type) {
	case map[string]any:
		if ref, ok := v["$ref"].(string); ok {
			return expand(t, root, resolve(t, root, ref))
		}
		out := map[string]any{}
		for key, value := range v {
			out[key] = expand(t, root, value)
		}
		return out
	case []any:
		out := []any{}
		for _, value := range v {
			out = append(out, expand(t, root, value))
		}
		return out
	}
	return v
}

func resolve(t testing.TB, root any, ref string) any {
	t.Helper()
	at := root
	for step := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		object, _ := at.(map[string]any)
		if at = object[step]; at == nil {
			t.Fatalf("the reference %s leads nowhere", ref)
		}
	}
	return at
}

func TestEveryEndpointIsDescribed(t *testing.T) {
	t.Parallel()
	d := load(t)
	if d.OpenAPI != "3.1.0" || len(d.Security) != 1 {
		t.Errorf("version %q, security %v", d.OpenAPI, d.Security)
	}
	var described, served []string
	for path, operations := range d.Paths {
		for method := range operations {
			described = append(described, strings.ToUpper(method)+" "+path)
		}
	}
	for _, e := range newBench(t).Endpoints() {
		served = append(served, e.Method+" "+e.Path)
		checkOperation(t, e, d.Paths[e.Path][strings.ToLower(e.Method)])
	}
	if diff := cmp.Diff(sorted(served), sorted(described)); diff != "" {
		t.Errorf("-served +described:\n%s", diff)
	}
}

// checkOperation holds an endpoint to its description.
func checkOperation(t *testing.T, e admin.Endpoint, op operation) {
	t.Helper()
	if diff := cmp.Diff(sorted(e.Query), op.names("query")); diff != "" {
		t.Errorf("%s: query parameters -served +described:\n%s", e.Path, diff)
	}
	var inPath []string
	for _, m := range regexp.MustCompile(`\{(\w+)\}`).FindAllStringSubmatch(e.Path, -1) {
		inPath = append(inPath, m[1])
	}
	if diff := cmp.Diff(sorted(inPath), op.names("path")); diff != "" {
		t.Errorf("%s: path parameters -served +described:\n%s", e.Path, diff)
	}
	if public := op.Security != nil && len(*op.Security) == 0; public != e.Open {
		t.Errorf("%s needs no token: served %t, described %t", e.Path, e.Open, public)
	}
}

// names are those of the parameters in one place.
func (o operation) names(in string) []string {
	var names []string
	for _, p := range o.Parameters {
		if p.In == in {
			names = append(names, p.Name)
		}
	}
	return sorted(names)
}

func sorted(names []string) []string {
	return slices.Sorted(slices.Values(append([]string{}, names...)))
}

// The limits that are described are those that are held.
func TestParametersAreAsDescribed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, p := range load(t).Paths["/v1/events"]["get"].Parameters {
		values, listed := p.Schema["enum"].([]any)
		for _, v := range values {
			if w := b.get("/v1/events?" + p.Name + "=" + v.(string)); w.Code != http.StatusOK {
				t.Errorf("%s=%s is described, and refused: %s", p.Name, v, w.Body)
			}
		}
		if p.Name == "state" && len(values) != len(event.States()) {
			t.Errorf("states %v are described, want %v", values, event.States())
		}
		if listed {
			refused(t, b.get("/v1/events?"+p.Name+"=other"), http.StatusBadRequest)
		}
		if longest, ok := p.Schema["maxLength"].(float64); ok {
			refused(t, b.get("/v1/events?"+p.Name+"="+strings.Repeat("x", int(longest)+1)), http.StatusBadRequest)
		}
	}
}

func TestReplayBodyIsAsDescribed(t *testing.T) {
	t.Parallel()
	schema := load(t).Paths["/v1/replay"]["post"].RequestBody.Content["application/json"].Schema
	described := slices.Collect(maps.Keys(schema["properties"].(map[string]any)))
	if diff := cmp.Diff(sorted(admin.ReplayFields()), sorted(described)); diff != "" {
		t.Errorf("-read +described:\n%s", diff)
	}
	if schema["additionalProperties"] != false {
		t.Error("unknown fields are refused, and the description does not say so")
	}
}

// The page names every path, and no other.
func TestManualHasEveryCall(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../docs/reference/admin-api.md")
	if err != nil {
		t.Fatal(err)
	}
	var written, served []string
	for _, m := range regexp.MustCompile("(?m)^### `([A-Z]+ /[^`]*)`$").FindAllStringSubmatch(string(text), -1) {
		written = append(written, m[1])
	}
	for _, e := range newBench(t).Endpoints() {
		served = append(served, e.Method+" "+e.Path)
		for _, name := range e.Query {
			if !strings.Contains(string(text), "| `"+name+"` |") {
				t.Errorf("the page does not explain the parameter %s of %s", name, e.Path)
			}
		}
	}
	if diff := cmp.Diff(sorted(served), sorted(written)); diff != "" {
		t.Errorf("-served +on the page:\n%s", diff)
	}
}
