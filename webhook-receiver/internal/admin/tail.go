package admin

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/clock"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// lineTime is for one line to leave. A reader that stands still loses its connection, not the others theirs.
const lineTime = 10 * time.Second

// tailLine is a line of /v1/tail; exactly one field is there.
type tailLine struct {
	Record    *event.Record `json:"record,omitempty"`
	Missed    uint64        `json:"missed,omitempty"`
	Heartbeat time.Time     `json:"heartbeat,omitzero"`
}

func (h *Handler) tail(w http.ResponseWriter, r *http.Request) error {
	f, err := queryFilter(r)
	if err != nil {
		return err
	}
	if err := extend(w, lineTime); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.WriteHeader(http.StatusOK)
	t := &tailer{w: w, filter: f, clock: h.Clock, missed: h.metrics.missed}
	// The status has been sent, so that there is no other way to tell the caller than to end. It ends mostly
	// because the caller has.
	_ = h.follow(r, t)
	return nil
}

// follow writes lines until the caller, the server or the store ends.
func (h *Handler) follow(r *http.Request, t *tailer) error {
	records := h.Tailer.Tail(r.Context())
	beat := h.Clock.NewTicker(h.Heartbeat)
	defer beat.Stop()
	// The first line says that the tail has begun: what is stored after it will be seen.
	if err := t.beat(); err != nil {
		return err
	}
	for {
		select {
		case <-h.stopped:
			return nil
		case <-r.Context().Done():
			return nil
		case rec, ok := <-records:
			if !ok {
				return nil
			}
			if err := t.record(rec, len(records) > 0); err != nil {
				return err
			}
		case <-beat.C():
			if err := t.beat(); err != nil {
				return err
			}
		}
	}
}

// tailer writes the lines of one tail.
type tailer struct {
	w      http.ResponseWriter
	filter event.Filter
	clock  clock.PassiveClock
	missed prometheus.Counter
}

// record writes what a new event makes known. Without more to come, it goes out at once.
func (t *tailer) record(r event.Record, more bool) error {
	if r.Missed > 0 {
		t.missed.Add(float64(r.Missed))
		if err := t.line(tailLine{Missed: r.Missed}); err != nil {
			return err
		}
	}
	if t.filter.Matches(r) {
		m := metadata(r)
		if err := t.line(tailLine{Record: &m}); err != nil {
			return err
		}
	}
	if more {
		return nil
	}
	return t.flush()
}

func (t *tailer) beat() error {
	if err := t.line(tailLine{Heartbeat: t.clock.Now().UTC()}); err != nil {
		return err
	}
	return t.flush()
}

func (t *tailer) line(l tailLine) error {
	text, err := encode(l)
	if err != nil {
		return fmt.Errorf("encoding a line: %w", err)
	}
	if err := extend(t.w, lineTime); err != nil {
		return err
	}
	if _, err := t.w.Write(text); err != nil {
		return fmt.Errorf("writing a line: %w", err)
	}
	return nil
}

func (t *tailer) flush() error {
	if err := http.NewResponseController(t.w).Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("sending lines: %w", err)
	}
	return nil
}
