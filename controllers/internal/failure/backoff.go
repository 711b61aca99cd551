package failure

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/bounded"
	"github.com/ess-operator/ess-operator/internal/ess"
	"github.com/ess-operator/ess-operator/internal/notifications"
)

const (
	firstDelay = time.Second
	maxDelay   = 5 * time.Minute
	// terminalDelay is how long the operator waits before it asks again for
	// what Concur refused: long, because only a person can help, and not for
	// ever, because the person may act at Concur, where nothing wakes us.
	terminalDelay = time.Hour

	// maxLastError is what the schema of a RetryStatus allows, in bytes.
	maxLastError = 1024
)

// Delay is how long to wait after the given number of failures in a row, the
// last of which was err. random is in [0, 1) and spreads the second half of the
// delay. Where Concur named a time, that is the least.
func Delay(err error, attempts int, random float64) time.Duration {
	delay := terminalDelay
	if Of(err).Class == BackOff {
		delay = firstDelay << min(max(attempts, 1)-1, 20)
		delay = min(delay, maxDelay)
	}
	delay = delay/2 + time.Duration(random*float64(delay/2))
	return max(delay, ess.RetryAfter(err), notifications.RetryAfter(err))
}

// Retry counts the failure err, after those of before (nil: it is the first), and says when to try again, in whole
// seconds and not before [Delay] is over.
func Retry(before *v1alpha1.RetryStatus, err error, now time.Time, random float64) *v1alpha1.RetryStatus {
	attempts := int32(1)
	if before != nil {
		attempts = before.Attempts + 1
	}
	next := now.Add(Delay(err, int(attempts), random))
	return &v1alpha1.RetryStatus{
		Attempts:        attempts,
		NextAttemptTime: metav1.NewTime(next.Truncate(time.Second).Add(time.Second)),
		LastError:       bounded.Text(Message(err)+Correlation(err), maxLastError),
	}
}
