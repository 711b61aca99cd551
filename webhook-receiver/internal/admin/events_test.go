package admin_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// page is a list as callers see it.
type page struct {
	Events []struct {
		Seq   uint64
		State event.State
	}
	Continue string
}

// walk follows a list to its end.
func walk(t testing.TB, b *bench, query string) (seqs []uint64) {
	t.Helper()
	for target := "/v1/events?" + query; ; {
		p := decode[page](t, b.get(target), http.StatusOK)
		for _, e := range p.Events {
			seqs = append(seqs, e.Seq)
		}
		if p.Continue == "" {
			return seqs
		}
		if len(seqs) > 100 {
			t.Fatal("the list has no end")
		}
		target = "/v1/events?" + query + "&continue=" + p.Continue
	}
}

// listed are queries about what fill stores: 1 stored, 2 pending, 3 delivered, 4 dead, 5 quarantined, 6 the callout.
var listed = map[string]struct {
	reason, query string
	want          []uint64
}{
	"All":       {"Newest first is what one looks for.", "", []uint64{6, 5, 4, 3, 2, 1}},
	"Oldest":    {"Oldest first is what one works off.", "order=oldest", []uint64{1, 2, 3, 4, 5, 6}},
	"OneByOne":  {"Pages join without gap or overlap.", "limit=1&order=oldest", []uint64{1, 2, 3, 4, 5, 6}},
	"Kind":      {"Connectors only.", "kind=connector", []uint64{6}},
	"Namespace": {"One namespace only.", "namespace=hr", []uint64{6}},
	"Name":      {"One name only.", "name=requests", []uint64{6}},
	"ID":        {"One event only.", "id=dead", []uint64{4}},
	"State":     {"One state only.", "state=delivered", []uint64{6, 3}},
	"Type":      {"Concur's type will do.", "type=submitted&state=dead", []uint64{4}},
	"Span":      {"Since is included.", "since=2026-11-22T08:00:00Z&until=2026-11-22T08:00:01Z&state=dead", []uint64{4}},
	"Offset":    {"Times may have an offset.", "since=2026-11-22T09:00:00%2B01:00&state=dead", []uint64{4}},
	"Until":     {"Until is not included.", "until=2026-11-22T08:00:00Z", nil},
	"Future":    {"The last year that can be written is no error.", "since=9999-12-31T23:59:59Z", nil},
	"Injection": {"Nothing in a value can end it.", "id=" + url.QueryEscape(`dead" OR "1"="1`), nil},
}

func TestList(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.fill()
	for name, tc := range listed {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, walk(t, b, tc.query)); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestListRefuses(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.fill()
	of := decode[page](t, b.get("/v1/events?limit=1&state=delivered"), http.StatusOK).Continue
	tests := map[string]struct{ reason, query, says string }{
		"Misspelt":      {"A misspelt filter must not select everything.", "namspace=hr", "unknown query parameter"},
		"OtherCase":     {"Names have a case.", "Namespace=hr", "unknown query parameter"},
		"Empty":         {"A variable that was not set must not select everything.", "namespace=", "namespace is empty"},
		"Twice":         {"Which of the two is meant?", "name=a&name=b", "more than once"},
		"Semicolon":     {"What Go would leave out silently.", "name=a;state=dead", "not well formed"},
		"Percent":       {"What Go would leave out silently.", "name=%zz", "not well formed"},
		"Kind":          {"There are two kinds.", "kind=EventSubscription", "subscription or connector"},
		"State":         {"There are five states.", "state=Dead", "stored, pending, delivered, dead, quarantined"},
		"NoLimit":       {"A list of nothing is a mistake.", "limit=0", "from 1 to 1000"},
		"Negative":      {"Nothing is negative.", "limit=-1", "from 1 to 1000"},
		"Over":          {"Answers are bounded.", "limit=1001", "from 1 to 1000"},
		"Overflow":      {"Numbers are bounded.", "limit=18446744073709551617", "from 1 to 1000"},
		"Word":          {"A limit is a number.", "limit=all", "from 1 to 1000"},
		"Order":         {"There are two orders.", "order=random", "newest nor oldest"},
		"Since":         {"A time has a date.", "since=yesterday", "since is not a time"},
		"HugeSince":     {"Years have four digits.", "since=999999999-01-01T00:00:00Z", "since is not a time"},
		"YearOne":       {"No time would select everything.", "since=0001-01-01T00:00:00Z", "since is not a time"},
		"Span":          {"A span that is empty is a mistake.", "since=2026-11-22T08:00:00Z&until=2026-11-22T08:00:00Z", "since is not before until"},
		"Newline":       {"Control characters are in no id.", "id=a%0d%0aSet-Cookie:x", "control character"},
		"Long":          {"Values are bounded.", "id=" + strings.Repeat("x", 1025), "longer than 1024"},
		"NoToken":       {"An empty token must not begin anew.", "continue=", "continue does not belong"},
		"Garbage":       {"A token is one of ours.", "continue=AAAA", "continue does not belong"},
		"OtherFilter":   {"A token is for its list.", "state=dead&continue=" + of, "continue does not belong"},
		"OtherOrder":    {"A token is for its list.", "state=delivered&order=oldest&continue=" + of, "continue does not belong"},
		"WithoutFilter": {"A token is for its list.", "continue=" + of, "continue does not belong"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := refused(t, b.get("/v1/events?"+tc.query), http.StatusBadRequest)
			if !strings.Contains(p.Detail, tc.says) {
				t.Errorf("%s\ndetail %q, want it to say %q", tc.reason, p.Detail, tc.says)
			}
		})
	}
}

func TestListIsMetadataOnly(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.fill()
	if text := b.get("/v1/events").Body.String(); strings.Contains(text, "secret") {
		t.Errorf("a list shows headers or data: %s", text)
	}
}

func TestGet(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.fill()
	notJSON, notUTF8 := sample("text"), sample("bytes")
	notJSON.Body, notUTF8.Body = []byte("{"), []byte("\"\xff\"")
	b.store.add(notJSON, event.Quarantined)
	b.store.add(notUTF8, event.Quarantined)
	golden(t, "event.json", b.get("/v1/events/4").Body.String())
	golden(t, "callout.json", b.get("/v1/events/6").Body.String())
	for seq, reason := range map[int]string{7: "what is not JSON", 8: "what is not text"} {
		got := decode[map[string]json.RawMessage](t, b.get(fmt.Sprintf("/v1/events/%d", seq)), http.StatusOK)
		if _, there := got["data"]; there {
			t.Errorf("%s is shown as JSON", reason)
		}
	}
	refused(t, b.get("/v1/events/99"), http.StatusNotFound)
	for _, seq := range []string{"0", "-1", "1.0", "abc", "18446744073709551616", "%0d%0a"} {
		refused(t, b.get("/v1/events/"+seq), http.StatusBadRequest)
	}
}

func TestDataIsWhatArrived(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason string
		change func(*event.Event)
		want   string // content type
	}{
		"JSON": {"The type of what arrived.", func(*event.Event) {}, "application/json"},
		"Callout": {"What sinks get is JSON, but XML arrived.", func(e *event.Event) {
			e.Converted, e.Header = []byte("{}"), map[string][]string{"Content-Type": {"text/xml; charset=utf-8"}}
		}, "text/xml; charset=utf-8"},
		"None":    {"Bytes are bytes.", func(e *event.Event) { e.DataContentType = "" }, "application/octet-stream"},
		"Hostile": {"A type cannot bring a header along.", func(e *event.Event) { e.DataContentType = "text/html\r\nSet-Cookie: a=b" }, "application/octet-stream"},
		"HTML":    {"A page is no page here: see the other headers.", func(e *event.Event) { e.DataContentType = "text/html" }, "text/html"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			e := sample("id")
			tc.change(&e)
			b.store.add(e, event.Stored)
			w := b.get("/v1/events/1/data")
			if w.Body.String() != string(e.Body) {
				t.Errorf("%s\nthe answer is %q, want %q", tc.reason, w.Body, e.Body)
			}
			want := http.Header{"Content-Type": {tc.want}, "Content-Disposition": {`attachment; filename="event-1"`},
				"X-Content-Type-Options": {"nosniff"}, "Content-Security-Policy": {"default-src 'none'; sandbox"}}
			for key, values := range want {
				if got := w.Header().Values(key); !slices.Equal(got, values) {
					t.Errorf("%s\n%s is %q, want %q", tc.reason, key, got, values)
				}
			}
			if len(w.Header().Values("Set-Cookie")) > 0 {
				t.Error("the sender has set a header")
			}
		})
	}
}
