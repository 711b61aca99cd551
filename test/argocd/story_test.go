package argocd_test

import (
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
)

// held is the id of the example's subscription at ESS.
const held = "finance.expense-reports"

// TestStory plays the life of the example, one chapter after the other on one cluster.
//
//nolint:paralleltest // the chapters need one another, and there is no other test
func TestStory(t *testing.T) {
	story := newStage(t)
	for _, chapter := range []struct {
		name string
		play func(*stage)
	}{
		{"OperatorComesFirst", playOperator},
		{"SecretIsAwaited", playSecret},
		{"SubscriptionFollows", playSubscription},
		{"DriftOfTheSpecIsHealed", playSpecDrift},
		{"DriftAtESSIsNoDriftInTheCluster", playRemoteDrift},
		{"SuspendAndResume", playSuspend},
		{"DegradedSaysWhy", playDegraded},
		{"BrokenCommitChangesNothing", playBroken},
		{"WaysToApply", playWays},
		{"HelmChart", playHelm},
		{"PruneDeletesAtESS", playPrune},
		{"RootGoesInOrder", playEnd},
	} {
		start := time.Now()
		if !t.Run(chapter.name, func(t *testing.T) { chapter.play(story.on(t)) }) {
			t.Fatalf("the chapters after it need %s; the logs of Argo CD:\n%s", chapter.name, suite.argo.logs())
		}
		t.Logf("%s took %.0f s", chapter.name, time.Since(start).Seconds())
	}
}

func playOperator(s *stage) {
	s.apply(s.repo.work + "/root.yaml")
	s.eventually("ess-operator", "Synced Healthy", "")
	for _, name := range []string{"concurconnections", "eventsubscriptions", "applicationconnectors"} {
		var definition apiextensionsv1.CustomResourceDefinition
		s.Expect(suite.client.Get(s.t.Context(), types.NamespacedName{Name: name + "." + v1alpha1.GroupVersion.Group}, &definition)).To(gomega.Succeed())
	}
}

func playSecret(s *stage) {
	s.Eventually(func() string { return s.health("ConcurConnection") }).Should(gomega.HavePrefix("Progressing Waiting for the operator"))
	s.Expect(s.apps.of("ess-operator")).To(gomega.ContainElement("Synced Healthy"), "the second wave came before the first was healthy")
}

// playSubscription starts the manager, and sees to it that each wave waits for the one before.
func playSubscription(s *stage) {
	s.startManager()
	s.Eventually(func() string { return s.health("ConcurConnection") }).Should(gomega.HavePrefix("Progressing SecretNotFound: "))
	s.Consistently(func() any { return s.subscription("finance") }, "3s").Should(gomega.BeNil(), "the subscription came before its connection worked")
	s.secret("finance")
	s.eventually("finance", "Synced Healthy", "")
	s.eventually("concur", "Synced Healthy", "")
	s.Expect(s.health("ConcurConnection")).To(gomega.HavePrefix("Healthy Connected: "))
	s.Expect(s.health("EventSubscription")).To(gomega.And(gomega.HavePrefix("Healthy Subscribed: "), gomega.ContainSubstring("NoCompanies: ")))
	s.Expect(s.filters()).To(gomega.Equal(map[string]string{held: ".*"}))
	s.Expect(s.apps.of("finance")).To(gomega.ContainElement(gomega.HaveSuffix("Progressing")))
	s.Eventually(func() string { return state(s.application("ess-operator")) }).Should(gomega.Equal("Synced Healthy"),
		"what the manager writes into its Secrets is a difference to Argo CD")
}

// edit patches the subscription as somebody with kubectl would.
func (s *stage) edit(namespace string, change func(*v1alpha1.EventSubscription)) {
	s.t.Helper()
	sub := s.subscription(namespace)
	before := sub.DeepCopy()
	change(sub)
	s.Expect(suite.client.Patch(s.t.Context(), sub, client.MergeFrom(before))).To(gomega.Succeed())
}

func playSpecDrift(s *stage) {
	s.edit("finance", func(sub *v1alpha1.EventSubscription) { sub.Spec.Topic = "public.concur.request" })
	s.Eventually(func() string { return s.subscription("finance").Spec.Topic }).Should(gomega.Equal("public.concur.expense.report"))
	s.eventually("finance", "Synced Healthy", "")
	s.Expect(s.ess.Subscriptions(appID)[0].Topic).To(gomega.Equal("public.concur.expense.report"))
}

// playRemoteDrift is about a change at ESS: the operator's business, and none of git's.
func playRemoteDrift(s *stage) {
	s.quietly("finance", func() {
		changed := s.ess.Subscriptions(appID)[0]
		changed.Filter = "theirs"
		s.ess.PutSubscription(changed)
		s.Expect(s.filters()).To(gomega.Equal(map[string]string{held: "theirs"}))
		s.act("reconcile", "ConcurConnection", "acme-us")
		s.Eventually(s.filters).Should(gomega.Equal(map[string]string{held: ".*"}))
		s.act("reconcile", "EventSubscription", "expense-reports")
		requested := s.subscription("finance").Annotations[v1alpha1.ReconcileRequestedAtAnnotation]
		s.Expect(requested).NotTo(gomega.BeEmpty())
		s.Eventually(func() string { return s.subscription("finance").Status.LastHandledReconcileAt }).Should(gomega.Equal(requested))
		s.argocd("app", "get", "finance", "--hard-refresh")
	})
	s.eventually("finance", "Synced Healthy", "")
}

// act runs one of our actions through Argo CD.
func (s *stage) act(action, kind, name string) {
	s.t.Helper()
	s.argocd("app", "actions", "run", "finance", action, "--kind", kind, "--resource-name", name)
}

// offered are the actions on the subscription, and whether they are disabled.
func (s *stage) offered() map[string]string {
	s.t.Helper()
	actions := map[string]string{}
	for line := range strings.Lines(s.argocd("app", "actions", "list", "finance", "--kind", "EventSubscription")) {
		if cells := strings.Fields(line); len(cells) == 5 && cells[1] == "EventSubscription" {
			actions[cells[3]] = cells[4]
		}
	}
	return actions
}

func playSuspend(s *stage) {
	s.quietly("finance", func() {
		s.act("suspend", "EventSubscription", "expense-reports")
		s.eventually("finance", "Synced Suspended", "")
		s.Expect(s.health("EventSubscription")).To(gomega.HavePrefix("Suspended spec.suspend is true. Subscribed: "))
		changed := s.ess.Subscriptions(appID)[0]
		changed.Filter = "theirs"
		s.ess.PutSubscription(changed)
		s.act("reconcile", "EventSubscription", "expense-reports")
		s.Eventually(func() string { return s.health("EventSubscription") }).Should(
			gomega.HaveSuffix("filter is theirs at ESS, and would become .*"))
		s.Consistently(s.filters, "6s", "500ms").Should(gomega.Equal(map[string]string{held: "theirs"}), "self-heal resumed it")
		s.Expect(s.offered()).To(gomega.Equal(map[string]string{"reconcile": "false", "resume": "false", "suspend": "true"}), "disabled or not")
		s.act("resume", "EventSubscription", "expense-reports")
		s.Eventually(s.filters).Should(gomega.Equal(map[string]string{held: ".*"}))
		s.eventually("finance", "Synced Healthy", "")
	})

	// Where git has the field, git decides.
	s.repo.replace("finance/subscription.yaml", "spec:\n", "spec:\n  suspend: false\n")
	decided := s.repo.push("Never suspended")
	s.hasty()
	s.eventually("finance", "Synced Healthy", decided)
	s.act("suspend", "EventSubscription", "expense-reports")
	s.Eventually(func() bool { return s.subscription("finance").Spec.Suspend }).Should(gomega.BeFalse())
	undone := s.repo.undo()
	s.hasty()
	s.eventually("finance", "Synced Healthy", undone)
}

func playDegraded(s *stage) {
	s.repo.replace("finance/subscription.yaml", "topic: public.concur.expense.report", "topic: public.concur.travel.itinerary")
	wrong := s.repo.push("A topic that the application may not use")
	s.hasty()
	s.eventually("finance", "Synced Degraded", wrong)
	s.Expect(s.health("EventSubscription")).To(gomega.And(
		gomega.HavePrefix(`Degraded TopicNotAllowed: the application may not use topic "public.concur.travel.itinerary"; it may use `),
		gomega.HaveSuffix("ask SAP Concur support for the scope of the topic, or correct spec.topic")))
	s.Expect(s.ess.Subscriptions(appID)[0].Topic).To(gomega.Equal("public.concur.expense.report"), "a wrong spec costs nothing that works")
	right := s.repo.undo()
	s.hasty()
	s.eventually("finance", "Synced Healthy", right)
}

func playBroken(s *stage) {
	before := s.subscription("finance")
	s.repo.replace("finance/kustomization.yaml", "- subscription.yaml\n", "- missing.yaml\n")
	s.repo.push("A file that is not there")
	s.hasty()
	s.Eventually(func() string { return s.conditions("finance") }).Should(gomega.MatchRegexp(`ComparisonError: (?s).*missing\.yaml`))
	s.Expect(s.subscription("finance").Generation).To(gomega.Equal(before.Generation), "a commit that cannot be built changed something")
	s.Expect(s.filters()).To(gomega.HaveKey(held))
	mended := s.repo.undo()
	s.hasty()
	s.eventually("finance", "Synced Healthy", mended)
}

// playPrune takes both objects out of git in one commit. The subscription needs its connection to be deleted at ESS.
func playPrune(s *stage) {
	s.repo.replace("finance/kustomization.yaml", "resources:\n- connection.yaml\n- subscription.yaml\n", "resources: []\n")
	s.repo.push("Everything vanishes, as by a wrong merge")
	s.hasty()
	s.Eventually(func() string { return s.conditions("finance") }).Should(gomega.ContainSubstring("auto-sync will wipe out all resources"))
	s.Expect(s.filters()).To(gomega.HaveKey(held))

	s.repo.replace("finance/kustomization.yaml", "resources: []\n", "configMapGenerator: [{name: note, literals: [finance=left]}]\n")
	left := s.repo.push("Finance leaves")
	s.hasty()
	s.Eventually(func() string { return s.explain("finance") }).Should(gomega.ContainSubstring("waiting for pruning confirmation"))
	s.Expect(s.filters()).To(gomega.HaveKey(held), "nobody has confirmed it")
	s.argocd("app", "confirm-deletion", "finance")
	s.eventually("finance", "Synced Healthy", left)
	s.Expect(s.subscription("finance")).To(gomega.BeNil())
	s.Expect(s.filters()).NotTo(gomega.HaveKey(held))
	s.Expect(suite.client.Get(s.t.Context(), client.ObjectKey{Namespace: "finance", Name: "acme-us"}, &v1alpha1.ConcurConnection{})).NotTo(gomega.Succeed())

	s.repo.replace("finance/kustomization.yaml", "configMapGenerator: [{name: note, literals: [finance=left]}]\n", "resources:\n- connection.yaml\n- subscription.yaml\n")
	back := s.repo.push("Finance comes back")
	s.hasty()
	s.eventually("finance", "Synced Healthy", back)
	s.Expect(s.filters()).To(gomega.HaveKey(held))
}

// playEnd deletes the root, with which everything goes that it made, the last wave first, but for definitions.
func playEnd(s *stage) {
	before := len(s.apps.went())
	s.Expect(suite.client.Delete(s.t.Context(), s.application("concur"))).To(gomega.Succeed())
	s.Consistently(s.filters, "5s").Should(gomega.HaveKey(held), "nobody has confirmed it")
	s.argocd("app", "confirm-deletion", "finance")
	s.Eventually(func() []string { return s.apps.went()[before:] }).Should(gomega.Equal([]string{"finance", "ess-operator", "concur"}),
		func() string { return s.explain("finance") })
	s.Expect(s.filters()).To(gomega.BeEmpty())
	var definition apiextensionsv1.CustomResourceDefinition
	s.Expect(suite.client.Get(s.t.Context(), types.NamespacedName{Name: "eventsubscriptions.concur.ess-operator.io"}, &definition)).To(gomega.Succeed(),
		"Argo CD deletes no definitions, as docs/gitops.md says")
}
