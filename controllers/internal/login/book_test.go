package login

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/failure"
)

// secrets are the user names in Secrets, by the Secret's name; test/connector has a real API server.
type secrets struct {
	client.Reader
	users map[string]string
	err   error
}

func (s *secrets) Get(_ context.Context, key client.ObjectKey, o client.Object, _ ...client.GetOption) error {
	user, ok := s.users[key.Name]
	switch {
	case s.err != nil:
		return s.err
	case !ok:
		return apierrors.NewNotFound(schema.GroupResource{Resource: "secrets"}, key.Name)
	}
	o.(*corev1.Secret).Data = map[string][]byte{"username": []byte(user), "password": []byte("password-1")}
	return nil
}

func connector(name string, age time.Duration) *v1alpha1.ApplicationConnector {
	return &v1alpha1.ApplicationConnector{
		ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: name, CreationTimestamp: metav1.NewTime(time.Unix(1e9, 0).Add(-age))},
		Spec:       v1alpha1.ApplicationConnectorSpec{CredentialsSecretRef: v1alpha1.BasicCredentialsRef{Name: name}},
	}
}

func named(name string) types.NamespacedName { return types.NamespacedName{Namespace: "a", Name: name} }

func TestBookKnowsWhoseUserNameItIs(t *testing.T) {
	t.Parallel()
	s := &secrets{users: map[string]string{"old": "user-of-all", "older": "user-of-all", "young": "user-of-all", "other": "user-of-other"}}
	b := NewBook(s)
	all := map[string]*v1alpha1.ApplicationConnector{}
	var list []v1alpha1.ApplicationConnector
	for name, age := range map[string]time.Duration{"young": time.Hour, "old": 2 * time.Hour, "older": 3 * time.Hour, "other": 0, "without": 0} {
		all[name] = connector(name, age)
		list = append(list, *all[name])
	}
	if err := b.Complete(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"young": "older", "old": "older", "older": "", "other": "", "without": ""} {
		if senior, _ := b.Senior(all[name]); senior.Name != want {
			t.Errorf("senior to %s is %q, want %q", name, senior.Name, want)
		}
	}
	checkChange(t, b, s, all["older"])
	if affected := b.Forget(named("old")); !cmp.Equal(affected, []types.NamespacedName{named("young")}) {
		t.Errorf("after an end: %v", affected)
	}
	if err := b.Complete(t.Context(), list[:0]); err != nil || len(b.All()) > 0 {
		t.Errorf("%d connectors are known that are gone: %v", len(b.All()), err)
	}
}

// checkChange gives a connector another user name than two others have.
func checkChange(t *testing.T, b *Book, s *secrets, conn *v1alpha1.ApplicationConnector) {
	t.Helper()
	s.users[conn.Name] = "user-of-older"
	_, changed, affected, err := b.Read(t.Context(), conn)
	if err != nil || !changed || len(affected) != 2 {
		t.Errorf("after a change: %t, %v, %v", changed, affected, err)
	}
	if _, changed, affected, _ = b.Read(t.Context(), conn); changed || len(affected) > 0 {
		t.Errorf("without a change: %t, %v", changed, affected)
	}
}

func TestTroubleOfTheAPIServerSaysNothing(t *testing.T) {
	t.Parallel()
	s := &secrets{users: map[string]string{"a": "user-of-a-b"}}
	b := NewBook(s)
	if _, _, _, err := b.Read(t.Context(), connector("a", 1)); err != nil {
		t.Fatal(err)
	}
	for _, s.err = range []error{apierrors.NewServiceUnavailable("later"), errors.New("connection refused")} {
		_, changed, _, err := b.Read(t.Context(), connector("a", 1))
		if !Unread(err) || changed || b.All()[named("a")].Username == "" {
			t.Errorf("%v: changed is %t, and the login that was known %t", err, changed, b.All()[named("a")].Username != "")
		}
		if err := b.Complete(t.Context(), []v1alpha1.ApplicationConnector{*connector("a", 1), *connector("b", 1)}); !Unread(err) {
			t.Errorf("completing: %v", err)
		}
		if _, known := b.All()[named("b")]; known {
			t.Error("a connector whose Secret could not be read counts as one without login")
		}
	}
	s.err = nil
	if _, _, _, err := b.Read(t.Context(), connector("c", 1)); !errors.Is(err, failure.ErrSecretNotFound) || Unread(err) {
		t.Errorf("without a Secret: %v", err)
	}
}

func TestRouted(t *testing.T) {
	t.Parallel()
	b := NewBook(&secrets{users: map[string]string{"a": "user-of-a-b"}})
	l, _, _, err := b.Read(t.Context(), connector("a", 1))
	if err != nil {
		t.Fatal(err)
	}
	if _, routed, known := b.Routed(named("a")); routed || known {
		t.Error("something is said before anybody looked")
	}
	if news := b.SetRouted(nil); len(news) != 1 {
		t.Errorf("the first look is news to %v", news)
	}
	with := map[types.NamespacedName]Login{named("a"): l}
	if news := b.SetRouted(with); len(news) != 1 {
		t.Errorf("that it is routed is news to %v", news)
	}
	if news := b.SetRouted(with); len(news) != 0 {
		t.Errorf("nothing is news to %v", news)
	}
	if _, routed, known := b.Routed(named("a")); !routed || !known {
		t.Error("not routed with the present login")
	}
}

func TestLoginsAreNotPrinted(t *testing.T) {
	t.Parallel()
	l := Login{Username: "user-of-a-b", Password: "password-1"}
	if printed := fmt.Sprintf("%v %+v %#v %v", l, l, l, map[string]Login{"a": l}); strings.Contains(printed, "user-of") || strings.Contains(printed, "password") {
		t.Errorf("printed by accident: %s", printed)
	}
}
