package callout

import (
	"cmp"
	"crypto/x509"
	"log/slog"
	"net/http"
	"sync"

	"k8s.io/utils/clock"
)

// Config is what a Service works with.
type Config struct {
	// Clock is the time by which it waits; nil is the system's.
	Clock clock.WithTicker
	// Logger is where it logs; nil is nowhere. No secret is ever logged.
	Logger *slog.Logger
	// Roots are the authorities whose certificates connectors may have; nil is the system's.
	Roots *x509.CertPool
}

// Service is the notification system of one data center. Make it with [New].
type Service struct {
	clock  clock.WithTicker
	logger *slog.Logger
	roots  *x509.CertPool

	mu         sync.Mutex // guards all below
	assume     Assumptions
	client     *http.Client
	connectors map[string]*connector
	ledger     []*callout
	byID       map[string]*callout // the failed ones, by notification id
	published  int                 // callouts ever
	live       int                 // callouts that are queued or failed
	queued     int                 // bytes of bodies that wait
	underway   int
	change     chan struct{} // closed and replaced at every change
}

// New returns a Service without connectors, under [DefaultAssumptions].
func New(c Config) *Service {
	s := &Service{
		clock: c.Clock, logger: cmp.Or(c.Logger, slog.New(slog.DiscardHandler)), roots: c.Roots,
		connectors: map[string]*connector{}, byID: map[string]*callout{}, change: make(chan struct{}),
		assume: DefaultAssumptions(),
	}
	if s.clock == nil {
		s.clock = clock.RealClock{}
	}
	s.client = newClient(s.roots, s.assume.TLS13)
	return s
}

// SetAssumptions changes them for all that follows; notifications published before keep their bytes. The
// error is [ErrInvalid].
func (s *Service) SetAssumptions(a Assumptions) error {
	if err := a.Validate(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.TLS13 != s.assume.TLS13 {
		s.client.CloseIdleConnections()
		s.client = newClient(s.roots, a.TLS13)
	}
	s.assume = a
	s.changed()
	return nil
}

// changed wakes everyone who waits for a change; s.mu is held.
func (s *Service) changed() {
	close(s.change)
	s.change = make(chan struct{})
}
