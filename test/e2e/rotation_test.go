//go:build e2e

package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// Secrets that the receiver mounts, and what they hold.
const (
	tlsSecret     = "ess-operator-receiver-tls"
	adminSecret   = "ess-operator-receiver-admin"
	proofSecret   = "ess-operator-receiver-proof"
	signingKey    = "concur.pem"
	receiverHost  = "ess-operator-receiver.ess-operator-system.svc"
	adminHost     = "ess-operator-receiver-admin.ess-operator-system.svc"
	rotatedSecret = "5e55e55e-0000-4000-8000-0000000000bb"
)

// errOld: the kubelet has not brought the new one into the pod yet, or the receiver has not read it.
var errOld = errors.New("the old one is still in force")

// rotate changes all that is secret, one after the other, and then waits until all is in force: the kubelet takes up to two
// minutes to bring a changed Secret into a pod. No pod is restarted for it.
func (w *world) rotate(ctx context.Context) {
	before := w.receiverPod(ctx)
	w.must(w.concur.forgetCalls(ctx))
	certificate := w.issueCertificate(ctx)
	token, adminCertificate := w.emptyAdminSecret(ctx)
	changed := time.Now()
	announced := w.trustNextKey(ctx)
	w.rotateApplication(ctx)
	w.servesCertificate(ctx, certificate)
	admin := w.servesAdmin(ctx, token, adminCertificate)
	w.trusts(ctx, admin, changed)
	w.signsWith(ctx, announced)
	w.unwritten(ctx)
	if after := w.receiverPod(ctx); after.UID != before.UID || after.Status.ContainerStatuses[0].RestartCount > 0 {
		w.t.Error("the receiver was restarted")
	}
}

func (w *world) receiverPod(ctx context.Context) *corev1.Pod {
	w.t.Helper()
	options := metav1.ListOptions{LabelSelector: "app.kubernetes.io/component=receiver"}
	pods, err := w.clientset.CoreV1().Pods(operatorNamespace).List(ctx, options)
	w.must(err)
	if len(pods.Items) != 1 {
		w.t.Fatalf("%d pods of the receiver, want one", len(pods.Items))
	}
	return &pods.Items[0]
}

func (w *world) secret(ctx context.Context, namespace, name string) *corev1.Secret {
	w.t.Helper()
	secret := &corev1.Secret{}
	w.must(w.client.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, secret))
	return secret
}

// setSecret changes keys of a Secret; nil takes a key away.
func (w *world) setSecret(ctx context.Context, secret *corev1.Secret, data map[string][]byte) {
	w.t.Helper()
	patch, err := json.Marshal(map[string]any{"data": data})
	w.must(err)
	w.must(w.client.Patch(ctx, secret, client.RawPatch(types.MergePatchType, patch)))
}

// issueCertificate puts another certificate of the same authority into the Secret of the public host.
func (w *world) issueCertificate(ctx context.Context) (leaf []byte) {
	w.t.Helper()
	var issued struct{ Certificate, Key string }
	w.must(w.concur.call(ctx, http.MethodPost, "/v1/certificates", `{"hosts":["`+receiverHost+`"]}`, &issued))
	pair, err := tls.X509KeyPair([]byte(issued.Certificate), []byte(issued.Key))
	w.must(err)
	w.setSecret(ctx, w.secret(ctx, operatorNamespace, tlsSecret),
		map[string][]byte{"tls.crt": []byte(issued.Certificate), "tls.key": []byte(issued.Key)})
	return pair.Certificate[0]
}

// emptyAdminSecret takes token and certificate away, which the manager then makes anew.
func (w *world) emptyAdminSecret(ctx context.Context) (oldToken string, oldLeaf []byte) {
	w.t.Helper()
	secret := w.secret(ctx, operatorNamespace, adminSecret)
	pair, err := tls.X509KeyPair(secret.Data["tls.crt"], secret.Data["tls.key"])
	w.must(err)
	oldToken = string(secret.Data["token"])
	w.setSecret(ctx, secret, map[string][]byte{"token": nil, "tls.crt": nil, "tls.key": nil})
	w.eventually(ctx, "the manager fills the Secret of the admin port", func(ctx context.Context) error {
		fresh := w.secret(ctx, operatorNamespace, adminSecret)
		if len(fresh.Data["token"]) == 0 || len(fresh.Data["tls.crt"]) == 0 || len(fresh.Data["tls.key"]) == 0 {
			return errors.New("something is missing in it")
		}
		return nil
	})
	return oldToken, pair.Certificate[0]
}

// trustNextKey adds the key that SAP Concur announces to those that the receiver trusts, and returns it.
func (w *world) trustNextKey(ctx context.Context) string {
	w.t.Helper()
	var next struct{ SigningKey string }
	w.must(w.concur.call(ctx, http.MethodPost, "/v1/announce-key", "", &next))
	secret := w.secret(ctx, operatorNamespace, proofSecret)
	both := string(secret.Data[signingKey]) + next.SigningKey
	w.setSecret(ctx, secret, map[string][]byte{signingKey: []byte(both)})
	return next.SigningKey
}

// rotateApplication gives the application a second secret, changes the Secret, and then takes the first one and all tokens of
// it away.
func (w *world) rotateApplication(ctx context.Context) {
	w.t.Helper()
	var applications []essemulator.Application
	w.must(w.concur.call(ctx, http.MethodGet, "/v1/applications", "", &applications))
	if len(applications) != 1 {
		w.t.Fatalf("the emulator has %d applications, want one", len(applications))
	}
	app, credentials := applications[0], w.secret(ctx, trialNamespace, connectionName)
	app.Secrets = []string{string(credentials.Data["client_secret"]), rotatedSecret}
	w.putApplication(ctx, app)
	w.setSecret(ctx, credentials, map[string][]byte{"client_secret": []byte(rotatedSecret)})
	w.eventually(ctx, "the manager gets a token with the new secret", func(ctx context.Context) error {
		calls, err := w.concur.calls(ctx)
		if err == nil && calls["token"] == 0 {
			err = errOld
		}
		return err
	})
	app.Secrets = app.Secrets[1:]
	w.putApplication(ctx, app)
	w.must(w.concur.call(ctx, http.MethodPost, "/v1/applications/"+app.ID+"/revoke-tokens", "", nil))
	w.handled(ctx)
	w.readySince(ctx)
}

func (w *world) putApplication(ctx context.Context, app essemulator.Application) {
	w.t.Helper()
	text, err := json.Marshal(app)
	w.must(err)
	w.must(w.concur.call(ctx, http.MethodPut, "/v1/applications/"+app.ID, string(text), nil))
}

// servesCertificate waits until the port for events shows the new certificate.
func (w *world) servesCertificate(ctx context.Context, leaf []byte) {
	w.t.Helper()
	address := w.forward(ctx, operatorNamespace, "deployment/"+receiverName, 8443)
	w.eventually(ctx, "the receiver serves its new certificate", func(ctx context.Context) error {
		shown, err := shownAt(ctx, address)
		if err == nil && string(shown) != string(leaf) {
			err = errOld
		}
		return err
	})
}

// shownAt is the certificate that a server shows. Whether to trust it is not the question here.
func shownAt(ctx context.Context, address string) ([]byte, error) {
	dialer := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("connecting to the receiver: %w", err)
	}
	defer func() { _ = conn.Close() }()
	return conn.(*tls.Conn).ConnectionState().PeerCertificates[0].Raw, nil
}

// servesAdmin waits until the admin port takes the new token, refuses the old one, and shows the new certificate, which has
// to be good for whoever trusts the Secret's ca.crt.
func (w *world) servesAdmin(ctx context.Context, oldToken string, oldLeaf []byte) *receiverAdmin {
	w.t.Helper()
	address := w.forward(ctx, operatorNamespace, "deployment/"+receiverName, 9443)
	secret := w.secret(ctx, operatorNamespace, adminSecret)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(secret.Data["ca.crt"])
	admin := &receiverAdmin{url: "https://" + address, client: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: adminHost}, DisableKeepAlives: true}}}
	admin.token = string(secret.Data["token"])
	w.eventually(ctx, "the admin port serves its new certificate and takes the new token alone", func(ctx context.Context) error {
		shown, err := shownAt(ctx, address)
		if err != nil {
			return err
		}
		if string(shown) == string(oldLeaf) {
			return errOld
		}
		if _, err := admin.get(ctx, "/v1/statistics", admin.token, http.StatusOK); err != nil {
			return err
		}
		_, err = admin.get(ctx, "/v1/statistics", oldToken, http.StatusUnauthorized)
		return err
	})
	return admin
}

// receiverAdmin is the receiver's port for people and metrics.
type receiverAdmin struct {
	url, token string
	client     *http.Client
}

// get asks with a token, and fails unless the answer has the wanted status.
func (a *receiverAdmin) get(ctx context.Context, path, token string, want int) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url+path, nil)
	if err != nil {
		return "", fmt.Errorf("asking the admin port: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	answer, err := a.client.Do(request)
	if err != nil {
		return "", fmt.Errorf("asking the admin port: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != want {
		err = fmt.Errorf("asking the admin port for %s: HTTP %d, want %d", path, answer.StatusCode, want)
	}
	return string(text), err
}

// reloaded finds in the metrics when the keys and authorities in force were read.
var reloaded = regexp.MustCompile(`(?m)^ess_receiver_reload_last_success_timestamp_seconds\{file="proof"\} (\S+)$`)

// trusts waits until the receiver has read its keys anew, as an administrator should before Concur's old key ends.
func (w *world) trusts(ctx context.Context, admin *receiverAdmin, changed time.Time) {
	w.t.Helper()
	w.eventually(ctx, "the receiver has read the new key", func(ctx context.Context) error {
		metrics, err := admin.get(ctx, "/metrics", admin.token, http.StatusOK)
		if err != nil {
			return err
		}
		found := reloaded.FindStringSubmatch(metrics)
		if found == nil {
			return errors.New("the metric is not there")
		}
		at, err := strconv.ParseFloat(found[1], 64)
		if err == nil && at < float64(changed.Unix()) {
			err = errOld
		}
		return err
	})
}

// signsWith lets Concur change its key to the one that was announced. Were the receiver not to know it yet, ESS would try
// again until it does; that nothing is refused is the point of an announcement.
func (w *world) signsWith(ctx context.Context, announced string) {
	w.t.Helper()
	var keys struct{ SigningKey string }
	w.must(w.concur.call(ctx, http.MethodPost, "/v1/rotate-key", "", &keys))
	if keys.SigningKey != announced {
		w.t.Error("the emulator signs with another key than it announced")
	}
	w.flows(ctx)
}
