package admin_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/admin"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// No query selects more than it names: whatever is accepted is met by every event that is shown.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{"", "kind=connector", "namespace=hr&limit=1", "id=dead&order=oldest", "state=dead", "type=submitted",
		"since=2026-11-22T08:00:00Z&until=9999-12-31T23:59:59Z", "limit=-1", "id=a%0d%0ab", "a;b", "%", "namespace=&name", "continue=AAAA"} {
		f.Add(seed)
	}
	b := newBench(f)
	b.fill()
	f.Fuzz(func(t *testing.T, query string) {
		w := b.get("/v1/events?" + query)
		if w.Code != http.StatusOK {
			refused(t, w, http.StatusBadRequest)
			return
		}
		var list struct{ Events []event.Record }
		if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil {
			t.Fatal(err)
		}
		asked, err := url.ParseQuery(query)
		if err != nil {
			t.Fatalf("%q is not well formed, and was accepted", query)
		}
		for _, r := range list.Events {
			shown := map[string][]string{
				"kind": {string(r.Event.Route.Kind)}, "namespace": {r.Event.Route.Namespace}, "name": {r.Event.Route.Name},
				"id": {r.Event.ID}, "state": {string(r.State)}, "type": {r.Event.Type, r.Event.EventType},
			}
			for name := range asked {
				if values, isFilter := shown[name]; isFilter && !slices.Contains(values, asked.Get(name)) {
					t.Errorf("%q shows an event whose %s is %q", query, name, values)
				}
			}
		}
	})
}

// A token of ours leads back to where it was made, and no other token is taken.
func FuzzContinue(f *testing.F) {
	f.Add(admin.Cursor(1, event.Filter{}, true), "", uint64(1), false)
	f.Add(admin.Cursor(1<<63, event.Filter{ID: "a"}, false), "a", uint64(1<<63), true)
	f.Add("AAAA", "a\r\nb", uint64(0), false)
	f.Add("", "", uint64(7), true)
	f.Fuzz(func(t *testing.T, token, id string, seq uint64, newest bool) {
		list := event.Filter{ID: id, Since: now.Add(time.Duration(seq % 1000))}
		if got, ok := admin.After(admin.Cursor(seq, list, newest), list, newest); ok != (seq > 0) || ok && got != seq {
			t.Errorf("a token for %d leads to %d (%t)", seq, got, ok)
		}
		if _, ok := admin.After(admin.Cursor(seq, list, newest), list, !newest); ok {
			t.Error("a token is taken for the other order")
		}
		if got, ok := admin.After(token, list, newest); ok && admin.Cursor(got, list, newest) != token {
			t.Errorf("%q is taken, and is no token of ours", token)
		}
	})
}

// No body selects everything unless it says so.
func FuzzReplayBody(f *testing.F) {
	for _, seed := range []string{`{}`, `null`, `{"all":true}`, `{"namespace":"finance","name":"expense-reports","dryRun":true}`,
		`{"id":"a","id":"b"}`, `{"state":"delivered","all":true}`, `{"since":"2026-11-22T08:00:00Z"}`, `{"ID":"a"}`, `[]`, `{"id":"a"}{}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		filters, _, err := admin.ParseReplay(body)
		if err != nil {
			return
		}
		var sent map[string]any
		if err := json.Unmarshal(body, &sent); err != nil {
			t.Fatalf("%q is no object, and was accepted", body)
		}
		for _, filter := range filters {
			if filter.State == "" || filter.State == event.Pending {
				t.Errorf("%q selects the state %q", body, filter.State)
			}
			narrow := filter
			narrow.State = ""
			if narrow == (event.Filter{}) && sent["all"] != true && sent["state"] == nil {
				t.Errorf("%q selects everything", body)
			}
		}
	})
}
