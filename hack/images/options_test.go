package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWrongCommandLines(t *testing.T) {
	t.Parallel()
	needed := []string{"-version", "v1", "-tag", "v1", "-created", "0"}
	cases := map[string]struct {
		reason string
		args   []string
		says   string
	}{
		"Nothing":     {"Whoever runs it by hand has to learn what there is.", nil, "Usage: images"},
		"NoVersion":   {"An image without a version could be anything.", []string{"archives"}, "-version"},
		"NoTime":      {"A time made up would not be the same tomorrow.", []string{"archives", "-version", "v1", "-tag", "v1"}, "SOURCE_DATE_EPOCH"},
		"TimeOfWords": {"SOURCE_DATE_EPOCH is a number.", []string{"archives", "-version", "v1", "-tag", "v1", "-created", "today"}, "SOURCE_DATE_EPOCH"},
		"Program":     {"A misspelt program must not be left out.", append([]string{"archives", "-programs", "manger"}, needed...), `"manger"`},
		"Platform":    {"The programs run on Linux.", append([]string{"archives", "-platforms", "windows/amd64"}, needed...), `"windows/amd64"`},
		"Variant":     {"Variants are none of ours.", append([]string{"archives", "-platforms", "linux/arm/v7"}, needed...), `"linux/arm/v7"`},
		"Twice":       {"A reader of the index would find two of one kind.", append([]string{"archives", "-platforms", "linux/amd64,linux/amd64"}, needed...), "twice"},
		"UpperCase":   {"No registry takes it, which nobody should learn after the build.", append([]string{"archives", "-repository", "ghcr.io/Acme"}, needed...), "lower case"},
		"Command":     {"A misspelt command must not do nothing.", append([]string{"archive"}, needed...), `"archive"`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stderr bytes.Buffer
			if code := run(t.Context(), tc.args, &bytes.Buffer{}, &stderr); code != 2 || !strings.Contains(stderr.String(), tc.says) {
				t.Errorf("%s\nimages %v ends with %d and says %q, want 2 and %q", tc.reason, tc.args, code, stderr.String(), tc.says)
			}
		})
	}
}

func TestAFileThatCannotBeWrittenIsNotHalfThere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "manager.tar")
	half := func(w io.Writer) error {
		_, err := w.Write([]byte("half"))
		return errors.Join(err, errBroken)
	}
	if err := writeFile(path, half); !errors.Is(err, errBroken) {
		t.Errorf("writeFile() gives the error %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

var errBroken = errors.New("broken")
