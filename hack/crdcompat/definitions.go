package main

import (
	"fmt"
	"os"
	"path/filepath"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/util/version"
	"sigs.k8s.io/yaml"
)

type definition = apiextensionsv1.CustomResourceDefinition

// newest is the directory of the newest release below dir, whose directories are named as v0.1.0.
func newest(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", fmt.Errorf("looking for releases: %w", err)
	}
	var last *version.Version
	path := ""
	for _, entry := range entries {
		v, err := version.ParseSemantic(entry.Name())
		if err != nil {
			return "", fmt.Errorf("reading %s as a version, such as v0.1.0: %w", filepath.Join(dir, entry.Name()), err)
		}
		if last == nil || last.LessThan(v) {
			last, path = v, filepath.Join(dir, entry.Name())
		}
	}
	if last == nil {
		return "", fmt.Errorf("looking for releases: there is none in %s", dir)
	}
	return path, nil
}

// load reads the definitions of a directory, by name. There must be some.
func load(dir string) (map[string]*definition, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("listing %s: %w", dir, err)
	}
	all := map[string]*definition{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("reading a definition: %w", err)
		}
		crd := &definition{}
		if err := yaml.UnmarshalStrict(text, crd); err != nil {
			return nil, fmt.Errorf("reading the definition %s: %w", file, err)
		}
		all[crd.Name] = crd
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("reading definitions: there is none in %s", dir)
	}
	return all, nil
}
