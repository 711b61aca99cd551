package statistics

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
)

// bench is a poller with one object, and a clock to push.
type bench struct {
	*Poller
	clock *clocktesting.FakePassiveClock
	sub   *v1alpha1.EventSubscription
	name  types.NamespacedName
}

func newBench() *bench {
	clk := clocktesting.NewFakePassiveClock(noon)
	sub := &v1alpha1.EventSubscription{ObjectMeta: metav1.ObjectMeta{Namespace: "finance", Name: "reports"}}
	return &bench{Poller: New(Config{Clock: clk}), clock: clk, sub: sub, name: types.NamespacedName{Namespace: "finance", Name: "reports"}}
}

// learned passes some time, has the poller learn of a route, and reports whether the object was woken.
func (b *bench) learned(after time.Duration, change func(*route)) bool {
	b.clock.SetTime(b.clock.Now().Add(after))
	r := route{Received: 1, LastEventTime: noon}
	r.Route.Kind, r.Route.Namespace, r.Route.Name = "subscription", b.name.Namespace, b.name.Name
	change(&r)
	known := map[object]Report{}
	if b.sub.Status.Delivery != nil {
		known[object{subscription, b.name}] = Report{Delivery: *b.sub.Status.Delivery}
	} else {
		known[object{subscription, b.name}] = Report{}
	}
	woken := b.learn(known, []route{r})
	return len(woken) == 1 && woken[0] == object{subscription, b.name}
}

func TestAnObjectIsLeftAlone(t *testing.T) {
	t.Parallel()
	b := newBench()
	steps := []struct {
		reason string
		after  time.Duration
		change func(*route)
		want   bool
	}{
		{"the first event", 0, func(*route) {}, true},
		{"nothing new", time.Minute, func(*route) {}, false},
		{"a failure, and it has just been woken", time.Minute, func(r *route) { r.LastError = "no" }, false},
		{"the failure goes on", 3 * time.Minute, func(r *route) { r.LastError = "no" }, true},
		{"it comes and goes", time.Minute, func(*route) {}, false},
		{"traffic", time.Minute, func(r *route) { r.LastError, r.Received = "no", 900 }, false},
		{"the failure is over", 5 * time.Minute, func(*route) {}, true},
		{"traffic of an hour", 48 * time.Minute, func(r *route) { r.LastEventTime = noon.Add(time.Hour) }, false},
		{"LAST EVENT would be too late", time.Minute, func(r *route) { r.LastEventTime = noon.Add(time.Hour + time.Second) }, true},
	}
	for _, s := range steps {
		if got := b.learned(s.after, s.change); got != s.want {
			t.Errorf("woken is %t: %s", got, s.reason)
		}
	}
	if report, ok := b.Of(b.name); !ok || !report.Delivery.LastEventTime.Time.Equal(noon.Add(time.Hour+time.Second)) {
		t.Errorf("what is told is %+v, %t", report, ok)
	}
}

func TestTrafficIsWrittenOnceAnHour(t *testing.T) {
	t.Parallel()
	b := newBench()
	woken := 0
	const minutes = 24 * 60
	for range minutes {
		if b.learned(time.Minute, func(r *route) {
			r.LastEventTime = b.clock.Now()
			r.Received = uint64(b.clock.Since(noon) / time.Second)
			r.Pending, r.OldestPending = 2, b.clock.Now().Add(-time.Second)
		}) {
			woken++
		}
	}
	if woken > 24 {
		t.Errorf("an object with nothing but traffic was woken %d times a day", woken)
	}
}

func TestANewProcessGoesOnFromStatus(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.sub.Status.Delivery = &v1alpha1.DeliveryStatus{Received: 1, LastEventTime: at(noon)}
	if b.learned(0, func(r *route) { r.Received = 30 }) {
		t.Error("after a restart an object is woken for what its status says")
	}
	if report, ok := b.Of(b.name); !ok || report.Delivery.Received != 1 {
		t.Errorf("what is told is %+v, %t: status would be written", report, ok)
	}
	if !b.learned(0, func(r *route) { r.DeadLettered = 1 }) {
		t.Error("after a restart an object is not woken for what is new")
	}
}

func TestTestConnectionIsTold(t *testing.T) {
	t.Parallel()
	p := New(Config{Clock: clocktesting.NewFakePassiveClock(noon)})
	name := types.NamespacedName{Namespace: "finance", Name: "reports"}
	key := object{connector, name}
	learn := func(written, tested time.Time) bool {
		r := route{LastTestConnection: tested}
		r.Route.Kind, r.Route.Namespace, r.Route.Name = connector, name.Namespace, name.Name
		return len(p.learn(map[object]Report{key: {LastTestConnection: written}}, []route{r})) == 1
	}
	if learn(noon, time.Time{}) {
		t.Error("woken because the receiver was started anew")
	}
	if !learn(noon, noon.Add(time.Minute)) {
		t.Error("somebody pressed the button, and does not see it")
	}
	if report, ok := p.OfConnector(name); !ok || !report.LastTestConnection.Equal(noon.Add(time.Minute)) {
		t.Errorf("what is told is %+v, %t", report, ok)
	}
	if _, ok := p.Of(name); ok {
		t.Error("a connector is taken for a subscription of the same name")
	}
}

func TestOthersRoutesAreNotOurs(t *testing.T) {
	t.Parallel()
	b := newBench()
	if b.learned(0, func(r *route) { r.Route.Kind = "connector" }) || b.learned(0, func(r *route) { r.Route.Name = "other" }) {
		t.Error("woken for a connector of the same name, or for a route by hand")
	}
	if _, ok := b.Of(b.name); ok {
		t.Error("something is told of an object that the receiver did not mention")
	}
}
