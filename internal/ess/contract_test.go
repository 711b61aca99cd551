package ess

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/tools/txtar"
)

// exchange is one file of testdata/contract; its README describes the format.
type exchange struct {
	verb, argument    string
	request, response string
	result, failure   string
}

func readExchange(t *testing.T, path string) exchange {
	t.Helper()
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(archive.Comment), "\nsource: ") {
		t.Errorf("%s names no source", path)
	}
	files := map[string]string{}
	for _, f := range archive.Files {
		files[f.Name] = strings.TrimSpace(string(f.Data))
	}
	x := exchange{request: files["request"], response: files["response"], result: files["result.json"], failure: files["error"]}
	x.verb, x.argument, _ = strings.Cut(files["call"], " ")
	return x
}

// message splits a request or response into its first line, headers and body.
func message(t *testing.T, text string) (first string, header http.Header, body string) {
	t.Helper()
	head, body, _ := strings.Cut(text, "\n\n")
	first, lines, _ := strings.Cut(head, "\n")
	header = http.Header{}
	scanner := bufio.NewScanner(strings.NewReader(lines))
	for scanner.Scan() {
		name, value, ok := strings.Cut(scanner.Text(), ": ")
		if !ok {
			t.Fatalf("%q is not a header", scanner.Text())
		}
		header.Add(name, value)
	}
	return first, header, body
}

// kinds are the errors by the names used in the files.
var kinds = map[string]error{
	"ErrInvalid": ErrInvalid, "ErrUnauthorized": ErrUnauthorized, "ErrNotFound": ErrNotFound,
	"ErrRateLimited": ErrRateLimited, "ErrCredentials": ErrCredentials,
}

func TestContract(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/contract/*.txtar")
	if err != nil || len(paths) < 20 {
		t.Fatalf("found %d exchanges (%v), some are missing", len(paths), err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			x := readExchange(t, path)
			server := newConcur(t, x.answer(t))
			if x.verb == "token" {
				server.grant = server.api
			}
			// The published geolocation is not ours to call.
			client := server.client(t, func(cfg *Config) { cfg.APIURL = server.URL })
			got, err := x.play(t.Context(), client)
			x.checkOutcome(t, got, err)
			requests := server.seenCalls()
			if x.verb == "token" {
				requests = server.seenGrants()
			}
			for _, r := range requests {
				x.checkRequest(t, r)
			}
			if len(requests) == 0 {
				t.Error("nothing was sent")
			}
		})
	}
}

// answer serves the published response.
func (x exchange) answer(t *testing.T) http.HandlerFunc {
	first, header, body := message(t, x.response)
	_, rest, _ := strings.Cut(first, " ")
	digits, _, _ := strings.Cut(rest, " ")
	status, err := strconv.Atoi(digits)
	if err != nil {
		t.Fatalf("%q is not a status line", first)
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		for name, values := range header {
			w.Header()[name] = values
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// play makes the call and returns its result in the form of result.json.
func (x exchange) play(ctx context.Context, c *Client) (any, error) {
	switch x.verb {
	case "token":
		token, err := c.Token(ctx)
		return tokenResult{token.ApplicationID, token.Geolocation, token.Scopes, int(token.ExpiresAt.Sub(token.IssuedAt) / time.Second)}, err
	case "topics":
		return anyOf(c.Topics(ctx))
	case "list":
		return anyOf(c.Subscriptions(ctx))
	case "get":
		s, err := c.Subscription(ctx, x.argument)
		return []Subscription{s}, err
	case "delete":
		return nil, c.Delete(ctx, x.argument)
	case "put":
		var s Subscription
		if err := json.Unmarshal([]byte(x.argument), &s); err != nil {
			return nil, err
		}
		return nil, c.Put(ctx, s)
	}
	return nil, errors.New("no such call: " + x.verb)
}

type tokenResult struct {
	ApplicationID, Geolocation string
	Scopes                     []string
	Seconds                    int
}

func anyOf[T any](v T, err error) (any, error) { return v, err }

func (x exchange) checkOutcome(t *testing.T, got any, err error) {
	t.Helper()
	if x.failure != "" {
		if kind := kinds[x.failure]; kind == nil || !errors.Is(err, kind) {
			t.Errorf("got error %v, want %s", err, x.failure)
		}
		return
	}
	if err != nil {
		t.Fatalf("got error %v", err)
	}
	if got == nil && x.result == "" {
		return
	}
	data, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(decoded(t, x.result), decoded(t, string(data)), dropEmpty()); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
}

// dropEmpty ignores members that are null or "", which the files leave out.
func dropEmpty() cmp.Option {
	return cmpopts.IgnoreMapEntries(func(_ string, v any) bool { return v == nil || v == "" })
}

func decoded(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return v
}

var anyUUID = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

func (x exchange) checkRequest(t *testing.T, got seen) {
	t.Helper()
	first, header, body := message(t, x.request)
	if line := got.Method + " " + got.Path + " HTTP/1.1"; line != first {
		t.Errorf("got request %q, want %q", line, first)
	}
	for name := range header {
		if want, value := header.Get(name), got.Header.Get(name); !matches(want, value) {
			t.Errorf("got %s: %q, want %q", name, value, want)
		}
	}
	if got.Length != int64(len(got.Body)) || len(got.Encoding) > 0 {
		t.Errorf("want Content-Length %d, got %d, encoding %v", len(got.Body), got.Length, got.Encoding)
	}
	checkBody(t, body, got.Body)
}

// matches compares a header with a text that may hold a placeholder.
func matches(want, value string) bool {
	switch want {
	case "{{uuid}}":
		return anyUUID.MatchString(value)
	case "Bearer {{token}}":
		return strings.HasPrefix(value, "Bearer token-")
	}
	return want == value
}

func checkBody(t *testing.T, want, got string) {
	t.Helper()
	switch {
	case want == "" && got != "":
		t.Errorf("got body %q, want none", got)
	case strings.HasPrefix(want, "{"):
		if diff := cmp.Diff(decoded(t, want), decoded(t, got)); diff != "" {
			t.Errorf("body (-want +got):\n%s", diff)
		}
	case want != "":
		checkForm(t, want, got)
	}
}

func checkForm(t *testing.T, want, got string) {
	t.Helper()
	want = strings.NewReplacer("{{client_id}}", url.QueryEscape(testID), "{{client_secret}}", url.QueryEscape(testSecret)).Replace(want)
	wanted, errWant := url.ParseQuery(want)
	sent, errGot := url.ParseQuery(got)
	if err := errors.Join(errWant, errGot); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wanted, sent); diff != "" {
		t.Errorf("form (-want +got):\n%s", diff)
	}
}
