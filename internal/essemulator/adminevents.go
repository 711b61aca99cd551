package essemulator

import (
	"fmt"
	"io"
	"net/http"
)

// published is the answer to a publication.
type published struct {
	Deliveries int `json:"deliveries"`
}

func (e *Emulator) adminPublish(r *http.Request) (any, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("reading the event: %w: %w", err, ErrInvalid)
	}
	return e.publishAs(r, Event{Body: body})
}

func (e *Emulator) adminPublishSample(r *http.Request) (any, error) {
	ev, err := Sample(r.PathValue("name"))
	if err != nil {
		return nil, err
	}
	return e.publishAs(r, ev)
}

// publishAs publishes with what the query overrides.
func (e *Emulator) publishAs(r *http.Request, ev Event) (any, error) {
	query := r.URL.Query()
	for name, field := range map[string]*string{"topic": &ev.Topic, "company": &ev.CompanyID, "type": &ev.Type} {
		if query.Has(name) {
			*field = query.Get(name)
		}
	}
	ev.Groups = query["group"]
	n, err := e.Publish(ev)
	return published{n}, err
}

func (e *Emulator) adminSamples(*http.Request) (any, error) { return Samples(), nil }

func (e *Emulator) adminLedger(*http.Request) (any, error) { return e.Ledger(), nil }

func (e *Emulator) adminSettle(r *http.Request) (any, error) { return nil, e.Settle(r.Context()) }

// requestLine is a Request as people read it.
type requestLine struct {
	Summary string `json:"summary"`
	Request
	Body string `json:"body,omitempty"`
}

func (e *Emulator) adminRequests(*http.Request) (any, error) {
	lines := []requestLine{}
	for _, r := range e.Requests() {
		lines = append(lines, requestLine{r.String(), r, string(r.Body)})
	}
	return lines, nil
}

func (e *Emulator) adminResetRequests(*http.Request) (any, error) {
	e.ResetRequests()
	return nil, nil
}
