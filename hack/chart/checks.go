package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// checksFile is the template that refuses values. Helm renders what is deeper first, and
// of that the last in the alphabet: so no other template meets a value that is refused.
const checksFile = "templates/values/checks.yaml"

// rule is what the schema says of one value and Helm could not say in words.
type rule struct {
	key           string // such as manager.allowedHosts
	items         bool   // it is about each item of the list
	pattern, says string
	reserved      []string // keys of a map, or names of items
	because       string
}

// ruleWords are the words of schema.yaml that become rules, and that Helm never sees.
var ruleWords = []string{"pattern", "says", "reserved", "because"}

// takeRules takes the rules out of a schema.
func takeRules(schema *yaml.RNode) ([]rule, error) {
	rules, err := rulesOf(schema, schema, rule{})
	if err != nil {
		return nil, fmt.Errorf("reading the schema: %w", err)
	}
	return rules, without(schema)
}

// rulesOf collects what node says of the value at r.key, and of those below. What r has
// already is said where node is referred to, and goes before.
func rulesOf(schema, node *yaml.RNode, r rule) ([]rule, error) {
	r.take(node)
	if ref := text(node, "$ref"); ref != "" {
		target, err := walk(schema, []string{"definitions", strings.TrimPrefix(ref, "#/definitions/")})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.key, err)
		}
		return rulesOf(schema, target, r)
	}
	rules, err := r.check()
	if err != nil {
		return nil, err
	}
	if items := node.Field("items"); items != nil {
		below, err := rulesOf(schema, items.Value, rule{key: r.key, items: true})
		return append(rules, below...), err
	}
	properties := node.Field("properties")
	if properties == nil {
		return rules, nil
	}
	err = properties.Value.VisitFields(func(field *yaml.MapNode) error {
		if r.items {
			return nil // of maps in lists, which Helm's own words are enough for
		}
		below, err := rulesOf(schema, field.Value, rule{key: strings.TrimPrefix(r.key+"."+field.Key.YNode().Value, ".")})
		rules = append(rules, below...)
		return err
	})
	return rules, err
}

// take fills in what is not said yet.
func (r *rule) take(node *yaml.RNode) {
	for word, into := range map[string]*string{"pattern": &r.pattern, "says": &r.says, "because": &r.because} {
		if *into == "" {
			*into = text(node, word)
		}
	}
	if reserved := node.Field("reserved"); reserved != nil && r.reserved == nil {
		for _, key := range reserved.Value.YNode().Content {
			r.reserved = append(r.reserved, key.Value)
		}
	}
}

// text is a field of a map that is a text; "" when there is none.
func text(node *yaml.RNode, key string) string {
	if field := node.Field(key); field != nil {
		return field.Value.YNode().Value
	}
	return ""
}

// check refuses a rule that would not say what to do.
func (r *rule) check() ([]rule, error) {
	if (r.pattern == "") != (r.says == "") || (r.reserved == nil) != (r.because == "") {
		return nil, fmt.Errorf("%s: pattern needs says, and reserved needs because", r.key)
	}
	if _, err := regexp.Compile(r.pattern); err != nil {
		return nil, fmt.Errorf("%s: %w", r.key, err)
	}
	if r.pattern == "" && r.reserved == nil {
		return nil, nil
	}
	return []rule{*r}, nil
}

// without takes the words of rules out of a schema and all those below it.
func without(node *yaml.RNode) error {
	for _, word := range ruleWords {
		if err := node.PipeE(yaml.Clear(word)); err != nil {
			return err
		}
	}
	if items := node.Field("items"); items != nil {
		if err := without(items.Value); err != nil {
			return err
		}
	}
	for _, several := range []string{"properties", "definitions"} {
		if schemas := node.Field(several); schemas != nil {
			if err := schemas.Value.VisitFields(func(field *yaml.MapNode) error { return without(field.Value) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// checks is the template that ends the rendering when a rule is broken, and says all
// that is wrong.
func checks(rules []rule) string {
	var b strings.Builder
	b.WriteString("{{- /* Written by hack/chart from what schema.yaml has under says and because. */ -}}\n{{- $wrong := \"\" }}\n")
	for _, r := range rules {
		b.WriteString(r.template())
	}
	b.WriteString("{{- $wrong = print $wrong (include \"ess-operator.journalFits\" $) }}\n") // about two values, which no schema is
	b.WriteString(atEnd)
	return b.String()
}

// atEnd fails. "helm lint" goes on after that, and so gets a Deployment that it refuses by its name, which is what is wrong.
const atEnd = `{{- with $wrong }}
{{- fail . }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ . | quote }}
{{- end }}
`

// template collects in $wrong what is wrong with the value.
func (r *rule) template() string {
	call, args := "form", fmt.Sprintf(`"form" %s "says" %s`, strconv.Quote(r.pattern), strconv.Quote(r.says))
	if r.reserved != nil {
		quoted := make([]string, len(r.reserved))
		for i, key := range r.reserved {
			quoted[i] = strconv.Quote(key)
		}
		call, args = "reserved", fmt.Sprintf(`"reserved" (list %s) "because" %s`, strings.Join(quoted, " "), strconv.Quote(r.because))
	}
	value := "$.Values" + strings.ReplaceAll("."+r.key, ".", ").")
	value = strings.Repeat("(", strings.Count(value, ")")-1) + strings.Replace(value, ")", "", 1) // what is missing is nil, at any depth
	if r.items {
		return fmt.Sprintf("{{- range $i, $item := %s }}\n{{- $wrong = print $wrong (include \"ess-operator.%s\" "+
			"(dict \"key\" (printf \"%s[%%d]\" $i) \"value\" $item %s)) }}\n{{- end }}\n", value, call, r.key, args)
	}
	return fmt.Sprintf("{{- $wrong = print $wrong (include \"ess-operator.%s\" (dict \"key\" %q \"value\" %s %s)) }}\n", call, r.key, value, args)
}
