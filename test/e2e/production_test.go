//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
)

// overlay is config/default as somebody runs it who keeps the journal on a volume.
const overlay = "test/e2e/testdata/production"

// world is an installation with Concur at one end and a sink at the other.
type world struct {
	*suite
	concur *concur
	sink   *sink
	load   *load
	probes int // events of flows so far
}

// production upgrades from the previous release and then does, under load, what happens to a cluster in a year.
func production(ctx context.Context, s *suite) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w := s.open(ctx)
	w.installAndUpgrade(ctx)
	w.load = w.startLoad(ctx, w.concur, "load")
	for _, step := range []struct {
		what  string
		limit time.Duration
		do    func(context.Context)
	}{
		{"rolling update of the manager: no PUT, one LIST", 2 * time.Minute, w.replaceManager},
		{"rolling update of the receiver", 2 * time.Minute, w.replaceReceiver},
		{"rotate OAuth secret, certificates, token and signing key", 4 * time.Minute, w.rotate},
		{"the receiver is killed", 2 * time.Minute, w.killReceiver},
		{"drain the node, and let pods on it again", 3 * time.Minute, w.drain},
		{"end of the load: ESS, receiver and sink agree", 3 * time.Minute, w.endLoad},
		{"sink down, receiver's pod replaced: the volume keeps events", 3 * time.Minute, w.outage},
		{"a namespace with a subscription in it is deleted", 2 * time.Minute, w.deleteNamespace},
		{"remove all but the definitions, install again: no PUT", 3 * time.Minute, w.goAndReturn},
		{"uninstall: ESS keeps every subscription", 2 * time.Minute, w.uninstall},
	} {
		w.step(ctx, step.what, step.limit, step.do)
	}
}

// open is a world whose ends are connected, as soon as they run, for as long as ctx lives.
func (s *suite) open(ctx context.Context) *world {
	return &world{suite: s, concur: s.reach(ctx), sink: s.watchSink(ctx)}
}

// meetConcur waits for the emulator. Failed deliveries are tried again within five seconds and not minutes, so that a run stays
// short.
func (w *world) meetConcur(ctx context.Context) {
	w.t.Helper()
	w.eventually(ctx, "the emulator answers", func(ctx context.Context) error {
		return w.concur.call(ctx, "PATCH", "/v1/assumptions", `{"backoff-max":"5s"}`, nil)
	})
}

// unwritten fails when ESS was written to since the log of calls was begun, and returns the number of LISTs.
func (w *world) unwritten(ctx context.Context) (lists int) {
	w.t.Helper()
	calls, err := w.concur.calls(ctx)
	w.must(err)
	if calls["put"]+calls["delete"] > 0 {
		w.t.Errorf("ESS was called %v, want no put and no delete", calls)
	}
	return calls["list"]
}

// readySince tells since when the subscription has been ready.
func (w *world) readySince(ctx context.Context) metav1.Time {
	w.t.Helper()
	var sub v1alpha1.EventSubscription
	w.must(w.client.Get(ctx, types.NamespacedName{Namespace: trialNamespace, Name: subscriptionName}, &sub))
	ready := meta.FindStatusCondition(sub.Status.Conditions, v1alpha1.ReadyCondition)
	if ready == nil || ready.Status != metav1.ConditionTrue {
		w.t.Fatalf("the subscription is not ready: %+v", ready)
	}
	return ready.LastTransitionTime
}

// handled asks for a reconcile now and waits for its end, which needs a call to ESS.
func (w *world) handled(ctx context.Context) {
	w.t.Helper()
	request := time.Now().UTC().Format(time.RFC3339Nano)
	w.kubectl(ctx, "annotate", "-n", trialNamespace, subscription, "--overwrite", v1alpha1.ReconcileRequestedAtAnnotation+"="+request)
	w.kubectl(ctx, "wait", "-n", trialNamespace, "--for=jsonpath={.status.lastHandledReconcileAt}="+request, "--timeout=60s", subscription)
}

func (w *world) replaceManager(ctx context.Context) {
	before := w.readySince(ctx)
	w.must(w.concur.forgetCalls(ctx))
	w.kubectl(ctx, "rollout", "restart", "-n", operatorNamespace, "deployment/"+managerName)
	w.kubectl(ctx, "rollout", "status", "-n", operatorNamespace, "deployment/"+managerName)
	w.handled(ctx) // by the new one, which has listed by then
	if lists := w.unwritten(ctx); lists > maxLists {
		w.t.Errorf("the new manager listed %d times, want at most %d", lists, maxLists)
	}
	if after := w.readySince(ctx); !after.Equal(&before) {
		w.t.Errorf("the subscription was ready since %s, and is now since %s: it flapped", before, after)
	}
}

// maxLists is what a restart may cost at ESS: the listing of a new manager, that of the reconcile which we ask for, and a
// resync that may be due meanwhile.
const maxLists = 3

func (w *world) replaceReceiver(ctx context.Context) {
	w.must(w.concur.forgetCalls(ctx))
	w.kubectl(ctx, "rollout", "restart", "-n", operatorNamespace, "deployment/"+receiverName)
	w.kubectl(ctx, "rollout", "status", "-n", operatorNamespace, "deployment/"+receiverName)
	w.flows(ctx)
	w.unwritten(ctx)
}

// killReceiver gives the receiver a second, of which it needs more to drain: what it acknowledged and has not handed on is on
// the volume alone.
func (w *world) killReceiver(ctx context.Context) {
	w.kubectl(ctx, "delete", "pod", "-n", operatorNamespace, "-l", "app.kubernetes.io/component=receiver", "--grace-period=1", "--timeout=60s")
	w.rolledOut(ctx)
	w.flows(ctx)
}

// flows waits until an event that happens now is in the sink.
func (w *world) flows(ctx context.Context) {
	w.t.Helper()
	w.probes++
	id := fmt.Sprintf("e2e-probe-%06d", w.probes)
	w.must(w.concur.publish(ctx, id))
	w.eventually(ctx, "an event of now reaches the sink", func(context.Context) error { return w.sink.has([]string{id}) })
}

func (w *world) endLoad(ctx context.Context) { w.account(ctx, w.load, w.sink) }

// drain empties the node of the receiver by the eviction API, which keeps to disruption budgets, and only of the operator's
// pods: the emulator keeps what it knows in memory. Where there is another node the pods go there at once.
func (w *world) drain(ctx context.Context) {
	pods, err := w.clientset.CoreV1().Pods(operatorNamespace).List(ctx, metav1.ListOptions{LabelSelector: "app.kubernetes.io/component=receiver"})
	w.must(err)
	if len(pods.Items) != 1 {
		w.t.Fatalf("%d pods of the receiver, want one", len(pods.Items))
	}
	name := pods.Items[0].Spec.NodeName
	var nodes corev1.NodeList
	w.must(w.client.List(ctx, &nodes))
	if len(nodes.Items) == 1 {
		w.skip("pods move to another node", "there is none; they wait for this one")
	}
	var node corev1.Node
	w.must(w.client.Get(ctx, types.NamespacedName{Name: name}, &node))
	patch := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"annotations":{"`+cordoned+`":"drained"}}}`))
	w.must(w.client.Patch(ctx, &node, patch))
	w.kubectl(ctx, "drain", name, "--pod-selector=app.kubernetes.io/name=ess-operator", "--ignore-daemonsets",
		"--delete-emptydir-data", "--timeout=2m")
	w.must(w.uncordon(ctx))
	w.rolledOut(ctx)
	w.flows(ctx)
}

// outage shows that what was acknowledged is on the volume and not in the pod.
func (w *world) outage(ctx context.Context) {
	w.sinkScaled(ctx, 0)
	ids := w.burst(ctx, w.concur, "outage", 50)
	w.acknowledged(ctx, "e2e-outage-", len(ids))
	w.kubectl(ctx, "delete", "pod", "-n", operatorNamespace, "-l", "app.kubernetes.io/component=receiver", "--timeout=60s")
	w.rolledOut(ctx)
	w.sinkScaled(ctx, 1)
	w.eventually(ctx, "what was stored before arrives", func(context.Context) error { return w.sink.has(ids) })
}

// sinkScaled waits until the sink has so many pods.
func (w *world) sinkScaled(ctx context.Context, replicas int) {
	w.t.Helper()
	w.kubectl(ctx, "scale", "-n", trialNamespace, "deployment/"+sinkName, fmt.Sprintf("--replicas=%d", replicas))
	if replicas > 0 {
		w.kubectl(ctx, "rollout", "status", "-n", trialNamespace, "deployment/"+sinkName)
		return
	}
	w.kubectl(ctx, "wait", "-n", trialNamespace, "--for=delete", "pod", "-l", sinkLabels, "--timeout=60s")
}

// acknowledged waits until ESS got 2xx for so many events of a prefix, of which the sink has none.
func (w *world) acknowledged(ctx context.Context, prefix string, n int) {
	w.t.Helper()
	w.eventually(ctx, "ESS has delivered "+prefix+"*", func(ctx context.Context) error {
		deliveries, err := w.concur.deliveries(ctx, prefix)
		if err != nil {
			return err
		}
		t := tallyOf(deliveries)
		if len(t.acknowledged) != n {
			return fmt.Errorf("%d of %d events are acknowledged; lost: %v", len(t.acknowledged), n, t.lost)
		}
		return nil
	})
	if early := w.sink.count(prefix); early > 0 {
		w.t.Errorf("the sink was down and has %d events of %s*", early, prefix)
	}
}
