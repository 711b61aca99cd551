package finalizer_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/finalizer"
	"github.com/ess-operator/ess-operator/test/controlplane"
)

// others is a finalizer of somebody else.
const others = "example.com/backup"

// api is the client of all tests.
var api client.Client

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "finalizer suite:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	plane, err := controlplane.Start(context.Background(), controlplane.Options{CRDDirs: []string{"config/crd/bases"}, WithoutControllers: true})
	if err != nil {
		return 1, err
	}
	defer func() {
		if stopErr := plane.Stop(); err == nil {
			err = stopErr
		}
	}()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return 1, err
	}
	if api, err = client.New(plane.Config, client.Options{Scheme: scheme}); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// created is a new object with these finalizers.
func created(t *testing.T, finalizers ...string) *v1alpha1.ConcurConnection {
	t.Helper()
	conn := &v1alpha1.ConcurConnection{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "acme-", Namespace: metav1.NamespaceDefault, Finalizers: finalizers},
		Spec: v1alpha1.ConcurConnectionSpec{
			BaseURL: "https://us2.api.concursolutions.com", CredentialsSecretRef: v1alpha1.ClientCredentialsRef{Name: "acme"},
		},
	}
	if err := api.Create(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
	return conn
}

// changed changes an object at the API server, and leaves it to the caller as it was: a cache that is behind.
func changed(t *testing.T, conn *v1alpha1.ConcurConnection, change func(*v1alpha1.ConcurConnection)) {
	t.Helper()
	newer := conn.DeepCopy()
	change(newer)
	if err := api.Update(t.Context(), newer); err != nil {
		t.Fatal(err)
	}
}

func annotated(c *v1alpha1.ConcurConnection) { metav1.SetMetaDataAnnotation(&c.ObjectMeta, "a", "b") }

// behind are objects that were changed after the operator has seen them.
var behind = map[string]struct {
	reason  string
	has     []string
	change  func(*v1alpha1.ConcurConnection)
	do      func(context.Context, client.Client, client.Object) error
	refused bool
	want    []string
}{
	"First": {
		reason: "an object that somebody changes all the time would never get it, if it had to be seen as it is",
		change: annotated, do: finalizer.Ensure, want: []string{v1alpha1.Finalizer},
	},
	"Second": {
		reason: "what others wait for is kept",
		has:    []string{others}, change: annotated, do: finalizer.Ensure, want: []string{others, v1alpha1.Finalizer},
	},
	"Overtaken": {
		reason: "the finalizer of somebody else that is not seen yet must not be lost",
		change: func(c *v1alpha1.ConcurConnection) { c.Finalizers = []string{others} }, do: finalizer.Ensure,
		refused: true, want: []string{others},
	},
	"ThereAlready": {
		reason: "it must not be there twice",
		change: func(c *v1alpha1.ConcurConnection) { c.Finalizers = []string{v1alpha1.Finalizer} }, do: finalizer.Ensure,
		refused: true, want: []string{v1alpha1.Finalizer},
	},
	"Released": {
		reason: "nor would it ever go",
		has:    []string{v1alpha1.Finalizer}, change: annotated, do: finalizer.Release, want: nil,
	},
	"ReleasedAmongOthers": {
		reason: "others wait on",
		has:    []string{others, v1alpha1.Finalizer}, change: annotated, do: finalizer.Release, want: []string{others},
	},
	"ReleasedByAnOldSpec": {
		reason: "deletionPolicy may be another one now",
		has:    []string{v1alpha1.Finalizer}, change: func(c *v1alpha1.ConcurConnection) { c.Spec.Suspend = true }, do: finalizer.Release,
		refused: true, want: []string{v1alpha1.Finalizer},
	},
	"ReleasedTooLate": {
		reason: "somebody else begins to wait, and is not seen yet",
		has:    []string{v1alpha1.Finalizer}, change: func(c *v1alpha1.ConcurConnection) { c.Finalizers = []string{v1alpha1.Finalizer, others} }, do: finalizer.Release,
		refused: true, want: []string{v1alpha1.Finalizer, others},
	},
}

func TestBehind(t *testing.T) {
	t.Parallel()
	for name, tt := range behind {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := created(t, tt.has...)
			changed(t, conn, tt.change)
			err := tt.do(t.Context(), api, conn)
			if (err != nil) != tt.refused {
				t.Errorf("error = %v, want one: %t, because %s", err, tt.refused, tt.reason)
			}
			var now v1alpha1.ConcurConnection
			if err := api.Get(t.Context(), client.ObjectKeyFromObject(conn), &now); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, now.Finalizers); diff != "" {
				t.Errorf("finalizers (-want +got), although %s:\n%s", tt.reason, diff)
			}
		})
	}
}

func TestEnsureSeesWhatItPatched(t *testing.T) {
	t.Parallel()
	conn := created(t)
	conn.Spec.MaxSubscriptions = 3
	annotated(conn)
	if err := api.Update(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
	changed(t, conn, func(c *v1alpha1.ConcurConnection) {
		c.Spec.Suspend, c.Spec.MaxSubscriptions = true, 0
		c.Annotations = nil
	})
	if err := finalizer.Ensure(t.Context(), api, conn); err != nil {
		t.Fatal(err)
	}
	var now v1alpha1.ConcurConnection
	if err := api.Get(t.Context(), client.ObjectKeyFromObject(conn), &now); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&now, conn); diff != "" || !now.Spec.Suspend {
		t.Errorf("what is worked on next is not what the API server has (-want +got):\n%s", diff)
	}
}

func TestAnObjectOfTheSameNameIsAnother(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(context.Context, client.Client, client.Object) error{"Ensure": finalizer.Ensure, "Release": finalizer.Release} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var has []string
			if name == "Release" {
				has = []string{v1alpha1.Finalizer}
			}
			old := created(t, has...)
			changed(t, old, func(c *v1alpha1.ConcurConnection) { c.Finalizers = nil })
			if err := api.Delete(t.Context(), old); err != nil {
				t.Fatal(err)
			}
			next := old.DeepCopy()
			next.UID, next.ResourceVersion = "", ""
			if err := api.Create(t.Context(), next); err != nil {
				t.Fatal(err)
			}
			if err := do(t.Context(), api, old); err == nil {
				t.Error("there is no error, but the object that was meant is gone")
			}
		})
	}
}

func TestReleaseOfWhatIsGone(t *testing.T) {
	t.Parallel()
	conn := created(t, v1alpha1.Finalizer)
	changed(t, conn, func(c *v1alpha1.ConcurConnection) { c.Finalizers = nil })
	if err := api.Delete(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
	if err := finalizer.Release(t.Context(), api, conn); err != nil {
		t.Errorf("error = %v, want none", err)
	}
}

func TestEnsureLeavesAloneWhatIsBeingDeleted(t *testing.T) {
	t.Parallel()
	conn := created(t, others)
	if err := api.Delete(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
	if err := finalizer.Ensure(t.Context(), api, conn); !apierrors.IsInvalid(err) {
		t.Errorf("error = %v, want the API server's refusal: the cache did not know", err)
	}
	if err := api.Get(t.Context(), client.ObjectKeyFromObject(conn), conn); err != nil {
		t.Fatal(err)
	}
	if err := finalizer.Ensure(t.Context(), api, conn); err != nil {
		t.Errorf("error = %v, want nothing to be tried", err)
	}
	changed(t, conn, func(c *v1alpha1.ConcurConnection) { c.Finalizers = nil })
}
