package record

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Trouble tells people what is wrong with one object that is not of our kinds,
// and so has no conditions: in the log and by an event, once for as long as the
// same thing is wrong. It is for one goroutine at a time.
type Trouble struct {
	events *Recorder
	about  client.Object
	action string
	told   string // the reason that was told last
}

// NewTrouble returns a Trouble that has told nothing. The action is that of the
// events: what the operator was doing with the object.
func NewTrouble(events *Recorder, about client.Object, action string) *Trouble {
	return &Trouble{events: events, about: about, action: action}
}

// Tell tells what is wrong, unless that reason was the last to be told.
func (t *Trouble) Tell(ctx context.Context, reason, note string) {
	if t.told == reason {
		return
	}
	t.told = reason
	ctrl.LoggerFrom(ctx).Error(nil, note)
	t.events.Record(ctx, t.about, Event{Type: corev1.EventTypeWarning, Reason: reason, Action: t.action, Note: note})
}

// Over notes that nothing is wrong any more, so that the next trouble is told whatever it is.
func (t *Trouble) Over() { t.told = "" }
