package routes_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/login"
	"github.com/ess-operator/ess-operator/controllers/routes"
)

var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

// beforeRotation is a file as it was: one pair was replaced since, one before that and is due, one Secret was deleted.
const beforeRotation = `connectors:
- namespace: finance
  name: reports
  path: /notify
  credentials:
  - {username: former-user-of-reports, password: password-1}
  - {username: earlier-user-of-reports, password: password-0, validUntil: "2026-01-31T12:00:00Z"}
- namespace: sales
  name: withdrawn
  path: /concur/v1.0/notify
  credentials:
  - {username: user-of-withdrawn, password: password-2}
- namespace: sales
  name: gone
  path: /concur/v1.0/notify
  credentials:
  - {username: user-of-gone, password: password-3}
`

func name(text string) types.NamespacedName {
	namespace, name, _ := strings.Cut(text, "/")
	return types.NamespacedName{Namespace: namespace, Name: name}
}

func pair(username string) login.Login {
	return login.Login{Username: username, Password: "password of " + username}
}

func conn(text string, age time.Duration, changes ...func(*v1alpha1.ApplicationConnectorSpec)) v1alpha1.ApplicationConnector {
	c := v1alpha1.ApplicationConnector{ObjectMeta: metav1.ObjectMeta{
		Namespace: name(text).Namespace, Name: name(text).Name, CreationTimestamp: metav1.NewTime(noon.Add(-age)),
	}}
	for _, change := range changes {
		change(&c.Spec)
	}
	return c
}

// connectors has one of each kind.
func connectors() []v1alpha1.ApplicationConnector {
	return []v1alpha1.ApplicationConnector{
		conn("sales/younger", time.Hour),
		conn("sales/plain", 2*time.Hour),
		conn("sales/withdrawn", time.Hour),
		conn("sales/never", time.Hour),
		conn("finance/reports", time.Hour, func(s *v1alpha1.ApplicationConnectorSpec) {
			s.Path, s.Sink = "/notify", service("")
			s.Delivery.Ordering = v1alpha1.OrderingPerKey
			s.CredentialOverlap = &metav1.Duration{Duration: 30 * time.Minute}
		}),
		conn("finance/awaited", time.Hour, func(s *v1alpha1.ApplicationConnectorSpec) { s.Sink = broker() }),
	}
}

func rendered(t *testing.T, w routes.World) routes.Rendered {
	t.Helper()
	r, err := routes.Render(w)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// accepted are the user names that a file accepts for a connector.
func accepted(t *testing.T, text []byte, connector string) []string {
	t.Helper()
	var file struct {
		Connectors []struct {
			Namespace, Name string
			Credentials     []struct{ Username, Password string }
		}
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	users := []string{}
	for _, c := range file.Connectors {
		for _, pair := range c.Credentials {
			if c.Namespace+"/"+c.Name == connector {
				users = append(users, pair.Username)
			}
		}
	}
	return users
}

func TestRoutedConnectors(t *testing.T) {
	t.Parallel()
	r := rendered(t, world(t))
	want := map[types.NamespacedName]login.Login{}
	for connector, user := range map[string]string{
		"finance/reports": "user-of-reports", "finance/awaited": "user-of-awaited", "sales/plain": "user-of-plain",
	} {
		want[name(connector)] = pair(user)
	}
	if diff := cmp.Diff(want, r.Routed); diff != "" {
		t.Errorf("routed with the present login (-want +got):\n%s", diff)
	}
	if !r.Next.Equal(noon.Add(30 * time.Minute)) {
		t.Errorf("the file has to be looked at again at %s", r.Next)
	}
}

// TestRotation follows one connector through time: each step renders on what the step before wrote.
func TestRotation(t *testing.T) {
	t.Parallel()
	const connector = "finance/callouts"
	text := []byte(nil)
	steps := []struct {
		reason  string
		at      time.Duration
		login   *login.Login // nil: not known
		overlap time.Duration
		want    []string
	}{
		{"the first pair", 0, new(pair("first")), time.Hour, []string{"first"}},
		{"the second replaces it", time.Minute, new(pair("second")), time.Hour, []string{"second", "first"}},
		{"nothing changed", 2 * time.Minute, new(pair("second")), time.Hour, []string{"second", "first"}},
		{"a third within the overlap", 10 * time.Minute, new(pair("third")), time.Hour, []string{"third", "second", "first"}},
		{"an operator that just started could not read the Secret", 20 * time.Minute, nil, time.Hour, []string{"third", "second", "first"}},
		{"back to the second, by a person who erred", 30 * time.Minute, new(pair("second")), time.Hour, []string{"second", "third", "first"}},
		{"the first one's time has come", 61 * time.Minute, new(pair("second")), time.Hour, []string{"second", "third"}},
		{"a shorter overlap holds for the former ones, too", 62 * time.Minute, new(pair("second")), 0, []string{"second"}},
		{"no overlap is wanted", 63 * time.Minute, new(pair("fourth")), 0, []string{"fourth"}},
		{"the Secret was deleted", 64 * time.Minute, &login.Login{}, time.Hour, []string{"fourth"}},
		{"and made again", 65 * time.Minute, new(pair("fourth")), time.Hour, []string{"fourth"}},
		{"deleted for good", 66 * time.Minute, &login.Login{}, time.Minute, []string{"fourth"}},
		{"nothing is left", 68 * time.Minute, &login.Login{}, time.Minute, []string{}},
	}
	for _, step := range steps {
		w := routes.World{Before: text, Now: noon.Add(step.at), Connectors: []v1alpha1.ApplicationConnector{
			conn(connector, time.Hour, func(s *v1alpha1.ApplicationConnectorSpec) {
				s.CredentialOverlap = &metav1.Duration{Duration: step.overlap}
			}),
		}}
		if step.login != nil {
			w.Logins = map[types.NamespacedName]login.Login{name(connector): *step.login}
		}
		text = rendered(t, w).Text
		if diff := cmp.Diff(step.want, accepted(t, text, connector)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.reason, diff)
		}
	}
}

func TestUserNamesLeadToOneConnector(t *testing.T) {
	t.Parallel()
	older, younger := conn("a/older", 2*time.Hour), conn("b/younger", time.Hour)
	w := routes.World{
		Now: noon, Connectors: []v1alpha1.ApplicationConnector{younger, older},
		Before: []byte(`connectors:
- {namespace: a, name: older, path: /a, credentials: [{username: former, password: p}]}
- {namespace: b, name: younger, path: /a, credentials: [{username: mine, password: p}]}
`),
		Logins: map[types.NamespacedName]login.Login{name("a/older"): pair("new"), name("b/younger"): pair("former")},
	}
	text := rendered(t, w).Text
	if diff := cmp.Diff([]string{"new"}, accepted(t, text, "a/older")); diff != "" {
		t.Errorf("a former pair stands behind a present one (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"former", "mine"}, accepted(t, text, "b/younger")); diff != "" {
		t.Errorf("what is of now counts (-want +got):\n%s", diff)
	}
	w.Logins[name("b/younger")] = pair("new")
	r := rendered(t, w)
	if diff := cmp.Diff([]string{"mine"}, accepted(t, r.Text, "b/younger")); diff != "" {
		t.Errorf("the older one has it; the former pair of the younger one is still good (-want +got):\n%s", diff)
	}
	if _, ok := r.Routed[name("b/younger")]; ok {
		t.Error("a connector without its present login counts as routed")
	}
}

func TestManyRotationsKeepFew(t *testing.T) {
	t.Parallel()
	var before strings.Builder
	before.WriteString("connectors:\n- namespace: a\n  name: b\n  path: /a\n  credentials:\n")
	for minute := range 30 {
		before.WriteString("  - {username: u" + noon.Add(time.Duration(minute)*time.Minute).Format("1504") +
			", password: p, validUntil: \"" + noon.Add(time.Duration(minute+1)*time.Minute).Format(time.RFC3339) + "\"}\n")
	}
	w := routes.World{
		Now: noon, Connectors: []v1alpha1.ApplicationConnector{conn("a/b", time.Hour)}, Before: []byte(before.String()),
		Logins: map[types.NamespacedName]login.Login{name("a/b"): pair("new")},
	}
	got := accepted(t, rendered(t, w).Text, "a/b")
	if len(got) != 9 || got[0] != "new" || got[1] != "u1229" {
		t.Errorf("accepted: %q; want the present pair and the eight that were replaced last", got)
	}
}
