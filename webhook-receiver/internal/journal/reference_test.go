package journal

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDurabilityNamesTests holds docs/durability.md to tests that exist, and every test to a promise.
func TestDurabilityNamesTests(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../docs/durability.md")
	if err != nil {
		t.Fatal(err)
	}
	code := ownTests(t)
	named := regexp.MustCompile("`(Test[A-Za-z]+)`").FindAllStringSubmatch(string(page), -1)
	if len(named) == 0 {
		t.Fatal("the page names no test")
	}
	for _, name := range named {
		if !strings.Contains(code, "\nfunc "+name[1]+"(t *testing.T)") {
			t.Errorf("the page names %s, which does not exist", name[1])
		}
	}
	for _, test := range regexp.MustCompile(`\nfunc (Test[A-Za-z]+)\(t \*testing`).FindAllStringSubmatch(code, -1) {
		if test[1] != t.Name() && !strings.Contains(string(page), "`"+test[1]+"`") {
			t.Errorf("no guarantee rests on %s", test[1])
		}
	}
}

// ownTests is the code of all tests of this package.
func ownTests(t *testing.T) string {
	t.Helper()
	var code strings.Builder
	for _, name := range must(filepath.Glob("*_test.go")) {
		code.Write(must(os.ReadFile(name)))
	}
	return code.String()
}
