package main

import (
	"regexp"
	"strings"
	"testing"
)

// TestTextsStayTexts gives names that YAML takes for numbers and truth values when they
// are not quoted, and which the API server then refuses.
func TestTextsStayTexts(t *testing.T) {
	t.Parallel()
	const values = `
fullnameOverride: "on"
manager: {watchNamespaces: ["12", "null"]}
receiver:
  publicURL: https://events.example.com
  tls: {secretName: "1e3"}
  persistence: {existingClaim: "456"}
  ingress: {enabled: true}
certManager: {enabled: true, issuerRef: {name: "7"}}
`
	for id, o := range rendered(t, where{"true", "123"}, values) {
		expectTexts(t, id, o, false)
	}
}

// names are fields that name something, or hold a map of texts.
var names = regexp.MustCompile(`^(name|namespace|\w+Name|\w*[lL]abels)$`)

// expectTexts fails when a name, or a value of a map of texts, is none. Schemas of our
// kinds describe such fields, and are left out.
func expectTexts(t *testing.T, where string, value any, name bool) {
	t.Helper()
	switch v := value.(type) {
	case map[string]any:
		for key, field := range v {
			if key != "openAPIV3Schema" {
				expectTexts(t, where+" "+key, field, name || names.MatchString(key))
			}
		}
	case []any:
		for _, item := range v {
			expectTexts(t, where, item, name)
		}
	case string:
	default:
		if name {
			t.Errorf("%s is %v, a %T", where, v, v)
		}
	}
}

// TestOneLeaseForEachRelease is for two releases in one namespace: were the Lease the
// same, one of them would wait for the other for ever, and nobody would work for it.
func TestOneLeaseForEachRelease(t *testing.T) {
	t.Parallel()
	const flag, fallback = "--leader-election-id=", "manager.concur.ess-operator.io"
	seen := map[string]string{}
	for _, name := range []string{standard.name, "second", "third"} {
		objects := rendered(t, where{name, standard.namespace}, "{}")
		fullname := strings.TrimSuffix(name, "-ess-operator") + "-ess-operator"
		if name == standard.name {
			fullname = name
		}
		lease := fallback
		for _, arg := range strings.Split(at(t, objects["Deployment/"+fullname+"-manager"], "spec template spec containers [name=manager] args"), `"`) {
			if rest, ok := strings.CutPrefix(arg, flag); ok {
				lease = rest
			}
		}
		if other, ok := seen[lease]; ok {
			t.Errorf("%s and %s share the Lease %s", name, other, lease)
		}
		seen[lease] = name
		if rules := at(t, objects["Role/"+fullname+"-leader-election"], "rules"); !strings.Contains(rules, `["`+lease+`"]`) {
			t.Errorf("%s may not use its Lease %s: %s", name, lease, rules)
		}
	}
}

// TestCertificateForTheIngress is for those who end TLS there: it serves the receiver's
// certificate then, which nobody else would have written.
func TestCertificateForTheIngress(t *testing.T) {
	t.Parallel()
	const values = `{receiver: {publicURL: "https://events.example.com", tls: {enabled: false}, ingress: {enabled: true}},
certManager: {enabled: true, issuerRef: {name: letsencrypt}}}`
	objects := rendered(t, standard, values)
	want := `"ess-operator-receiver-tls"`
	if got := at(t, objects["Certificate/ess-operator-receiver"], "spec secretName"); got != want {
		t.Errorf("cert-manager writes Secret %s, and the Ingress serves that of %s", got, want)
	}
}

// TestNullIsTheDefault is for "--set receiver.config=null", with which Helm takes a value away.
func TestNullIsTheDefault(t *testing.T) {
	t.Parallel()
	if _, err := helm(standard, "{receiver: {config: null, nodeSelector: null}, manager: {nodeSelector: null}}"); err != nil {
		t.Error(err)
	}
}

// TestKnativeInWatchedNamespaces is for those who chose namespaces so that the manager
// reads nothing elsewhere.
func TestKnativeInWatchedNamespaces(t *testing.T) {
	t.Parallel()
	objects := rendered(t, standard, "{manager: {knativeSinks: true, watchNamespaces: [finance]}}")
	if objects["ClusterRoleBinding/ess-operator-addressable-resolver"] != nil {
		t.Error("the manager may read Addressables in the whole cluster")
	}
	binding := objects["RoleBinding/ess-operator-addressable-resolver"]
	for field, want := range map[string]string{
		"metadata namespace": `"finance"`,
		"roleRef":            `{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"addressable-resolver"}`,
		"subjects":           `[{"kind":"ServiceAccount","name":"ess-operator-manager","namespace":"ess-operator-system"}]`,
	} {
		if got := at(t, binding, field); got != want {
			t.Errorf("%s of the RoleBinding is %s, want %s", field, got, want)
		}
	}
}

// TestHostInCapitals: a URL may have them, and the host of an Ingress may not.
func TestHostInCapitals(t *testing.T) {
	t.Parallel()
	objects := rendered(t, standard, `{receiver: {publicURL: "https://Events.Example.com", ingress: {enabled: true}},
certManager: {enabled: true, issuerRef: {name: letsencrypt}}}`)
	for id, field := range map[string]string{"Ingress/ess-operator-receiver": "spec rules", "Certificate/ess-operator-receiver": "spec dnsNames"} {
		if got := at(t, objects[id], field); !strings.Contains(got, `"events.example.com"`) {
			t.Errorf("%s of %s is %s", field, id, got)
		}
	}
}
