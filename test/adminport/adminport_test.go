package adminport_test

import (
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// objects give the operator a reason to ask the receiver.
const objects = `
apiVersion: concur.ess-operator.io/v1alpha1
kind: ConcurConnection
metadata: {name: acme-us, namespace: default}
spec:
  baseURL: https://us2.api.concursolutions.com
  credentialsSecretRef: {name: acme-us}
  suspend: true
---
apiVersion: concur.ess-operator.io/v1alpha1
kind: EventSubscription
metadata: {name: reports, namespace: default}
spec:
  connectionRef: {name: acme-us}
  topic: public.concur.expense.report
  endpoint: {receiver: {}}
`

// TestNoCallFailsWhileAnythingIsReplaced has the certificate renewed, the token replaced by the recipe of docs/install.md,
// and the certificate replaced by somebody else's. Between a change of the Secret and the kubelet's bringing it, the
// operator asks as at all times.
func TestNoCallFailsWhileAnythingIsReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := suite.plane.KubectlInput(t.Context(), strings.NewReader(objects), "apply", "-f", "-"); err != nil {
		t.Fatal(err)
	}
	w.clock.SetTime(time.Now().Add(-61 * 24 * time.Hour))
	w.startOperator()
	old := w.secret()
	w.bring()
	w.startReceiver()

	// The certificate.
	w.clock.SetTime(time.Now())
	w.write(map[string][]byte{"note": []byte("any change has the operator look now")})
	w.Eventually(func() string { return string(w.secret()["tls.crt"]) }).ShouldNot(gomega.Equal(string(old["tls.crt"])))
	w.goesOn("while the receiver has the old certificate")
	w.expectServed(old["tls.crt"])
	w.eventuallyKnown()
	w.bring()
	w.expectServed(w.secret()["tls.crt"])
	w.goesOn("once it has the new one")
	w.Expect(w.secret()["token"]).To(gomega.Equal(old["token"]))

	// The token.
	former := string(old["token"])
	w.write(map[string][]byte{"token": []byte("another-token\n" + former)})
	w.goesOn("while the receiver has the old token")
	w.bring()
	w.Eventually(w.status("another-token")).Should(gomega.Equal(200))
	w.write(map[string][]byte{"token": []byte("another-token")})
	w.goesOn("while the receiver has both")
	w.bring()
	w.Eventually(w.status(former)).Should(gomega.Equal(401))
	w.goesOn("once it has the new one alone")

	// Somebody else's certificate, with both authorities for as long as the receiver may have either.
	certificate, key, authority := somebodys(t)
	both := append(append([]byte{}, w.secret()["ca.crt"]...), authority...)
	w.write(map[string][]byte{"tls.crt": certificate, "tls.key": key, "ca.crt": both})
	w.goesOn("while the receiver has ours")
	w.eventuallyKnown()
	w.bring()
	w.expectServed(certificate)
	w.write(map[string][]byte{"ca.crt": authority})
	w.goesOn("once it has theirs")
	w.Expect(w.secret()["tls.crt"]).To(gomega.Equal(certificate), "it is not ours to renew")
}

// somebodys are a certificate, its key, and the authority that signed it.
func somebodys(t *testing.T) (certificate, key, authority []byte) {
	t.Helper()
	keys, err := essemulator.NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	server, err := keys.ServerCertificate("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	if certificate, key, err = essemulator.CertificatePEM(server); err != nil {
		t.Fatal(err)
	}
	return certificate, key, keys.CAPEM()
}
