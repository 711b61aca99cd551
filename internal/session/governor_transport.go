package session

import (
	"net/http"
	"time"

	"github.com/ess-operator/ess-operator/internal/ess"
)

// governed is a transport under the rule of a governor.
type governed struct {
	governor *Governor
	next     http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t *governed) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := t.governor.admit(r.Context(), urgencyOf(r)); err != nil {
		if r.Body != nil {
			_ = r.Body.Close() // as http.RoundTripper demands
		}
		return nil, err
	}
	answer, err := t.next.RoundTrip(r)
	if err == nil {
		t.heed(answer)
	}
	return answer, err
}

// heed holds all calls of the application when the answer asks for it
// ("SAP Concur, HTTP Status Codes", 429 and 503).
func (t *governed) heed(answer *http.Response) {
	if answer.StatusCode != http.StatusTooManyRequests && answer.StatusCode != http.StatusServiceUnavailable {
		return
	}
	if wait := ess.ParseRetryAfter(answer.Header.Get("Retry-After"), time.Now()); wait > 0 {
		t.governor.hold(wait)
	}
}
