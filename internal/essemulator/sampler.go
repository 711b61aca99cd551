package essemulator

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

// PublishSamples makes something happen again and again until ctx ends, for demonstrations: at each interval of
// the emulator's clock one of the built-in events is published for every topic and company that has a subscription,
// one sample of the topic after the other. Each is a new event, with an id, a correlation id and a time of its own.
// What cannot be published is logged. The error is [ErrInvalid] for an interval that is not positive.
func (e *Emulator) PublishSamples(ctx context.Context, interval time.Duration) error {
	if interval <= 0 {
		return fmt.Errorf("publishing samples every %v: want more than 0: %w", interval, ErrInvalid)
	}
	ticker := e.clock.NewTicker(interval)
	defer ticker.Stop()
	for round := 0; ; round++ {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C():
			e.publishSamples(round)
		}
	}
}

// publishSamples publishes one sample for each audience.
func (e *Emulator) publishSamples(round int) {
	for _, a := range e.audiences() {
		logger := e.logger.With("topic", a.topic, "company", a.company)
		ev, ok, err := a.sample(round, e.clock.Now())
		if !ok {
			continue // a topic of which Concur's pages print no event
		}
		n := 0
		if err == nil {
			n, err = e.Publish(ev)
		}
		if err != nil {
			logger.Warn("publishing a sample", "error", err)
			continue
		}
		logger.Info("published a sample", "event", envelopeOf(ev.Body).id, "type", envelopeOf(ev.Body).eventType, "deliveries", n)
	}
}

// audience is a topic, and a company whose events of that topic somebody wants.
type audience struct {
	topic, company string
	groups         []string // in any of which the event has to be
}

// audiences are sorted by topic and company, and each is there once.
func (e *Emulator) audiences() []audience {
	var all []audience
	for _, s := range e.Subscriptions("") {
		for _, company := range s.CompanyIDs {
			at := slices.IndexFunc(all, func(a audience) bool { return a.topic == s.Topic && a.company == company })
			if at < 0 {
				all, at = append(all, audience{topic: s.Topic, company: company}), len(all)
			}
			all[at].groups = union(all[at].groups, s.Groups)
		}
	}
	slices.SortFunc(all, func(a, b audience) int {
		return cmp.Or(cmp.Compare(a.topic, b.topic), cmp.Compare(a.company, b.company))
	})
	return all
}

// sample makes a new event of the built-in one whose turn it is; ok is false when there is none of the topic.
func (a audience) sample(round int, now time.Time) (ev Event, ok bool, err error) {
	var fitting []Event
	for _, name := range Samples() {
		sample, err := Sample(name)
		if err != nil {
			return ev, true, err
		}
		if sample.Topic == a.topic {
			fitting = append(fitting, sample)
		}
	}
	if len(fitting) == 0 {
		return ev, false, nil
	}
	body, err := anew(fitting[round%len(fitting)].Body, a.company, now)
	return Event{Topic: a.topic, CompanyID: a.company, Groups: a.groups, Body: body}, true, err
}

// anew gives an event an id and a time of its own, and makes it happen in a company.
func anew(body []byte, company string, now time.Time) ([]byte, error) {
	fields := object(body)
	if fields == nil {
		return nil, fmt.Errorf("renewing a sample: it is no JSON object: %w", ErrInvalid)
	}
	fresh := map[string]string{
		"id": uuid.NewString(), "correlationId": uuid.NewString(), "timeStamp": now.UTC().Format("2006-01-02T15:04:05.000Z"),
	}
	for name, value := range fresh {
		fields[name] = quoted(value)
	}
	if facts := object(fields["facts"]); facts != nil && company != anyCompany {
		facts["companyId"] = quoted(company)
		var err error
		if fields["facts"], err = unescaped(facts); err != nil {
			return nil, err
		}
	}
	return unescaped(fields)
}

// quoted is a JSON string.
func quoted(s string) json.RawMessage {
	text, err := json.Marshal(s)
	if err != nil { // not possible for a string
		panic(err)
	}
	return text
}

// unescaped writes an object as Concur does, with & and < as they are.
func unescaped(fields map[string]json.RawMessage) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(fields); err != nil {
		return nil, fmt.Errorf("writing a sample: %w", err)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}
