package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Fields that the tests look at.
const (
	managerPod    = "spec template spec "
	managerBox    = managerPod + "containers [name=manager] "
	receiverBox   = managerPod + "containers [name=receiver] "
	managerArgs   = managerBox + "args"
	receiverPorts = "spec ports"
)

// check is one field of a rendered object: its JSON, or nothing for what must not be.
type check struct {
	object, field string
	want          any
}

// gone is an object that must not be there.
func gone(object string) check { return check{object: object} }

// valueCase is what values do to the objects.
type valueCase struct {
	reason, values string
	want           []check
}

var valueCases = map[string]valueCase{
	"Images": {
		reason: "a mirror has other names, and a digest is what cannot change below a tag",
		values: "{manager: {image: {registry: mirror.example.com:5000, repository: x/manager, tag: v2, digest: 'sha256:" + strings.Repeat("0a", 32) + "', pullSecrets: [{name: mirror}]}}}",
		want: []check{
			{managerObject, managerBox + "image", "mirror.example.com:5000/x/manager:v2@sha256:" + strings.Repeat("0a", 32)},
			{managerObject, managerPod + "imagePullSecrets", []any{map[string]any{"name": "mirror"}}},
			{receiverObject, receiverBox + "imagePullPolicy", "IfNotPresent"},
		},
	},
	"ManagerFlags": {
		reason: "what has a value of its own, and what has none",
		values: "{receiver: {enabled: false}, metrics: {enabled: false}, manager: {allowedHosts: [a.example, '*.b.example'], crossNamespaceSinks: true, logging: {level: debug, format: text}, extraArgs: [--max-concurrent-reconciles=8]}}",
		want: []check{
			{managerObject, managerArgs, []any{
				"--leader-elect", "--metrics-bind-address=0", "--health-probe-bind-address=:8081", "--allowed-hosts=a.example,*.b.example",
				"--cross-namespace-sinks", "--log-level=debug", "--log-format=text", "--max-concurrent-reconciles=8",
			}},
			{managerObject, managerBox + "env", nil},
			gone("Service/ess-operator-metrics"), gone("ClusterRole/ess-operator-metrics-reader"),
		},
	},
	"NoRolesForPeople": {
		reason: "who may not make ClusterRoles can do without them",
		values: "{rbac: {userRoles: false}, metrics: {enabled: false}, crds: {install: false}, manager: {watchNamespaces: [finance]}}",
		want: []check{
			gone("ClusterRole/ess-operator-eventsubscription-viewer"), gone("ClusterRole/ess-operator-concurconnection-editor"),
			gone("ClusterRole/ess-operator-applicationconnector-admin"), gone("ClusterRole/ess-operator-manager"),
			{"Role/ess-operator-manager in finance", "metadata namespace", "finance"},
		},
	},
	"CertificateOfOwnSecret": {
		reason: "cert-manager writes the Secret that the pod mounts",
		values: "{receiver: {tls: {secretName: mine}}, certManager: {enabled: true, host: a.example.com, issuerRef: {name: ours, kind: Issuer}}}",
		want: []check{
			{"Certificate/ess-operator-receiver", "spec secretName", "mine"},
			{"Certificate/ess-operator-receiver", "spec dnsNames", []string{"a.example.com"}},
			{"Certificate/ess-operator-receiver", "spec issuerRef", map[string]any{"name": "ours", "kind": "Issuer", "group": "cert-manager.io"}},
			{receiverObject, managerPod + "volumes [name=tls] secret secretName", "mine"},
		},
	},
	"PublicURL": {
		reason: "the manager reads it at its start only, so its pod has to change with it",
		values: "{receiver: {publicURL: 'https://events.example.com'}}",
		want: []check{
			{"ConfigMap/ess-operator-receiver", "data publicURL", "https://events.example.com"},
			{managerObject, "spec template metadata annotations concur.ess-operator.io/receiver-url", "https://events.example.com"},
		},
	},
	"BehindProxy": {
		reason: "where a proxy ends TLS there is no certificate to wait for, and the Service is plain HTTP",
		values: "{receiver: {publicURL: 'https://events.example.com:8443', tls: {enabled: false}, ingress: {enabled: true, className: nginx, secretName: front}}}",
		want: []check{
			{"Service/ess-operator-receiver", receiverPorts, []any{map[string]any{"name": "http", "port": 80, "targetPort": "events"}}},
			{receiverObject, managerPod + "volumes [name=tls]", nil},
			{receiverObject, receiverBox + "volumeMounts [name=tls]", nil},
			{"Ingress/ess-operator-receiver", "spec ingressClassName", "nginx"},
			{"Ingress/ess-operator-receiver", "spec tls", []any{map[string]any{"hosts": []any{"events.example.com"}, "secretName": "front"}}},
		},
	},
	"TLSThrough": {
		reason: "an Ingress in front of TLS speaks to the Service's port of that name",
		values: "{receiver: {publicURL: 'https://events.example.com', tls: {secretName: mine}, ingress: {enabled: true}}}",
		want: []check{
			{receiverObject, managerPod + "volumes [name=tls] secret secretName", "mine"},
			{"Ingress/ess-operator-receiver", "spec tls", []any{map[string]any{"hosts": []any{"events.example.com"}, "secretName": "mine"}}},
			{"Ingress/ess-operator-receiver", "spec ingressClassName", nil},
		},
	},
	"NoVolume": {
		reason: "for a trial the journal goes with the pod",
		values: "{receiver: {persistence: {enabled: false, size: 1Gi}, config: {journal: {bbolt: {maxSize: 800Mi}}}}}",
		want: []check{
			gone("PersistentVolumeClaim/ess-operator-receiver"),
			{receiverObject, managerPod + "volumes [name=journal]", map[string]any{"name": "journal", "emptyDir": map[string]any{"sizeLimit": "1Gi"}}},
		},
	},
	"OwnVolume": {
		reason: "a claim that is there already is used, and none is made",
		values: "{receiver: {persistence: {existingClaim: journal-of-before}}}",
		want: []check{
			gone("PersistentVolumeClaim/ess-operator-receiver"),
			{receiverObject, managerPod + "volumes [name=journal] persistentVolumeClaim claimName", "journal-of-before"},
		},
	},
	"VolumeStays": {
		reason: "events in it were acknowledged, and may not have been delivered",
		values: "{}",
		want:   []check{{"PersistentVolumeClaim/ess-operator-receiver", "metadata annotations helm.sh/resource-policy", "keep"}},
	},
	"NothingToScrape": {
		reason: "an alert that no manager tells would never end where its metrics are off",
		values: "{manager: {watchNamespaces: [finance]}, monitoring: {serviceMonitor: {enabled: true}, prometheusRule: {enabled: true}}}",
		want: []check{
			gone("ServiceMonitor/ess-operator-manager"), gone("PrometheusRule/ess-operator-manager"),
			{"ServiceMonitor/ess-operator-receiver", "spec endpoints [port=https] tlsConfig serverName", "ess-operator-receiver-admin.ess-operator-system.svc"},
			{"PrometheusRule/ess-operator-receiver", "spec groups [name=ess-operator-receiver] rules [alert=ConcurReceiverDown] expr", `absent(ess_receiver_build_info{job="ess-operator-receiver-admin"})`},
		},
	},
	"Scraped": {
		reason: "Prometheus finds monitors by labels, and the policies let it in",
		values: "{monitoring: {serviceMonitor: {enabled: true, labels: {release: p}, managerTokenSecret: scraper}}, networkPolicy: {metricsFrom: [{podSelector: {}}]}}",
		want: []check{
			{"ServiceMonitor/ess-operator-receiver", "metadata labels release", "p"},
			{"ServiceMonitor/ess-operator-manager", "spec endpoints [port=https] bearerTokenFile", nil},
			{"ServiceMonitor/ess-operator-manager", "spec endpoints [port=https] authorization credentials", map[string]any{"name": "scraper", "key": "token"}},
			{"NetworkPolicy/ess-operator-manager", "spec ingress [from] from [podSelector]", map[string]any{"podSelector": map[string]any{}}},
			{"NetworkPolicy/ess-operator-receiver", "spec ingress [from] from [namespaceSelector] namespaceSelector matchLabels", map[string]any{"metrics": "enabled"}},
			gone("PrometheusRule/ess-operator-receiver"),
		},
	},
	"CRDsOfAnotherRelease": {
		reason: "the definitions belong to one release of a cluster",
		values: "{crds: {install: false}}",
		want:   []check{gone("CustomResourceDefinition/eventsubscriptions.concur.ess-operator.io")},
	},
	"CRDsGo": {
		reason: "who wants them away with the release can have that",
		values: "{crds: {keep: false}}",
		want:   []check{{"CustomResourceDefinition/eventsubscriptions.concur.ess-operator.io", "metadata annotations helm.sh/resource-policy", nil}},
	},
	"CRDsStay": {
		reason: "by default no helm uninstall takes users' objects along",
		values: "{}",
		want:   []check{{"CustomResourceDefinition/eventsubscriptions.concur.ess-operator.io", "metadata annotations helm.sh/resource-policy", "keep"}},
	},
}

func TestValues(t *testing.T) {
	t.Parallel()
	for name, c := range valueCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			objects := rendered(t, standard, c.values)
			for _, k := range c.want {
				want := ""
				if k.want != nil {
					want = asJSON(t, k.want)
				}
				if diff := cmp.Diff(tidy(t, want), tidy(t, at(t, objects[k.object], k.field))); diff != "" {
					t.Errorf("%s: %s %s (-want +got):\n%s", c.reason, k.object, k.field, diff)
				}
			}
		})
	}
}

// tidy reads JSON, so that the order of keys is none; nothing is nil.
func tidy(t *testing.T, content string) any {
	t.Helper()
	if content == "" {
		return nil
	}
	var value any
	if err := json.Unmarshal([]byte(content), &value); err != nil {
		t.Fatal(err)
	}
	return value
}

func TestReceiverConfig(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reason, values string
		want           map[string]string // by field
		restart        bool
	}{
		"Default": {
			reason: "what the manifest has",
			values: "{}",
			want:   map[string]string{"events tls certFile": `"/etc/receiver/tls/tls.crt"`, "journal bbolt maxSize": `"8Gi"`, "publicURL": ""},
		},
		"Live": {
			reason: "what is in force without a restart causes none",
			values: "{receiver: {publicURL: 'https://events.example.com', config: {proof: {require: all, signature: {publicKeyFiles: [/etc/receiver/proof/concur.pem]}}, events: {maxBodySize: 8Mi}}}}",
			want: map[string]string{
				"publicURL": `"https://events.example.com"`, "events listen": `":8443"`, "events maxBodySize": `"8Mi"`,
				"proof": `{"require":"all","signature":{"publicKeyFiles":["/etc/receiver/proof/concur.pem"]}}`,
			},
		},
		"Restart": {
			reason:  "what is read at the start only makes a new pod; other keys of the same section stay",
			values:  "{receiver: {persistence: {size: 50Gi}, config: {journal: {bbolt: {maxSize: 40Gi}}, events: {maxInFlight: 64}}}}",
			want:    map[string]string{"journal bbolt": `{"maxSize":"40Gi","path":"/var/lib/receiver/journal.db"}`, "events maxInFlight": "64"},
			restart: true,
		},
		"BehindProxy": {
			reason: "plain HTTP is a section that is not there",
			values: "{receiver: {tls: {enabled: false}}}",
			want:   map[string]string{"events": `{"listen":":8443"}`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			objects := rendered(t, standard, c.values)
			config := byConfig(t, objects)
			for field, want := range c.want {
				if diff := cmp.Diff(tidy(t, want), tidy(t, at(t, config, field))); diff != "" {
					t.Errorf("%s: %s (-want +got):\n%s", c.reason, field, diff)
				}
			}
			restart := at(t, objects[receiverObject], "spec template metadata annotations concur.ess-operator.io/restart-for") != ""
			if restart != c.restart {
				t.Errorf("%s: the pod changes: %t, want %t", c.reason, restart, c.restart)
			}
		})
	}
}
