package essemulator

import (
	"errors"

	"github.com/ess-operator/ess-operator/internal/essemulator/callout"
)

// The kinds of errors of this package; test with [errors.Is]. Those that package callout also has are the same.
var (
	// ErrInvalid is a value that the emulator cannot work with.
	ErrInvalid = callout.ErrInvalid
	// ErrNoApplication is an application id that nobody has put.
	ErrNoApplication = errors.New("no such application")
	// ErrNoSubscription is a subscription id that does not exist.
	ErrNoSubscription = errors.New("no such subscription")
	// ErrCompanyNotAllowed is a company that a single-company application may not act for.
	ErrCompanyNotAllowed = errors.New("application may not act for this company")
	// ErrNoSample is a sample event that is not built in.
	ErrNoSample = callout.ErrNoSample
	// ErrBacklogFull is an event that was not accepted because too many deliveries wait.
	ErrBacklogFull = callout.ErrBacklogFull
	// ErrRunning is a second Run at the same time.
	ErrRunning = errors.New("already running")
	// ErrFixedClock is a clock that cannot be pushed forward, because [WithClock] gave another kind.
	ErrFixedClock = errors.New("this clock cannot be pushed forward")
)
