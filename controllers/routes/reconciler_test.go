package routes_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/login"
	"github.com/ess-operator/ess-operator/controllers/internal/record"
	"github.com/ess-operator/ess-operator/controllers/internal/wake"
	"github.com/ess-operator/ess-operator/controllers/routes"
	"github.com/ess-operator/ess-operator/test/controlplane"
)

var suite struct {
	plane  *controlplane.ControlPlane
	scheme *runtime.Scheme
}

func TestMain(m *testing.M) {
	flag.Parse()
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "routes suite:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	options := controlplane.Options{CRDDirs: []string{"config/crd/bases"}, WithoutControllers: true}
	if suite.plane, err = controlplane.Start(context.Background(), options); err != nil {
		return 1, err
	}
	defer func() {
		if stopErr := suite.plane.Stop(); err == nil {
			err = stopErr
		}
	}()
	suite.scheme = runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(suite.scheme); err != nil {
			return 1, err
		}
	}
	return m.Run(), nil
}

// desk is a namespace with one object that has a route, and a Reconciler that sees nothing else.
type desk struct {
	*routes.Reconciler
	t        *testing.T
	client   client.Client
	recorder *events.FakeRecorder
	secret   *corev1.Secret
}

func newDesk(t *testing.T, as *rest.Config) *desk {
	t.Helper()
	admin, err := client.New(suite.plane.Config, client.Options{Scheme: suite.scheme})
	if err != nil {
		t.Fatal(err)
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "t-"}}
	if err := admin.Create(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	reader, err := client.New(as, client.Options{Scheme: suite.scheme})
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, client: admin, recorder: events.NewFakeRecorder(16)}
	d.secret = &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace.Name, Name: "routes"}}
	d.Reconciler = routes.New(routes.Config{
		Client: client.NewNamespacedClient(reader, namespace.Name), Events: record.New(d.recorder, nil),
		Secret: types.NamespacedName{Namespace: namespace.Name, Name: "routes"},
		Logins: login.NewBook(reader), Changed: wake.NewBell(), Routed: wake.NewBell(), Clock: clock.RealClock{},
	})
	conn := &v1alpha1.ConcurConnection{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace.Name, Name: "acme-us"},
		Spec: v1alpha1.ConcurConnectionSpec{
			BaseURL: "https://us2.api.concursolutions.com", CredentialsSecretRef: v1alpha1.ClientCredentialsRef{Name: "acme-us"},
		},
	}
	sub := receiver("reports", func(s *v1alpha1.EventSubscription) { s.Namespace, s.Generation = namespace.Name, 0 })
	for _, o := range []client.Object{conn, &sub} {
		if err := admin.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
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
	if err := d.client.Get(d.t.Context(), client.ObjectKeyFromObject(d.secret), d.secret); err != nil {
		d.t.Fatal(err)
	}
	return d.secret
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

// events are the reasons of the events recorded since the last call.
func (d *desk) events() []string {
	reasons := []string{}
	for len(d.recorder.Events) > 0 {
		reasons = append(reasons, strings.Fields(<-d.recorder.Events)[1])
	}
	return reasons
}

func (d *desk) expectEvents(when string, want ...string) {
	d.t.Helper()
	if diff := cmp.Diff(append([]string{}, want...), d.events()); diff != "" {
		d.t.Errorf("events %s (-want +got):\n%s", when, diff)
	}
}

func TestSecretIsMissedFoundAndWritten(t *testing.T) {
	t.Parallel()
	d := newDesk(t, suite.plane.Config)
	if after := d.reconcile(); after > time.Minute || after == 0 {
		t.Errorf("a missing Secret is looked for again after %s", after)
	}
	d.reconcile()
	d.expectEvents("while it is missing", "RoutesSecretMissing")

	d.create(func(s *corev1.Secret) { s.Data = map[string][]byte{"other": []byte("kept")} })
	d.reconcile()
	written := d.read()
	if !strings.Contains(string(written.Data[routes.Key]), "name: reports\n") || string(written.Data["other"]) != "kept" {
		t.Errorf("the Secret holds %q", written.Data)
	}
	version := written.ResourceVersion
	if after := d.reconcile(); after == 0 || d.read().ResourceVersion != version {
		t.Errorf("unchanged routes were written, or are never compared again (%s)", after)
	}
	want := string(written.Data[routes.Key])
	before := d.secret.DeepCopy()
	d.secret.Data[routes.Key] = []byte("subscriptions: []\n")
	if err := d.client.Patch(t.Context(), d.secret, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
	d.reconcile()
	if got := string(d.read().Data[routes.Key]); got != want {
		t.Errorf("what somebody wrote stays: %q", got)
	}
	d.expectEvents("when all is well")
}

func TestRoutesThatDoNotFit(t *testing.T) {
	t.Parallel()
	d := newDesk(t, suite.plane.Config)
	d.create(func(s *corev1.Secret) {
		s.Data = map[string][]byte{"ballast": make([]byte, corev1.MaxSecretSize-100), routes.Key: []byte("subscriptions: []\n")}
	})
	version := d.secret.ResourceVersion
	d.reconcile()
	d.reconcile()
	if got := d.read(); got.ResourceVersion != version {
		t.Errorf("the last good routes became %q", got.Data[routes.Key])
	}
	d.expectEvents("while the routes do not fit", "RoutesTooLarge")
}

func TestSecretThatMayNotBeRead(t *testing.T) {
	t.Parallel()
	stranger := rest.CopyConfig(suite.plane.Config)
	stranger.Impersonate = rest.ImpersonationConfig{UserName: "stranger", Groups: []string{"system:authenticated"}}
	d := newDesk(t, stranger)
	d.create(func(*corev1.Secret) {})
	if after := d.reconcile(); after > time.Minute || after == 0 {
		t.Errorf("it is tried again after %s", after)
	}
	d.expectEvents("without the Role", "RoutesSecretForbidden")
}

func TestSecretThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	d := newDesk(t, suite.plane.Config)
	d.create(func(s *corev1.Secret) { s.Immutable = new(true) })
	for range 2 {
		if _, err := d.Reconcile(t.Context(), ctrl.Request{}); !apierrors.IsInvalid(err) {
			t.Errorf("writing an immutable Secret: %v", err)
		}
	}
	d.expectEvents("for a Secret that nobody can change", "RoutesNotWritten")
}
