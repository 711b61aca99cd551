package intake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/callout"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/route"
)

const (
	publicURL  = "https://events.example.com"
	goodNotice = `<?xml version="1.0" encoding="utf-8"?><Notification><EventType>Submitted</EventType><ObjectType>EXPRPT</ObjectType>` +
		`<ObjectURI>https://us.example.com/report/3%Rek29$</ObjectURI><EventDateTime>2026-11-22</EventDateTime><Context/></Notification>`
)

// connectors: two share the default path, and one of them is being rotated; another has a path of its own.
func connectors() *route.Table {
	id := func(name string) event.RouteID {
		return event.RouteID{Kind: event.Connector, Namespace: "finance", Name: name}
	}
	return route.NewTable([]route.Route{goodRoute}, []route.Connector{
		{ID: id("reports"), Path: route.DefaultNotifyPath, Sink: sinkOfTest, Delivery: route.Delivery{Ordering: route.PerKey},
			Credentials: []route.Credential{{Username: "reports-user", Password: "old"}, {Username: "reports-user", Password: "new:pass"}}},
		{ID: id("trips"), Path: route.DefaultNotifyPath, Credentials: []route.Credential{{Username: "trips-user", Password: "trips"}}},
		{ID: id("other"), Path: "/in", AwaitSink: true, Credentials: []route.Credential{{Username: "other-user", Password: "other"}}},
	})
}

func withConnectors(c Config) Config {
	table := connectors()
	c.Routes = func() *route.Table { return table }
	c.PublicURL = func() string { return publicURL }
	c.Prover = func() Prover { panic("a callout is none of the prover's") }
	return c
}

func noTable() *route.Table { return nil }

// heardOf is what a caller hears of a callout, and for whom the metrics count it.
type heardOf struct {
	status             int
	retryAfter         string
	challenge, allowed string
	name, result       string
}

type call struct {
	reason       string
	login        string // user:password; empty: reports-user with the new one; "none": none
	method, path string // POST and the default path when empty
	body         io.Reader
	config       Config
	drain        bool
	want         heardOf
}

const basic = `Basic realm="application connector", charset="UTF-8"`

func calls() map[string]call {
	reports := func(result string) heardOf { return heardOf{200, "", "", "", "reports", result} }
	refused := func(name string) heardOf { return heardOf{401, "", basic, "", name, "wrong_credentials"} }
	busy := func(after, result string) heardOf { return heardOf{503, after, "", "", "reports", result} }
	noPost := heardOf{405, "", "", "POST", "", ""}
	return map[string]call{
		"Stored":          {reason: "200 takes it from the queue", want: reports("accepted")},
		"OldPair":         {reason: "both hold while they are rotated", login: "reports-user:old", want: reports("accepted")},
		"SharedPath":      {reason: "the user name tells who it is", login: "trips-user:trips", want: heardOf{200, "", "", "", "trips", "accepted"}},
		"OwnPath":         {reason: "each has its own", login: "other-user:other", path: "/in", want: heardOf{200, "", "", "", "other", "accepted"}},
		"Query":           {reason: "it is no part of the path", path: route.DefaultNotifyPath + "?a=b", want: reports("accepted")},
		"Duplicate":       {reason: "it is on disk already", config: Config{Store: storeWith(event.Duplicate, nil)}, want: reports("duplicate")},
		"Garbage":         {reason: "what else would it become at the next try?", body: strings.NewReader("<Notification"), want: reports("quarantined")},
		"Empty":           {reason: "as above", body: http.NoBody, want: reports("quarantined")},
		"Bomb":            {reason: "as above, unread", body: strings.NewReader(`<!DOCTYPE a [<!ENTITY b "c">]><Notification>&b;</Notification>`), want: reports("quarantined")},
		"JSON":            {reason: "as above", body: strings.NewReader(goodBody), want: reports("quarantined")},
		"WrongPassword":   {reason: "its owner has to know", login: "reports-user:older", want: refused("reports")},
		"UnknownUser":     {reason: "nobody to tell", login: "stranger:old", want: refused("")},
		"NoLogin":         {reason: "nobody to tell", login: "none", want: refused("")},
		"StrangerGarbage": {reason: "a stranger cannot fill the quarantine", login: "stranger:old", body: strings.NewReader("<a"), want: refused("")},
		"StrangerAtLarge": {reason: "nor take memory: the body is not read", login: "stranger:old", body: iotestPanic{}, want: refused("")},
		"AnothersPath":    {reason: "what is at this path is not this connector's", login: "other-user:other", want: refused("other")},
		"AtAnothersPath":  {reason: "as above", path: "/in", want: refused("reports")},
		"Full":            {reason: "somebody can make room", config: Config{Store: storeWith("", fmt.Errorf("wrapped: %w", event.ErrFull))}, want: busy("60", "full")},
		"DiskError":       {reason: "the store may recover", config: Config{Store: storeWith("", event.ErrUnavailable)}, want: busy("5", "unavailable")},
		"UnknownError":    {reason: "no fault of the sender", config: Config{Store: storeWith("", errors.New("surprise"))}, want: busy("5", "unavailable")},
		"TooSlow":         {reason: "Concur does not wait for ever", config: Config{Store: storeWith("", context.DeadlineExceeded)}, want: busy("5", "timeout")},
		"Panic":           {reason: "a bug of ours", config: Config{Store: storeFunc(func(context.Context, event.Entry) (event.Outcome, error) { panic("bug") })}, want: busy("5", "panic")},
		"TooLarge":        {reason: "a person can raise the cap", config: Config{MaxBodySize: 10}, want: busy("300", "too_large")},
		"Draining":        {reason: "the next replica takes it", drain: true, want: busy("1", "draining")},
		"PUT":             {reason: "Concur posts", method: http.MethodPut, path: "/in", want: noPost},
		"NobodysPath":     {reason: "no connector has it", path: "/concur/v1.0/other", want: heardOf{status: 404}},
		"TrailingSlash":   {reason: "no connector has it", path: "/in/", want: heardOf{status: 404}},
	}
}

// iotestPanic must not be read.
type iotestPanic struct{}

func (iotestPanic) Read([]byte) (int, error) { panic("the body of a stranger is read") }

func (c call) request() *http.Request {
	body, target, login := c.body, c.path, c.login
	if body == nil {
		body = strings.NewReader(goodNotice)
	}
	if target == "" {
		target = route.DefaultNotifyPath
	}
	if login == "" {
		login = "reports-user:new:pass"
	}
	r := post(target, body)
	r.Header.Set("Content-Type", "application/xml")
	if c.method != "" {
		r.Method = c.method
	}
	if login != "none" {
		username, password, _ := strings.Cut(login, ":")
		r.SetBasicAuth(username, password)
	}
	return r
}

func TestCallouts(t *testing.T) {
	t.Parallel()
	for name, c := range calls() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, registry := newHandler(t, withConnectors(c.config))
			if c.drain {
				h.Drain()
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, c.request())
			header := w.Header()
			got := heardOf{w.Code, header.Get("Retry-After"), header.Get("WWW-Authenticate"), header.Get("Allow"), c.want.name, c.want.result}
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(heardOf{})); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", c.reason, diff)
			}
			if diff := cmp.Diff(c.want.metrics(), counts(t, registry)); diff != "" {
				t.Errorf("metrics (-want +got):\n%s", diff)
			}
			refused := h.Refusals()[event.RouteID{Kind: event.Connector, Namespace: "finance", Name: c.want.name}]
			if count := refused.Count; (count == 1) != (c.want.name != "" && c.want.status != http.StatusOK) {
				t.Errorf("%s\n%d refusals of %q", c.reason, count, c.want.name)
			}
		})
	}
}

func (w heardOf) metrics() map[string]float64 {
	if w.result == "" {
		return map[string]float64{}
	}
	namespace := ""
	if w.name != "" {
		namespace = "finance"
	}
	return map[string]float64{
		"ess_receiver_received_total kind=connector name=" + w.name + " namespace=" + namespace + " result=" + w.result: 1,
		"ess_receiver_answer_duration_seconds result=" + w.result:                                                       1,
	}
}

// What is stored is the XML as it came, and beside it the JSON that sinks get; never the credentials.
func TestCalloutEntry(t *testing.T) {
	t.Parallel()
	store := &memory{}
	h, _ := newHandler(t, withConnectors(Config{Store: store}))
	h.ServeHTTP(httptest.NewRecorder(), call{}.request())
	parsed := callout.Parse(callout.Origin{
		Route:       event.RouteID{Kind: event.Connector, Namespace: "finance", Name: "reports"},
		ReceiverURL: publicURL, ContentType: "application/xml",
	}, []byte(goodNotice), arrival)
	parsed.Proof = "credentials"
	parsed.Header = map[string][]string{"Content-Type": {"application/xml"}, "Concur-Signature": {"good"}}
	want := []event.Entry{{Event: parsed, State: event.Pending, OrderKey: "https://us.example.com/report/3%Rek29$"}}
	if diff := cmp.Diff(want, store.entries); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if len(store.entries) == 1 && string(store.entries[0].Event.Body) != goodNotice {
		t.Error("the XML is not stored as it came")
	}
}

// Before a routes file has been read any path may be a connector's; after it, what is nobody's is 404.
func TestCalloutsBeforeThereAreRoutes(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason       string
		method, path string
		table        *route.Table
		status       int
	}{
		"DefaultPath":  {"404 might lose it", http.MethodPost, route.DefaultNotifyPath, nil, 503},
		"AnyPath":      {"it may be a connector's", http.MethodPost, "/in", nil, 503},
		"Reserved":     {"no connector can have it", http.MethodPost, "/system/other", nil, 404},
		"GET":          {"no delivery", http.MethodGet, route.DefaultNotifyPath, nil, 404},
		"NoConnectors": {"now it is known that there are none", http.MethodPost, route.DefaultNotifyPath, route.NewTable(nil, nil), 404},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, _ := newHandler(t, Config{Routes: func() *route.Table { return tc.table }})
			w := httptest.NewRecorder()
			h.ServeHTTP(w, call{method: tc.method, path: tc.path}.request())
			if w.Code != tc.status || (tc.status == http.StatusServiceUnavailable) != (w.Header().Get("Retry-After") == "60") {
				t.Errorf("%s: status %d, want %d", tc.reason, w.Code, tc.status)
			}
		})
	}
}
