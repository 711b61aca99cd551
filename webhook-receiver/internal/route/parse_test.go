package route_test

import (
	"encoding/base64"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/route"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/strictyaml"
)

const good = `namespace: a, name: b, source: "https://us.example.com"`

// refusals are files with something wrong in them.
var refusals = map[string]struct {
	reason string
	yaml   string
	want   []string // the beginnings of the problems
}{
	"Misspelt": {
		reason: "A misspelt sink would keep events from where they belong, silently.",
		yaml:   "subscriptions: [{" + good + ", snik: {uri: http://a}}]",
		want:   []string{"line 1: subscriptions[0].snik: no such key"},
	},
	"Nothing": {
		reason: "A file that was cut off would take all routes away; who wants none can say so.",
		yaml:   "# routes\n",
		want:   []string{"it says nothing: write `subscriptions: []` where there are no routes"},
	},
	"Null": {
		reason: "A null is as good as an absent key, here too.",
		yaml:   "subscriptions:\nconnectors: ~\n",
		want:   []string{"line 1: it says nothing"},
	},
	"NothingGiven": {
		reason: "Everything that is missing is named at once.",
		yaml:   "subscriptions:\n- {}\n",
		want: []string{
			"line 2: subscriptions[0].namespace: must be a name",
			"line 2: subscriptions[0].name: must be a name",
			"line 2: subscriptions[0].source: is missing",
		},
	},
	"SameName": {
		reason: "Two routes with one path: half of the events would go astray.",
		yaml:   "subscriptions:\n- {" + good + "}\n- {" + good + "}\n",
		want:   []string{"line 3: subscriptions[1].name: subscriptions[0] has this namespace and name already"},
	},
	"PathTricks": {
		reason: "A name must not reach into another's path.",
		yaml:   `subscriptions: [{namespace: "a/b", name: "../c", source: "https://us.example.com"}]`,
		want:   []string{"line 1: subscriptions[0].namespace: must be", "line 1: subscriptions[0].name: must be"},
	},
	"SubscriptionID": {
		reason: "ESS refuses other ids, and takes one for a list.",
		yaml:   "subscriptions:\n- {" + good + ", subscriptionID: A_b}\n- {namespace: a, name: c, source: 'http://x', subscriptionID: webhook}\n",
		want:   []string{"line 2: subscriptions[0].subscriptionID: must be the id at ESS", "line 3: subscriptions[1].subscriptionID: must not be"},
	},
	"URIs": {
		reason: "Only http and https are spoken, and passwords in URIs would be shown.",
		yaml: "subscriptions:\n- {namespace: a, name: b, source: us.example.com, sink: {uri: 'ftp://x'},\n" +
			"   delivery: {deadLetterSink: {uri: 'http://u:hunter2@x'}}}\n" +
			"- {namespace: a, name: c, source: 'https://', sink: {}}\n- {namespace: a, name: d, source: 'https://x#y'}\n",
		want: []string{
			"line 2: subscriptions[0].source: must be an absolute", "line 2: subscriptions[0].sink.uri: must be an absolute",
			"line 3: subscriptions[0].delivery.deadLetterSink.uri: must not hold a user name",
			"line 4: subscriptions[1].source: must be an absolute", "line 4: subscriptions[1].sink.uri: is missing",
			"line 5: subscriptions[2].source: must not hold a fragment",
		},
	},
	"CABundle": {
		reason: "A bundle without a certificate would trust nobody, or everybody's.",
		yaml:   "subscriptions:\n- {" + good + ", sink: {uri: 'https://x', caBundle: aGVsbG8=}}\n",
		want:   []string{"line 2: subscriptions[0].sink.caBundle: must be PEM certificates in base64"},
	},
	"AwaitSinkBesideSink": {
		reason: "The two contradict each other.",
		yaml:   "subscriptions: [{" + good + ", awaitSink: true, sink: {uri: http://x}}]",
		want:   []string{"line 1: subscriptions[0].awaitSink: must not be true beside a sink"},
	},
	"Delivery": {
		reason: "Durations are Knative's, bounded and more than nothing; words are those of Knative, too.",
		yaml: "subscriptions:\n- " + strings.ReplaceAll("{"+good+", delivery: {\nretry: -1,\nbackoffPolicy: fast,\nbackoffDelay: 1s,\n"+
			"timeout: PT0S,\nordering: perkey,\nformat: structured}}", "\n", "\n   ") +
			"\n- {namespace: a, name: c, source: 'http://x', delivery: {backoffDelay: P1M, timeout: PT1H1S}}\n",
		want: []string{
			"line 3: subscriptions[0].delivery.retry: must be from 0", "line 4: subscriptions[0].delivery.backoffPolicy: must be exponential or linear",
			"line 5: subscriptions[0].delivery.backoffDelay: must be a duration as ISO 8601", "line 6: subscriptions[0].delivery.timeout: must be more than nothing",
			"line 7: subscriptions[0].delivery.ordering: must be None or PerKey", "line 8: subscriptions[0].delivery.format: must be binary or json",
			"line 9: subscriptions[1].delivery.backoffDelay: must be a duration as ISO 8601",
			"line 9: subscriptions[1].delivery.timeout: must be more than nothing and at most PT1H",
		},
	},
	"Connectors": {
		reason: "Their list is checked as strictly before anything is served from it.",
		yaml: "connectors:\n- {namespace: a, name: b, path: /events/x, credentials: [{username: 'a:b', password: ''}]}\n" +
			"- {namespace: a, name: c, path: 'a?b'}\n" +
			"- {namespace: a, name: f, path: /events, credentials: [{username: v, password: p}]}\n" +
			"- {namespace: a, name: d, credentials: [{username: u, password: p}, {username: u, password: q}]}\n" +
			"- {namespace: a, name: e, credentials: [{username: u, password: p}]}\n",
		want: []string{
			"line 2: connectors[0].path: must lie outside", "line 2: connectors[0].credentials[0].username: must not be empty",
			"line 2: connectors[0].credentials[0].password: must not be empty", "line 3: connectors[1].path: must be a plain path",
			"line 3: connectors[1].credentials: needs at least one", "line 4: connectors[2].path: must lie outside",
			"line 6: connectors[4].credentials[0].username: is that of connectors[3] too",
		},
	},
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for name, tc := range refusals {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table, err := route.Parse([]byte(tc.yaml))
			var e *strictyaml.Error
			if table != nil || !errors.As(err, &e) {
				t.Fatalf("%s\nParse = %v, %v; want no table and all problems", tc.reason, table, err)
			}
			var got []string
			for i, p := range e.Problems {
				text := p.String()
				if i < len(tc.want) && strings.HasPrefix(text, tc.want[i]) {
					text = tc.want[i]
				}
				got = append(got, text)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\nproblems (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestParseKeepsCredentialsOutOfErrors(t *testing.T) {
	t.Parallel()
	_, err := route.Parse([]byte("connectors:\n- {namespace: A, name: B, credentials: [{username: \"hunter1\\n\", password: \"hunter2\\n\"}, {username: [hunter3], password: 4444}]}\n"))
	if err == nil || strings.Contains(err.Error(), "hunter") || strings.Contains(err.Error(), "4444") {
		t.Errorf("Parse: %v; want problems that tell no credential", err)
	}
}

func TestParseTakesCABundle(t *testing.T) {
	t.Parallel()
	bundle, err := os.ReadFile("testdata/ca.pem")
	if err != nil {
		t.Fatal(err)
	}
	table := parse(t, "subscriptions: [{"+good+", sink: {uri: 'https://x', caBundle: "+base64.StdEncoding.EncodeToString(bundle)+"}}]")
	if diff := cmp.Diff(string(bundle), string(table.All()[0].Sink.CABundle)); diff != "" {
		t.Errorf("CABundle (-want +got):\n%s", diff)
	}
}

func FuzzParse(f *testing.F) {
	sample, err := os.ReadFile("testdata/routes.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sample)
	f.Add([]byte("subscriptions: [{" + good + ", delivery: {retry: 3, backoffDelay: PT1.5S, timeout: P1W, format: json}}]"))
	f.Add([]byte("connectors: [{namespace: a, name: b, credentials: [{username: u, password: p}]}]"))
	f.Add([]byte("subscriptions: [{" + good + ", sink: {uri: 'https://[::1]:1', caBundle: aGVsbG8=}, awaitSink: true}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		table, err := route.Parse(data)
		if (table == nil) == (err == nil) {
			t.Fatalf("Parse = %v, %v; want one of the two", table, err)
		}
		for _, r := range table.Subscriptions() {
			if found, ok := table.ByPath(r.Path()); !ok || found.ID != r.ID {
				t.Errorf("%v is not found by its path", r.ID)
			}
			if !workable(r) {
				t.Errorf("accepted, but cannot be worked with: %+v", r)
			}
		}
	})
}

func workable(r route.Route) bool {
	d := r.Delivery
	return d.BackoffDelay > 0 && d.Timeout > 0 && d.Retries >= -1 && r.Source != "" && (r.Sink == nil || r.Sink.URI != nil)
}
