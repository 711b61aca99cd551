package main

import (
	"fmt"
	"maps"
	"slices"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// compareNames returns which names of a kind are gone: what crdify does not look at.
func compareNames(before, after *definition) []string {
	old, now := before.Spec.Names, after.Spec.Names
	var broken []string
	for what, pair := range map[string][2]string{
		"kind": {old.Kind, now.Kind}, "list kind": {old.ListKind, now.ListKind},
		"plural": {old.Plural, now.Plural}, "singular": {old.Singular, now.Singular},
		"group": {before.Spec.Group, after.Spec.Group},
	} {
		if pair[0] != pair[1] {
			broken = append(broken, fmt.Sprintf("the %s was %q and is %q", what, pair[0], pair[1]))
		}
	}
	for _, name := range slices.Concat(old.ShortNames, old.Categories) {
		if !slices.Contains(slices.Concat(now.ShortNames, now.Categories), name) {
			broken = append(broken, fmt.Sprintf("kubectl get %s does not find it any more", name))
		}
	}
	return broken
}

// compareVersions returns which versions, and which ways to them, are gone.
func compareVersions(before, after *definition) []string {
	now := map[string]*apiextensionsv1.CustomResourceDefinitionVersion{}
	for i := range after.Spec.Versions {
		now[after.Spec.Versions[i].Name] = &after.Spec.Versions[i]
	}
	var broken []string
	for i := range before.Spec.Versions {
		old := &before.Spec.Versions[i]
		v := now[old.Name]
		switch {
		case v == nil:
			broken = append(broken, fmt.Sprintf("version %s is gone, and objects may be stored as it", old.Name))
			continue
		case old.Served && !v.Served:
			broken = append(broken, fmt.Sprintf("version %s is not served any more", old.Name))
		}
		if old.Subresources != nil && old.Subresources.Status != nil && (v.Subresources == nil || v.Subresources.Status == nil) {
			broken = append(broken, fmt.Sprintf("%s has no subresource status any more", old.Name))
		}
	}
	return broken
}

// takeRules takes the CEL rules out of all schemas, of which crdify knows nothing, and
// returns those that are new: whatever they refuse was accepted before. A rule that is
// gone, or tells the same with other words, breaks nobody.
func takeRules(before, after *definition) []string {
	var broken []string
	old := map[string]map[string]bool{}
	for i := range before.Spec.Versions {
		v := &before.Spec.Versions[i]
		walk(v.Name, v.Schema, func(path string, s *apiextensionsv1.JSONSchemaProps) {
			old[path] = map[string]bool{}
			for _, rule := range s.XValidations {
				old[path][rule.Rule] = true
			}
			s.XValidations = nil
		})
	}
	for i := range after.Spec.Versions {
		v := &after.Spec.Versions[i]
		walk(v.Name, v.Schema, func(path string, s *apiextensionsv1.JSONSchemaProps) {
			for _, rule := range s.XValidations {
				if known, ok := old[path]; ok && !known[rule.Rule] {
					broken = append(broken, fmt.Sprintf("%s: there is a new rule %q", path, rule.Rule))
				}
			}
			s.XValidations = nil
		})
	}
	return broken
}

// walk visits the schemas of a version, with their paths, such as "v1alpha1 ^.spec.sink".
func walk(version string, validation *apiextensionsv1.CustomResourceValidation, visit func(string, *apiextensionsv1.JSONSchemaProps)) {
	if validation != nil && validation.OpenAPIV3Schema != nil {
		visitAll(version+" ^", validation.OpenAPIV3Schema, visit)
	}
}

func visitAll(path string, s *apiextensionsv1.JSONSchemaProps, visit func(string, *apiextensionsv1.JSONSchemaProps)) {
	visit(path, s)
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		inner := s.Properties[name]
		visitAll(path+"."+name, &inner, visit)
		s.Properties[name] = inner
	}
	if s.Items != nil && s.Items.Schema != nil {
		visitAll(path+"[]", s.Items.Schema, visit)
	}
	if s.AdditionalProperties != nil && s.AdditionalProperties.Schema != nil {
		visitAll(path+"{}", s.AdditionalProperties.Schema, visit)
	}
}
