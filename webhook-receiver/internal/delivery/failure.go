package delivery

import (
	"errors"
	"log/slog"
	"time"
)

// Failure is what the error of a [Sender] can tell about itself. An error that tells nothing is taken for no answer:
// worth a retry, and the sink's fault.
type Failure interface {
	// Final: trying again is pointless.
	Final() bool
	// Down: any other event would have failed as well.
	Down() bool
	// Wait is how long the sink wants to be left alone; zero: it did not say.
	Wait() time.Duration
}

// failure is a failed attempt as the rest of this package sees it.
type failure struct {
	text  string // for people, kept with the event; may hold words of the sink
	cause any    // for logs: an error that leaves such words out, or a text
	final bool
	down  bool
	ours  bool // the receiver's own fault: it says nothing about the sink
	wait  time.Duration
}

func describe(err error) failure {
	f := failure{text: err.Error(), cause: err, down: true}
	if told := Failure(nil); errors.As(err, &told) {
		f.final, f.down, f.wait = told.Final(), told.Down(), told.Wait()
	}
	if fault := (*panicError)(nil); errors.As(err, &fault) {
		f.ours = true
	}
	return f
}

// panicError stands for a panic of a Sender.
type panicError struct{ stack []byte }

func (*panicError) Error() string { return "the receiver has a fault: an attempt to deliver panicked" }

// LogValue tells where it happened. What was said is left out: it may hold a part of the event.
func (e *panicError) LogValue() slog.Value { return slog.StringValue(string(e.stack)) }
