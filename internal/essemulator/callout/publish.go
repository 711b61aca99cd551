package callout

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
)

const (
	// maxLive bounds the notifications that are queued or FAILED; beyond it publishing is refused.
	maxLive = 10000
	// maxRaw bounds one raw notification.
	maxRaw = 16 << 20
	// maxQueued bounds the bytes that wait in all queues together.
	maxQueued = 256 << 20
)

// Target is for whom a notification is.
type Target struct {
	// CompanyID is where it happened; every connector of that company gets it.
	CompanyID string
	// Connector is the only one that gets it, whatever its company; "" leaves that to CompanyID.
	Connector string
}

// Publish makes something happen and returns into how many queues it went: none, when no connector of the
// company is enabled and verified. [Service.Run] sends it. The error is [ErrInvalid], [ErrNoConnector] or
// [ErrBacklogFull]; then nothing is sent.
func (s *Service) Publish(to Target, n Notification) (callouts int, err error) {
	if err := n.check(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if n.EventTime.IsZero() {
		n.EventTime = s.clock.Now()
	}
	c := content{Notification: n}
	return s.enqueue(to, c, c.post(&s.assume))
}

// PublishRaw publishes a body that connectors get byte for byte, XML or not. The list of failed notifications
// shows of it what can be read. Errors are those of [Service.Publish].
func (s *Service) PublishRaw(to Target, body []byte) (callouts int, err error) {
	if len(body) > maxRaw {
		return 0, fmt.Errorf("publishing a notification: %d bytes, at most %d: %w", len(body), maxRaw, ErrInvalid)
	}
	c := read(body)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.enqueue(to, c, slices.Clone(body))
}

// enqueue puts a notification into the queues of those who are to get it; s.mu is held.
func (s *Service) enqueue(to Target, what content, body []byte) (int, error) {
	fitting, err := s.fitting(to)
	if err != nil {
		return 0, err
	}
	if s.live+len(fitting) > maxLive || s.queued+len(body)*len(fitting) > maxQueued {
		return 0, fmt.Errorf("publishing a notification: %d wait or are failed, %d bytes of them: %w",
			s.live, s.queued, ErrBacklogFull)
	}
	now, sum := s.clock.Now(), sha256.Sum256(body)
	for _, c := range fitting {
		s.published++
		n := &callout{content: what, body: body, Callout: Callout{
			ID: s.published, Connector: c.Name, CompanyID: c.CompanyID, NotificationID: newID(s.published),
			EventType: what.EventType, ObjectType: what.ObjectType, ObjectURI: what.ObjectURI,
			PublishedAt: now, Outcome: Queued, NextAttempt: now,
			BodySize: len(body), BodySHA256: hex.EncodeToString(sum[:]),
		}}
		c.queue = append(c.queue, n)
		s.enter(n)
	}
	s.changed()
	return len(fitting), nil
}

// fitting finds the connectors that get a notification, sorted by name; s.mu is held.
func (s *Service) fitting(to Target) ([]*connector, error) {
	if to.Connector != "" && s.connectors[to.Connector] == nil {
		return nil, fmt.Errorf("publishing a notification to %q: %w", to.Connector, ErrNoConnector)
	}
	var out []*connector
	for _, name := range slices.Sorted(maps.Keys(s.connectors)) {
		c := s.connectors[name]
		if c.sends() && (name == to.Connector || to.Connector == "" && c.CompanyID == to.CompanyID) {
			out = append(out, c)
		}
	}
	return out, nil
}

// Notification ids look like those of Concur's samples: 34 letters and digits, and in some of them a "$".
const (
	idLength  = 34
	idLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
)

// newID makes an id that cannot be guessed. Every other one holds a "$", so that whoever mistreats it is
// found out soon and whoever expects it, too.
func newID(n int) string {
	id := make([]byte, idLength)
	_, _ = rand.Read(id) // never fails
	for i, b := range id {
		id[i] = idLetters[int(b)%len(idLetters)]
	}
	if n%2 == 1 {
		id[idLength*2/3] = '$'
	}
	return string(id)
}

// idPattern is what an id may look like: letters, digits and the "$" of Concur's samples.
var idPattern = regexp.MustCompile(`^[A-Za-z0-9$_-]{1,64}$`)

// ValidID tells whether a text could be a notification's id.
func ValidID(id string) bool { return idPattern.MatchString(id) }
