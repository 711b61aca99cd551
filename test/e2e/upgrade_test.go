//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// previous is what an upgrade starts from, if hack/e2e/previous.sh could make it.
const previous = "test/e2e/testdata/previous"

// installAndUpgrade comes to this release by way of the previous one, or directly where that is not to be had.
func (w *world) installAndUpgrade(ctx context.Context) {
	w.t.Helper()
	if _, err := os.Stat(filepath.Join(root, "bin/e2e/previous/release.yaml")); err != nil {
		w.skip("upgrade", "there is no previous release here; hack/e2e/previous.sh says why")
		w.step(ctx, "install with a volume for the journal", 4*time.Minute, func(ctx context.Context) { w.install(ctx, overlay) })
		return
	}
	w.step(ctx, "install the previous release", 4*time.Minute, func(ctx context.Context) {
		w.install(ctx, previous, w.formerSecrets()...)
	})
	w.step(ctx, "upgrade: zero PUT and DELETE, routes and waiting events kept", 4*time.Minute, w.upgrade)
}

// install applies an overlay and config/emulator, and waits for an event in the sink.
func (w *world) install(ctx context.Context, overlay string, secrets ...*corev1.Secret) {
	w.t.Helper()
	w.applied(ctx, overlay)
	for _, secret := range secrets {
		w.must(w.client.Create(ctx, secret))
	}
	w.applied(ctx, emulator)
	w.rolledOut(ctx)
	w.subscribed(ctx)
	w.meetConcur(ctx)
	w.flows(ctx)
}

// upgrade applies this release over the previous one while the sink is down and events wait for it.
func (w *world) upgrade(ctx context.Context) {
	routes := w.secret(ctx, operatorNamespace, routesSecret).Data["routes.yaml"]
	since := w.readySince(ctx)
	w.must(w.concur.forgetCalls(ctx))
	w.sinkScaled(ctx, 0)
	ids := w.burst(ctx, w.concur, "upgrade", 50)
	w.acknowledged(ctx, "e2e-upgrade-", len(ids))
	w.applied(ctx, overlay)
	w.rolledOut(ctx)
	w.handled(ctx)
	w.sinkScaled(ctx, 1)
	w.eventually(ctx, "what the previous release stored arrives", func(context.Context) error { return w.sink.has(ids) })
	w.flows(ctx)
	w.unwritten(ctx)
	if now := w.secret(ctx, operatorNamespace, routesSecret).Data["routes.yaml"]; !bytes.Equal(now, routes) {
		w.t.Errorf("the routes were\n%s\nand are\n%s", routes, now)
	}
	if now := w.readySince(ctx); !now.Equal(&since) {
		w.t.Errorf("the subscription was ready since %s, and is now since %s", since, now)
	}
}

// formerSecrets are those that a user had to make by hand when the manager did not yet make them: certificate and token of
// the receiver's admin port.
func (w *world) formerSecrets() []*corev1.Secret {
	w.t.Helper()
	certificate, key := w.selfSigned("ess-operator-receiver-admin." + operatorNamespace + ".svc")
	in := func(name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Namespace: operatorNamespace, Name: name}
	}
	return []*corev1.Secret{
		{ObjectMeta: in("ess-operator-receiver-admin-token"), StringData: map[string]string{"token": rand.Text()}},
		{ObjectMeta: in("ess-operator-receiver-admin-tls"), Type: corev1.SecretTypeTLS,
			Data: map[string][]byte{"tls.crt": certificate, "tls.key": key, "ca.crt": certificate}},
	}
}

// selfSigned is a certificate that is its own authority, and its key.
func (w *world) selfSigned(host string) (certificate, key []byte) {
	w.t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	w.must(err)
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "ess-operator-receiver-admin"}, DNSNames: []string{host},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(1, 0, 0), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	w.must(err)
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	w.must(err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})
}
