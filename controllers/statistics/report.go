package statistics

import (
	"math"
	"strings"
	"time"
	"unicode"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/bounded"
)

// Report is what there is to tell about one object.
type Report struct {
	// Delivery is for its status.
	Delivery v1alpha1.DeliveryStatus
	// RefusedSince is since when the receiver took nothing although ESS
	// delivered; zero unless that began more than a day ago.
	RefusedSince time.Time
	// Refusal is why the last delivery was refused.
	Refusal string
	// LastTestConnection is when Concur's Test Connection last succeeded, of a connector; zero when nobody remembers.
	LastTestConnection time.Time
}

const (
	// stuckAfter is how long an event may wait before somebody should know.
	stuckAfter = 5 * time.Minute
	// behind is how old lastEventTime may get.
	behind = time.Hour
	// RefusedFor is how long deliveries have to be refused to be a risk to the
	// subscription: longer than a mistake that is noticed and mended the same
	// day, and far shorter than the 30 days that ESS waits.
	RefusedFor = 24 * time.Hour

	maxText = 1024
)

// reportOf tells what a route's statistics come to.
func reportOf(r route, now time.Time) Report {
	report := Report{Delivery: v1alpha1.DeliveryStatus{
		Received:     clamp(r.Received),
		DeadLettered: clamp(r.DeadLettered),
		LastError:    bounded.Text(r.LastError, maxText),
	}}
	if !r.LastEventTime.IsZero() {
		report.Delivery.LastEventTime = &metav1.Time{Time: r.LastEventTime.Truncate(time.Second)}
	}
	// Events that are on their way are no news.
	if r.Pending > 0 && !r.OldestPending.IsZero() && now.Sub(r.OldestPending) > stuckAfter {
		report.Delivery.Pending = clamp(r.Pending)
		if report.Delivery.LastError == "" {
			report.Delivery.LastError = "events have waited for more than 5 minutes, and none was refused: the receiver has no sink for them, or cannot keep up"
		}
	}
	report.LastTestConnection = r.LastTestConnection.Truncate(time.Second)
	if r.Refusals != nil && !r.Refusals.Since.IsZero() && now.Sub(r.Refusals.Since) >= RefusedFor {
		report.RefusedSince, report.Refusal = r.Refusals.Since.Truncate(time.Second), bounded.Text(r.Refusals.Reason, maxText/4)
	}
	return report
}

func clamp(n uint64) int64 { return int64(min(n, math.MaxInt64)) }

// worth reports whether a person would care about the difference between what
// was told before and what is the case now.
func worth(before, now Report) bool {
	was, is := before.Delivery, now.Delivery
	switch {
	case is.DeadLettered != was.DeadLettered:
		return true
	case (is.Pending > 0) != (was.Pending > 0):
		return true
	case kind(is.LastError) != kind(was.LastError):
		return true
	case now.LastTestConnection.After(before.LastTestConnection):
		return true // somebody pressed the button, and waits to see it
	case !before.RefusedSince.Equal(now.RefusedSince) || kind(before.Refusal) != kind(now.Refusal):
		return true
	default:
		return newer(was.LastEventTime, is.LastEventTime)
	}
}

// newer reports whether the last event known is the first one, or far from the last.
func newer(was, is *metav1.Time) bool {
	switch {
	case is == nil:
		return false
	case was == nil:
		return true
	default:
		return is.Sub(was.Time) > behind
	}
}

// kind is what is left of an error without what changes from one attempt to the
// next: words with digits in them, such as ports and durations; except numbers
// of three digits, which may be a status of HTTP.
func kind(text string) string {
	words := strings.Fields(text)
	kept := words[:0]
	for _, word := range words {
		bare := strings.TrimFunc(word, unicode.IsPunct)
		status := len(bare) == 3 && strings.Trim(bare, "0123456789") == ""
		if status || !strings.ContainsFunc(word, unicode.IsDigit) {
			kept = append(kept, word)
		}
	}
	return strings.Join(kept, " ")
}

// keep completes what is to be told with what is known from before: a receiver
// whose store was made anew has not heard of earlier events.
func keep(before, now Report) Report {
	was := before.Delivery.LastEventTime
	if is := now.Delivery.LastEventTime; was != nil && (is == nil || is.Before(was)) {
		now.Delivery.LastEventTime = was
	}
	if now.LastTestConnection.Before(before.LastTestConnection) { // the receiver has it in memory only
		now.LastTestConnection = before.LastTestConnection
	}
	return now
}
