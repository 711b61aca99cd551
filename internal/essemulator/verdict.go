package essemulator

import (
	"net/http"
	"time"
)

// verdict is what ESS makes of one attempt.
type verdict int

const (
	accepted verdict = iota
	retry
	giveUp
)

// judge is the retry matrix of SAP Concur, Event Subscription Service v4, Retry Policy: 2xx is received;
// 401, 403, 429, 5xx and every I/O error are tried again; any other 4xx loses the event. Answers of class
// 3xx are not documented. failed is true when no complete answer came.
func judge(status int, failed bool, a *Assumptions) verdict {
	switch {
	case failed:
		return retry
	case status >= 200 && status < 300:
		return accepted
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusTooManyRequests:
		return retry
	case status >= 500:
		return retry
	case status >= 300 && status < 400 && a.RetryRedirects:
		return retry
	default:
		return giveUp
	}
}

// backoff is the pause after the n-th failed attempt, n from 1.
func backoff(n int, a *Assumptions) time.Duration {
	d := a.BackoffInitial
	for range n - 1 {
		if d >= a.BackoffMax {
			break
		}
		d *= 2
	}
	return min(d, a.BackoffMax)
}
