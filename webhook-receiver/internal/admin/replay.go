package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	sigsjson "sigs.k8s.io/json"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

const (
	// maxBody bounds what may be posted.
	maxBody = 64 << 10
	// replayTime is for as many events as a store can hold.
	replayTime = 5 * time.Minute
)

// replayRequest is the body of /v1/replay. Pointers tell what is empty from what is left out.
type replayRequest struct {
	Kind      *string `json:"kind"`
	Namespace *string `json:"namespace"`
	Name      *string `json:"name"`
	ID        *string `json:"id"`
	State     *string `json:"state"`
	Type      *string `json:"type"`
	Since     *string `json:"since"`
	Until     *string `json:"until"`
	All       bool    `json:"all"`
	DryRun    bool    `json:"dryRun"`
}

// replayed is the answer of both replays.
type replayed struct {
	// Events counts those that are pending now or, of a dry run, would be.
	Events int  `json:"events"`
	DryRun bool `json:"dryRun"`
}

// selection is what a replay was asked to do: one filter for each state.
type selection struct {
	filters []event.Filter
	dryRun  bool
}

func (h *Handler) replay(w http.ResponseWriter, r *http.Request) error {
	seq, err := pathSeq(r)
	if err != nil {
		return err
	}
	// A body would be a wish, such as for a dry run, that is not granted here.
	if n, err := io.ReadFull(r.Body, make([]byte, 1)); n > 0 || !errors.Is(err, io.EOF) {
		return badRequest("this call takes no body; to replay by a filter, POST /v1/replay")
	}
	rec, err := h.Reader.Get(seq)
	if err != nil {
		return fmt.Errorf("reading an event: %w", err)
	}
	if rec.State == event.Pending {
		return &problem{status: http.StatusConflict, detail: "the event is pending already; its due field says when it is tried next"}
	}
	if err := h.Replayer.Replay(seq); err != nil {
		return fmt.Errorf("replaying an event: %w", err)
	}
	h.Logger.LogAttrs(r.Context(), slog.LevelInfo, "replaying one event", slog.Uint64("seq", seq))
	return writeJSON(w, replayed{Events: 1})
}

func (h *Handler) replayAll(w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return &problem{status: http.StatusRequestEntityTooLarge, detail: fmt.Sprintf("the body is over %d bytes", maxBody)}
	}
	if err != nil {
		return badRequest("the body did not arrive whole; send it again")
	}
	s, err := parseReplay(body)
	if err != nil {
		return err
	}
	if err := extend(w, replayTime); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), replayTime)
	defer cancel()
	n, err := h.carryOut(ctx, s)
	if n > 0 && !s.dryRun {
		h.Logger.LogAttrs(ctx, slog.LevelInfo, "replaying events by a filter", slog.Int("events", n))
	}
	if err != nil {
		return interrupted(n, s.dryRun, err)
	}
	return writeJSON(w, replayed{Events: n, DryRun: s.dryRun})
}

// extend gives an answer more time than the server's limits. The read deadline goes too, since the server
// takes it for a caller who went away.
func extend(w http.ResponseWriter, by time.Duration) error {
	c := http.NewResponseController(w)
	err := errors.Join(c.SetReadDeadline(time.Time{}), c.SetWriteDeadline(time.Now().Add(by)))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("extending the deadlines of a request: %w", err)
	}
	return nil
}

func (h *Handler) carryOut(ctx context.Context, s selection) (int, error) {
	do := h.Replayer.ReplayAll
	if s.dryRun {
		do = h.count
	}
	total := 0
	for _, f := range s.filters {
		n, err := do(ctx, f)
		total += n
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// count is ReplayAll without doing it.
func (h *Handler) count(ctx context.Context, f event.Filter) (int, error) {
	total := 0
	for p := (event.Page{Limit: maxLimit}); ; {
		if err := ctx.Err(); err != nil {
			return total, err
		}
		records, next, err := h.Reader.List(f, p)
		if err != nil {
			return total, err
		}
		for _, r := range records {
			if r.State != event.Pending {
				total++
			}
		}
		if next == 0 {
			return total, nil
		}
		p.After = next
	}
}

// interrupted says how far a replay came, since what was done stays done.
func interrupted(n int, dryRun bool, err error) error {
	if dryRun || n == 0 {
		return err
	}
	p := *problemOf(err)
	p.detail = fmt.Sprintf("%d events were made pending, then this happened: %s. Asking again takes up the rest", n, p.detail)
	return &p
}

// parseReplay reads a body strictly: unknown, repeated, empty and differently capitalised fields are errors.
func parseReplay(body []byte) (selection, error) {
	var req replayRequest
	strict, err := sigsjson.UnmarshalStrict(body, &req)
	if err != nil {
		return selection{}, badRequest("the body is not a JSON object of the documented form; see /openapi.json")
	}
	if len(strict) > 0 {
		return selection{}, badRequest("the body has an unknown or repeated field; it may have each of " +
			"kind, namespace, name, id, state, type, since, until, all, dryRun once")
	}
	texts := map[string]*string{"kind": req.Kind, "namespace": req.Namespace, "name": req.Name, "id": req.ID,
		"state": req.State, "type": req.Type, "since": req.Since, "until": req.Until}
	f, err := filterOf(func(name string) (string, bool) {
		if texts[name] == nil {
			return "", false
		}
		return *texts[name], true
	})
	if err != nil {
		return selection{}, err
	}
	if err := checkExtent(f, req.All); err != nil {
		return selection{}, err
	}
	return selection{filters: byState(f), dryRun: req.DryRun}, nil
}

func checkExtent(f event.Filter, all bool) error {
	if f.State == event.Pending {
		return badRequest("pending events are delivered without a replay; name another state")
	}
	if f == (event.Filter{}) && !all {
		return badRequest(`the body selects nothing in particular; name what to replay, or send {"all": true} ` +
			"for all dead and quarantined events")
	}
	if all && f != (event.Filter{State: f.State}) {
		return badRequest("all goes with no other selection than state; leave one of them out")
	}
	return nil
}

// byState: what was delivered, or never meant for a sink, is replayed only by name.
func byState(f event.Filter) []event.Filter {
	if f.State != "" {
		return []event.Filter{f}
	}
	dead, quarantined := f, f
	dead.State, quarantined.State = event.Dead, event.Quarantined
	return []event.Filter{dead, quarantined}
}
