package intake

import (
	"log/slog"
	"net/http"
	"strconv"
	"time"
)

// result is how a request ended; the metrics call it so.
type result string

const (
	accepted         result = "accepted"
	duplicate        result = "duplicate"
	quarantined      result = "quarantined"
	unproven         result = "unproven"          // an event of ESS
	wrongCredentials result = "wrong_credentials" // a callout, or a test of its connection
	full             result = "full"
	unavailable      result = "unavailable"
	tooLarge         result = "too_large"
	overloaded       result = "overloaded"
	draining         result = "draining"
	timeout          result = "timeout"
	unknownRoute     result = "unknown_route"
	noRoutes         result = "no_routes"
	aborted          result = "aborted"
	panicked         result = "panic"
	notOurs          result = "not_ours"
	wrongMethod      result = "wrong_method"

	// Of a test of the connection only.
	verified        result = "verified"
	wrongTestMethod result = "wrong_test_method"
)

// An answer is what the sender hears of a result, and what is logged of it.
type answer struct {
	status int
	// retryAfter is when trying again may help. Concur does not say whether it reads it; proxies and people do.
	retryAfter time.Duration
	// challenge says what may prove it, which RFC 9110 wants of a 401; allow lists methods, as it wants of a 405.
	challenge, allow string
	// text is the body of the answer, and the reason in statistics. It holds nothing that the sender chose.
	text string
	// level is of the log line. What was taken is not logged; it is in the metrics.
	level slog.Level
	// last: the connection should not be used again.
	last bool
}

// answers is the table, of events, of callouts and of tests of the connection. A 4xx but 401 here would lose events:
// it is only for what cannot be a delivery. What a callout loses by is not documented, so it gets the same.
var answers = map[result]answer{
	accepted:    {status: http.StatusOK, text: "stored"},
	duplicate:   {status: http.StatusOK, text: "stored already"},
	quarantined: {status: http.StatusOK, text: "stored, in quarantine"},
	unproven: {
		status: http.StatusUnauthorized, level: slog.LevelWarn, challenge: "Concur-Signature",
		text: "nothing proves that it comes from Concur",
	},
	wrongCredentials: {
		status: http.StatusUnauthorized, level: slog.LevelWarn, challenge: `Basic realm="application connector", charset="UTF-8"`,
		text: "user name and password are not those of a connector with this path",
	},
	unknownRoute: {
		status: http.StatusServiceUnavailable, retryAfter: time.Minute, level: slog.LevelWarn,
		text: "there is no such route, or not yet",
	},
	noRoutes: {
		status: http.StatusServiceUnavailable, retryAfter: time.Minute, level: slog.LevelError,
		text: "there are no routes yet",
	},
	full: {
		status: http.StatusServiceUnavailable, retryAfter: time.Minute, level: slog.LevelError,
		text: "the store is full",
	},
	unavailable: {
		status: http.StatusServiceUnavailable, retryAfter: 5 * time.Second, level: slog.LevelError,
		text: "the store does not take writes",
	},
	timeout: {
		status: http.StatusServiceUnavailable, retryAfter: 5 * time.Second, level: slog.LevelWarn,
		text: "it took too long",
	},
	tooLarge: {
		status: http.StatusServiceUnavailable, retryAfter: 5 * time.Minute, level: slog.LevelError,
		text: "the body is larger than events.maxBodySize",
	},
	overloaded: {
		status: http.StatusServiceUnavailable, retryAfter: time.Second, level: slog.LevelWarn,
		text: "too much at once",
	},
	draining: {
		status: http.StatusServiceUnavailable, retryAfter: time.Second, level: slog.LevelDebug, last: true,
		text: "shutting down",
	},
	aborted: {
		status: http.StatusServiceUnavailable, retryAfter: time.Second, level: slog.LevelWarn,
		text: "the body broke off",
	},
	panicked: {
		status: http.StatusServiceUnavailable, retryAfter: 5 * time.Second, level: slog.LevelError,
		text: "internal error",
	},
	notOurs:     {status: http.StatusNotFound, text: "there is nothing here"},
	wrongMethod: {status: http.StatusMethodNotAllowed, text: "events are posted here", allow: http.MethodPost},

	verified:        {status: http.StatusOK, text: "the connection works"},
	wrongTestMethod: {status: http.StatusMethodNotAllowed, text: "connections are tested here", allow: "GET, HEAD, POST"},
}

// taken tells whether the sender may forget the event.
func (a answer) taken() bool { return a.status == http.StatusOK }

// write answers. The body of what was taken has been read, but for that of a test, which nobody looks at.
func (a answer) write(w http.ResponseWriter) {
	// The server reads on before it answers, in case that little is left. That must not hold up the answer.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(restTimeout))
	header := w.Header()
	header.Set("Content-Type", "text/plain; charset=utf-8")
	if a.allow != "" {
		header.Set("Allow", a.allow)
	}
	if a.challenge != "" {
		header.Set("Www-Authenticate", a.challenge)
	}
	if a.retryAfter > 0 {
		header.Set("Retry-After", strconv.Itoa(int(a.retryAfter/time.Second)))
	}
	if a.last {
		header.Set("Connection", "close")
	}
	w.WriteHeader(a.status)
	_, _ = w.Write([]byte(a.text + "\n")) // who does not wait for the answer asks again
}
