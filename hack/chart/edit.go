package main

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// edit is a row of the table of what can be set.
type edit struct {
	// object is which objects it is about: Kind/name, with * as path.Match has it.
	object string
	// field is the way to the field, by words: keys, [key=value] or [key] for an item of a
	// list of maps that has it, [^start] for neighbouring items of a list of texts, and as the last word +
	// for something that is added to a map or a list.
	field string
	// text is what takes the place of the field, its key or dash included: lines of a
	// template, as if they began in the first column. In it, @field stands for the lines
	// that were there before, and @2 for the column two to the right of the first, which
	// is what nindent needs.
	text string
	// value is instead of text: the value that takes the place of the field. What the
	// field is in the manifest is then the value's default.
	value string
}

// matches tells whether the edit is about the object.
func (e edit) matches(o object) bool {
	ok, err := path.Match(e.object, o.String())
	return ok && err == nil
}

// mark is a place of a template that an edit's text will take.
type mark struct {
	text  string
	field *yaml.RNode // what was there before; nil: nothing
	item  bool        // of a list
}

// editor puts marks into one object, and texts in the place of marks.
type editor struct {
	marks    []mark
	defaults map[string]*yaml.RNode // by value
}

// apply puts the edit's mark into the object.
func (ed *editor) apply(o object, e edit) error {
	words := strings.Fields(e.field)
	last := words[len(words)-1]
	parent, err := walk(o.node, words[:len(words)-1])
	if err != nil {
		return err
	}
	m := mark{text: e.text, item: parent.YNode().Kind == yaml.SequenceNode}
	place := yaml.NewStringRNode(fmt.Sprintf("__mark%d__", len(ed.marks)))
	switch {
	case m.item && last == "+":
		parent.YNode().Content = append(parent.YNode().Content, place.YNode())
	case m.item:
		items := parent.YNode().Content
		first, end, err := find(parent, last)
		if err != nil {
			return err
		}
		m.field = yaml.NewRNode(&yaml.Node{Kind: yaml.SequenceNode, Content: slices.Clone(items[first:end])})
		parent.YNode().Content = slices.Replace(items, first, end, place.YNode())
	default:
		if err := ed.applyToMap(parent, last, e, &m, place); err != nil {
			return err
		}
	}
	ed.marks = append(ed.marks, m)
	return nil
}

// applyToMap is apply for a field of a map.
func (ed *editor) applyToMap(parent *yaml.RNode, key string, e edit, m *mark, place *yaml.RNode) error {
	if key == "+" {
		key = place.YNode().Value // any; the text has its own keys
	}
	fresh := []*yaml.Node{yaml.NewStringRNode(key).YNode(), place.YNode()} // without the comments of before
	content := parent.YNode().Content
	at := 0 // keys and values alternate
	for at < len(content) && content[at].Value != key {
		at += 2
	}
	if at >= len(content) {
		if e.value != "" || strings.Contains(e.text, "@field") {
			return fmt.Errorf("there is no %s", e.field)
		}
		parent.YNode().Content = append(content, fresh...)
		return nil
	}
	was := yaml.NewRNode(content[at+1])
	m.field = yaml.NewMapRNode(nil)
	m.field.YNode().Content = []*yaml.Node{content[at], content[at+1]}
	parent.YNode().Content = slices.Replace(content, at, at+2, fresh...)
	if e.value != "" {
		ed.defaults[e.value] = was.Copy()
		m.text = valueText(key, e.value, was)
	}
	return nil
}

// valueText is the text for a field that one value stands for.
func valueText(key, value string, was *yaml.RNode) string {
	switch {
	case was.YNode().Kind != yaml.ScalarNode:
		return fmt.Sprintf("%s:\n  {{- toYaml $.Values.%s | nindent @2 }}", key, value)
	case was.YNode().ShortTag() == yaml.NodeTagString:
		return fmt.Sprintf("%s: {{ $.Values.%s | quote }}", key, value)
	default:
		return fmt.Sprintf("%s: {{ $.Values.%s }}", key, value)
	}
}

// walk follows words from a node.
func walk(node *yaml.RNode, words []string) (*yaml.RNode, error) {
	for i, word := range words {
		var next *yaml.RNode
		if node.YNode().Kind == yaml.SequenceNode {
			at, _, err := find(node, word)
			if err != nil {
				return nil, err
			}
			next = yaml.NewRNode(node.YNode().Content[at])
		} else if field := node.Field(word); field != nil {
			next = field.Value
		}
		if next == nil {
			return nil, fmt.Errorf("there is no %s", strings.Join(words[:i+1], " "))
		}
		node = next
	}
	return node, nil
}

// find returns which items of a list [key=value], [key] or [^start] means: the first, and
// those right after it that fit as well.
func find(list *yaml.RNode, word string) (first, end int, err error) {
	items := list.YNode().Content
	first = slices.IndexFunc(items, func(item *yaml.Node) bool { return fits(item, word) })
	if first < 0 {
		return 0, 0, fmt.Errorf("no item of the list is %s", word)
	}
	end = first + 1
	for end < len(items) && fits(items[end], word) {
		end++
	}
	return first, end, nil
}

// fits tells whether word means this item of a list.
func fits(item *yaml.Node, word string) bool {
	inside := strings.TrimSuffix(strings.TrimPrefix(word, "["), "]")
	if start, isText := strings.CutPrefix(inside, "^"); isText {
		return strings.HasPrefix(item.Value, start)
	}
	key, value, valued := strings.Cut(inside, "=")
	field := yaml.NewRNode(item).Field(key)
	return field != nil && (!valued || field.Value.YNode().Value == value)
}

// What a mark looks like in YAML: alone behind a key, or alone as an item.
var (
	markLine = regexp.MustCompile(`(?m)^( *)(- )?(?:[^\s:]+: )?__mark(\d+)__$`)
	column   = regexp.MustCompile(`@(\d+)`)
)

// render returns the node as YAML, with the texts of all marks in their places.
func (ed *editor) render(node *yaml.RNode) (string, error) {
	text, err := node.String()
	if err != nil {
		return "", fmt.Errorf("writing YAML: %w", err)
	}
	text = withNames(text)
	for markLine.MatchString(text) { // those within the fields of others come to light
		text = markLine.ReplaceAllStringFunc(text, func(line string) string {
			var replaced string
			if replaced, err = ed.replace(line); err != nil {
				return ""
			}
			return replaced
		})
		if err != nil {
			return "", err
		}
	}
	if strings.Contains(text, "__mark") {
		return "", fmt.Errorf("an edit is about a place where it cannot be: %s", text)
	}
	return text, nil
}

// replace returns the lines that take the place of a line with a mark.
func (ed *editor) replace(line string) (string, error) {
	parts := markLine.FindStringSubmatch(line)
	n, err := strconv.Atoi(parts[3])
	if err != nil {
		return "", err
	}
	m, indent, first := ed.marks[n], parts[1], parts[1]
	if parts[2] != "" && !m.item { // the first key of an item: its dash stays
		first, indent = indent+parts[2], indent+"  "
	}
	text := m.text
	if strings.Contains(text, "@field") {
		was, err := m.field.String()
		if err != nil {
			return "", fmt.Errorf("writing YAML: %w", err)
		}
		text = strings.ReplaceAll(text, "@field", strings.TrimSuffix(withNames(was), "\n"))
	}
	text = column.ReplaceAllStringFunc(text, func(c string) string {
		n, _ := strconv.Atoi(c[1:]) // digits, as the expression has it
		return strconv.Itoa(len(indent) + n)
	})
	return first + strings.ReplaceAll(text, "\n", "\n"+indent), nil
}
