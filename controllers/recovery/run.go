package recovery

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"slices"

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
	// maxPost is the longest notification that is posted, well within what the receiver takes in one body by default.
	maxPost = 1 << 20
)

// mark tells notifications apart without keeping them.
type mark [sha256.Size]byte

func markOf(n notifications.Notification) mark {
	return sha256.Sum256(fmt.Appendf(nil, "%q %q", n.URI, n.XML()))
}

// progress is how far a notification got that is listed.
type progress int

const (
	fresh progress = iota
	stored
	removed // and yet it is listed
)

// errPartial is a notification that is not understood. What is stored of it may not be all that there is.
var errPartial = errors.New("a failed notification lacks EventType, ObjectType or ObjectURI, so that it is not deleted: look at it yourself, and delete it at SAP Concur")

// run is one way through a list.
type run struct {
	concur   *notifications.Client
	receiver Receiver
	poster   *http.Client
	path     string
	login    login.Login
	delete   bool
	budget   *rate.Limiter
	// done says how far the notifications of the list before got, and then those of this one.
	done map[mark]progress

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
	items := r.sorted(list)
	for _, i := range items {
		if r.stored+r.deleted >= maxActions {
			r.more = r.done[i.mark] != removed // to delete those once more is not urgent
			break
		}
		if err := r.one(ctx, i); err != nil {
			return len(list), err
		}
	}
	return len(list), nil
}

// item is a notification of a list.
type item struct {
	notifications.Notification
	mark mark
}

// sorted are the notifications of a list, those first that are new: what stays listed although it was dealt with
// must not take the place of others. It forgets what is not listed any more.
func (r *run) sorted(list []notifications.Notification) []item {
	before := r.done
	r.done = make(map[mark]progress, len(list))
	items := make([]item, 0, len(list))
	for _, n := range list {
		i := item{Notification: n, mark: markOf(n)}
		if at := before[i.mark]; at != fresh {
			r.done[i.mark] = at
		}
		items = append(items, i)
	}
	slices.SortStableFunc(items, func(a, b item) int { return cmp.Compare(r.done[a.mark], r.done[b.mark]) })
	return items
}

// one has one notification stored, and then deletes it.
func (r *run) one(ctx context.Context, n item) error {
	if r.done[n.mark] == fresh {
		body := n.XML()
		if len(body) > maxPost {
			telemetry.CountRecovery("skipped")
			r.skipped = fmt.Errorf("a failed notification has %d bytes, more than are posted: fetch it yourself, and delete it at SAP Concur", len(body))
			return nil
		}
		if err := r.receiver.post(ctx, r.poster, r.path, r.login, body); err != nil {
			return err
		}
		r.done[n.mark] = stored
		r.stored++
		telemetry.CountRecovery("stored")
	}
	switch {
	case !r.delete:
		return nil
	case n.EventType == "" || n.ObjectType == "" || n.ObjectURI == "":
		telemetry.CountRecovery("skipped")
		r.skipped = errPartial
		return nil
	}
	return r.remove(ctx, n)
}

// remove deletes a notification that the receiver has stored.
func (r *run) remove(ctx context.Context, n item) error {
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
	r.done[n.mark] = removed
	r.deleted++
	telemetry.CountRecovery("deleted")
	return nil
}
