package contract_test

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// exchange is one file of internal/ess/testdata/contract; the README there describes the format.
type exchange struct {
	call              string
	request, response message
	status            int
	result, failure   string
	topics            []string
	subscriptions     []json.RawMessage
}

// message is a request or a response in parts.
type message struct {
	first  string
	header http.Header
	body   string
}

// exchanges reads all files, by name.
func exchanges(t *testing.T) map[string]exchange {
	t.Helper()
	paths, err := filepath.Glob("../../internal/ess/testdata/contract/*.txtar")
	if err != nil || len(paths) < 20 {
		t.Fatalf("found %d exchanges (%v), some are missing", len(paths), err)
	}
	all := map[string]exchange{}
	for _, path := range paths {
		all[strings.TrimSuffix(filepath.Base(path), ".txtar")] = readExchange(t, path)
	}
	return all
}

func readExchange(t *testing.T, path string) exchange {
	t.Helper()
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"given.json": "{}"}
	for _, f := range archive.Files {
		files[f.Name] = strings.TrimSpace(string(f.Data))
	}
	x := exchange{
		call: files["call"], request: parse(t, files["request"]), response: parse(t, files["response"]),
		result: files["result.json"], failure: files["error"],
	}
	var given struct {
		Topics        []string          `json:"topics"`
		Subscriptions []json.RawMessage `json:"subscriptions"`
	}
	if err := json.Unmarshal([]byte(files["given.json"]), &given); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	x.topics, x.subscriptions = given.Topics, given.Subscriptions
	if x.status, err = strconv.Atoi(strings.Fields(x.response.first)[1]); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return x
}

func parse(t *testing.T, text string) message {
	t.Helper()
	head, body, _ := strings.Cut(text, "\n\n")
	first, lines, _ := strings.Cut(head, "\n")
	m := message{first: first, header: http.Header{}, body: body}
	for line := range strings.Lines(lines) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok {
			t.Fatalf("%q is not a header", line)
		}
		m.header.Add(name, value)
	}
	if len(strings.Fields(first)) < 2 {
		t.Fatalf("%q is neither a request line nor a status line", first)
	}
	return m
}
