package main

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// static is what no manifest has. Its schema.yaml and README.md.in do not go into the
// chart as they are.
//
//go:embed all:static
var static embed.FS

// staticFiles returns the files of the chart that are not made from one object.
func staticFiles(root string, defaults map[string]*yaml.RNode) (map[string]string, error) {
	files := map[string]string{}
	err := fs.WalkDir(static, "static", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := static.ReadFile(name)
		files[strings.TrimPrefix(name, "static/")] = string(content)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading static/: %w", err)
	}
	version, err := os.ReadFile(filepath.Join(root, "VERSION"))
	if err != nil {
		return nil, fmt.Errorf("reading the version: %w", err)
	}
	app := strings.TrimSpace(string(version))
	files["Chart.yaml"] = strings.NewReplacer("@app-version@", app, "@chart-version@", strings.TrimPrefix(app, "v")).Replace(files["Chart.yaml"])
	return files, describe(files, defaults)
}

// describe makes values.yaml, values.schema.json and README.md of what static/ has of them.
func describe(files map[string]string, defaults map[string]*yaml.RNode) error {
	values, err := withDefaults(files["values.yaml"], defaults)
	if err != nil {
		return err
	}
	if files["values.yaml"], err = values.String(); err != nil {
		return fmt.Errorf("writing values.yaml: %w", err)
	}
	rows, err := documented(values, "")
	if err != nil {
		return err
	}
	if files["values.schema.json"], files[checksFile], err = schema(files["schema.yaml"], rows); err != nil {
		return err
	}
	files["README.md"] = strings.Replace(files["README.md.in"], "@values@", table(rows), 1)
	delete(files, "schema.yaml")
	delete(files, "README.md.in")
	return nil
}

// withDefaults returns the values with what the manifests have for them.
func withDefaults(text string, defaults map[string]*yaml.RNode) (*yaml.RNode, error) {
	values, err := yaml.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("reading values.yaml: %w", err)
	}
	for value, node := range defaults {
		words := strings.Split(value, ".")
		parent, err := walk(values, words[:len(words)-1])
		if err != nil {
			return nil, fmt.Errorf("reading values.yaml: %w", err)
		}
		field := parent.Field(words[len(words)-1])
		if field == nil {
			return nil, fmt.Errorf("reading values.yaml: it has no %s, which the table names", value)
		}
		node.YNode().Style &^= yaml.FlowStyle
		field.Value.SetYNode(node.YNode())
	}
	return values, nil
}

// row is one value, for people.
type row struct {
	key, meaning string
	value        *yaml.RNode
}

// documented returns the values below a map that have a comment, and refuses those without.
func documented(values *yaml.RNode, prefix string) ([]row, error) {
	var rows []row
	err := values.VisitFields(func(field *yaml.MapNode) error {
		key := prefix + field.Key.YNode().Value
		if _, meaning, ok := strings.Cut(field.Key.YNode().HeadComment, "# -- "); ok {
			rows = append(rows, row{key, meaning, field.Value})
			return nil
		}
		if field.Value.YNode().Kind != yaml.MappingNode || len(field.Value.YNode().Content) == 0 {
			return fmt.Errorf("reading values.yaml: nothing says what %s is", key)
		}
		below, err := documented(field.Value, key+".")
		rows = append(rows, below...)
		return err
	})
	return rows, err
}

// table is the values as Markdown.
func table(rows []row) string {
	var b strings.Builder
	b.WriteString("| value | default | meaning |\n| --- | --- | --- |\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", r.key, shown(r.value), strings.ReplaceAll(r.meaning, "|", `\|`))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// shown is a default as people read it in one line.
func shown(value *yaml.RNode) string {
	if value.YNode().Kind == yaml.ScalarNode && value.YNode().Value != "" {
		return "`" + value.YNode().Value + "`"
	}
	content, err := toJSON(value)
	if err != nil || value.YNode().Kind == yaml.ScalarNode || len(value.YNode().Content) == 0 {
		return "–"
	}
	return "`" + string(content) + "`"
}

// toJSON returns any value as JSON.
func toJSON(value *yaml.RNode) ([]byte, error) {
	var v any
	if err := value.YNode().Decode(&v); err != nil {
		return nil, err
	}
	return json.Marshal(v)
}

// schema returns the JSON of a schema, with what the rows say as its descriptions, and
// the template that checks the rest of what it says.
func schema(text string, rows []row) (schema, template string, err error) {
	node, err := yaml.Parse(text)
	if err != nil {
		return "", "", fmt.Errorf("reading the schema: %w", err)
	}
	rules, err := takeRules(node)
	if err != nil {
		return "", "", err
	}
	for _, r := range rows {
		words := strings.Split("properties."+strings.ReplaceAll(r.key, ".", ".properties."), ".")
		if err := describeProperty(node, words, r.meaning); err != nil {
			return "", "", fmt.Errorf("describing %s in the schema: %w", r.key, err)
		}
	}
	content, err := node.MarshalJSON()
	if err != nil {
		return "", "", fmt.Errorf("writing the schema: %w", err)
	}
	var tidy json.RawMessage = content
	indented, err := json.MarshalIndent(tidy, "", "  ")
	if err != nil {
		return "", "", fmt.Errorf("writing the schema: %w", err)
	}
	return string(indented) + "\n", checks(rules), nil
}

// describeProperty sets the description of the property that words lead to. Properties
// of what several places refer to have none there; editors show that of the place.
func describeProperty(node *yaml.RNode, words []string, meaning string) error {
	for i, word := range words {
		if ref := node.Field("$ref"); ref != nil && i > 0 {
			return nil
		}
		next, err := walk(node, []string{word})
		if err != nil {
			return fmt.Errorf("%w after %s", err, path.Join(words[:i]...))
		}
		node = next
	}
	return node.PipeE(yaml.SetField("description", yaml.NewStringRNode(meaning)))
}
