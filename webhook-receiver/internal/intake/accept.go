package intake

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/callout"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/route"
)

// accept proves, parses and stores a delivery whose body has been read.
func (h *Handler) accept(r *http.Request, to route.Route, body []byte) (result, error) {
	proof, err := h.prove(r, to, body)
	if err != nil {
		return unproven, err
	}
	e := h.parse(r, to, body)
	e.Proof = proof
	e.Header = h.header(r.Header)

	ctx, cancel := context.WithTimeout(r.Context(), h.config.AppendTimeout)
	defer cancel()
	outcome, err := h.config.Store.Append(ctx, entry(to, e))
	if err != nil {
		return failed(r.Context(), err), fmt.Errorf("storing an event: %w", err)
	}
	switch {
	case outcome == event.Duplicate:
		return duplicate, nil
	case e.Quarantine != "":
		return quarantined, nil
	}
	return accepted, nil
}

// credentials is what proves a callout.
const credentials = "credentials"

// prove asks what proves a delivery for routes of this kind. The sender of a callout was known before its body was
// read: see screen.
func (h *Handler) prove(r *http.Request, to route.Route, body []byte) (string, error) {
	if to.ID.Kind == event.Connector {
		return credentials, nil
	}
	return h.config.Prover().Prove(r, body)
}

// parse reads a delivery as routes of this kind have it.
func (h *Handler) parse(r *http.Request, to route.Route, body []byte) event.Event {
	if to.ID.Kind == event.Connector {
		return callout.Parse(callout.Origin{
			Route:       to.ID,
			ReceiverURL: h.config.PublicURL(),
			ContentType: r.Header.Get("Content-Type"),
		}, body, h.config.Now())
	}
	return event.Parse(event.Origin{
		Route:          to.ID,
		Source:         to.Source,
		SubscriptionID: to.SubscriptionID,
		ContentType:    r.Header.Get("Content-Type"),
	}, body, h.config.Now())
}

// entry says what the store shall do with e, which is decided now: a sink that is added later does not bring old
// events into motion.
func entry(to route.Route, e event.Event) event.Entry {
	stored := event.Entry{Event: e, State: event.Stored}
	switch {
	case e.Quarantine != "":
		stored.State = event.Quarantined
	case to.Sink != nil || to.AwaitSink:
		stored.State = event.Pending
	}
	if to.Delivery.Ordering == route.PerKey {
		stored.OrderKey = e.Subject
	}
	return stored
}

// failed tells why the store did not take an event. Whatever is not known counts as the store's fault.
func failed(request context.Context, err error) result {
	switch {
	case errors.Is(err, event.ErrFull):
		return full
	case errors.Is(err, event.ErrUnavailable):
		return unavailable
	case request.Err() != nil:
		return aborted
	case errors.Is(err, context.DeadlineExceeded):
		return timeout
	}
	return unavailable
}

// header returns the headers to store.
func (h *Handler) header(all http.Header) map[string][]string {
	some := make(map[string][]string, len(all))
	for name, values := range all {
		if !h.omit[name] {
			some[name] = values
		}
	}
	return some
}
