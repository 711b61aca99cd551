package monitoring

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"
)

// root is the repository, from the directory of the tests.
const root = "../.."

// references list all metrics of the programs, with their labels.
var references = []string{"docs/reference/metrics.md", "docs/reference/receiver-metrics.md"}

// read returns a file of the repository.
func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// installed are the alerts of config/monitoring, by name.
func installed(t *testing.T) map[string]rulefmt.Rule {
	t.Helper()
	alerts := map[string]rulefmt.Rule{}
	for _, program := range []string{"manager", "receiver"} {
		path := "config/monitoring/" + program + "_alerts.yaml"
		var object struct{ Spec yaml.Node }
		if err := yaml.Unmarshal([]byte(read(t, path)), &object); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		spec, err := yaml.Marshal(&object.Spec)
		if err != nil {
			t.Fatal(err)
		}
		for _, rule := range parse(t, path, string(spec)) {
			alerts[rule.Alert] = rule
		}
	}
	return alerts
}

// proposed are the alerts that the reference has beside those.
func proposed(t *testing.T) []rulefmt.Rule {
	t.Helper()
	var rules []rulefmt.Rule
	for _, path := range references {
		_, block, found := strings.Cut(read(t, path), "```yaml\n- alert: ")
		block, _, _ = strings.Cut("- alert: "+block, "```")
		if !found {
			t.Fatalf("%s proposes no alert", path)
		}
		rules = append(rules, parse(t, path, "groups:\n- name: proposed\n  rules:\n  "+strings.ReplaceAll(block, "\n", "\n  "))...)
	}
	return rules
}

// parse reads rules as Prometheus does, expressions and templates included.
func parse(t *testing.T, path, text string) []rulefmt.Rule {
	t.Helper()
	groups, errs := rulefmt.Parse([]byte(text), false, model.UTF8Validation)
	if len(errs) > 0 {
		t.Fatalf("%s: %v", path, errs)
	}
	var rules []rulefmt.Rule
	for _, group := range groups.Groups {
		rules = append(rules, group.Rules...)
	}
	if len(rules) == 0 {
		t.Fatalf("%s has no rules", path)
	}
	return rules
}

// metric is a row of a reference.
type metric struct {
	labels []string
	page   string // where its results are explained
}

// metrics are those that the programs have, by name.
func metrics(t *testing.T) map[string]metric {
	t.Helper()
	code := regexp.MustCompile("(?s)```.*?```") // the alerts would find themselves there
	row := regexp.MustCompile("(?m)^\\| `(ess_[a-z_]+)` \\| (?:gauge|counter|histogram) \\| ([^|]*)\\|")
	all := map[string]metric{}
	for _, path := range references {
		page := code.ReplaceAllString(read(t, path)+read(t, "docs/reference/conditions.md"), "") // which has the reasons
		for _, match := range row.FindAllStringSubmatch(page, -1) {
			var names []string
			for name := range strings.SplitSeq(strings.TrimSpace(match[2]), ", ") {
				names = append(names, strings.Trim(name, "`"))
			}
			all[match[1]] = metric{names, page}
		}
	}
	if len(all) < 50 {
		t.Fatalf("the references list %d metrics only", len(all))
	}
	return all
}

// TestAlertsAskForWhatThereIs holds each metric, label and value of a label that an alert
// names against the references: one that is misspelt would never fire.
func TestAlertsAskForWhatThereIs(t *testing.T) {
	t.Parallel()
	known := metrics(t)
	rules := proposed(t)
	for _, rule := range installed(t) {
		rules = append(rules, rule)
	}
	for _, rule := range rules {
		expr, err := parser.ParseExpr(rule.Expr)
		if err != nil {
			t.Fatalf("%s: %v", rule.Alert, err)
		}
		asked := 0
		parser.Inspect(expr, func(node parser.Node, above []parser.Node) error {
			selector, ok := node.(*parser.VectorSelector)
			if !ok {
				return nil
			}
			asked++
			m, ok := known[selector.Name]
			if !ok {
				t.Errorf("%s asks for the metric %s, which the programs do not have", rule.Alert, selector.Name)
				return nil
			}
			for _, name := range labelsOf(selector, above) {
				if !slices.Contains(append(m.labels, "job"), name) {
					t.Errorf("%s asks for the label %s of %s, which has %v", rule.Alert, name, selector.Name, m.labels)
				}
			}
			expectValues(t, rule.Alert, m, selector)
			return nil
		})
		if asked == 0 {
			t.Errorf("%s asks for no metric", rule.Alert)
		}
	}
}

// labelsOf are the labels that an expression wants of a selector: its own, and those that
// the aggregations around it keep.
func labelsOf(selector *parser.VectorSelector, above []parser.Node) []string {
	var names []string
	for _, m := range selector.LabelMatchers {
		if m.Name != model.MetricNameLabel {
			names = append(names, m.Name)
		}
	}
	for _, node := range above {
		if aggregation, ok := node.(*parser.AggregateExpr); ok {
			names = append(names, aggregation.Grouping...)
		}
	}
	return names
}

// expectValues looks up in the page of the metric what its labels have to be.
func expectValues(t *testing.T, alert string, m metric, selector *parser.VectorSelector) {
	t.Helper()
	for _, matcher := range selector.LabelMatchers {
		if matcher.Name == model.MetricNameLabel || matcher.Name == "job" {
			continue
		}
		for value := range strings.SplitSeq(matcher.Value, "|") {
			if !regexp.MustCompile(`\b` + regexp.QuoteMeta(value) + `\b`).MatchString(m.page) {
				t.Errorf("%s asks for %s, and the page of %s does not know %q", alert, matcher, selector.Name, value)
			}
		}
	}
}

// TestAlertsAreExplained holds docs/monitoring.md against the alerts: each has a section,
// which its runbook_url leads to.
func TestAlertsAreExplained(t *testing.T) {
	t.Parallel()
	const page = "docs/monitoring.md"
	var want, got []string
	for name, rule := range installed(t) {
		want = append(want, name)
		url := "https://github.com/ess-operator/ess-operator/blob/main/" + page + "#" + strings.ToLower(name)
		if rule.Annotations["runbook_url"] != url {
			t.Errorf("%s leads to %q, want %s", name, rule.Annotations["runbook_url"], url)
		}
		if severity := rule.Labels["severity"]; severity != "warning" && severity != "critical" {
			t.Errorf("%s has the severity %q", name, severity)
		}
	}
	for _, match := range regexp.MustCompile(`(?m)^### (Concur\w+)$`).FindAllStringSubmatch(read(t, page), -1) {
		got = append(got, match[1])
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("alerts and the sections of %s (-alerts +page):\n%s", page, diff)
	}
}
