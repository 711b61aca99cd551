package essemulator

import "errors"

// The kinds of errors of this package; test with [errors.Is].
var (
	// ErrInvalid is a value that the emulator cannot work with.
	ErrInvalid = errors.New("invalid value")
	// ErrNoApplication is an application id that nobody has put.
	ErrNoApplication = errors.New("no such application")
	// ErrNoSubscription is a subscription id that does not exist.
	ErrNoSubscription = errors.New("no such subscription")
	// ErrCompanyNotAllowed is a company that a single-company application may not act for.
	ErrCompanyNotAllowed = errors.New("application may not act for this company")
	// ErrNoSample is a sample event that is not built in.
	ErrNoSample = errors.New("no such sample")
	// ErrBacklogFull is an event that was not accepted because too many deliveries wait.
	ErrBacklogFull = errors.New("too many deliveries wait")
	// ErrRunning is a second Run at the same time.
	ErrRunning = errors.New("already running")
	// ErrFixedClock is a clock that cannot be pushed forward, because [WithClock] gave another kind.
	ErrFixedClock = errors.New("this clock cannot be pushed forward")
)
