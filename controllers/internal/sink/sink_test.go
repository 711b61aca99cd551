package sink_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/failure"
	"github.com/ess-operator/ess-operator/controllers/internal/sink"
)

// certificate is one in PEM.
func certificate(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func service(namespace string) v1alpha1.Sink {
	return v1alpha1.Sink{Ref: v1alpha1.SinkRef{APIVersion: "v1", Kind: "Service", Name: "bot", Namespace: namespace}}
}

func TestOf(t *testing.T) {
	t.Parallel()
	broker := v1alpha1.Sink{Ref: v1alpha1.SinkRef{APIVersion: "eventing.knative.dev/v1", Kind: "Broker", Name: "default"}}
	withPort, withBoth := service(""), service("finance")
	withPort.Port = 8080
	withBoth.Port, withBoth.Path = 8080, "/in/v1"
	tests := map[string]struct {
		reason   string
		sink     v1alpha1.Sink
		crossing bool
		want     string // the URI, or what the error says
		kind     error
	}{
		"URI":             {"it says all", v1alpha1.Sink{URI: "https://bot.example.com/in?a=b"}, false, "https://bot.example.com/in?a=b", nil},
		"Service":         {"its name is its address", service(""), false, "http://bot.finance.svc", nil},
		"Port":            {"behind the host", withPort, false, "http://bot.finance.svc:8080", nil},
		"PortAndPath":     {"the object's own namespace may be written out", withBoth, false, "http://bot.finance.svc:8080/in/v1", nil},
		"OtherNamespace":  {"whoever may write here may perhaps not reach there", service("sales"), false, "--cross-namespace-sinks", failure.ErrSinkNotAllowed},
		"Crossing":        {"the administrator allows it", service("sales"), true, "http://bot.sales.svc", nil},
		"Addressable":     {"somebody has to ask it", broker, false, "", nil},
		"Port0":           {"the schema cannot see it, and the receiver would refuse the file", v1alpha1.Sink{URI: "http://bot:0/"}, false, "port that does not exist", failure.ErrSinkInvalid},
		"Port99999":       {"likewise", v1alpha1.Sink{URI: "http://bot:99999/"}, false, "port that does not exist", failure.ErrSinkInvalid},
		"User":            {"objects that were stored before the rule", v1alpha1.Sink{URI: "http://u:p@bot/"}, false, "user name", failure.ErrSinkInvalid},
		"Fragment":        {"never sent", v1alpha1.Sink{URI: "http://bot/#a"}, false, "fragment", failure.ErrSinkInvalid},
		"Scheme":          {"events go over HTTP", v1alpha1.Sink{URI: "ftp://bot/"}, false, "absolute http or https", failure.ErrSinkInvalid},
		"Long":            {"the receiver's bound", v1alpha1.Sink{URI: "http://bot/" + strings.Repeat("a", 2048)}, false, "longer than 2048", failure.ErrSinkInvalid},
		"CABundleNoPEM":   {"one bad bundle must not spoil the file of all", v1alpha1.Sink{URI: "https://bot", CABundle: []byte("x")}, false, "no PEM certificate", failure.ErrCABundleInvalid},
		"CABundleKey":     {"a private key in a spec is a mistake", v1alpha1.Sink{URI: "https://bot", CABundle: []byte("-----BEGIN PRIVATE KEY-----\nYQ==\n-----END PRIVATE KEY-----\n")}, false, "PEM that is no certificate", failure.ErrCABundleInvalid},
		"CABundleGarbage": {"PEM around nothing", v1alpha1.Sink{URI: "https://bot", CABundle: []byte("-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----\n")}, false, "cannot be read", failure.ErrCABundleInvalid},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, found, err := sink.Of(tt.sink, sink.Where{Namespace: "finance", Field: "spec.sink", Crossing: tt.crossing})
			if tt.kind != nil {
				if !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.want) || found {
					t.Errorf("got %v, %v; want an error that says %q: %s", got, err, tt.want, tt.reason)
				}
				return
			}
			if err != nil || got.URI != tt.want || found != (tt.want != "") {
				t.Errorf("got %q, %v, %v; want %q: %s", got.URI, found, err, tt.want, tt.reason)
			}
		})
	}
}

func TestOfKeepsTheCABundle(t *testing.T) {
	t.Parallel()
	pem := certificate(t) + certificate(t)
	got, _, err := sink.Of(v1alpha1.Sink{URI: "https://bot", CABundle: []byte(pem)}, sink.Where{Namespace: "finance"})
	if err != nil || got.CACerts != pem {
		t.Errorf("got %q, %v", got.CACerts, err)
	}
}
