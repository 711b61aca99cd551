package main

import (
	"fmt"
	"path"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

const header = "{{- /* Written by hack/chart from the manifests in config/; change those, or its tables. */ -}}\n"

// templates returns the templates that the objects become, by file, and the fields that
// values stand for, by value.
func templates(objects []object) (files map[string]string, defaults map[string]*yaml.RNode, err error) {
	files, defaults = map[string]string{}, map[string]*yaml.RNode{}
	used := map[string]bool{}
	for _, o := range objects {
		text, err := template(o, defaults, used)
		if err != nil {
			return nil, nil, fmt.Errorf("making a template of %s: %w", o, err)
		}
		if _, ok := files[o.file()]; ok {
			return nil, nil, fmt.Errorf("making a template of %s: another object has the file %s", o, o.file())
		}
		files[o.file()] = text
	}
	return files, defaults, unused(used)
}

// template returns the object's template, and notes which rows of the tables it used.
func template(o object, defaults map[string]*yaml.RNode, used map[string]bool) (string, error) {
	if err := markClusterNames(o); err != nil {
		return "", err
	}
	ed := &editor{defaults: defaults}
	for _, e := range edits() {
		if !e.matches(o) {
			continue
		}
		used[e.object+" "+e.field] = true
		if err := ed.apply(o, e); err != nil {
			return "", fmt.Errorf("%s: %w", e.field, err)
		}
	}
	text, err := ed.render(o.node)
	if err != nil {
		return "", err
	}
	return header + wrap(o, text, used), nil
}

// wrap puts what decides on the object around its template.
func wrap(o object, text string, used map[string]bool) string {
	var terms []string
	for _, c := range conditions {
		if ok, _ := path.Match(c.object, o.String()); !ok {
			continue
		}
		used[c.object+" "+c.when+c.each] = true
		if c.each != "" {
			text = fmt.Sprintf("{{- range $each := %s }}\n---\n%s{{- end }}\n", c.each, text)
		} else {
			terms = append(terms, c.when)
		}
	}
	switch len(terms) {
	case 0:
		return text
	case 1:
		return fmt.Sprintf("{{- if %s }}\n%s{{- end }}\n", terms[0], text)
	default:
		return fmt.Sprintf("{{- if and (%s) }}\n%s{{- end }}\n", strings.Join(terms, ") ("), text)
	}
}

// unused is the error for rows that fit no object: the manifest they are about has moved.
func unused(used map[string]bool) error {
	for _, e := range edits() {
		if !used[e.object+" "+e.field] {
			return fmt.Errorf("no object is %s, which the table has a row for (%s)", e.object, e.field)
		}
	}
	for _, c := range conditions {
		if !used[c.object+" "+c.when+c.each] {
			return fmt.Errorf("no object is %s, which the table has a condition for (%s)", c.object, c.when+c.each)
		}
	}
	return nil
}
