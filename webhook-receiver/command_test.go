package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/journal"
)

// execute runs a command line, and returns what it prints.
func execute(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	command := newCommand()
	command.SetArgs(args)
	command.SetOut(&out)
	command.SetErr(&out)
	err := command.ExecuteContext(t.Context())
	return out.String(), err
}

// files writes both files into a folder, and returns the flags that name them.
func files(t *testing.T, config, routes string) []string {
	t.Helper()
	dir := t.TempDir()
	paths := map[string]string{filepath.Join(dir, "config.yaml"): config, filepath.Join(dir, "routes.yaml"): routes}
	for path, content := range paths {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return []string{"--config", filepath.Join(dir, "config.yaml"), "--routes", filepath.Join(dir, "routes.yaml")}
}

func TestCheckSaysThatFilesAreGood(t *testing.T) {
	t.Parallel()
	out, err := execute(t, append(files(t, "", "subscriptions: []\n"), "check")...)
	if err != nil || !strings.Contains(out, "are good") {
		t.Errorf("check = %v\n%s", err, out)
	}
}

func TestCheckPrintsAllThatIsWrong(t *testing.T) {
	t.Parallel()
	out, err := execute(t, append(files(t, "events:\n  lisen: ':1'\n  maxInFlight: 0\n", "subscriptions:\n- {namespace: a}\n"), "check")...)
	if !errors.Is(err, errBad) {
		t.Errorf("check = %v, want errBad", err)
	}
	for _, want := range []string{
		"config.yaml: line 2: events.lisen: no such key", "config.yaml: line 3: events.maxInFlight: must be from 1",
		"routes.yaml: line 2: subscriptions[0].name: must be", "routes.yaml: line 2: subscriptions[0].source: is missing",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("check does not say %q:\n%s", want, out)
		}
	}
	if lines := strings.Count(out, "\n"); lines != 4 {
		t.Errorf("check prints %d lines, want one for each of 4 problems:\n%s", lines, out)
	}
}

func TestCommandLinesThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"--nonsense"}, {"check", "config.yaml"}, {"--log-format", "xml"}, {"check", "--log-format", "xml"}, {"--log-level", "loud"},
		{"journal"}, {"extra"}, {"journal", "check", "--from", "x"}, {"journal", "salvage", "--from", "x"},
	} {
		var usage usageError
		if _, err := execute(t, args...); !errors.As(err, &usage) {
			t.Errorf("%q: %v, want a usage error", args, err)
		}
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	if out, err := execute(t, "--version"); err != nil || strings.TrimSpace(out) == "" {
		t.Errorf("--version = %q, %v", out, err)
	}
}

// written makes a journal with one event.
func written(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "journal.db")
	j, err := journal.Open(journal.Options{Path: path, MaxSize: 16 << 20})
	if err != nil {
		t.Fatal(err)
	}
	id := event.RouteID{Kind: event.Subscription, Namespace: "finance", Name: "reports"}
	entry := event.Entry{Event: event.Event{Route: id, ID: "e1", Body: []byte(`{"mark":"kept in one piece"}`)}, State: event.Stored}
	if _, err := j.Append(t.Context(), entry); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestJournalCommands(t *testing.T) {
	t.Parallel()
	path := written(t)
	if out, err := execute(t, "journal", "check", "--path", path); err != nil || !strings.Contains(out, "holds 1 events; 0 are damaged") {
		t.Errorf("journal check = %v\n%s", err, out)
	}
	salvaged := path + ".salvaged"
	if out, err := execute(t, "journal", "salvage", "--from", path, "--to", salvaged); err != nil || !strings.Contains(out, "holds 1 events now; 0 are lost") {
		t.Errorf("journal salvage = %v\n%s", err, out)
	}
	if out, err := execute(t, "journal", "check", "--path", salvaged); err != nil {
		t.Errorf("journal check of what was salvaged = %v\n%s", err, out)
	}
	if out, err := execute(t, "journal", "salvage", "--from", path, "--to", salvaged); err == nil {
		t.Errorf("journal salvage writes over a journal\n%s", out)
	}
}

func TestJournalCommandsTellOfDamage(t *testing.T) {
	t.Parallel()
	path := written(t)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.ReplaceAll(content, []byte("kept in one piece"), []byte("kept in two piece"))
	if err := os.WriteFile(path, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := execute(t, "journal", "check", "--path", path); !errors.Is(err, errDamaged) {
		t.Errorf("journal check = %v, want errDamaged\n%s", err, out)
	}
	out, err := execute(t, "journal", "salvage", "--from", path, "--to", path+".salvaged")
	if !errors.Is(err, errPartial) || !strings.Contains(out, "event 1 is lost") {
		t.Errorf("journal salvage = %v, want errPartial and the event that is lost\n%s", err, out)
	}
}

func TestJournalCommandsTellOfFilesThatAreNone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "other.db")
	if err := os.WriteFile(path, bytes.Repeat([]byte("no journal"), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := execute(t, "journal", "check", "--path", path)
	if !errors.Is(err, errDamaged) || !strings.Contains(err.Error(), "--from "+path) || strings.Contains(out, "holds 0 events") {
		t.Errorf("journal check = %v\n%s\nwant the whole command, and no count that nobody made", err, out)
	}
	out, err = execute(t, "journal", "salvage", "--from", path, "--to", path+".salvaged")
	if err != nil || !strings.Contains(out, "held no event, or is no journal") {
		t.Errorf("journal salvage = %v\n%s\nwant a doubt about the file", err, out)
	}
}
