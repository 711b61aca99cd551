package operator_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/internal/essemulator"
)

const otherSecret = "a-secret-of-yesterday-0a1b2c3d"

// tokenTroubles are the answers of the token service ("SAP Concur, Authentication, Response Codes").
var tokenTroubles = map[string]trouble{
	"Elsewhere": {
		reason: "the token service knows where the application lives",
		fault: essemulator.Fault{Status: 400, Body: `{"code":16,"error":"invalid_request","error_description":"user lives elsewhere",` +
			`"geolocation":"https://eu2.api.concursolutions.com"}`},
		want: v1alpha1.CredentialsRejectedReason, stalled: true, final: true,
		says: []string{"code 16", "use the base URL https://eu2.api.concursolutions.com"},
	},
	"Disabled": {
		reason: "only SAP can enable it again",
		fault:  essemulator.Fault{Status: 400, Body: `{"code":59,"error":"access_denied","error_description":"client disabled"}`},
		want:   v1alpha1.CredentialsRejectedReason, stalled: true, final: true, says: []string{"client disabled", "code 59"},
	},
	"429": {
		reason: "Concur names the time to come back", fault: essemulator.Fault{Status: 429, Body: spoken, RetryAfter: "3"},
		want: v1alpha1.RateLimitedReason, says: []string{"HTTP 429", "waits"},
	},
	"500": {
		reason: "server errors pass", fault: refused(500),
		want: v1alpha1.UnavailableReason, says: []string{"HTTP 500", "tries again"},
	},
	"Hanging": {
		reason: "a call ends though Concur does not", fault: essemulator.Fault{Hang: true},
		want: v1alpha1.TimeoutReason, says: []string{"obtaining a token", "no answer in time"},
	},
	"Resetting": {
		reason: "connections break", fault: essemulator.Fault{Reset: true},
		want: v1alpha1.UnreachableReason, says: []string{"obtaining a token", "no connection"},
	},
	"Garbage": {
		reason: "an error page is no token", fault: essemulator.Fault{Garbage: true},
		want: v1alpha1.InvalidResponseReason, says: []string{"want a JSON object with access_token"},
	},
	"NoToken": {
		reason: "an answer without a token is of no use", fault: essemulator.Fault{Body: `{"expires_in":3600}`},
		want: v1alpha1.InvalidResponseReason, says: []string{"access_token is missing"},
	},
	"5MiB": {
		reason: "no token is that large", fault: essemulator.Fault{BodySize: 5 << 20},
		want: v1alpha1.InvalidResponseReason, says: []string{"more than 1 MiB"},
	},
}

func TestTokenServiceFails(t *testing.T) {
	t.Parallel()
	runTroubles(t, tokenTroubles, essemulator.OpToken, func(w *world, tr trouble) {
		w.ess.InjectFault(tr.fault)
		start := time.Now()
		w.create(w.secret(appSecret))
		conn, sub := w.connection(), w.subscription("reports")
		w.create(conn)
		w.create(sub)
		w.eventuallyReady(conn, "False", tr.want)
		w.checkTrouble(conn, tr)
		w.eventuallyReady(sub, "False", v1alpha1.ConnectionNotReadyReason)
		w.checkBounded(tr, essemulator.OpToken, start)
		w.ess.ClearFaults()
		if tr.final {
			w.annotate(conn, "again")
		}
		w.eventuallyReady(conn, "True", v1alpha1.ConnectedReason)
		w.eventuallyReady(sub, "True", v1alpha1.SubscribedReason)
		w.checkHeld(sub)
		w.Expect(w.calls(essemulator.OpPut)).To(gomega.HaveLen(1))
	})
}

func TestWrongSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	secret := w.secret(otherSecret)
	conn, sub := w.connection(), w.subscription("reports")
	w.create(secret)
	w.create(conn)
	w.create(sub)
	ready := w.eventuallyReady(conn, "False", v1alpha1.CredentialsRejectedReason)
	w.checkTrouble(conn, trouble{
		reason: "only another Secret can help", want: v1alpha1.CredentialsRejectedReason, stalled: true, final: true,
		says: []string{"incorrect client credentials", "code 64", "correct client id and secret in the Secret"},
	})
	w.Expect(ready.Message).NotTo(gomega.ContainSubstring(otherSecret))
	w.Expect(w.calls(essemulator.OpToken)).To(gomega.HaveLen(1), "asking again with the same secret may lock the application")

	w.change(secret, func() { secret.Data["client_secret"] = []byte(appSecret) })
	w.eventuallyReady(conn, "True", v1alpha1.ConnectedReason)
	w.eventuallyReady(sub, "True", v1alpha1.SubscribedReason)
	w.checkHeld(sub)
	w.checkNoSecrets(sub)
}

func TestRotatedSecretActsBeforeTheOldOneFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	conn := w.connect()
	sub := w.subscribe("reports")
	w.ess.PutApplication(application(appSecret, otherSecret))
	secret := &corev1.Secret{ObjectMeta: w.secret("").ObjectMeta}
	w.Expect(suite.client.Get(t.Context(), clientKey(secret), secret)).To(gomega.Succeed())
	w.ess.ResetRequests()
	w.change(secret, func() { secret.Data["client_secret"] = []byte(otherSecret) })
	w.Eventually(func() []string { return w.calls(essemulator.OpToken) }).Should(gomega.Equal([]string{"POST token 200"}))
	w.ess.PutApplication(application(otherSecret))
	w.ess.RevokeTokens(appID)
	w.annotate(conn, "now")
	w.request(sub, "now")
	w.eventuallyReady(sub, "True", v1alpha1.SubscribedReason)
	w.Expect(w.calls(essemulator.OpPut)).To(gomega.BeEmpty())
	for _, r := range w.ess.Requests() {
		if r.Operation == essemulator.OpToken && r.Status != 200 {
			t.Errorf("the old secret was used: %v", r)
		}
	}
}

func TestRevokedTokensAreReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	conn := w.connect()
	sub := w.subscribe("reports")
	for i := range 3 {
		w.ess.ResetRequests()
		w.ess.RevokeTokens(appID)
		w.change(sub, func() { sub.Spec.Filter = fmt.Sprintf("reportCreated%d", i) })
		w.eventuallyReady(sub, "True", v1alpha1.SubscribedReason)
		w.Expect(w.calls(essemulator.OpToken)).To(gomega.HaveLen(1))
		w.Expect(w.calls(essemulator.OpPut)).To(gomega.HaveLen(1))
	}
	w.eventuallyReady(conn, "True", v1alpha1.ConnectedReason)
}

func TestTokensThatExpireSoon(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(a *essemulator.Assumptions) { a.TokenLifetime = 5 * time.Second })
	conn := w.connect()
	sub := w.subscribe("reports")
	for i := 0; len(w.calls(essemulator.OpToken)) < 4; i++ {
		w.request(sub, fmt.Sprint(i)) // work goes on while tokens come and go
		if ready := condition(sub, v1alpha1.ReadyCondition); ready.Status != "True" {
			t.Fatalf("an expired token shows: %s", ready.Message)
		}
	}
	w.eventuallyReady(conn, "True", v1alpha1.ConnectedReason)
	w.checkHeld(sub)
	puts := w.calls(essemulator.OpPut)
	// One whose token expired on its way is refused, and made again with a fresh one.
	puts = slices.DeleteFunc(puts, func(call string) bool { return call == "PUT reports 401" })
	w.Expect(puts).To(gomega.Equal([]string{"PUT reports 200"}))
}
