//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
)

// networkNamespace is a namespace that no policy of ours knows.
const networkNamespace = "ess-operator-e2e-network"

// enforcementLimit is how long a network may take until a new policy holds. One that is later counts as one without policies.
const enforcementLimit = 20 * time.Second

// metadata is where clouds answer whoever asks about the node, with its credentials too.
const metadata = "169.254.169.254:80"

// way is a connection that somebody could make.
type way struct {
	from   *prober
	to     string // host and port
	open   bool   // whether our policies allow it
	reason string
}

// network is the probers, and the addresses of the pods that policies protect.
type network struct {
	*suite
	outsider, asReceiver, asManager   *prober
	receiver, manager, sink, emulator string
}

// policed tries both sides of every rule, from a foreign namespace and with the labels of the operator's own pods. It
// first finds out whether this cluster's network enforces policies at all; where it does not, only what they allow
// can be shown, and the output says so.
func (s *suite) policed(ctx context.Context) {
	s.t.Helper()
	n := s.probeNetwork(ctx)
	enforced := n.enforced(ctx)
	strangers, scrapers := n.strangers(), n.scrapers()
	if n.outsider.reaches(ctx, metadata) == nil {
		strangers = append(strangers, n.metadataWays()...)
	} else {
		s.note("nobody answers on %s here, so whether that is closed to the operator's pods was not tried", metadata)
	}
	open, closed := count(strangers, scrapers)
	n.hold(ctx, "the connections of a foreign namespace and of our pods", strangers, enforced)
	n.kubectl(ctx, "label", "namespace", networkNamespace, "metrics=enabled")
	n.hold(ctx, "the connections of a namespace with metrics=enabled", scrapers, enforced)
	if enforced {
		s.note("NetworkPolicies are enforced here: %d connections work, %d are refused", open, closed)
	} else {
		s.skip("NetworkPolicies", fmt.Sprintf("not enforced here: only that the %d connections which they allow work was checked, "+
			"not that %d others are refused", open, closed))
	}
	n.leave(ctx)
}

// strangers are the ways while the foreign namespace has no label.
func (n *network) strangers() []way {
	return []way{
		{n.outsider, at(n.receiver, 8443), true, "events come from everywhere, and prove where they come from"},
		{n.outsider, at(n.receiver, 9443), false, "the admin port is for the manager and for scrapers"},
		{n.outsider, at(n.manager, 8443), false, "the manager's metrics are for scrapers"},
		{n.outsider, at(n.manager, 8081), false, "health is for the kubelet, which is on the node"},
		{n.outsider, at(n.sink, 8080), false, "the sink takes events from the receiver alone"},
		{n.outsider, at(n.emulator, 6443), true, "SAP Concur is there for everybody"},
		{n.asReceiver, sinkName + "." + trialNamespace + ".svc:80", true, "a sink is called by its name, which takes DNS too"},
		{n.asReceiver, at(n.outsider.ip, 8443), true, "any pod may be a sink, on any port"},
		{n.asReceiver, at(n.manager, 8443), false, "the receiver is no scraper"},
		{n.asManager, adminHost + ":9443", true, "statistics, by the name of the Service"},
		{n.asManager, receiverHost + ":443", true, "recovered notifications, by the name of the Service"},
		{n.asManager, "ess-emulator.concur-emulator.svc:443", true, "the trial's Concur is on a port that the policy has"},
		{n.asManager, at(n.outsider.ip, 8443), false, "the manager knows Concur, the API server and the receiver, which are on other ports"},
		{n.asManager, at(n.sink, 8080), false, "events are the receiver's"},
	}
}

// scrapers are the ways of the foreign namespace once it has the label. Those that are open now show that the port was
// not refused before because nobody listens.
func (n *network) scrapers() []way {
	return []way{
		{n.outsider, adminHost + ":9443", true, "the receiver's metrics, by the name of the Service"},
		{n.outsider, "ess-operator-metrics.ess-operator-system.svc:8443", true, "the manager's metrics, by the name of the Service"},
		{n.outsider, at(n.receiver, 9443), true, "the receiver's metrics"},
		{n.outsider, at(n.manager, 8443), true, "the manager's metrics"},
		{n.outsider, at(n.manager, 8081), false, "health is no metric"},
		{n.outsider, at(n.sink, 8080), false, "the sink takes events from the receiver alone"},
	}
}

// metadataWays are for a cluster where others can ask about the node.
func (n *network) metadataWays() []way {
	return []way{
		{n.asReceiver, metadata, false, "a subscription must not make the receiver ask the cloud about the node"},
		{n.asManager, metadata, false, "a connection must not make the manager ask the cloud about the node"},
	}
}

func at(ip string, port int) string { return net.JoinHostPort(ip, strconv.Itoa(port)) }

func count(lists ...[]way) (open, closed int) {
	for _, list := range lists {
		for _, w := range list {
			if w.open {
				open++
			} else {
				closed++
			}
		}
	}
	return open, closed
}

// enforced tells whether the network keeps to policies: one that forbids everything has to cut off a pod which was connected
// before, and is again after.
func (n *network) enforced(ctx context.Context) bool {
	n.t.Helper()
	open := []way{{n.outsider, at(n.receiver, 8443), true, "no policy is about this pod"}}
	n.hold(ctx, "a foreign pod reaches the port for events", open, true)
	policies := n.clientset.NetworkingV1().NetworkPolicies(networkNamespace)
	_, err := policies.Create(ctx, &networkingv1.NetworkPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: "nothing"},
		Spec: networkingv1.NetworkPolicySpec{
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress},
		},
	}, metav1.CreateOptions{})
	n.must(err)
	err = wait.PollUntilContextTimeout(ctx, 300*time.Millisecond, enforcementLimit, true, func(ctx context.Context) (bool, error) {
		err := n.outsider.reaches(ctx, open[0].to)
		return errors.Is(err, errUnreached), nil
	})
	n.must(policies.Delete(ctx, "nothing", metav1.DeleteOptions{}))
	n.hold(ctx, "a foreign pod reaches the port for events again", open, true)
	return err == nil
}

// hold waits until all ways are as they should be, and then asks once more, so that a network which was only slow does not count
// as closed. Where policies are not enforced it leaves out what they forbid.
func (n *network) hold(ctx context.Context, what string, ways []way, enforced bool) {
	n.t.Helper()
	judge := func(ctx context.Context) error {
		faults := make([]error, len(ways))
		var all sync.WaitGroup
		for i, w := range ways {
			if w.open || enforced {
				all.Go(func() { faults[i] = w.judge(ctx) })
			}
		}
		all.Wait()
		return errors.Join(faults...)
	}
	n.eventually(ctx, what+" are as our policies have them", judge)
	n.eventually(ctx, what+" stay so", judge)
}

// judge is nil if the way is what it should be.
func (w *way) judge(ctx context.Context) error {
	switch err := w.from.reaches(ctx, w.to); {
	case w.open && err != nil:
		return fmt.Errorf("%s should reach %s (%s): %w", w.from.name, w.to, w.reason, err)
	case !w.open && err == nil:
		return fmt.Errorf("%s reaches %s, which should be refused: %s", w.from.name, w.to, w.reason)
	case !w.open && !errors.Is(err, errUnreached):
		return err // the prober itself could not be asked
	}
	return nil
}

// leave takes the probers away. The namespace goes by itself.
func (n *network) leave(ctx context.Context) {
	n.t.Helper()
	for _, p := range []*prober{n.outsider, n.asReceiver, n.asManager} {
		n.kubectl(ctx, "delete", "pod", "-n", p.namespace, p.name, "--grace-period=1", "--timeout=60s")
	}
	n.must(n.clientset.CoreV1().Namespaces().Delete(ctx, networkNamespace, metav1.DeleteOptions{}))
}

// podIP is the address of the one pod with these labels.
func (s *suite) podIP(ctx context.Context, namespace, labels string) string {
	s.t.Helper()
	pods, err := s.clientset.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{
		LabelSelector: labels, FieldSelector: "status.phase=" + string(corev1.PodRunning),
	})
	s.must(err)
	if len(pods.Items) != 1 {
		s.t.Fatalf("%d pods run in %s with the labels %s, want one", len(pods.Items), namespace, labels)
	}
	return pods.Items[0].Status.PodIP
}
