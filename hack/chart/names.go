package main

import (
	"regexp"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// clusterPrefix stands, until the template is written, for the beginning of names of
// objects that belong to no namespace.
const clusterPrefix = "__cluster__"

// lease is what the manager holds while it works, when no flag says otherwise.
const lease = "manager.concur.ess-operator.io"

// prefixed is a name that begins as all of ours do; the character before it keeps the
// group of the kinds and other longer words out.
var prefixed = regexp.MustCompile(`(^|[^A-Za-z0-9.-])ess-operator-([a-z])`)

// withNames makes names of the release of those that the manifests have. What a
// template engine would read as its own in a manifest is escaped.
func withNames(text string) string {
	text = strings.ReplaceAll(text, "{{", `{{ "{{" }}`)
	// What may be a whole text is quoted: names such as 123 and true are none otherwise.
	text = strings.ReplaceAll(text, "namespace: ess-operator-system", "namespace: {{ $.Release.Namespace | quote }}")
	text = strings.ReplaceAll(text, "ess-operator-system", "{{ $.Release.Namespace }}")
	text = strings.ReplaceAll(text, "["+lease+"]", `[{{ include "ess-operator.lease" $ | quote }}]`)
	text = prefixed.ReplaceAllString(text, `${1}{{ include "ess-operator.fullname" $$ }}-${2}`)
	text = strings.ReplaceAll(text, "app.kubernetes.io/name: ess-operator", `app.kubernetes.io/name: {{ include "ess-operator.fullname" $ | quote }}`)
	return strings.ReplaceAll(text, clusterPrefix, `{{ include "ess-operator.clusterName" $ }}-`)
}

// markClusterNames marks the names of objects that belong to no namespace, where they
// are and where a binding refers to them: two releases of one name, in two namespaces,
// must not want the same ones.
func markClusterNames(o object) error {
	switch o.kind {
	case "ClusterRole", "ClusterRoleBinding", "PriorityClass":
		if err := markName(o.node.Field("metadata")); err != nil {
			return err
		}
	}
	role := o.node.Field("roleRef")
	if role == nil || role.Value.Field("kind").Value.YNode().Value != "ClusterRole" {
		return nil
	}
	return markName(role)
}

// markName marks the field name of a map, when it is one of ours.
func markName(parent *yaml.MapNode) error {
	name := parent.Value.Field("name").Value.YNode().Value
	rest, ours := strings.CutPrefix(name, "ess-operator-")
	if !ours {
		return nil
	}
	return parent.Value.PipeE(yaml.SetField("name", yaml.NewStringRNode(clusterPrefix+rest)))
}
