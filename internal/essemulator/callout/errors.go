package callout

import "errors"

// The kinds of errors of this package; test with [errors.Is].
var (
	// ErrInvalid is a value that the emulator cannot work with.
	ErrInvalid = errors.New("invalid value")
	// ErrNoConnector is a name under which no connector is registered.
	ErrNoConnector = errors.New("no such connector")
	// ErrNoNotification is an id that no failed notification has.
	ErrNoNotification = errors.New("no such failed notification")
	// ErrNoSample is a sample that is not built in.
	ErrNoSample = errors.New("no such sample")
	// ErrBacklogFull is something that was not accepted because too much of it waits.
	ErrBacklogFull = errors.New("too many deliveries wait")
)
