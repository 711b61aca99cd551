package operator_test

import (
	"strings"
	"testing"

	"github.com/onsi/gomega"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// nowhere is a host that no DNS has and that is asked of none, because no name may be that long.
var nowhere = strings.Repeat("nowhere-", 8) + ".concursolutions.com"

// TestConnectionCannotBeMade is about connections whose spec leads nowhere, until it is corrected.
func TestConnectionCannotBeMade(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		trouble
		wrong func(*v1alpha1.ConcurConnection)
	}{
		"UnknownCA": {
			trouble: trouble{reason: "the certificate may be replaced", want: v1alpha1.TLSErrorReason, says: []string{"certificate", "127.0.0.1", "spec.caBundle"}},
			wrong:   func(c *v1alpha1.ConcurConnection) { c.Spec.CABundle = nil },
		},
		"BundleIsNone": {
			trouble: trouble{reason: "the bundle is part of the spec", want: v1alpha1.CABundleInvalidReason, stalled: true, final: true, says: []string{"BEGIN CERTIFICATE"}},
			wrong:   func(c *v1alpha1.ConcurConnection) { c.Spec.CABundle = []byte("no certificate") },
		},
		"NoSuchHost": {
			trouble: trouble{reason: "names come back without a word to us", want: v1alpha1.DNSErrorReason, says: []string{nowhere, "check the"}},
			wrong:   func(c *v1alpha1.ConcurConnection) { c.Spec.BaseURL = "https://" + nowhere },
		},
		"NobodyListens": {
			trouble: trouble{reason: "hosts come back without a word to us", want: v1alpha1.UnreachableReason, says: []string{"127.0.0.1", "refused", "network path"}},
			wrong:   func(c *v1alpha1.ConcurConnection) { c.Spec.BaseURL = "https://127.0.0.1:1" },
		},
		"HostNotAllowed": {
			trouble: trouble{reason: "the URL or a flag of the manager has to change", want: v1alpha1.HostNotAllowedReason, stalled: true, final: true, says: []string{`"concur.example.com"`, "--allowed-hosts"}},
			wrong:   func(c *v1alpha1.ConcurConnection) { c.Spec.BaseURL = "https://concur.example.com" },
		},
		"HostOnlyLooksAllowed": {
			trouble: trouble{reason: "a name that ends alike is another domain", want: v1alpha1.HostNotAllowedReason, stalled: true, final: true, says: []string{`"evilconcursolutions.com"`}},
			wrong:   func(c *v1alpha1.ConcurConnection) { c.Spec.BaseURL = "https://evilconcursolutions.com" },
		},
		"APIHostNotAllowed": {
			trouble: trouble{reason: "a token must not go where a connection may not", want: v1alpha1.HostNotAllowedReason, stalled: true, final: true, says: []string{`"concur.example.com"`}},
			wrong:   func(c *v1alpha1.ConcurConnection) { c.Spec.APIURL = "https://concur.example.com" },
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.create(w.secret(appSecret))
			conn, sub := w.connection(tc.wrong), w.subscription("reports")
			w.create(conn)
			w.create(sub)
			w.eventuallyReady(conn, "False", tc.want)
			w.checkTrouble(conn, tc.trouble)
			w.eventuallyReady(sub, "False", v1alpha1.ConnectionNotReadyReason)
			w.Expect(w.calls(writesAndReads...)).To(gomega.BeEmpty())

			w.change(conn, func() { conn.Spec = w.connection().Spec })
			w.eventuallyReady(conn, "True", v1alpha1.ConnectedReason)
			w.eventuallyReady(sub, "True", v1alpha1.SubscribedReason)
			w.checkHeld(sub)
		})
	}
}

func TestGeolocationNotAllowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ess.SetBaseURL("https://concur.example.com")
	w.create(w.secret(appSecret))
	conn, sub := w.connection(), w.subscription("reports")
	w.create(conn)
	w.create(sub)
	w.eventuallyReady(conn, "False", v1alpha1.HostNotAllowedReason)
	w.checkTrouble(conn, trouble{
		reason: "whoever answers for the token service must not send the token anywhere",
		want:   v1alpha1.HostNotAllowedReason, stalled: true, final: true, says: []string{`"concur.example.com"`, "--allowed-hosts"},
	})
	w.Expect(w.calls(essemulator.OpToken)).To(gomega.HaveLen(1))
	w.Expect(w.ess.Requests()).To(gomega.HaveLen(1))

	w.change(conn, func() { conn.Spec.APIURL = w.server.URL })
	w.eventuallyReady(conn, "True", v1alpha1.ConnectedReason)
	w.eventuallyReady(sub, "True", v1alpha1.SubscribedReason)
	w.checkHeld(sub)
}
