package journal

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// An event is sealed as the length of its JSON (4 bytes), its JSON without the body, and the body as it came. It
// is never written again.

// sealEvent encodes an event with room for the header, which needs a seq; sum is the checksum of the payload.
func sealEvent(e *event.Event) (sealed []byte, sum uint32, err error) {
	text, err := json.Marshal(e)
	if err != nil {
		return nil, 0, fmt.Errorf("encoding event: %w", err)
	}
	size := headerSize + 4 + len(text) + len(e.Body)
	if size > maxSealed {
		return nil, 0, fmt.Errorf("encoding event: %d bytes are more than the journal takes", size)
	}
	sealed = make([]byte, headerSize, size)
	sealed = binary.BigEndian.AppendUint32(sealed, uint32(len(text)))
	sealed = append(sealed, text...)
	sealed = append(sealed, e.Body...)
	return sealed, checksum(sealed[headerSize:]), nil
}

// openEvent proves and decodes an event; what it returns shares no memory with sealed.
func openEvent(sealed []byte, seq uint64, body bool) (event.Event, error) {
	payload, err := unseal(sealed, kindEvent, seq)
	if err != nil {
		return event.Event{}, err
	}
	return decodeEvent(payload, body)
}

func decodeEvent(payload []byte, body bool) (event.Event, error) {
	if len(payload) < 4 {
		return event.Event{}, fmt.Errorf("%w: an event of %d bytes", ErrDamaged, len(payload))
	}
	n := binary.BigEndian.Uint32(payload)
	rest := payload[4:]
	if uint64(n) > uint64(len(rest)) {
		return event.Event{}, fmt.Errorf("%w: an event whose attributes are longer than itself", ErrDamaged)
	}
	var e event.Event
	if err := json.Unmarshal(rest[:n], &e); err != nil {
		return event.Event{}, fmt.Errorf("%w: attributes of an event: %w", ErrDamaged, err)
	}
	if body {
		e.Body = append([]byte{}, rest[n:]...)
	}
	return e, nil
}

// digest is a shortened SHA-256: long enough that no two things share one.
type digest [16]byte

func hashed(parts ...string) digest {
	h := sha256.New()
	var size [8]byte
	for _, p := range parts {
		binary.BigEndian.PutUint64(size[:], uint64(len(p)))
		h.Write(size[:])
		h.Write([]byte(p))
	}
	return digest(h.Sum(nil)[:16])
}

// identity is by what duplicates are told; more is part of it only for events whose id is not theirs alone.
func identity(e *event.Event, more ...string) digest {
	return hashed(append([]string{string(e.Route.Kind), e.Route.Namespace, e.Route.Name, e.ID}, more...)...)
}

// seen is when the first of several duplicates arrived. It outlives the event if that is removed early.
type seen struct {
	seq     uint64
	id      digest
	arrived int64 // store time
}

func (s seen) seal() []byte {
	b := make([]byte, 24)
	copy(b, s.id[:])
	binary.BigEndian.PutUint64(b[16:], uint64(s.arrived))
	return seal(kindID, s.seq, b)
}

func openSeen(sealed []byte, seq uint64) (seen, error) {
	b, err := unseal(sealed, kindID, seq)
	if err != nil {
		return seen{}, err
	}
	return decodeSeen(b, seq)
}

func decodeSeen(b []byte, seq uint64) (seen, error) {
	if len(b) != 24 {
		return seen{}, fmt.Errorf("%w: an id of %d bytes", ErrDamaged, len(b))
	}
	return seen{seq: seq, id: digest(b[:16]), arrived: int64(binary.BigEndian.Uint64(b[16:]))}, nil
}

// nanos is a time as the journal stores it: 0 is the zero time.
func nanos(t time.Time) int64 {
	switch {
	case t.IsZero():
		return 0
	case t.Before(minTime):
		return minTime.UnixNano()
	case t.After(maxTime):
		return maxTime.UnixNano()
	}
	return t.UnixNano()
}

var (
	minTime = time.Unix(1, 0)
	maxTime = time.Unix(1<<33, 0) // the year 2242
)

func instant(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}
