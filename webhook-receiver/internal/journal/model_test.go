package journal

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// model is a journal without a disk: plain lists, searched from end to end.
type model struct {
	now     time.Time
	records []*modelled
	claimed map[uint64]bool
	stats   map[event.RouteID]*event.RouteStats
	ids     map[string]time.Time
	last    uint64
}

type modelled struct {
	event.Record
	key     string
	arrived time.Time
}

func newModel() *model {
	return &model{
		now: start, claimed: map[uint64]bool{}, stats: map[event.RouteID]*event.RouteStats{}, ids: map[string]time.Time{},
	}
}

func (m *model) append(e event.Entry) event.Outcome {
	id := e.Event.Route.String() + e.Event.ID
	if at, ok := m.ids[id]; ok && m.now.Sub(at) < 96*time.Hour {
		return event.Duplicate
	}
	m.ids[id] = m.now
	m.last++
	r := &modelled{Record: event.Record{Seq: m.last, Event: e.Event, State: e.State, Since: m.now}, key: e.OrderKey, arrived: m.now}
	if e.State == event.Pending {
		r.Due = m.now
	}
	m.records = append(m.records, r)
	s := m.stats[e.Event.Route]
	if s == nil {
		s = &event.RouteStats{Route: e.Event.Route}
		m.stats[e.Event.Route] = s
	}
	s.Received++
	s.LastEventTime = e.Event.Received
	return event.Accepted
}

func (m *model) find(seq uint64) *modelled {
	i := slices.IndexFunc(m.records, func(r *modelled) bool { return r.Seq == seq })
	if i < 0 {
		return nil
	}
	return m.records[i]
}

// blocked: an earlier event of its key is pending.
func (m *model) blocked(r *modelled) bool {
	return r.State == event.Pending && r.key != "" && slices.ContainsFunc(m.records, func(o *modelled) bool {
		return o.Event.Route == r.Event.Route && o.key == r.key && o.State == event.Pending && o.Seq < r.Seq
	})
}

func (m *model) claim(id event.RouteID, limit int) (claimed []event.Record, next time.Time) {
	var open []*modelled
	for _, r := range m.records {
		claimable := r.State == event.Pending || r.ToDeadLetterSink
		if r.Event.Route == id && claimable && !m.claimed[r.Seq] && !m.blocked(r) {
			open = append(open, r)
		}
	}
	slices.SortStableFunc(open, func(a, b *modelled) int {
		return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.Seq, b.Seq))
	})
	for _, r := range open {
		if r.Due.After(m.now) || len(claimed) == limit {
			return claimed, r.Due
		}
		m.claimed[r.Seq] = true
		claimed = append(claimed, r.Record)
	}
	return claimed, time.Time{}
}

func (m *model) settle(seq uint64, how event.Settlement) {
	delete(m.claimed, seq)
	r := m.find(seq)
	if r == nil || how.Abandoned {
		return
	}
	before := r.State
	r.Attempts++
	r.LastAttempt = m.now
	s := m.stats[r.Event.Route]
	s.LastError, s.LastErrorTime = how.Error, m.now
	switch {
	case how.Error == "":
		s.LastErrorTime = time.Time{}
		r.ToDeadLetterSink, r.Due = false, time.Time{}
		if r.State != event.Dead {
			r.State, r.LastError = event.Delivered, ""
		}
	case how.ToDeadLetterSink && !r.ToDeadLetterSink:
		r.State, r.ToDeadLetterSink, r.Attempts, r.Due, r.LastError = event.Dead, true, 0, cmp.Or(how.RetryAt, m.now), how.Error
	case how.RetryAt.IsZero():
		r.State, r.ToDeadLetterSink, r.Due, r.LastError = event.Dead, false, time.Time{}, how.Error
	default:
		r.Due, r.LastError = how.RetryAt, how.Error
	}
	if r.State != before {
		r.Since = m.now
	}
}

func (m *model) replay(seq uint64) {
	r := m.find(seq)
	if r == nil || r.State == event.Pending {
		return
	}
	r.State, r.ToDeadLetterSink, r.Attempts, r.Due, r.Since = event.Pending, false, 0, m.now, m.now
	r.Replays++
}

func (m *model) expire() {
	m.records = slices.DeleteFunc(m.records, func(r *modelled) bool {
		from := r.arrived
		if r.State == event.Dead {
			from = r.Since
		}
		return r.State != event.Pending && m.now.Sub(from) >= 168*time.Hour
	})
}

func (m *model) routes() (all []event.RouteStats) {
	for _, s := range m.stats {
		s.Pending, s.DeadLettered, s.Quarantined, s.OldestPending = 0, 0, 0, time.Time{}
		for _, r := range m.records {
			if r.Event.Route != s.Route {
				continue
			}
			switch r.State {
			case event.Pending:
				s.Pending++
				s.OldestPending = cmp.Or(s.OldestPending, r.Event.Received)
			case event.Dead:
				s.DeadLettered++
			case event.Quarantined:
				s.Quarantined++
			}
		}
		all = append(all, *s)
	}
	slices.SortFunc(all, func(a, b event.RouteStats) int { return compareRoutes(a.Route, b.Route) })
	return all
}

// play does one random thing to journal and model, and compares the answers.
type play struct {
	*bench
	model  *model
	random *rand.Rand
	routes []event.RouteID
	versed map[uint64]bool // claims that a replay has made void
}

func (p *play) step() {
	p.t.Helper()
	route := p.routes[p.random.IntN(len(p.routes))]
	switch n := p.random.IntN(100); {
	case n < 40:
		p.store(route)
	case n < 60:
		p.take(route)
	case n < 80:
		p.finish()
	case n < 88:
		p.again()
	case n < 96:
		d := time.Duration(p.random.Int64N(int64(12 * time.Hour)))
		p.clock.Step(d)
		p.model.now = p.model.now.Add(d)
	case n < 98:
		p.keepHouse(p.t.Context(), (&expiry{j: p.Journal}).some, p.forget)
		p.model.expire()
	default:
		p.checked()
		p.reopen()
		clear(p.model.claimed)
		clear(p.versed)
	}
}

func (p *play) store(route event.RouteID) {
	e := entry(route, fmt.Sprint(p.random.IntN(300)))
	e.Event.Received = p.model.now
	switch p.random.IntN(6) {
	case 0:
		e.State = event.Stored
	case 1:
		e.State, e.Event.Quarantine = event.Quarantined, "odd"
	case 2, 3:
		e.OrderKey = fmt.Sprint(p.random.IntN(3))
	}
	p.appends(e, p.model.append(e))
}

func (p *play) take(route event.RouteID) {
	limit := 1 + p.random.IntN(5)
	got, next, err := p.Claim(route, limit)
	if err != nil {
		p.t.Fatal(err)
	}
	want, wantNext := p.model.claim(route, limit)
	if diff := gocmp.Diff(want, got); diff != "" || !next.Equal(wantNext) {
		p.t.Fatalf("next %v, want %v; claimed (-want +got):\n%s", next, wantNext, diff)
	}
}

func (p *play) finish() {
	for seq := range p.model.claimed {
		how := []event.Settlement{
			{}, {}, {Abandoned: true}, {Error: "400"}, {Error: "400", ToDeadLetterSink: true},
			{Error: "503", RetryAt: p.model.now.Add(time.Duration(p.random.Int64N(int64(3 * time.Hour))))},
		}[p.random.IntN(6)]
		err := p.Settle(seq, how)
		if gone := p.model.find(seq) == nil; err != nil && !gone {
			p.t.Fatal(err)
		}
		if p.versed[seq] {
			how = event.Settlement{Abandoned: true}
			delete(p.versed, seq)
		}
		p.model.settle(seq, how)
		return
	}
}

func (p *play) again() {
	seq := 1 + p.random.Uint64N(p.model.last+1)
	err := p.Replay(seq)
	r := p.model.find(seq)
	if (err == nil) != (r != nil) {
		p.t.Fatalf("Replay(%d) = %v", seq, err)
	}
	if r != nil && p.model.claimed[seq] && r.State != event.Pending {
		p.versed[seq] = true
	}
	p.model.replay(seq)
}

// same compares everything.
func (p *play) same() {
	p.t.Helper()
	want := map[uint64]event.Record{}
	for _, r := range p.model.records {
		want[r.Seq] = r.Record
	}
	if diff := gocmp.Diff(want, p.content()); diff != "" {
		p.t.Fatalf("content (-want +got):\n%s", diff)
	}
	if diff := gocmp.Diff(p.model.routes(), p.Stats().Routes); diff != "" {
		p.t.Fatalf("routes (-want +got):\n%s", diff)
	}
}

// TestModel does random things to a journal and to a model of it, reopening in between.
func TestModel(t *testing.T) {
	t.Parallel()
	rounds := 4
	if testing.Short() {
		rounds = 2
	}
	for seed := range rounds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			p := &play{
				bench: open(t), model: newModel(), random: rand.New(rand.NewPCG(uint64(seed), 1)),
				routes: []event.RouteID{reports, requests}, versed: map[uint64]bool{},
			}
			for range 16 {
				for range 25 {
					p.step()
				}
				p.same()
			}
		})
	}
}
