// Chart writes the Helm chart charts/ess-operator from what kustomize builds of
// config/default, so that both ways to install are one:
//
//	go run . --root ../..
//
// Each object that kustomize builds becomes one template. A table says what in it
// can be set, as (object, field, template text); what the table does not name is in
// the chart as it is in the manifest. A row that fits no object or no field is an
// error, so a manifest that moves takes its row along. Defaults of values that stand
// for a field come from the manifest too.
//
// What no manifest has (the comments and structure of values.yaml, the schema,
// the notes, an Ingress) is in static/. README.md and values.schema.json take
// their descriptions from the comments of values.yaml.
package main

import (
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// chartDir is where the chart is, from the root of the repository.
const chartDir = "charts/ess-operator"

func main() {
	root := flag.String("root", "../..", "root of the repository")
	flag.Parse()
	if err := run(*root); err != nil {
		fmt.Fprintf(os.Stderr, "chart: %v\n", err)
		os.Exit(1)
	}
}

func run(root string) error {
	files, err := generate(root)
	if err != nil {
		return err
	}
	return write(filepath.Join(root, chartDir), files)
}

// generate returns the content of all files of the chart, by path within it.
func generate(root string) (map[string]string, error) {
	objects, err := build(root)
	if err != nil {
		return nil, err
	}
	config, err := receiverConfig(objects) // before templates puts marks there
	if err != nil {
		return nil, err
	}
	files, defaults, err := templates(objects)
	if err != nil {
		return nil, err
	}
	files["files/receiver-config.yaml"] = config
	rest, err := staticFiles(root, defaults)
	if err != nil {
		return nil, err
	}
	for name := range rest {
		if _, ok := files[name]; ok {
			return nil, fmt.Errorf("writing %s: a manifest and static/ both want to be this file", name)
		}
	}
	maps.Copy(files, rest)
	return files, nil
}

// write makes dir hold exactly these files, so that an object that is gone leaves no
// template behind.
func write(dir string, files map[string]string) error {
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("removing the chart of before: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("writing the chart: %w", err)
		}
		if err := os.WriteFile(path, []byte(files[name]), fs.FileMode(0o644)); err != nil {
			return fmt.Errorf("writing the chart: %w", err)
		}
	}
	return nil
}
