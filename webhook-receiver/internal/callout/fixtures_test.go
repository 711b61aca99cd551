package callout

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

var update = flag.Bool("update", false, "write the golden files anew")

var (
	arrival = time.Date(2026, 11, 22, 8, 0, 0, 123456789, time.UTC)
	origin  = Origin{
		Route:       event.RouteID{Kind: event.Connector, Namespace: "finance", Name: "reports"},
		ReceiverURL: "https://events.example.com/",
		ContentType: "application/xml",
	}
)

// samples returns the bodies below testdata by file name. Of a printed request it is what follows the headers.
func samples(tb testing.TB) map[string][]byte {
	tb.Helper()
	all := map[string][]byte{}
	err := fs.WalkDir(os.DirFS("testdata"), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(path, "fuzz/") || filepath.Ext(path) == ".golden" {
			return err
		}
		body, err := os.ReadFile(filepath.Join("testdata", path))
		if filepath.Ext(path) == ".http" {
			_, body, _ = bytes.Cut(body, []byte("\n\n"))
		}
		all[path] = body
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	if len(all) < 6 {
		tb.Fatalf("only %d samples below testdata", len(all))
	}
	return all
}

// Every sample of Concur's pages becomes the CloudEvent, or goes into quarantine for the reason, that the golden
// file shows.
func TestEverySampleIsRead(t *testing.T) {
	t.Parallel()
	for path, body := range samples(t) {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			e := Parse(origin, body, arrival)
			if err := invalid(e, body); err != nil {
				t.Error(err)
			}
			compareWithGolden(t, filepath.Join("testdata", path+".golden"), shown(e))
		})
	}
}

// shown is an event in the form of the golden files.
func shown(e event.Event) string {
	var s strings.Builder
	for _, a := range e.Attributes() {
		fmt.Fprintf(&s, "%s: %s\n", a.Name, a.Value)
	}
	if e.Quarantine != "" {
		fmt.Fprintf(&s, "\nin quarantine: %s\n", e.Quarantine)
		return s.String()
	}
	fmt.Fprintf(&s, "\n%s\n", e.Data())
	return s.String()
}

func compareWithGolden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
