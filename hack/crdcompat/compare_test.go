package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// TestNothingBreaksUsersOfTheLastRelease compares the definitions of this tree with the last release's.
func TestNothingBreaksUsersOfTheLastRelease(t *testing.T) {
	t.Parallel()
	broken, err := run(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range broken {
		t.Errorf("%s\n(docs/decisions/0017-api-evolution.md says what to do)", line)
	}
}

// subscriptions is the definition of EventSubscriptions as it is.
func subscriptions(t *testing.T) *definition {
	t.Helper()
	all, err := load(bases)
	if err != nil {
		t.Fatal(err)
	}
	crd := all["eventsubscriptions.concur.ess-operator.io"]
	if crd == nil {
		t.Fatal("there is no definition of EventSubscriptions")
	}
	return crd
}

// change changes the schema at a path of names.
func change(crd *definition, path string, f func(*apiextensionsv1.JSONSchemaProps)) {
	at(crd.Spec.Versions[0].Schema.OpenAPIV3Schema, strings.Split(path, "."), f)
}

func at(s *apiextensionsv1.JSONSchemaProps, path []string, f func(*apiextensionsv1.JSONSchemaProps)) {
	if len(path) == 0 {
		f(s)
		return
	}
	inner, ok := s.Properties[path[0]]
	if !ok {
		panic("there is no field " + path[0])
	}
	at(&inner, path[1:], f)
	s.Properties[path[0]] = inner
}

type schema = apiextensionsv1.JSONSchemaProps

// mutation is a change of the definition, and what has to be found.
type mutation struct {
	reason string
	change func(*definition)
	want   string // part of a line, where there is one to find
}

// breaks refuse, drop or move what was accepted, kept or found before.
var breaks = map[string]mutation{
	"FieldRemoved": {
		"what users wrote there would be dropped in silence",
		func(c *definition) { change(c, "spec", func(s *schema) { delete(s.Properties, "filter") }) },
		"^.spec.filter",
	},
	"StatusFieldRemoved": {
		"scripts and dashboards read status",
		func(c *definition) { change(c, "status", func(s *schema) { delete(s.Properties, "companyIDs") }) },
		"^.status.companyIDs",
	},
	"FieldRequired": {
		"objects without it could not be changed any more",
		func(c *definition) { change(c, "spec", func(s *schema) { s.Required = append(s.Required, "filter") }) },
		"^.spec: required",
	},
	"NewFieldRequired": {
		"nobody has it yet",
		func(c *definition) {
			change(c, "spec", func(s *schema) {
				s.Properties["owner"] = schema{Type: "string"}
				s.Required = append(s.Required, "owner")
			})
		},
		"^.spec: required",
	},
	"TypeChanged": {
		"no object fits both",
		func(c *definition) { change(c, "spec.topic", func(s *schema) { s.Type = "integer" }) },
		"^.spec.topic: type",
	},
	"LengthTightened": {
		"a long value was accepted before",
		func(c *definition) { change(c, "spec.topic", func(s *schema) { s.MaxLength = new(int64(8)) }) },
		"^.spec.topic: maxLength",
	},
	"PatternChanged": {
		"nobody can tell whether it accepts all that the old one did",
		func(c *definition) { change(c, "spec.topic", func(s *schema) { s.Pattern = "^public" }) },
		"^.spec.topic: pattern",
	},
	"EnumNarrowed": {
		"somebody may use the value",
		func(c *definition) { change(c, "spec.deletionPolicy", func(s *schema) { s.Enum = s.Enum[:1] }) },
		"^.spec.deletionPolicy: enum",
	},
	"RuleAdded": {
		"crdify does not look at rules, and a new one refuses something",
		func(c *definition) {
			change(c, "spec", func(s *schema) {
				s.XValidations = append(s.XValidations, apiextensionsv1.ValidationRule{Rule: "has(self.filter)"})
			})
		},
		`^.spec: there is a new rule "has(self.filter)"`,
	},
	"ListTypeChanged": {
		"server-side apply would merge otherwise",
		func(c *definition) { change(c, "status.conditions", func(s *schema) { s.XListType = new("atomic") }) },
		"^.status.conditions: unhandled",
	},
	"Unserved": {
		"manifests name the version",
		func(c *definition) { c.Spec.Versions[0].Served = false },
		"version v1alpha1 is not served any more",
	},
	"StatusIsNoSubresource": {
		"whoever may write the spec could write status",
		func(c *definition) { c.Spec.Versions[0].Subresources = nil },
		"v1alpha1 has no subresource status any more",
	},
	"KindRenamed": {
		"manifests name the kind",
		func(c *definition) { c.Spec.Names.Kind = "Subscription" },
		`the kind was "EventSubscription" and is "Subscription"`,
	},
	"ShortNameRemoved": {
		"scripts use it",
		func(c *definition) { c.Spec.Names.ShortNames = nil },
		"kubectl get esub does not find it any more",
	},
	"ScopeChanged": {
		"objects would be of no namespace",
		func(c *definition) { c.Spec.Scope = apiextensionsv1.ClusterScoped },
		"scope",
	},
}

// harmless changes accept and keep all that was.
var harmless = map[string]mutation{
	"Same": {"nothing is nothing", func(*definition) {}, ""},
	"FieldAdded": {
		"whoever does not know it need not use it",
		func(c *definition) {
			change(c, "spec", func(s *schema) { s.Properties["owner"] = schema{Type: "string"} })
		},
		"",
	},
	"FieldWithRuleAdded": {
		"the rule is about the new field alone",
		func(c *definition) {
			change(c, "spec", func(s *schema) {
				s.Properties["owner"] = schema{Type: "object", XValidations: []apiextensionsv1.ValidationRule{{Rule: "true"}}}
			})
		},
		"",
	},
	"LengthLoosened": {"all that fits, fits", func(c *definition) { change(c, "spec.topic", func(s *schema) { s.MaxLength = new(int64(100000)) }) }, ""},
	"EnumWidened": {
		"clients are told to expect values that they do not know",
		func(c *definition) {
			change(c, "spec.deletionPolicy", func(s *schema) { s.Enum = append(s.Enum, apiextensionsv1.JSON{Raw: []byte(`"Ask"`)}) })
		},
		"",
	},
	"Reworded":    {"words are for people", func(c *definition) { change(c, "spec.topic", func(s *schema) { s.Description = "something" }) }, ""},
	"RuleRemoved": {"what was refused is accepted", func(c *definition) { change(c, "spec", func(s *schema) { s.XValidations = nil }) }, ""},
	"RuleReworded": {
		"its message is for people",
		func(c *definition) { change(c, "spec", func(s *schema) { s.XValidations[0].Message = "something" }) },
		"",
	},
}

func TestBreaksAreFound(t *testing.T) {
	t.Parallel()
	for name, tt := range breaks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if broken := tt.play(t); !strings.Contains(strings.Join(broken, "\n"), tt.want) {
				t.Errorf("found %q, want a line with %q: %s", broken, tt.want, tt.reason)
			}
		})
	}
}

func TestHarmlessChangesAreNot(t *testing.T) {
	t.Parallel()
	for name, tt := range harmless {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if broken := tt.play(t); len(broken) > 0 {
				t.Errorf("found %q, want nothing: %s", broken, tt.reason)
			}
		})
	}
}

// play compares the definition with what the change makes of it.
func (m mutation) play(t *testing.T) []string {
	t.Helper()
	before, after := subscriptions(t), subscriptions(t)
	m.change(after)
	broken, err := compare(before, after)
	if err != nil {
		t.Fatal(err)
	}
	return broken
}

func TestVersionRemoved(t *testing.T) {
	t.Parallel()
	before, after := subscriptions(t), subscriptions(t)
	after.Spec.Versions[0].Name = "v1beta1"
	broken, err := compare(before, after)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(strings.Join(broken, "\n"), "version v1alpha1 is gone") {
		t.Errorf("found %q, want that the version is gone", broken)
	}
}

func TestDefinitionRemoved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, kind := range []string{"concurconnections", "applicationconnectors"} {
		name := "concur.ess-operator.io_" + kind + ".yaml"
		text, err := os.ReadFile(filepath.Join(bases, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	broken, err := run([]string{bases, dir})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"eventsubscriptions.concur.ess-operator.io: the definition is gone, and with it every object"}
	if diff := cmp.Diff(want, broken); diff != "" {
		t.Errorf("breaks (-want +got):\n%s", diff)
	}
}
