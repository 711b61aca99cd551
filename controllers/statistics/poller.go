package statistics

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-logr/logr"
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
	// Objects reads EventSubscriptions, from the cache.
	Objects client.Reader
	// Wake has an object looked at again, because there is something new about it.
	Wake func(ctx context.Context, object types.NamespacedName)
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
	told map[types.NamespacedName]told
}

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
	return &Poller{cfg: cfg, told: map[types.NamespacedName]told{}}
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

// Of is what was last told about an object; ok is false when nothing is known.
func (p *Poller) Of(object types.NamespacedName) (report Report, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t, ok := p.told[object]
	return t.report, ok
}

// Poll asks once, and wakes the objects that have something new to tell. Without
// an object that uses the receiver it does not ask.
func (p *Poller) Poll(ctx context.Context) error {
	var subs v1alpha1.EventSubscriptionList
	if err := p.cfg.Objects.List(ctx, &subs, client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("listing EventSubscriptions: %w", err)
	}
	known := map[types.NamespacedName]*v1alpha1.EventSubscription{}
	for i := range subs.Items {
		if sub := &subs.Items[i]; sub.Spec.Endpoint.Receiver != nil {
			known[client.ObjectKeyFromObject(sub)] = sub
		}
	}
	if len(known) == 0 {
		p.replace(nil)
		return nil
	}
	routes, err := p.cfg.Receiver.ask(ctx)
	if err != nil {
		return err
	}
	for _, name := range p.learn(known, routes) {
		p.cfg.Wake(ctx, name)
	}
	return nil
}

// learn takes over what the receiver said, and returns the objects that have something new to tell.
func (p *Poller) learn(known map[types.NamespacedName]*v1alpha1.EventSubscription, routes []route) []types.NamespacedName {
	now := p.cfg.Clock.Now()
	next := make(map[types.NamespacedName]told, len(known))
	var changed []types.NamespacedName
	for _, r := range routes {
		name := types.NamespacedName{Namespace: r.Route.Namespace, Name: r.Route.Name}
		sub := known[name]
		if r.Route.Kind != "subscription" || sub == nil {
			continue
		}
		before := p.before(name, sub)
		report := keep(before.report, reportOf(r, now))
		quiet := before.at.IsZero() || now.Sub(before.at) >= pauses*p.cfg.Interval
		next[name] = before
		if quiet && worth(before.report, report) {
			next[name] = told{report: report, at: now}
			changed = append(changed, name)
		}
	}
	p.replace(next)
	return changed
}

// before is what was told about an object: by this process, or else by one before it.
func (p *Poller) before(name types.NamespacedName, sub *v1alpha1.EventSubscription) told {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t, ok := p.told[name]; ok {
		return t
	}
	if sub.Status.Delivery == nil {
		return told{}
	}
	return told{report: Report{Delivery: *sub.Status.Delivery}}
}

func (p *Poller) replace(next map[types.NamespacedName]told) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = next
}
