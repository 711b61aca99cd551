package event

import (
	"cmp"
	"time"
)

// Matches says whether f selects r.
func (f Filter) Matches(r Record) bool {
	e := r.Event
	return admits(f.Kind, e.Route.Kind) &&
		admits(f.Namespace, e.Route.Namespace) &&
		admits(f.Name, e.Route.Name) &&
		admits(f.ID, e.ID) &&
		admits(f.State, r.State) &&
		(admits(f.Type, e.Type) || f.Type == e.EventType) &&
		f.spans(e.Received)
}

// admits: what is not asked for does not matter.
func admits[T ~string](want, got T) bool { return cmp.Or(want, got) == got }

func (f Filter) spans(t time.Time) bool {
	return (f.Since.IsZero() || !t.Before(f.Since)) && (f.Until.IsZero() || t.Before(f.Until))
}
