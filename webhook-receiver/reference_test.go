package main

import (
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
	"sigs.k8s.io/yaml"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/config"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/route"
)

// table reads those rows of the reference whose first cell begins with one of the prefixes: the second cell
// by the first.
func table(t *testing.T, prefixes ...string) map[string]string {
	t.Helper()
	return rows(t, "receiver.md", prefixes...)
}

func rows(t *testing.T, page string, prefixes ...string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../docs/reference", page))
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (.*?) \\|")
	cells := map[string]string{}
	for _, match := range row.FindAllStringSubmatch(string(text), -1) {
		if slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(match[1], p) }) {
			cells[match[1]] = match[2]
		}
	}
	return cells
}

var sections = []string{"publicURL", "events.", "admin.", "proof.", "sinks.", "journal."}

func TestReferenceListsTheKeys(t *testing.T) {
	t.Parallel()
	for name, keys := range map[string]struct{ code, page []string }{
		"config.yaml": {config.Keys(), slices.Collect(maps.Keys(table(t, sections...)))},
		"routes.yaml": {route.Keys(), slices.Collect(maps.Keys(table(t, "subscriptions", "connectors")))},
	} {
		for i, key := range keys.code {
			keys.code[i] = strings.TrimSuffix(key, "[]")
		}
		slices.Sort(keys.code)
		slices.Sort(keys.page)
		if diff := cmp.Diff(keys.code, keys.page); diff != "" {
			t.Errorf("keys of %s, and the table in docs/reference/receiver.md (-code +page):\n%s", name, diff)
		}
	}
}

// file makes a file of the defaults in a table, and of what is required.
func file(t *testing.T, required map[string]any, cells map[string]string) []byte {
	t.Helper()
	root := map[string]any{}
	for key, cell := range cells {
		if cell == "–" {
			continue
		}
		var value any
		if err := yaml.Unmarshal([]byte(strings.Trim(cell, "`")), &value); err != nil {
			t.Fatalf("default of %s: %v", key, err)
		}
		set(root, strings.Split(key, "."), value)
	}
	for key, value := range required {
		set(root, strings.Split(key, "."), value)
	}
	text, err := yaml.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// set puts a value at a path; "name[]" is the only entry of a list.
func set(block map[string]any, path []string, value any) {
	key, isList := strings.CutSuffix(path[0], "[]")
	if len(path) == 1 {
		block[key] = value
		return
	}
	inner := map[string]any{}
	switch old := block[key].(type) {
	case map[string]any:
		inner = old
	case []any:
		inner = old[0].(map[string]any)
	}
	block[key] = inner
	if isList {
		block[key] = []any{inner}
	}
	set(inner, path[1:], value)
}

func TestReferenceHasTheDefaultsOfTheConfiguration(t *testing.T) {
	t.Parallel()
	required := map[string]any{"admin.tokenFile": "t"}
	want, err := config.Parse([]byte("admin: {tokenFile: t}"), "/")
	if err != nil {
		t.Fatal(err)
	}
	got, err := config.Parse(file(t, required, table(t, sections...)), "/")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
		t.Errorf("a file without keys, and one of all defaults in docs/reference/receiver.md (-code +page):\n%s", diff)
	}
}

func TestReferenceHasTheDefaultsOfRoutes(t *testing.T) {
	t.Parallel()
	required := map[string]any{
		"subscriptions[].namespace": "a", "subscriptions[].name": "b", "subscriptions[].source": "https://us.example.com",
		"connectors[].namespace": "a", "connectors[].name": "b",
		"connectors[].credentials": []any{map[string]any{"username": "u", "password": "p"}},
	}
	want, err := route.Parse(file(t, required, nil))
	if err != nil {
		t.Fatal(err)
	}
	got, err := route.Parse(file(t, required, table(t, "subscriptions", "connectors")))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.All(), got.All()); diff != "" {
		t.Errorf("subscriptions without keys, and with all defaults in docs/reference/receiver.md (-code +page):\n%s", diff)
	}
	if diff := cmp.Diff(want.Connectors(), got.Connectors()); diff != "" {
		t.Errorf("connectors without keys, and with all defaults in docs/reference/receiver.md (-code +page):\n%s", diff)
	}
}

func TestReferenceListsTheFlags(t *testing.T) {
	t.Parallel()
	command := newCommand()
	command.InitDefaultVersionFlag()
	want := map[string]string{}
	add := func(f *pflag.Flag) { want["--"+f.Name] = "`" + f.DefValue + "`" }
	command.PersistentFlags().VisitAll(add)
	command.Flags().VisitAll(add)
	if diff := cmp.Diff(want, table(t, "--")); diff != "" {
		t.Errorf("flags and their defaults, and the table in docs/reference/receiver.md (-flags +page):\n%s", diff)
	}
}

func TestReferenceListsTheMetrics(t *testing.T) {
	t.Parallel()
	sources, err := filepath.Glob("internal/*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile(`"(ess_receiver_[a-z_]+)"`)
	inCode := map[string]bool{}
	for _, source := range sources {
		text, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range name.FindAllStringSubmatch(string(text), -1) {
			inCode[match[1]] = true
		}
	}
	onPage := slices.Sorted(maps.Keys(rows(t, "receiver-metrics.md", "ess_receiver_")))
	if diff := cmp.Diff(slices.Sorted(maps.Keys(inCode)), onPage); diff != "" {
		t.Errorf("metrics of the code and of docs/reference/receiver-metrics.md (-code +page):\n%s", diff)
	}
}
