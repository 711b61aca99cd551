package essemulator

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// maxLogged bounds the request log; the oldest calls are forgotten first.
	maxLogged = 10000
	// maxLoggedBody bounds what is kept of one body.
	maxLoggedBody = 8 << 10
)

// redacted stands for a secret.
const redacted = "REDACTED"

// Request is one call to Concur's face.
type Request struct {
	Time           time.Time `json:"time"`
	Operation      string    `json:"operation"`
	Method         string    `json:"method"`
	Path           string    `json:"path"`
	ApplicationID  string    `json:"applicationId,omitempty"`
	SubscriptionID string    `json:"subscriptionId,omitempty"`
	// User is whose token was used, for the Failed Notifications API.
	User string `json:"user,omitempty"`
	// NotificationID is what a DELETE of that API names.
	NotificationID string `json:"notificationId,omitempty"`
	CorrelationID  string `json:"correlationId"`
	// Status is 0 while there is no answer, and for ever if the connection was cut.
	Status int `json:"status"`
	// Header is what the caller sent, with the access token redacted.
	Header http.Header `json:"header"`
	// Body is what the caller sent, up to 8 KiB, with the client secret redacted.
	Body []byte `json:"body,omitempty"`
}

// String is the call in one line for golden logs: "PUT acme.reports 200", "POST token 200", "GET list 200".
// A call without an answer ends in "-".
func (r Request) String() string {
	object, status := r.SubscriptionID, strconv.Itoa(r.Status)
	if object == "" {
		object = r.Operation
	}
	if r.Operation == OpUnknown {
		object = r.Path
	}
	if r.Status == 0 {
		status = "-"
	}
	return fmt.Sprintf("%s %s %s", r.Method, object, status)
}

// Requests returns the calls so far, oldest first; only the last 10000 are kept.
func (e *Emulator) Requests() []Request {
	e.log.mu.Lock()
	defer e.log.mu.Unlock()
	out := make([]Request, len(e.log.entries))
	for i, entry := range e.log.entries {
		out[i] = *entry
		out[i].Header, out[i].Body = entry.Header.Clone(), slices.Clone(entry.Body)
	}
	return out
}

// ResetRequests forgets the calls so far.
func (e *Emulator) ResetRequests() {
	e.log.mu.Lock()
	defer e.log.mu.Unlock()
	e.log.entries = nil
}

// requestLog remembers calls. Its zero value is ready.
type requestLog struct {
	mu      sync.Mutex
	entries []*Request
}

// begin logs a call as it arrives, so that the order is that of arrival and a call that hangs is seen.
func (l *requestLog) begin(now time.Time, c *call, method string) *Request {
	entry := &Request{
		Time: now, Operation: c.op, Method: method, Path: c.path, ApplicationID: c.appID,
		SubscriptionID: c.subID, CorrelationID: c.correlationID, Header: c.header.Clone(), Body: loggedBody(c),
		User: c.user, NotificationID: c.notifyID,
	}
	if value := entry.Header.Get("Authorization"); value != "" {
		entry.Header.Set("Authorization", redactedAuthorization(value))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.entries) >= maxLogged {
		l.entries = slices.Delete(l.entries, 0, len(l.entries)-maxLogged+1)
	}
	l.entries = append(l.entries, entry)
	return entry
}

// redactedAuthorization keeps a scheme that the emulator knows, which holds no secret.
func redactedAuthorization(value string) string {
	for _, scheme := range []string{schemeOAuth, schemeBasic} {
		if given, _, _ := strings.Cut(value, " "); strings.EqualFold(given, scheme) {
			return scheme + " " + redacted
		}
	}
	return schemeBearer + " " + redacted
}

// answered completes an entry before the answer leaves.
func (l *requestLog) answered(entry *Request, status int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	entry.Status = status
}

// loggedBody is the body without the client secret. A token request that does not parse is not kept, since
// nobody can tell where its secret is.
func loggedBody(c *call) []byte {
	body := c.body
	if c.op == OpToken {
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil
		}
		if form.Has("client_secret") {
			form.Set("client_secret", redacted)
		}
		body = []byte(form.Encode())
	}
	return slices.Clone(body[:min(len(body), maxLoggedBody)])
}
