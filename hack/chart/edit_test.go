package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/kustomize/kyaml/yaml"
)

const thing = `kind: Thing
metadata:
  name: ess-operator-a
  namespace: ess-operator-system
spec:
  size: 3 # litres
  args:
  - --one
  - --receiver-a=x
  - --receiver-b={{y}}
  - --two
  parts:
  - name: lid
    image: i
    note: ghcr.io/ess-operator/i concur.ess-operator.io ess-operator-a
`

func TestEdit(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reason string
		edits  []edit
		want   []string // lines that have to follow each other
	}{
		"Names": {
			reason: "names are the release's; the group, images and what looks like a template stay",
			want: []string{
				`  name: {{ include "ess-operator.fullname" $ }}-a`, `  namespace: {{ $.Release.Namespace | quote }}`,
			},
		},
		"LongerWords": {
			reason: "a word that only ends like a name is none",
			want:   []string{`    note: ghcr.io/ess-operator/i concur.ess-operator.io {{ include "ess-operator.fullname" $ }}-a`},
		},
		"Braces": {
			reason: "what the manifest has in braces is text",
			edits:  []edit{when("*", "spec args [^--receiver-]", "$.x")},
			want:   []string{"  {{- if $.x }}", "  - --receiver-a=x", `  - --receiver-b={{ "{{" }}y}}`, "  {{- end }}", "  - --two"},
		},
		"Value": {
			reason: "a number needs no quotes",
			edits:  []edit{{object: "*", field: "spec size", value: "a.b"}},
			want:   []string{"spec:", "  size: {{ $.Values.a.b }}"},
		},
		"FirstOfAnItem": {
			reason: "the dash before the first key of an item stays",
			edits:  []edit{{object: "*", field: "spec parts [name=lid] name", text: "name: {{ x }}\nother: @2"}},
			want:   []string{"  - name: {{ x }}", "    other: 6", "    image: i"},
		},
		"OneInAnother": {
			reason: "what is put around a field keeps the edits within it, also where the item is known by what it has",
			edits: []edit{
				{object: "*", field: "spec parts [note] image", text: "image: {{ y }}"},
				when("*", "spec parts [name=lid]", "$.x"),
				{object: "*", field: "spec parts +", text: "{{ more }}"},
			},
			want: []string{"  {{- if $.x }}", "  - name: lid", "    image: {{ y }}"},
		},
		"Added": {
			reason: "a key that the manifest does not have comes behind those it has",
			edits:  []edit{{object: "*", field: "spec +", text: "{{- with x }}\ny: 1\n{{- end }}"}, {object: "*", field: "status", text: "status: {}"}},
			want:   []string{"  {{- with x }}", "  y: 1", "  {{- end }}", "status: {}"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := edited(t, c.edits)
			if err != nil {
				t.Fatal(err)
			}
			if want := strings.Join(c.want, "\n"); !strings.Contains("\n"+got, "\n"+want+"\n") {
				t.Errorf("%s: (-want +got)\n%s", c.reason, cmp.Diff(want, got))
			}
		})
	}
}

// edited applies edits to the thing.
func edited(t *testing.T, edits []edit) (string, error) {
	t.Helper()
	o := object{kind: "Thing", name: "ess-operator-a", node: yaml.MustParse(thing)}
	ed := &editor{defaults: map[string]*yaml.RNode{}}
	for _, e := range edits {
		if err := ed.apply(o, e); err != nil {
			return "", err
		}
	}
	return ed.render(o.node)
}

func TestEditRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reason string
		edit   edit
	}{
		"NoField":  {"a value stands for what is there", edit{field: "spec weight", value: "a"}},
		"NoParent": {"the manifest has moved", edit{field: "spec box weight", text: "x"}},
		"NoItem":   {"an item has another name now", edit{field: "spec parts [name=box] image", text: "x"}},
		"NoKey":    {"an item has lost what it was known by", edit{field: "spec parts [colour] image", text: "x"}},
		"NoText":   {"a flag is gone", edit{field: "spec args [^--three]", text: "x"}},
		"Nothing":  {"what is kept has to be there", when("*", "spec weight", "$.x")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, err := edited(t, []edit{c.edit}); err == nil {
				t.Errorf("%s, and yet the edit gives\n%s", c.reason, got)
			}
		})
	}
}

func TestRowsForNothingAreRefused(t *testing.T) {
	t.Parallel()
	objects, err := build(root)
	if err != nil {
		t.Fatal(err)
	}
	var without []object
	for _, o := range objects {
		if o.kind != "NetworkPolicy" {
			without = append(without, o)
		}
	}
	if _, _, err := templates(without); err == nil || !strings.Contains(err.Error(), "NetworkPolicy/") {
		t.Errorf("manifests without what the table is about give %v, want an error that names it", err)
	}
}
