package admin_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"k8s.io/kube-openapi/pkg/validation/spec"
	"k8s.io/kube-openapi/pkg/validation/strfmt"
	"k8s.io/kube-openapi/pkg/validation/validate"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/admin"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// asked is a call, and what its answer must be.
type asked struct {
	method, path string // as described
	target, body string
	status       int
}

// every call, with each status that its description has.
var every = []asked{
	{"GET", "/healthz", "/healthz", "", 200},
	{"GET", "/readyz", "/readyz", "", 200},
	{"GET", "/metrics", "/metrics", "", 200},
	{"GET", "/openapi.json", "/openapi.json", "", 200},
	{"GET", "/openapi.json", "/openapi.json?x=1", "", 400},
	{"GET", "/v1/statistics", "/v1/statistics", "", 200},
	{"GET", "/v1/statistics", "/v1/statistics?x=1", "", 400},
	{"GET", "/v1/routes", "/v1/routes", "", 200},
	{"GET", "/v1/routes", "/v1/routes?x=1", "", 400},
	{"GET", "/v1/events", "/v1/events?limit=2", "", 200},
	{"GET", "/v1/events", "/v1/events?x=1", "", 400},
	{"GET", "/v1/events/{seq}", "/v1/events/2", "", 200},
	{"GET", "/v1/events/{seq}", "/v1/events/6", "", 200},
	{"GET", "/v1/events/{seq}", "/v1/events/x", "", 400},
	{"GET", "/v1/events/{seq}", "/v1/events/99", "", 404},
	{"GET", "/v1/events/{seq}/data", "/v1/events/2/data", "", 200},
	{"GET", "/v1/events/{seq}/data", "/v1/events/x/data", "", 400},
	{"GET", "/v1/events/{seq}/data", "/v1/events/99/data", "", 404},
	{"POST", "/v1/events/{seq}/replay", "/v1/events/2/replay", "", 409},
	{"POST", "/v1/events/{seq}/replay", "/v1/events/4/replay", "", 200},
	{"POST", "/v1/events/{seq}/replay", "/v1/events/x/replay", "", 400},
	{"POST", "/v1/events/{seq}/replay", "/v1/events/99/replay", "", 404},
	{"POST", "/v1/replay", "/v1/replay", `{"all":true,"dryRun":true}`, 200},
	{"POST", "/v1/replay", "/v1/replay", `{}`, 400},
	{"POST", "/v1/replay", "/v1/replay", strings.Repeat(" ", admin.MaxBody+1), 413},
	{"GET", "/v1/tail", "/v1/tail", "", 200},
	{"GET", "/v1/tail", "/v1/tail?x=1", "", 400},
}

// What is described is what is answered: each status, its headers, its media type and its schema.
func TestAnswersAreAsDescribed(t *testing.T) {
	t.Parallel()
	d := load(t)
	queue := make(queued, 4)
	for _, missed := range []uint64{0, 5} {
		queue <- event.Record{Seq: 1 + missed, Event: sample("tailed"), State: event.Pending, Due: now, Missed: missed}
	}
	close(queue)
	b := newBench(t, func(c *admin.Config) {
		c.Tailer = queue
		c.Refusals = func() map[event.RouteID]event.Refusals {
			return map[event.RouteID]event.Refusals{reports: {Count: 1, Since: now, Last: now, Reason: "too large"}}
		}
	})
	b.fill()
	seen := map[string]bool{}
	check := func(a asked, w *httptest.ResponseRecorder) {
		seen[fmt.Sprint(a.method, a.path, a.status)] = true
		if err := matches(d, a, w); err != nil {
			t.Errorf("%s %s: %v", a.method, a.target, err)
		}
	}
	for _, a := range every {
		check(a, b.call(a.method, a.target, a.body))
	}
	checkTrouble(t, b, check)
	for path, operations := range d.Paths {
		for method, op := range operations {
			for status := range op.Responses {
				if status != "500" && !seen[strings.ToUpper(method)+path+status] {
					t.Errorf("%s %s: nothing shows that it answers %s", method, path, status)
				}
			}
		}
	}
}

// checkTrouble asks everything again without a token, with a store that is broken, and while too much is asked.
func checkTrouble(t *testing.T, b *bench, check func(asked, *httptest.ResponseRecorder)) {
	t.Helper()
	first := map[string]asked{}
	for _, a := range every {
		if _, there := first[a.method+a.path]; !there && a.status != http.StatusConflict {
			first[a.method+a.path] = a
		}
	}
	release := b.FillSlots()
	for _, a := range first {
		if a.path == "/healthz" || a.path == "/readyz" {
			continue
		}
		a.status = http.StatusUnauthorized
		check(a, anonymous(b, a.method, strings.Split(a.target, "?")[0]))
		a.status = http.StatusTooManyRequests
		check(a, b.call(a.method, a.target, a.body))
	}
	release()
	broken := newBench(t, func(c *admin.Config) { c.Ready = func() error { return errors.New("draining") } })
	broken.fill()
	broken.store.add(sample("another"), event.Dead)
	broken.store.broken = event.ErrUnavailable
	unread := newBench(t, func(c *admin.Config) { c.Reader = &lost{err: event.ErrUnavailable} })
	for _, a := range []asked{{"GET", "/v1/events", "/v1/events", "", 503}, {"GET", "/v1/events/{seq}", "/v1/events/1", "", 503},
		{"GET", "/v1/events/{seq}/data", "/v1/events/1/data", "", 503}} {
		check(a, unread.call(a.method, a.target, a.body))
	}
	for _, a := range []asked{{"GET", "/readyz", "/readyz", "", 503}, {"POST", "/v1/events/{seq}/replay", "/v1/events/4/replay", "", 503},
		{"POST", "/v1/replay", "/v1/replay", `{"state":"dead"}`, 503}} {
		check(a, broken.call(a.method, a.target, a.body))
	}
}

// matches holds an answer to its description.
func matches(d document, a asked, w *httptest.ResponseRecorder) error {
	described, ok := d.Paths[a.path][strings.ToLower(a.method)].Responses[strconv.Itoa(w.Code)]
	if w.Code != a.status || !ok {
		return fmt.Errorf("status %d (described: %t), want %d: %s", w.Code, ok, a.status, w.Body)
	}
	for name := range described.Headers {
		if w.Header().Get(name) == "" {
			return fmt.Errorf("the answer has no %s", name)
		}
	}
	for media, content := range described.Content {
		if got := w.Header().Get("Content-Type"); !isMedia(media, got) {
			return fmt.Errorf("content type %q, described is %q", got, media)
		}
		if err := validBody(media, content.Schema, w.Body.String()); err != nil {
			return err
		}
	}
	return nil
}

// isMedia says whether a content type is the described one, which may leave parameters open.
func isMedia(described, got string) bool {
	base, _, err := mime.ParseMediaType(got)
	return err == nil && (described == "*/*" || described == got || described == base)
}

// validBody holds a body to a schema, if its media type is one of JSON.
func validBody(media string, schema map[string]any, body string) error {
	texts := []string{body}
	switch {
	case media == "application/x-ndjson":
		texts = strings.Split(strings.TrimSpace(body), "\n")
	case !strings.Contains(media, "json"):
		return nil
	}
	for _, text := range texts {
		if err := valid(schema, text); err != nil {
			return fmt.Errorf("%w: %s", err, text)
		}
	}
	return nil
}

// valid holds a JSON text to a schema. Clients must bear fields that they do not know, but we must know all.
func valid(schema map[string]any, text string) error {
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		return err
	}
	encoded, err := json.Marshal(closed(schema))
	if err != nil {
		return err
	}
	var s spec.Schema
	if err := json.Unmarshal(encoded, &s); err != nil {
		return err
	}
	return validate.NewSchemaValidator(&s, nil, "", strfmt.Default).Validate(value).AsError()
}

// closed forbids what is not described, wherever anything is.
func closed(v any) any {
	object, ok := v.(map[string]any)
	if !ok {
		return v
	}
	out := map[string]any{}
	for key, value := range object {
		out[key] = closed(value)
	}
	if _, described := out["properties"].(map[string]any); described && out["type"] == "object" {
		out["additionalProperties"] = false
	}
	return out
}

// The check that holds answers to schemas can fail.
func TestSchemasRefuse(t *testing.T) {
	t.Parallel()
	list := load(t).Paths["/v1/events"]["get"].Responses["200"].Content["application/json"].Schema
	good := strings.TrimSpace(string(mustGet(t, "/v1/events")))
	if err := valid(list, good); err != nil {
		t.Fatal(err)
	}
	for reason, bad := range map[string]string{
		"a field that is not described": strings.Replace(good, `"attempts"`, `"tries":1,"attempts"`, 1),
		"a field that is missing":       strings.Replace(good, `"id":"callout",`, "", 1),
		"a state that is none":          strings.Replace(good, `"state":"dead"`, `"state":"gone"`, 1),
		"a time that is none":           strings.Replace(good, `"received":"2026`, `"received":"26`, 1),
		"another type":                  strings.Replace(good, `"seq":6`, `"seq":"6"`, 1),
	} {
		if err := valid(list, bad); err == nil {
			t.Errorf("%s is valid: %s", reason, bad)
		}
	}
}

func mustGet(t *testing.T, target string) []byte {
	t.Helper()
	b := newBench(t)
	b.fill()
	return b.get(target).Body.Bytes()
}
