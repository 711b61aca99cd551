package connector_test

import (
	"os"
	"testing"

	"github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
)

// TestSinkThatMoves gives a sink that says where it is another address while nothing happens to the connector, as when
// a broker is made again, or its certificates are.
func TestSinkThatMoves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ringBells()
	bell := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "bells.example.com/v1", "kind": "Bell"}}
	bell.SetNamespace(w.namespace)
	bell.SetName("door")
	move := func(uri string) {
		w.Expect(unstructured.SetNestedField(bell.Object, uri, "status", "address", "url")).To(gomega.Succeed())
	}
	move("http://first.example.com")
	w.Eventually(func() error { return suite.client.Create(t.Context(), bell) }).Should(gomega.Succeed())
	conn := w.connect("reports", func(s *v1alpha1.ApplicationConnectorSpec) {
		s.Sink.Ref = v1alpha1.SinkRef{APIVersion: "bells.example.com/v1", Kind: "Bell", Name: "door"}
	})
	w.Expect(conn.Status.SinkURI).To(gomega.Equal("http://first.example.com"))
	move("http://second.example.com")
	w.Expect(suite.client.Update(t.Context(), bell)).To(gomega.Succeed())
	w.Eventually(func() string { return w.read(conn).Status.SinkURI }).Should(gomega.Equal("http://second.example.com"))
}

// ringBells installs a kind that has an address.
func (w *world) ringBells() {
	w.t.Helper()
	text, err := os.ReadFile("../operator/testdata/bells.yaml")
	w.Expect(err).NotTo(gomega.HaveOccurred())
	definition := &unstructured.Unstructured{}
	w.Expect(yaml.Unmarshal(text, &definition.Object)).To(gomega.Succeed())
	w.Expect(client.IgnoreAlreadyExists(suite.client.Create(w.t.Context(), definition))).To(gomega.Succeed())
}
