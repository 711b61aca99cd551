package failure

import (
	"time"

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
