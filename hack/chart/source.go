package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// overlays are what the chart is made from: all objects of the first, and of each
// other those that the ones before it do not have.
var overlays = []string{"config/default", "hack/chart/source"}

// notInChart is what of them the chart does without: the namespace is made by whoever
// installs a chart, and namespaces to watch are a value.
var notInChart = []string{"Namespace/ess-operator-system", "ConfigMap/ess-operator-namespaces"}

// object is one manifest.
type object struct {
	kind, name string
	node       *yaml.RNode
}

// String is how rows of the tables name the object.
func (o object) String() string { return o.kind + "/" + o.name }

// build returns what kustomize makes of the overlays, in its order.
func build(root string) ([]object, error) {
	var objects []object
	seen := map[string]bool{}
	for _, id := range notInChart {
		seen[id] = true
	}
	for _, overlay := range overlays {
		built, err := kustomize(filepath.Join(root, overlay))
		if err != nil {
			return nil, err
		}
		for _, o := range built {
			if !seen[o.String()] {
				objects = append(objects, o)
			}
			seen[o.String()] = true
		}
	}
	return objects, nil
}

// kustomize builds one overlay.
func kustomize(dir string) ([]object, error) {
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		return nil, fmt.Errorf("building %s: %w", dir, err)
	}
	var objects []object
	for _, resource := range built.Resources() {
		node := resource.RNode.Copy()
		objects = append(objects, object{kind: node.GetKind(), name: node.GetName(), node: node})
	}
	return objects, nil
}

// file is where in the chart the object's template is.
func (o object) file() string {
	name := strings.TrimPrefix(o.name, "ess-operator-")
	dir := "manager"
	switch {
	case o.kind == "CustomResourceDefinition":
		plural, _, _ := strings.Cut(name, ".")
		return "templates/crds/" + plural + ".yaml"
	case strings.HasPrefix(name, "receiver"):
		dir = "receiver"
	case strings.Contains(o.kind, "Role") || o.kind == "ServiceAccount":
		dir = "rbac"
	}
	return fmt.Sprintf("templates/%s/%s-%s.yaml", dir, strings.ToLower(o.kind), name)
}

// receiverConfig returns the receiver's configuration that the manifests have. The
// chart keeps it as a file, to put values over it.
func receiverConfig(objects []object) (string, error) {
	for _, o := range objects {
		if o.String() != "ConfigMap/ess-operator-receiver" {
			continue
		}
		config, err := walk(o.node, []string{"data", "config.yaml"})
		if err != nil {
			return "", fmt.Errorf("reading %s: %w", o, err)
		}
		return config.YNode().Value, nil
	}
	return "", errors.New("reading the receiver's configuration: no ConfigMap is called ess-operator-receiver")
}
