package journal

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// status is how the delivery of one event stands. It is small and of one size but for the error, since it is
// written anew with each attempt, and it has what the indexes need, so that the event need not be read.
type status struct {
	seq      uint64
	version  uint32 // grows with each change: the newest copy is the one that counts
	state    byte   // index into event.States()
	letter   bool   // on its way to the dead letter sink
	route    uint32 // number of the route
	attempts uint32
	replays  uint32
	// Store time (see storeClock), in nanoseconds; due is zero when nothing is.
	due, arrived, since int64
	// Wall time, in nanoseconds, for people.
	received, attempted int64
	id                  digest // of the event's own id, for look-ups
	key                 digest // of the order key; zero without one
	err                 string
}

const (
	statusSize = 4 + 1 + 1 + 4 + 4 + 4 + 5*8 + 16 + 16
	// maxError bounds the error text that a status keeps; a longer one is cut.
	maxError = 1024
)

var states = event.States()

func stateCode(s event.State) byte { return byte(slices.Index(states, s)) }

var (
	codeStored      = stateCode(event.Stored)
	codePending     = stateCode(event.Pending)
	codeDelivered   = stateCode(event.Delivered)
	codeDead        = stateCode(event.Dead)
	codeQuarantined = stateCode(event.Quarantined)
)

func (s *status) seal() []byte {
	b := make([]byte, 0, statusSize+len(s.err))
	b = binary.BigEndian.AppendUint32(b, s.version)
	letter := byte(0)
	if s.letter {
		letter = 1
	}
	b = append(b, s.state, letter)
	b = binary.BigEndian.AppendUint32(b, s.route)
	b = binary.BigEndian.AppendUint32(b, s.attempts)
	b = binary.BigEndian.AppendUint32(b, s.replays)
	for _, n := range []int64{s.due, s.arrived, s.since, s.received, s.attempted} {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	b = append(b, s.id[:]...)
	b = append(b, s.key[:]...)
	return seal(kindStatus, s.seq, append(b, s.err...))
}

func openStatus(sealed []byte, seq uint64) (*status, error) {
	b, err := unseal(sealed, kindStatus, seq)
	if err != nil {
		return nil, err
	}
	return decodeStatus(b, seq)
}

func decodeStatus(b []byte, seq uint64) (*status, error) {
	if len(b) < statusSize || int(b[4]) >= len(states) || b[5] > 1 {
		return nil, fmt.Errorf("%w: a state that no version writes", ErrDamaged)
	}
	s := &status{
		seq: seq, version: binary.BigEndian.Uint32(b), state: b[4], letter: b[5] == 1,
		route: binary.BigEndian.Uint32(b[6:]), attempts: binary.BigEndian.Uint32(b[10:]),
		replays: binary.BigEndian.Uint32(b[14:]),
	}
	b = b[18:]
	for _, n := range []*int64{&s.due, &s.arrived, &s.since, &s.received, &s.attempted} {
		*n = int64(binary.BigEndian.Uint64(b))
		b = b[8:]
	}
	s.id, s.key = digest(b[:16]), digest(b[16:32])
	s.err = string(b[32:])
	return s, nil
}

// claimable: a sink waits for it, or will at due.
func (s *status) claimable() bool { return s.state == codePending || s.letter }

// ordered: events of its key wait for each other.
func (s *status) ordered() bool { return s.state == codePending && s.key != digest{} }

// indexed: it is listed by state.
func indexed(state byte) bool {
	return state == codePending || state == codeDead || state == codeQuarantined
}

// record is the event with its status, as the outside sees them.
func (s *status) record(e event.Event, wall func(int64) time.Time) event.Record {
	r := event.Record{
		Seq: s.seq, Event: e, State: states[s.state], Attempts: int(s.attempts), Replays: int(s.replays),
		Since: wall(s.since), LastAttempt: instant(s.attempted), LastError: s.err, ToDeadLetterSink: s.letter,
	}
	if s.claimable() {
		r.Due = wall(s.due)
	}
	return r
}
