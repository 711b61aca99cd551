package essemulator

import (
	"crypto/x509"
	"log/slog"
	"sync"

	"k8s.io/utils/clock"
)

// Emulator is one data center of SAP Concur as far as ESS is concerned. Make it with [New].
type Emulator struct {
	clock  clock.WithTicker
	logger *slog.Logger
	keys   Keys
	roots  *x509.CertPool // whom deliveries trust; nil is the system's and keys' own CA

	log    requestLog
	faults faultBook

	mu      sync.Mutex // guards all below
	assume  Assumptions
	baseURL string
	apps    map[string]*application
	subs    map[string]*Subscription
	tokens  map[tokenHash]grant
	change  chan struct{} // closed and replaced at every change
}

// Option changes how [New] makes an emulator.
type Option func(*Emulator)

// WithClock replaces the system clock.
func WithClock(c clock.WithTicker) Option { return func(e *Emulator) { e.clock = c } }

// WithLogger says where the emulator logs; the default is nowhere. No secret is ever logged.
func WithLogger(l *slog.Logger) Option { return func(e *Emulator) { e.logger = l } }

// WithAssumptions replaces [DefaultAssumptions].
func WithAssumptions(a Assumptions) Option { return func(e *Emulator) { e.assume = a } }

// WithKeys replaces the keys and certificates, which are otherwise made once per process.
func WithKeys(k Keys) Option { return func(e *Emulator) { e.keys = k } }

// WithDeliveryRoots says which authorities may have issued the certificates of endpoints. The default is
// the system's and the CA of the keys.
func WithDeliveryRoots(roots *x509.CertPool) Option { return func(e *Emulator) { e.roots = roots } }

// New returns an emulator without applications and subscriptions. The error is [ErrInvalid] for assumptions
// that cannot be, or comes from making keys.
func New(opts ...Option) (*Emulator, error) {
	e := &Emulator{
		clock: clock.RealClock{}, logger: slog.New(slog.DiscardHandler), assume: DefaultAssumptions(),
		apps: map[string]*application{}, subs: map[string]*Subscription{}, tokens: map[tokenHash]grant{},
		change: make(chan struct{}),
	}
	for _, opt := range opts {
		opt(e)
	}
	if err := e.assume.validate(); err != nil {
		return nil, err
	}
	if e.keys.Token == nil {
		k, err := sharedKeys()
		if err != nil {
			return nil, err
		}
		e.keys = k
	}
	return e, nil
}

// SetBaseURL sets what tokens name as geolocation and issuer. Until then it is the scheme and host that the
// client called.
func (e *Emulator) SetBaseURL(u string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.baseURL = u
}

// Assumptions returns those in force.
func (e *Emulator) Assumptions() Assumptions {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.assume
}

// SetAssumptions changes them for all that follows; tokens and pending deletions keep the times they got.
// The error is [ErrInvalid].
func (e *Emulator) SetAssumptions(a Assumptions) error {
	if err := a.validate(); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.assume = a
	return nil
}
