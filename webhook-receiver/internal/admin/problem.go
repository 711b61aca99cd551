package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// What a caller should wait when the store, or this port, cannot do what it was asked now.
const (
	busyRetry  = 10 * time.Second
	storeRetry = 30 * time.Second
)

// problem is an error for the caller. Its detail says what to do, and repeats nothing of what was sent.
type problem struct {
	status     int
	detail     string
	retryAfter time.Duration
	cause      error // for the log only
}

// Error is for the log.
func (p *problem) Error() string {
	if p.cause != nil {
		return p.cause.Error()
	}
	return p.detail
}

func badRequest(format string, args ...any) error {
	return &problem{status: http.StatusBadRequest, detail: fmt.Sprintf(format, args...)}
}

// problemOf says what a failure is to the caller.
func problemOf(err error) *problem {
	var p *problem
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, event.ErrNotFound):
		return &problem{status: http.StatusNotFound,
			detail: "there is no such event, or it was removed after its retention; GET /v1/events lists what there is"}
	case errors.Is(err, event.ErrUnavailable), errors.Is(err, event.ErrFull):
		return &problem{status: http.StatusServiceUnavailable, retryAfter: storeRetry,
			detail: "the store does not work now; GET /v1/statistics says why, then try again"}
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return &problem{status: http.StatusServiceUnavailable, retryAfter: busyRetry, detail: "this took longer than it may; ask again"}
	}
	return &problem{status: http.StatusInternalServerError, cause: err,
		detail: "this went wrong inside the receiver; its log says what"}
}

// write answers in the form of RFC 9457.
func (p *problem) write(w http.ResponseWriter) {
	if p.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(p.retryAfter.Seconds())))
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.status)
	// The caller went away when this fails; there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(struct {
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail"`
	}{http.StatusText(p.status), p.status, p.detail})
}

// writeJSON answers 200 with v.
func writeJSON(w http.ResponseWriter, v any) error {
	body, err := encode(v)
	if err != nil {
		return fmt.Errorf("encoding an answer: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(body) // as above
	return nil
}
