package recovery

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"

	"golang.org/x/time/rate"

	"github.com/ess-operator/ess-operator/controllers/internal/login"
	"github.com/ess-operator/ess-operator/controllers/internal/telemetry"
	"github.com/ess-operator/ess-operator/internal/notifications"
)

const (
	// maxActions bounds what one run does: notifications posted, and notifications deleted.
	maxActions = 200
	// perSecond and burst are the budget of one connector's calls: far below what anybody limits, so that an outage's
	// backlog is no flood.
	perSecond, burst = 5, 10
	// maxPost is the longest notification that is posted; the receiver takes no more in one body by default.
	maxPost = 1 << 20
)

// mark tells notifications apart without keeping them.
type mark [sha256.Size]byte

func markOf(n notifications.Notification) mark {
	return sha256.Sum256(fmt.Appendf(nil, "%q %q", n.URI, n.XML()))
}

// run is one way through a list.
type run struct {
	concur   *notifications.Client
	receiver Receiver
	poster   *http.Client
	path     string
	login    login.Login
	delete   bool
	budget   *rate.Limiter
	// done are the notifications that were stored before, and become those of this list that are stored now.
	done map[mark]bool

	stored, deleted int
	more            bool  // there is more to do than one run may
	skipped         error // why a notification could not be dealt with, though others could
}

// all goes through the list. It returns how many notifications were listed. Its
// error is one that the next notification would meet as well.
func (r *run) all(ctx context.Context) (listed int, err error) {
	if err := r.budget.Wait(ctx); err != nil {
		return 0, fmt.Errorf("waiting for the budget: %w", err)
	}
	list, err := r.concur.Failed(ctx)
	if err != nil {
		return 0, err
	}
	before := r.done
	r.done = make(map[mark]bool, len(list))
	for _, n := range list { // also those that this run does not get to
		if m := markOf(n); before[m] {
			r.done[m] = true
		}
	}
	for _, n := range list {
		if r.stored+r.deleted >= maxActions {
			r.more = true
			break
		}
		if err := r.one(ctx, n); err != nil {
			return len(list), err
		}
	}
	return len(list), nil
}

// one has one notification stored, and then deletes it.
func (r *run) one(ctx context.Context, n notifications.Notification) error {
	m := markOf(n)
	if !r.done[m] {
		body := n.XML()
		if len(body) > maxPost {
			telemetry.CountRecovery("skipped")
			r.skipped = fmt.Errorf("a failed notification has %d bytes, more than are posted: fetch it yourself, and delete it at SAP Concur", len(body))
			return nil
		}
		if err := r.receiver.post(ctx, r.poster, r.path, r.login, body); err != nil {
			return err
		}
		r.done[m] = true
		r.stored++
		telemetry.CountRecovery("stored")
	}
	if !r.delete {
		return nil
	}
	return r.remove(ctx, n)
}

// remove deletes a notification that the receiver has stored.
func (r *run) remove(ctx context.Context, n notifications.Notification) error {
	if err := r.budget.Wait(ctx); err != nil {
		return fmt.Errorf("waiting for the budget: %w", err)
	}
	switch err := r.concur.Delete(ctx, n.URI); {
	case errors.Is(err, notifications.ErrInvalid), errors.Is(err, notifications.ErrHostNotAllowed):
		telemetry.CountRecovery("skipped") // another one may have a better URI
		r.skipped = err
		return nil
	case err != nil:
		return err
	}
	r.deleted++
	telemetry.CountRecovery("deleted")
	return nil
}
