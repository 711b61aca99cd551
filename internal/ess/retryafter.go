package ess

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter bounds what a service can ask for: Concur's longest documented wait is five minutes
// ("SAP Concur, HTTP Status Codes"), and one odd header must not silence an application for days.
const maxRetryAfter = time.Hour

// ParseRetryAfter reads a Retry-After header, seconds or HTTP date, as a wait between zero and one hour.
// What it cannot read is zero.
func ParseRetryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if value == "" {
		return 0
	}
	if strings.Trim(value, "0123456789") == "" {
		seconds, err := strconv.ParseInt(value, 10, 64)
		if err != nil || seconds > int64(maxRetryAfter/time.Second) {
			return maxRetryAfter // so many digits that they overflow are many seconds
		}
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}
