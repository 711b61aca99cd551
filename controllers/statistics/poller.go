package statistics

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/telemetry"
)

// Interval is how often the receiver is asked.
const Interval = time.Minute

// pauses is for how many intervals an object is left alone after something was told about it.
const pauses = 5

// Config is what a Poller needs.
type Config struct {
	// Receiver is who is asked.
	Receiver Receiver
	// Objects reads EventSubscriptions and ApplicationConnectors, from the cache.
	Objects client.Reader
	// Wake has an object looked at again, because there is something new about it.
	Wake func(ctx context.Context, object types.NamespacedName)
	// WakeConnector does so for ApplicationConnectors.
	WakeConnector func(ctx context.Context, object types.NamespacedName)
	// Interval between questions; 0: Interval.
	Interval time.Duration
	// Clock tells the time.
	Clock clock.PassiveClock
}

// Poller asks the receiver for statistics while it runs.
type Poller struct {
	cfg  Config
	last error // of the attempt before; only the loop uses it

	mu   sync.Mutex
	told map[object]told
}

// object is an EventSubscription or an ApplicationConnector.
type object struct {
	kind string // as the receiver has it
	name types.NamespacedName
}

// The receiver's words for the kinds of routes.
const (
	subscription = "subscription"
	connector    = "connector"
)

// told is what was told about an object, and when.
type told struct {
	report Report
	at     time.Time // zero: by an earlier process, or nothing was
}

// New returns a Poller that was not started.
func New(cfg Config) *Poller {
	if cfg.Interval == 0 {
		cfg.Interval = Interval
	}
	return &Poller{cfg: cfg, told: map[object]told{}}
}

// NeedLeaderElection says that only the leader asks, since only the leader writes.
func (p *Poller) NeedLeaderElection() bool { return true }

// Start asks at once and then after every interval, until ctx ends.
func (p *Poller) Start(ctx context.Context) error {
	log := logf.FromContext(ctx).WithName("statistics")
	ticker := time.NewTicker(p.cfg.Interval)
	defer ticker.Stop()
	for {
		p.note(ctx, log, p.Poll(ctx))
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// note counts an attempt, and logs it when it ended otherwise than the one before.
func (p *Poller) note(ctx context.Context, log logr.Logger, err error) {
	if ctx.Err() != nil {
		return
	}
	telemetry.CountPoll(result(err), p.cfg.Clock.Now())
	switch {
	case err == nil && p.last != nil:
		log.Info("the receiver tells its statistics again")
	case err != nil && (p.last == nil || result(err) != result(p.last)):
		log.Error(err, "asking the receiver for statistics; status.delivery stays as it is until it answers", "url", p.cfg.Receiver.URL)
	}
	p.last = err
}

// result is the label of a metric for how an attempt ended.
func result(err error) string {
	if err == nil {
		return "ok"
	}
	for _, kind := range []error{errFiles, errUnreachable, errRefused, errInvalid} {
		if errors.Is(err, kind) {
			return kind.Error()
		}
	}
	return "internal"
}

// Of is what was last told about an EventSubscription; ok is false when nothing is known.
func (p *Poller) Of(name types.NamespacedName) (report Report, ok bool) {
	return p.of(object{subscription, name})
}

// OfConnector is what was last told about an ApplicationConnector; ok is false when nothing is known.
func (p *Poller) OfConnector(name types.NamespacedName) (report Report, ok bool) {
	return p.of(object{connector, name})
}

func (p *Poller) of(o object) (report Report, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t, ok := p.told[o]
	return t.report, ok
}

// Poll asks once, and wakes the objects that have something new to tell. Without
// an object that uses the receiver it does not ask.
func (p *Poller) Poll(ctx context.Context) error {
	known, err := p.known(ctx)
	if err != nil {
		return err
	}
	if len(known) == 0 {
		p.replace(nil)
		return nil
	}
	routes, err := p.cfg.Receiver.ask(ctx)
	if err != nil {
		return err
	}
	for _, o := range p.learn(known, routes) {
		if o.kind == connector {
			p.cfg.WakeConnector(ctx, o.name)
		} else {
			p.cfg.Wake(ctx, o.name)
		}
	}
	return nil
}

// known are the objects that use the receiver, with what their status says.
func (p *Poller) known(ctx context.Context) (map[object]Report, error) {
	var subs v1alpha1.EventSubscriptionList
	if err := p.cfg.Objects.List(ctx, &subs, client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency); err != nil {
		return nil, fmt.Errorf("listing EventSubscriptions: %w", err)
	}
	var connectors v1alpha1.ApplicationConnectorList
	if err := p.cfg.Objects.List(ctx, &connectors, client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency); err != nil && !meta.IsNoMatchError(err) {
		return nil, fmt.Errorf("listing ApplicationConnectors: %w", err)
	}
	known := map[object]Report{}
	note := func(o object, delivery *v1alpha1.DeliveryStatus, tested *metav1.Time) {
		r := Report{}
		if delivery != nil {
			r.Delivery = *delivery
		}
		if tested != nil {
			r.LastTestConnection = tested.Time
		}
		known[o] = r
	}
	for i := range subs.Items {
		if sub := &subs.Items[i]; sub.Spec.Endpoint.Receiver != nil {
			note(object{subscription, client.ObjectKeyFromObject(sub)}, sub.Status.Delivery, nil)
		}
	}
	for i := range connectors.Items {
		status := &connectors.Items[i].Status
		note(object{connector, client.ObjectKeyFromObject(&connectors.Items[i])}, status.Delivery, status.LastTestConnectionTime)
	}
	return known, nil
}

// learn takes over what the receiver said, and returns the objects that have something new to tell.
func (p *Poller) learn(known map[object]Report, routes []route) []object {
	now := p.cfg.Clock.Now()
	next := make(map[object]told, len(known))
	var changed []object
	for _, r := range routes {
		o := object{r.Route.Kind, types.NamespacedName{Namespace: r.Route.Namespace, Name: r.Route.Name}}
		written, ok := known[o]
		if !ok {
			continue
		}
		before := p.before(o, written)
		report := keep(before.report, reportOf(r, now))
		quiet := before.at.IsZero() || now.Sub(before.at) >= pauses*p.cfg.Interval
		next[o] = before
		if quiet && worth(before.report, report) {
			next[o] = told{report: report, at: now}
			changed = append(changed, o)
		}
	}
	p.replace(next)
	return changed
}

// before is what was told about an object: by this process, or else, as its status says, by one before it.
func (p *Poller) before(o object, written Report) told {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t, ok := p.told[o]; ok {
		return t
	}
	return told{report: written}
}

func (p *Poller) replace(next map[object]told) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = next
}
