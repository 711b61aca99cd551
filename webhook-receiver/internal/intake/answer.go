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
	accepted     result = "accepted"
	duplicate    result = "duplicate"
	quarantined  result = "quarantined"
	unproven     result = "unproven"
	full         result = "full"
	unavailable  result = "unavailable"
	tooLarge     result = "too_large"
	overloaded   result = "overloaded"
	draining     result = "draining"
	timeout      result = "timeout"
	unknownRoute result = "unknown_route"
	aborted      result = "aborted"
	panicked     result = "panic"
	notOurs      result = "not_ours"
	wrongMethod  result = "wrong_method"
)

// An answer is what the sender hears of a result, and what is logged of it.
type answer struct {
	status int
	// retryAfter is when trying again may help. ESS does not say whether it reads it; proxies and people do.
	retryAfter time.Duration
	// text is the body of the answer, and the reason in statistics. It holds nothing that the sender chose.
	text string
	// level is of the log line. What was taken is not logged; it is in the metrics.
	level slog.Level
	// last: the connection should not be used again.
	last bool
}

// answers is the table. A 4xx but 401 here would lose events: it is only for what cannot be a delivery.
var answers = map[result]answer{
	accepted:    {status: http.StatusOK, text: "stored"},
	duplicate:   {status: http.StatusOK, text: "stored already"},
	quarantined: {status: http.StatusOK, text: "stored, in quarantine"},
	unproven: {
		status: http.StatusUnauthorized, level: slog.LevelWarn,
		text: "nothing proves that it comes from Concur",
	},
	unknownRoute: {
		status: http.StatusServiceUnavailable, retryAfter: time.Minute, level: slog.LevelWarn,
		text: "there is no such route, or not yet",
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
	wrongMethod: {status: http.StatusMethodNotAllowed, text: "events are posted here"},
}

// taken tells whether the sender may forget the event.
func (a answer) taken() bool { return a.status == http.StatusOK }

func (a answer) write(w http.ResponseWriter) {
	header := w.Header()
	header.Set("Content-Type", "text/plain; charset=utf-8")
	switch a.status {
	case http.StatusMethodNotAllowed:
		header.Set("Allow", http.MethodPost)
	case http.StatusUnauthorized:
		header.Set("Www-Authenticate", "Concur-Signature") // RFC 9110 wants one; ours names what may prove it
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
