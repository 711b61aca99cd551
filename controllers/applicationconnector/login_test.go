package applicationconnector

import (
	"context"
	"errors"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/login"
	"github.com/ess-operator/ess-operator/controllers/internal/wake"
)

// cluster has connectors, and a namespace whose Secrets may not be read; test/connector has a real API server.
type cluster struct {
	client.Client
	all []v1alpha1.ApplicationConnector
}

func (c cluster) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	list.(*v1alpha1.ApplicationConnectorList).Items = c.all
	return nil
}

func (c cluster) Get(_ context.Context, key client.ObjectKey, o client.Object, _ ...client.GetOption) error {
	if key.Namespace == "closed" {
		return errors.New("not allowed")
	}
	o.(*corev1.Secret).Data = map[string][]byte{"username": []byte("user-of-" + key.Namespace), "password": []byte("password-1")}
	return nil
}

func TestSecretThatCannotBeReadHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	in := func(namespace string) v1alpha1.ApplicationConnector {
		return v1alpha1.ApplicationConnector{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "reports"}}
	}
	c := cluster{all: []v1alpha1.ApplicationConnector{in("closed"), in("open")}}
	r := New(Config{Client: c, Book: login.NewBook(c), Changed: wake.NewBell()})
	if incomplete, err := r.login(t.Context(), &c.all[1]); err != nil || !incomplete {
		t.Errorf("the one whose Secret can be read: %v, others are missing is %t", err, incomplete)
	}
	if _, err := r.login(t.Context(), &c.all[0]); !login.Unread(err) {
		t.Errorf("the one whose Secret cannot be read: %v", err)
	}
}
