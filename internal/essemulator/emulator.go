package essemulator

import (
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"

	"k8s.io/utils/clock"

	"github.com/ess-operator/ess-operator/internal/essemulator/callout"
)

// Emulator is one data center of SAP Concur as far as ESS is concerned. Make it with [New].
type Emulator struct {
	clock  clock.WithTicker
	logger *slog.Logger
	keys   Keys           // Webhook is guarded by mu, the rest never changes
	roots  *x509.CertPool // whom deliveries trust; nil is the system's and keys' own CA

	client   *http.Client // of deliveries
	callouts *callout.Service

	log     requestLog
	faults  faultBook
	running atomic.Bool

	mu      sync.Mutex // guards all below
	assume  Assumptions
	baseURL string
	apps    map[string]*application
	subs    map[string]*Subscription
	tokens  map[tokenHash]grant
	users   map[tokenHash]UserToken
	change  chan struct{} // closed and replaced at every change

	lanes     map[string]*lane // by subscription
	ledger    []*delivery
	published int // deliveries ever
	waiting   int // deliveries not settled
	underway  int
	random    *rand.Rand // decides on duplicates

	disguise    Disguise
	certificate *tls.Certificate // what deliveries present
	announced   *rsa.PrivateKey  // of the next rotation; nil until somebody asks
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
		users:  map[tokenHash]UserToken{},
		change: make(chan struct{}), lanes: map[string]*lane{},
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
	return e, e.prepareDeliveries()
}

// prepareDeliveries completes the parts that depend on options.
func (e *Emulator) prepareDeliveries() error {
	e.random = seeded(e.assume.Seed)
	if e.roots == nil {
		e.roots = DefaultRoots(e.keys)
	}
	e.client = e.newClient()
	e.callouts = callout.New(callout.Config{Clock: e.clock, Logger: e.logger, Roots: e.roots})
	if err := e.callouts.SetAssumptions(e.assume.Callout); err != nil {
		return err
	}
	cert, err := e.keys.webhookCertificate(CertificateValid)
	e.certificate = cert
	return err
}

// Callouts is the Event Notification callout of this data center: connectors, queues and failures. They follow
// the emulator's clock and assumptions; [Emulator.Run] sends them.
func (e *Emulator) Callouts() *callout.Service { return e.callouts }

// seeded is a source that gives the same numbers for the same seed. It guards nothing.
func seeded(seed uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, 0))
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
	if a.Seed != e.assume.Seed {
		e.random = seeded(a.Seed)
	}
	e.assume = a
	e.changed()
	return e.callouts.SetAssumptions(a.Callout)
}
