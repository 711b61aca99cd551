package v1alpha1_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
)

// page is the manual of conditions and reasons, for users.
const page = "../../docs/reference/conditions.md"

// constants are the declarations of the package's string constants whose name
// ends in suffix, by value.
func constants(t *testing.T, suffix string) map[string]*ast.ValueSpec {
	t.Helper()
	found := map[string]*ast.ValueSpec{}
	for _, file := range sources(t) {
		for n := range ast.Preorder(file) {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 || !strings.HasSuffix(spec.Names[0].Name, suffix) {
				continue
			}
			if literal, ok := spec.Values[0].(*ast.BasicLit); ok && literal.Kind == token.STRING {
				found[strings.Trim(literal.Value, `"`)] = spec
			}
		}
	}
	if len(found) == 0 {
		t.Fatalf("the package has no constant whose name ends in %s", suffix)
	}
	return found
}

// sources are the files of the package, without tests.
func sources(t *testing.T) []*ast.File {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

func TestReasonsAreTheClosedSet(t *testing.T) {
	t.Parallel()
	declared := constants(t, "Reason")
	if diff := cmp.Diff(slices.Sorted(maps.Keys(declared)), slices.Sorted(slices.Values(v1alpha1.Reasons()))); diff != "" {
		t.Errorf("the constants and Reasons() differ (-constants +Reasons):\n%s", diff)
	}
	for value, spec := range declared {
		name := spec.Names[0].Name
		if name != value+"Reason" {
			t.Errorf("%s is %q: a reader of a status could not find its constant", name, value)
		}
		if !strings.HasPrefix(spec.Doc.Text(), name+":") {
			t.Errorf("%s has no comment that begins with %q and says what it means", name, name+":")
		}
	}
}

func TestEveryReasonIsExplainedToUsers(t *testing.T) {
	t.Parallel()
	explained := rows(t, 3)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(constants(t, "Reason"))), explained); diff != "" {
		t.Errorf("the constants and the tables of %s differ (-constants +page):\n%s", page, diff)
	}
}

func TestEveryConditionIsExplainedToUsers(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff(slices.Sorted(maps.Keys(constants(t, "Condition"))), rows(t, 4)); diff != "" {
		t.Errorf("the constants and the table of %s differ (-constants +page):\n%s", page, diff)
	}
}

// rows are the names in the first column of the tables that have so many
// columns, sorted and each once. A cell without text fails the test.
func rows(t *testing.T, columns int) []string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("^`([A-Za-z]+)`$")
	var names []string
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		name := named.FindStringSubmatch(strings.TrimSpace(cells[0]))
		if len(cells) != columns || name == nil {
			continue
		}
		for _, cell := range cells[1:] {
			if strings.TrimSpace(cell) == "" {
				t.Errorf("%s has an empty cell beside %s", page, name[1])
			}
		}
		names = append(names, name[1])
	}
	slices.Sort(names)
	return slices.Compact(names)
}
