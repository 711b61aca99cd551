package resilience_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestGuaranteesNameTests holds the page of guarantees to tests that exist.
func TestGuaranteesNameTests(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/guarantees.md")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`(Test[A-Za-z]+)`").FindAllStringSubmatch(string(page), -1)
	if len(named) == 0 {
		t.Fatal("the page names no test")
	}
	code := read(t, "../..")
	for _, name := range named {
		if !strings.Contains(code, "\nfunc "+name[1]+"(t *testing.T)") {
			t.Errorf("the page names %s, which does not exist", name[1])
		}
	}
	own := regexp.MustCompile(`\nfunc (Test[A-Za-z]+)\(t \*testing`).FindAllStringSubmatch(read(t, "."), -1)
	for _, test := range own {
		ofTests := test[1] == t.Name() || test[1] == "TestResultIsOfThisTree" // which promise users nothing
		if !ofTests && !strings.Contains(string(page), "`"+test[1]+"`") {
			t.Errorf("no guarantee rests on %s", test[1])
		}
	}
}

// read is the code of all tests below a directory.
func read(t *testing.T, dir string) string {
	t.Helper()
	var code strings.Builder
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		code.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return code.String()
}
