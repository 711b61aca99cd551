package operator_test

import (
	"encoding/json"

	"github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// goldenScenarios play what a user, or somebody else, does.
var goldenScenarios = map[string]func(*transcript){
	"create":            playCreate,
	"edit":              playEdit,
	"drift-corrected":   playDrift,
	"lost":              playLost,
	"adopt-identical":   playAdopt(".*", v1alpha1.AdoptIfIdentical, "True", v1alpha1.SubscribedReason),
	"take-over":         playAdopt("theirs", v1alpha1.AdoptAlways, "True", v1alpha1.SubscribedReason),
	"already-exists":    playAdopt("theirs", v1alpha1.AdoptIfIdentical, "False", v1alpha1.AlreadyExistsReason),
	"id-taken":          playTaken,
	"quota":             playQuota,
	"topic-not-allowed": playTopic,
	"delete":            playDelete,
	"delete-slow":       playSlowDelete,
	"contested":         playContested,
	"secret-rotated":    playRotation,
	"steady-resync":     playSteady,
}

// goldenAssumptions are what the emulator assumes in a scenario.
func goldenAssumptions(name string) func(*essemulator.Assumptions) {
	return func(a *essemulator.Assumptions) {
		a.DeleteDelay = 0 // how often a deletion is looked at must not depend on the machine
		if name == "quota" {
			a.SubscriptionLimit = 1
		}
	}
}

func nothing() {}

// begun is a connection and a subscription that are ready, at no cost to the transcript.
func (s *transcript) begun() (*v1alpha1.ConcurConnection, *v1alpha1.EventSubscription) {
	s.w.t.Helper()
	conn, sub := s.w.connect(), s.w.subscribe("reports")
	s.skip()
	return conn, sub
}

// ready waits until an object says so.
func (s *transcript) ready(sub *v1alpha1.EventSubscription, status metav1.ConditionStatus, reason string) func() {
	return func() {
		s.w.t.Helper()
		s.w.eventuallyReady(sub, status, reason)
	}
}

func playCreate(s *transcript) {
	s.step("the connection is applied", func() { s.w.connect() }, nothing)
	s.step("the subscription is applied", func() { s.w.subscribe("reports") }, nothing)
}

func playEdit(s *transcript) {
	_, sub := s.begun()
	s.step("the filter is edited", func() { s.w.change(sub, func() { sub.Spec.Filter = "reportCreated" }) },
		s.ready(sub, "True", v1alpha1.SubscribedReason))
	s.step("a label is added", func() { s.w.change(sub, func() { metav1.SetMetaDataLabel(&sub.ObjectMeta, "a", "b") }) }, nothing)
}

func playDrift(s *transcript) {
	conn, _ := s.begun()
	s.step("somebody changed the filter at ESS, and the resync comes", func() {
		s.w.foreign("theirs")
		s.w.resync(conn, "1")
	}, s.gets(3))
}

func playLost(s *transcript) {
	conn, sub := s.begun()
	s.step("somebody removed it at ESS, and the resync comes", func() {
		s.w.ess.RemoveSubscription(sub.Status.SubscriptionID)
		s.w.resync(conn, "1")
	}, s.gets(3))
}

// playAdopt applies an object whose id exists already under the same application.
func playAdopt(filter string, policy v1alpha1.AdoptionPolicy, status metav1.ConditionStatus, reason string) func(*transcript) {
	return func(s *transcript) {
		s.w.foreign(filter)
		s.w.connect()
		s.skip()
		sub := s.w.subscription("reports", func(sub *v1alpha1.EventSubscription) { sub.Spec.AdoptionPolicy = policy })
		s.step("the subscription is applied", func() { s.w.create(sub) }, s.ready(sub, status, reason))
		s.step("the object is deleted", func() { s.w.delete(sub) }, nothing)
	}
}

func playTaken(s *transcript) {
	taken := s.w.foreign(".*")
	taken.ApplicationID = otherAppID
	s.w.ess.PutSubscription(taken)
	s.w.connect()
	s.skip()
	sub := s.w.subscription("reports")
	s.step("the subscription is applied", func() { s.w.create(sub) }, s.ready(sub, "False", v1alpha1.IDTakenReason))
	s.step("the object is deleted", func() { s.w.delete(sub) }, nothing)
}

func playQuota(s *transcript) {
	s.begun()
	second, third := s.w.subscription("second"), s.w.subscription("third")
	s.step("one too many is applied, and ESS shows the limit", func() { s.w.create(second) },
		s.ready(second, "False", v1alpha1.QuotaExceededReason))
	s.step("another is applied", func() { s.w.create(third) }, s.ready(third, "False", v1alpha1.QuotaExceededReason))
}

func playTopic(s *transcript) {
	conn := s.w.connect()
	s.skip()
	sub := s.w.subscription("reports", func(sub *v1alpha1.EventSubscription) { sub.Spec.Topic = "public.concur.travel.itinerary" })
	s.step("the subscription is applied", func() { s.w.create(sub) }, s.ready(sub, "False", v1alpha1.TopicNotAllowedReason))
	app := application(appSecret)
	app.Scopes = append(app.Scopes, "travel.itinerary.read")
	s.step("Concur grants the scope, and the resync comes", func() {
		s.w.ess.PutApplication(app)
		s.w.ess.RevokeTokens(appID)
		s.w.resync(conn, "1")
	}, s.ready(sub, "True", v1alpha1.SubscribedReason))
}

func playDelete(s *transcript) {
	_, sub := s.begun()
	s.step("the object is deleted", func() { s.w.delete(sub) }, nothing)
}

func playSlowDelete(s *transcript) {
	_, sub := s.begun()
	body, err := json.Marshal([]map[string]any{{
		"id": sub.Status.SubscriptionID, "applicationId": appID, "topic": topic, "filter": ".*",
		"webHookConfig": map[string]string{"endpoint": endpoint},
	}})
	s.w.Expect(err).NotTo(gomega.HaveOccurred())
	s.w.ess.InjectFault(essemulator.Fault{Operation: essemulator.OpList, Times: 3, Body: string(body)})
	s.step("the object is deleted, and ESS lists the subscription three times more", func() { s.w.delete(sub) }, nothing)
}

func playContested(s *transcript) {
	conn, sub := s.begun()
	for _, turn := range []string{"first", "second", "third"} {
		s.step("somebody changes the filter for the "+turn+" time", func() {
			s.w.foreign("theirs")
			s.w.resync(conn, turn)
		}, s.gets(3))
	}
	s.step("and for the fourth time", func() {
		s.w.foreign("theirs")
		s.w.resync(conn, "fourth")
	}, s.ready(sub, "False", v1alpha1.ContestedReason))
	s.step("and another resync comes", func() { s.w.resync(conn, "fifth") }, nothing)
}

func playRotation(s *transcript) {
	conn, sub := s.begun()
	secret := &corev1.Secret{}
	secret.Namespace, secret.Name = s.w.namespace, "acme"
	s.step("the secret is rotated, and the old one revoked", func() {
		s.w.ess.PutApplication(application("rotated"))
		s.w.ess.RevokeTokens(appID)
		s.w.change(secret, func() { secret.StringData = map[string]string{"client_secret": "rotated"} })
		s.w.Eventually(func() []string { return s.w.calls(essemulator.OpTopics) }).Should(gomega.HaveLen(1)) // the last of a resync
	}, s.ready(sub, "True", v1alpha1.SubscribedReason))
	s.w.eventuallyReady(conn, "True", v1alpha1.ConnectedReason)
}

func playSteady(s *transcript) {
	conn := s.w.connect(func(c *v1alpha1.ConcurConnection) { c.Spec.ResyncInterval = &metav1.Duration{Duration: resyncSoon} })
	for _, name := range []string{"one", "two", "three"} {
		s.w.subscribe(name)
	}
	s.skip()
	s.step("two resyncs pass", nothing, func() {
		s.w.Eventually(func() []string { return s.w.calls(essemulator.OpList) }).Should(gomega.HaveLen(2))
	})
	s.w.eventuallyReady(conn, "True", v1alpha1.ConnectedReason)
}
