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
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// ESS forgets an event after any 4xx but 401, 403 and 429, so the table has no such status for a delivery. A callout
// leaves Concur's queue with 200, so none says so but what was stored.
func TestNoAnswerLosesAnEvent(t *testing.T) {
	t.Parallel()
	allowed := map[result]int{
		accepted: 200, duplicate: 200, quarantined: 200, unproven: 401, wrongCredentials: 401,
		notOurs: 404, wrongMethod: 405, // no deliveries: no POST, or a path that Concur was never told
		verified: 200, wrongTestMethod: 405, // nor these
	}
	for how, a := range answers {
		status, ok := allowed[how]
		if !ok {
			status = http.StatusServiceUnavailable
		}
		if a.status != status || (status == http.StatusServiceUnavailable) != (a.retryAfter > 0) || a.text == "" {
			t.Errorf("%s: %d, retry after %s, %q", how, a.status, a.retryAfter, a.text)
		}
		if (status == http.StatusUnauthorized) != (a.challenge != "") || (status == http.StatusMethodNotAllowed) != (a.allow != "") {
			t.Errorf("%s: %d with challenge %q and allowed methods %q", how, a.status, a.challenge, a.allow)
		}
	}
}

// want is what a sender hears, and what the metrics call it.
type want struct {
	status     int
	retryAfter string
	result     string
}

type situation struct {
	reason string
	config Config
	method string // POST when empty
	target string // the route's when empty
	body   io.Reader
	length int64 // announced; zero: as long as the body
	forged bool
	drain  bool
	want   want
}

func situations() map[string]situation {
	unavailable5 := want{503, "5", "unavailable"}
	return map[string]situation{
		"Stored":            {reason: "it is on disk", want: want{200, "", "accepted"}},
		"Duplicate":         {reason: "it was on disk already", config: Config{Store: storeWith(event.Duplicate, nil)}, want: want{200, "", "duplicate"}},
		"NotJSON":           {reason: "a 4xx loses it, a 5xx brings the same again", body: strings.NewReader("<a/>"), want: want{200, "", "quarantined"}},
		"NoEventType":       {reason: "as above", body: strings.NewReader("{}"), want: want{200, "", "quarantined"}},
		"Empty":             {reason: "as above", body: http.NoBody, want: want{200, "", "quarantined"}},
		"NoID":              {reason: "the hash of the body serves", body: strings.NewReader(`{"eventType":"a"}`), want: want{200, "", "accepted"}},
		"DuplicateGarbage":  {reason: "quarantine holds it once", config: Config{Store: storeWith(event.Duplicate, nil)}, body: strings.NewReader("<a/>"), want: want{200, "", "duplicate"}},
		"Unproven":          {reason: "ESS retries a 401, and it may be our key that is stale", forged: true, want: want{401, "", "unproven"}},
		"UnprovenGarbage":   {reason: "a stranger cannot fill the quarantine", forged: true, body: strings.NewReader("<a/>"), want: want{401, "", "unproven"}},
		"UnknownRoute":      {reason: "it may be on its way", target: "/events/finance/other", want: want{503, "60", "unknown_route"}},
		"NoRoutesYet":       {reason: "as above: the file is missing or bad", config: Config{Routes: noTable}, want: want{503, "60", "no_routes"}},
		"UnknownNamespace":  {reason: "as above", target: "/events/x/reports", want: want{503, "60", "unknown_route"}},
		"TrailingSlash":     {reason: "a redirect might lose it, and 404 does", target: path + "/", want: want{503, "60", "unknown_route"}},
		"PrefixAlone":       {reason: "somebody shortened the endpoint", target: "/events", want: want{503, "60", "unknown_route"}},
		"DotSegments":       {reason: "paths are not cleaned: that would be a redirect", target: "/events/finance/../finance/reports", want: want{503, "60", "unknown_route"}},
		"TwoSlashes":        {reason: "a base URL that ends with a slash", target: "http://localhost//events/finance/reports", want: want{503, "60", "unknown_route"}},
		"DotsBefore":        {reason: "as above", target: "/x/../events/finance/reports", want: want{503, "60", "unknown_route"}},
		"EscapedSlash":      {reason: "as above", target: "/%2Fevents/finance/reports", want: want{503, "60", "unknown_route"}},
		"Query":             {reason: "it is not part of the path", target: path + "?a=b", want: want{200, "", "accepted"}},
		"Escaped":           {reason: "the same path in other letters", target: "/events/finance/r%65ports", want: want{200, "", "accepted"}},
		"Full":              {reason: "somebody can make room", config: Config{Store: storeWith("", fmt.Errorf("wrapped: %w", event.ErrFull))}, want: want{503, "60", "full"}},
		"DiskError":         {reason: "the store may recover", config: Config{Store: storeWith("", event.ErrUnavailable)}, want: unavailable5},
		"UnknownError":      {reason: "what nobody foresaw is no fault of the sender", config: Config{Store: storeWith("", errors.New("surprise"))}, want: unavailable5},
		"StoreTooSlow":      {reason: "ESS waits for 60 s at the most", config: Config{Store: storeWith("", context.DeadlineExceeded)}, want: want{503, "5", "timeout"}},
		"StorePanics":       {reason: "a bug of ours must not lose an event", config: Config{Store: storeFunc(func(context.Context, event.Entry) (event.Outcome, error) { panic("bug") })}, want: want{503, "5", "panic"}},
		"ProverPanics":      {reason: "as above", config: Config{Prover: func() Prover { panic("bug") }}, want: want{503, "5", "panic"}},
		"Draining":          {reason: "the next replica takes it", drain: true, want: want{503, "1", "draining"}},
		"AnnouncedTooLarge": {reason: "a person can raise the cap within 72 h", config: Config{MaxBodySize: 10}, want: want{503, "300", "too_large"}},
		"ChunkedTooLarge":   {reason: "as above, unannounced", config: Config{MaxBodySize: 10}, length: -1, want: want{503, "300", "too_large"}},
		"JustNotTooLarge":   {reason: "the cap itself is allowed", config: Config{MaxBodySize: int64(len(goodBody))}, length: -1, want: want{200, "", "accepted"}},
		"NoMemoryLeft":      {reason: "others will be done soon", config: Config{MaxBytesInFlight: 10}, want: want{503, "1", "overloaded"}},
		"BrokenOff":         {reason: "half an event must not be stored", body: io.MultiReader(strings.NewReader(goodBody), iotest.ErrReader(io.ErrUnexpectedEOF)), length: -1, want: want{503, "1", "aborted"}},
		"LongerThanSaid":    {reason: "nor one of unknown extent", length: 10, want: want{503, "1", "aborted"}},
		"GET":               {reason: "no delivery", method: http.MethodGet, want: want{405, "", ""}},
		"HEADUnknown":       {reason: "no delivery", method: http.MethodHead, target: "/events/a/b", want: want{405, "", ""}},
		"PUT":               {reason: "ESS posts", method: http.MethodPut, want: want{405, "", ""}},
		"OtherPath":         {reason: "not ESS", target: "/", want: want{404, "", ""}},
		"OtherPrefix":       {reason: "not ours, though it begins like it", target: "/eventsmith", want: want{404, "", ""}},
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	for name, s := range situations() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, registry := newHandler(t, s.config)
			if s.drain {
				h.Drain()
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, s.request())
			got := want{w.Code, w.Header().Get("Retry-After"), s.want.result}
			if diff := cmp.Diff(s.want, got, cmp.AllowUnexported(want{})); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", s.reason, diff)
			}
			if diff := cmp.Diff(s.want.metrics(), counts(t, registry)); diff != "" {
				t.Errorf("metrics (-want +got):\n%s", diff)
			}
		})
	}
}

func (s situation) request() *http.Request {
	body, target := s.body, s.target
	if body == nil {
		body = strings.NewReader(goodBody)
	}
	if target == "" {
		target = path
	}
	r := post(target, body)
	if s.method != "" {
		r.Method = s.method
	}
	if s.length != 0 {
		r.ContentLength = s.length
	}
	if s.forged {
		r.Header.Set("Concur-Signature", "forged")
	}
	return r
}

// metrics are what must be counted, and nothing else: no budget may be left in use.
func (w want) metrics() map[string]float64 {
	labels := " kind=subscription name=reports namespace=finance result=" + w.result
	if w.result == "unknown_route" || w.result == "no_routes" {
		labels = " kind=subscription name= namespace= result=" + w.result
	}
	if w.result == "" {
		return map[string]float64{}
	}
	return map[string]float64{
		"ess_receiver_received_total" + labels:                    1,
		"ess_receiver_answer_duration_seconds result=" + w.result: 1,
	}
}
