package adminsecret_test

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/ess-operator/ess-operator/controllers/adminsecret"
	"github.com/ess-operator/ess-operator/controllers/internal/record"
	"github.com/ess-operator/ess-operator/test/controlplane"
)

const day = 24 * time.Hour

var suite struct {
	plane  *controlplane.ControlPlane
	scheme *runtime.Scheme
}

func TestMain(m *testing.M) {
	flag.Parse()
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "admin secret suite:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if suite.plane, err = controlplane.Start(context.Background(), controlplane.Options{WithoutControllers: true}); err != nil {
		return 1, err
	}
	defer func() {
		if stopErr := suite.plane.Stop(); err == nil {
			err = stopErr
		}
	}()
	suite.scheme = runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(suite.scheme); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// desk is a namespace with a Keeper of one Secret in it.
type desk struct {
	*adminsecret.Keeper
	t        *testing.T
	clock    *clocktesting.FakePassiveClock
	recorder *events.FakeRecorder
	client   client.WithWatch
	secret   *corev1.Secret
}

// newDesk makes one, with a client of the Keeper that is seen through wrap.
func newDesk(t *testing.T, as *rest.Config, wrap interceptor.Funcs) *desk {
	t.Helper()
	admin, err := client.NewWithWatch(suite.plane.Config, client.Options{Scheme: suite.scheme})
	if err != nil {
		t.Fatal(err)
	}
	keepers, err := client.NewWithWatch(as, client.Options{Scheme: suite.scheme})
	if err != nil {
		t.Fatal(err)
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "t-"}}
	if err := admin.Create(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, clock: clocktesting.NewFakePassiveClock(time.Now()), recorder: events.NewFakeRecorder(16), client: admin}
	d.secret = &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace.Name, Name: "admin"}}
	d.Keeper = adminsecret.New(adminsecret.Config{
		Client: interceptor.NewClient(keepers, wrap), Events: record.New(d.recorder, nil), Secret: client.ObjectKeyFromObject(d.secret),
		Host: "admin.system.svc", Clock: d.clock,
	})
	return d
}

// create makes the Secret.
func (d *desk) create(change func(*corev1.Secret)) {
	d.t.Helper()
	change(d.secret)
	if err := d.client.Create(d.t.Context(), d.secret); err != nil {
		d.t.Fatal(err)
	}
}

// read reads the Secret again.
func (d *desk) read() *corev1.Secret {
	d.t.Helper()
	d.secret = &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: d.secret.Namespace, Name: d.secret.Name}}
	if err := d.client.Get(d.t.Context(), client.ObjectKeyFromObject(d.secret), d.secret); err != nil {
		d.t.Fatal(err)
	}
	return d.secret
}

// write changes the Secret as a person would.
func (d *desk) write(data map[string][]byte) {
	d.t.Helper()
	before := d.read().DeepCopy()
	d.secret.Data = data
	if err := d.client.Patch(d.t.Context(), d.secret, client.MergeFrom(before)); err != nil {
		d.t.Fatal(err)
	}
}

// reconcile reconciles, and returns when to come again.
func (d *desk) reconcile() time.Duration {
	d.t.Helper()
	result, err := d.Reconcile(d.t.Context(), ctrl.Request{})
	if err != nil {
		d.t.Fatal(err)
	}
	return result.RequeueAfter
}

func (d *desk) expectEvents(when string, want ...string) {
	d.t.Helper()
	reasons := []string{}
	for len(d.recorder.Events) > 0 {
		reasons = append(reasons, strings.Fields(<-d.recorder.Events)[1])
	}
	if diff := cmp.Diff(append([]string{}, want...), reasons); diff != "" {
		d.t.Errorf("events %s (-want +got):\n%s", when, diff)
	}
}

// expectKnown holds what callers are told against the Secret.
func (d *desk) expectKnown() {
	d.t.Helper()
	tokens, roots, err := d.Read(d.t.Context())
	data := d.read().Data
	if err != nil || string(tokens) != string(data["token"]) || string(roots) != string(data["ca.crt"]) || len(tokens) == 0 || len(roots) == 0 {
		d.t.Errorf("callers get %d and %d bytes, %v, and the Secret has others", len(tokens), len(roots), err)
	}
}

// expires is when the certificate in the Secret expires.
func (d *desk) expires() time.Time {
	d.t.Helper()
	block, _ := pem.Decode(d.read().Data["tls.crt"])
	if block == nil {
		d.t.Fatal("there is no certificate")
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		d.t.Fatal(err)
	}
	return certificate.NotAfter
}
