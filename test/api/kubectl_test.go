package api_test

import (
	"maps"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// shown are the columns of each kind, and a row of them.
var shown = map[string]struct {
	reason  string
	minimal string
	change  string
	name    string
	columns []string
	wide    []string
	want    map[string]string
}{
	"ConcurConnection": {
		reason:  "whether it works, and how many places are left",
		minimal: minimalConnection, name: "cconn",
		change: `status:
  conditions: [{type: Ready, status: "True", reason: Connected, message: m, lastTransitionTime: "2026-01-02T03:04:05Z"}]
  topicCount: 12
  applicationID: dabd27f0
  subscriptions: {used: 3, limit: 5, managed: 2, usage: 3/5}
  lastSyncTime: "` + daysAgo(10) + `"`,
		columns: []string{"NAME", "READY", "REASON", "TOPICS", "USED", "AGE"},
		wide:    []string{"NAME", "READY", "REASON", "TOPICS", "USED", "AGE", "URL", "APPLICATION", "LAST SYNC"},
		want: map[string]string{
			"NAME": "acme-us", "READY": "True", "REASON": "Connected", "TOPICS": "12", "USED": "3/5",
			"URL": "https://us2.api.concursolutions.com", "APPLICATION": "dabd27f0", "LAST SYNC": "10d",
		},
	},
	"EventSubscription": {
		reason:  "whether it works, end to end",
		minimal: minimalSubscription, name: "esub",
		change: `status:
  conditions: [{type: Ready, status: "False", reason: IDTaken, message: m, lastTransitionTime: "2026-01-02T03:04:05Z"}]
  companyCount: 0
  subscriptionID: acme.reports
  endpoint: https://events.example.com/concur
  sinkURI: http://expense-bot.finance.svc
  delivery: {lastEventTime: "` + daysAgo(20) + `"}`,
		columns: []string{"NAME", "READY", "REASON", "TOPIC", "COMPANIES", "LAST EVENT", "AGE"},
		wide:    []string{"NAME", "READY", "REASON", "TOPIC", "COMPANIES", "LAST EVENT", "AGE", "ID", "CONNECTION", "ENDPOINT", "SINK"},
		want: map[string]string{
			"NAME": "reports", "READY": "False", "REASON": "IDTaken", "TOPIC": "public.concur.expense.report",
			"COMPANIES": "0", "LAST EVENT": "20d", "ID": "acme.reports", "CONNECTION": "acme-us",
			"ENDPOINT": "https://events.example.com/concur", "SINK": "http://expense-bot.finance.svc",
		},
	},
	"ApplicationConnector": {
		reason:  "whether it works, and what to type in at SAP Concur",
		minimal: minimalConnector, name: "appconn",
		change: `status:
  conditions: [{type: Ready, status: "True", reason: Routed, message: m, lastTransitionTime: "2026-01-02T03:04:05Z"}]
  url: https://events.example.com/concur/v1.0/notify
  lastTestConnectionTime: "` + daysAgo(30) + `"
  sinkURI: http://expense-bot.finance.svc
  recovery: {recovered: 7}
  delivery: {lastEventTime: "` + daysAgo(20) + `"}`,
		columns: []string{"NAME", "READY", "REASON", "URL", "LAST EVENT", "AGE"},
		wide:    []string{"NAME", "READY", "REASON", "URL", "LAST EVENT", "AGE", "LAST TEST", "RECOVERED", "SECRET", "SINK"},
		want: map[string]string{
			"NAME": "callouts", "READY": "True", "REASON": "Routed", "URL": "https://events.example.com/concur/v1.0/notify",
			"LAST EVENT": "20d", "LAST TEST": "30d", "RECOVERED": "7", "SECRET": "callouts", "SINK": "http://expense-bot.finance.svc",
		},
	},
}

func TestKubectlShowsTheColumns(t *testing.T) {
	t.Parallel()
	for name, tt := range shown {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			namespace := newNamespace(t)
			createWithStatus(t, object(t, namespace, tt.minimal, tt.change))

			header, _ := table(t, kubectl(t, "get", tt.name, "-n", namespace))
			if diff := cmp.Diff(tt.columns, header); diff != "" {
				t.Errorf("columns, which should say %s (-want +got):\n%s", tt.reason, diff)
			}
			header, row := table(t, kubectl(t, "get", tt.name, "-n", namespace, "-o", "wide"))
			if diff := cmp.Diff(tt.wide, header); diff != "" {
				t.Errorf("wide columns (-want +got):\n%s", diff)
			}
			maps.DeleteFunc(row, func(column, _ string) bool { return column == "AGE" })
			if diff := cmp.Diff(tt.want, row); diff != "" {
				t.Errorf("values (-want +got):\n%s", diff)
			}
		})
	}
}

func TestKubectlKnowsTheCategory(t *testing.T) {
	t.Parallel()
	namespace := newNamespace(t)
	createWithStatus(t, object(t, namespace, minimalConnection, `{}`))
	createWithStatus(t, object(t, namespace, minimalSubscription, `{}`))
	createWithStatus(t, object(t, namespace, minimalConnector, `{}`))
	want := "applicationconnector.concur.ess-operator.io/callouts\nconcurconnection.concur.ess-operator.io/acme-us\neventsubscription.concur.ess-operator.io/reports\n"
	if diff := cmp.Diff(want, kubectl(t, "get", "concur", "-n", namespace, "-o", "name")); diff != "" {
		t.Errorf("kubectl get concur (-want +got):\n%s", diff)
	}
}

func TestKubectlPrintsWhatIsWrong(t *testing.T) {
	t.Parallel()
	namespace := newNamespace(t)
	tests := map[string]struct {
		reason, minimal, change string
		want                    []string // in any order, which the API server leaves to chance
	}{
		"TwoMistakes": {
			reason: "all that is wrong is said at once", minimal: minimalSubscription,
			change: `spec: {subscriptionID: Acme, endpoint: {receiver: {}}}`,
			want: []string{
				`The EventSubscription "reports" is invalid: ` + "\n",
				"* spec.endpoint: Invalid value: endpoint must have exactly one of url and receiver\n",
				`* spec.subscriptionID: Invalid value: "Acme": subscriptionID may hold lowercase letters, digits, '.' and '-' only` + "\n",
			},
		},
		"MisspeltField": {
			reason: "a field that does nothing must not look as if it did", minimal: minimalConnection,
			change: `spec: {maxSubscription: 10}`,
			want:   []string{`strict decoding error: unknown field "spec.maxSubscription"`},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			manifest, err := yaml.Marshal(object(t, namespace, tt.minimal, tt.change))
			if err != nil {
				t.Fatal(err)
			}
			_, err = suite.plane.KubectlInput(t.Context(), strings.NewReader(string(manifest)), "apply", "-f", "-")
			for _, want := range tt.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("kubectl printed\n%v\nwant it to print (%s)\n%s", err, tt.reason, want)
				}
			}
		})
	}
}

func TestApplyingAddsNothingToASpec(t *testing.T) {
	t.Parallel()
	namespace := newNamespace(t)
	for _, minimal := range []string{minimalConnection, minimalSubscription, minimalConnector} {
		applied := object(t, namespace, minimal, `{}`)
		if _, err := suite.plane.KubectlInput(t.Context(), strings.NewReader(minimal), "apply", "-n", namespace, "-f", "-"); err != nil {
			t.Fatal(err)
		}
		stored := &unstructured.Unstructured{}
		stored.SetGroupVersionKind(applied.GroupVersionKind())
		if err := suite.client.Get(t.Context(), client.ObjectKeyFromObject(applied), stored); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(applied.Object["spec"], stored.Object["spec"]); diff != "" {
			t.Errorf("what is stored of a minimal %s differs from what was applied (-applied +stored):\n%s", applied.GetKind(), diff)
		}
	}
}

// createWithStatus makes an object and then writes its status, as the operator does.
func createWithStatus(t *testing.T, o *unstructured.Unstructured) {
	t.Helper()
	status, has := o.Object["status"]
	if err := suite.client.Create(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if !has {
		return
	}
	o.Object["status"] = status
	if err := suite.client.Status().Update(t.Context(), o); err != nil {
		t.Fatal(err)
	}
}

func kubectl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := suite.plane.Kubectl(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// table reads the header and the only row of what kubectl get printed.
func table(t *testing.T, printed string) (header []string, row map[string]string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(printed), "\n")
	if len(lines) != 2 {
		t.Fatalf("kubectl printed %d lines, want a header and a row:\n%s", len(lines), printed)
	}
	gap := regexp.MustCompile(` {2,}`) // a name of a column may hold one space
	header, values := gap.Split(strings.TrimSpace(lines[0]), -1), gap.Split(strings.TrimSpace(lines[1]), -1)
	if len(header) != len(values) {
		t.Fatalf("%d columns and %d values:\n%s", len(header), len(values), printed)
	}
	row = map[string]string{}
	for i := range header {
		row[header[i]] = values[i]
	}
	return header, row
}

// daysAgo is a time that kubectl shows in whole days.
func daysAgo(days int) string {
	return metav1.Now().Add(-time.Duration(days)*24*time.Hour - time.Hour).UTC().Format(time.RFC3339)
}
