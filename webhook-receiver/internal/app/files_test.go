package app_test

import (
	"os"
	"path/filepath"
	"strings"
)

func (b *bench) remove(name string) {
	b.Helper()
	if err := os.Remove(filepath.Join(b.dir, name)); err != nil {
		b.Fatal(err)
	}
}

func (b *bench) read(name string) string {
	b.Helper()
	text, err := os.ReadFile(filepath.Join(b.dir, name))
	if err != nil {
		b.Fatal(err)
	}
	return string(text)
}

// replaced is strings.Replace that insists on finding something.
func replaced(text, old, with string) string {
	if !strings.Contains(text, old) {
		panic("there is no " + old + " to replace")
	}
	return strings.Replace(text, old, with, 1)
}
