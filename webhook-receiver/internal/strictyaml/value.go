package strictyaml

import (
	"encoding"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// value decodes a node into v, which is settable, if it gives a value at all.
func (d *Document) value(n *yaml.Node, path string, v reflect.Value) {
	if n.ShortTag() == "!!null" && n.Style&yaml.TaggedStyle == 0 {
		return
	}
	d.lines[path] = n.Line
	if n.Kind == yaml.AliasNode || n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 {
		d.Refuse(path, "anchors (&), aliases (*) and tags (!) are not read here: write the value out")
		return
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	d.plain(n, path, v)
}

// Unread is a key of which only matters that it is there. Nothing below it is looked at.
type Unread struct{}

// UnmarshalText does nothing, and makes Unread one key to [Keys].
func (*Unread) UnmarshalText([]byte) error { return nil }

// plain decodes a value without anchor or tag.
func (d *Document) plain(n *yaml.Node, path string, v reflect.Value) {
	if v.Type() == reflect.TypeFor[Unread]() {
		return
	}
	if text, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		d.text(n, path, text)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.block(n, path, v)
	case reflect.Slice:
		d.list(n, path, v)
	default:
		d.scalar(n, path, v)
	}
}

// text decodes a scalar into what reads text. The error of UnmarshalText becomes the message.
func (d *Document) text(n *yaml.Node, path string, into encoding.TextUnmarshaler) {
	if n.Kind != yaml.ScalarNode {
		d.Refuse(path, "must be one value, not a list or a block of keys")
		return
	}
	if err := into.UnmarshalText([]byte(n.Value)); err != nil {
		d.Refuse(path, "%s", err)
	}
}

// block decodes a mapping into a struct.
func (d *Document) block(n *yaml.Node, path string, v reflect.Value) {
	if n.Kind != yaml.MappingNode {
		d.Refuse(path, "must be a block of keys: %s", strings.Join(keys(v.Type()), ", "))
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, child := n.Content[i], n.Content[i+1]
		at := join(path, key.Value)
		field, ok := fieldOf(v, key)
		switch {
		case !ok:
			d.refuseLine(key.Line, at, "no such key; the keys here are "+strings.Join(keys(v.Type()), ", "))
		case seen[key.Value]:
			d.refuseLine(key.Line, at, "the key is given twice: take one away")
		default:
			seen[key.Value] = true
			d.value(child, at, field)
		}
	}
}

// list decodes a sequence into a slice.
func (d *Document) list(n *yaml.Node, path string, v reflect.Value) {
	if n.Kind != yaml.SequenceNode {
		d.Refuse(path, "must be a list: [a, b], or lines that begin with a dash")
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, child := range n.Content {
		at := path + "[" + strconv.Itoa(i) + "]"
		if child.ShortTag() == "!!null" {
			d.refuseLine(child.Line, at, "is empty: fill it in, or take it away")
			continue
		}
		d.value(child, at, v.Index(i))
	}
}

// scalar decodes text, a truth value or a whole number.
func (d *Document) scalar(n *yaml.Node, path string, v reflect.Value) {
	switch tag := n.ShortTag(); v.Kind() {
	case reflect.String:
		if tag != "!!str" {
			d.Refuse(path, "must be text; if that is what it is, put it in quotes")
			return
		}
		v.SetString(n.Value)
	case reflect.Bool:
		if tag != "!!bool" {
			d.Refuse(path, "must be true or false, without quotes")
			return
		}
		v.SetBool(strings.EqualFold(n.Value, "true"))
	case reflect.Int:
		i, err := strconv.Atoi(n.Value)
		if tag != "!!int" || err != nil {
			d.Refuse(path, "must be a whole number, without quotes")
			return
		}
		v.SetInt(int64(i))
	default:
		panic("strictyaml: " + path + " has type " + v.Type().String() + ", which no file can hold")
	}
}

func (d *Document) refuseLine(line int, path, message string) {
	d.problems = append(d.problems, Problem{Line: line, Path: path, Message: message})
}

// plainKey is what stands in a path as it is written.
var plainKey = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func join(path, key string) string {
	if !plainKey.MatchString(key) {
		key = strconv.Quote(key[:min(len(key), 64)])
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// fieldOf returns the field of v that the key names.
func fieldOf(v reflect.Value, key *yaml.Node) (reflect.Value, bool) {
	if key.Kind != yaml.ScalarNode {
		return reflect.Value{}, false
	}
	for i := range v.NumField() {
		if tag := v.Type().Field(i).Tag.Get("yaml"); tag != "" && tag == key.Value {
			return v.Field(i), true
		}
	}
	return reflect.Value{}, false
}

// keys returns the keys of a struct, in its order.
func keys(t reflect.Type) []string {
	var all []string
	for i := range t.NumField() {
		if tag := t.Field(i).Tag.Get("yaml"); tag != "" {
			all = append(all, tag)
		}
	}
	return all
}

// Keys returns the path of every key that a file may have when it is decoded into v, in the order of
// the structs: "events.tls.certFile", "subscriptions[].name". Documentation is held to it.
func Keys(v any) []string {
	return pathsOf(reflect.TypeOf(v), "")
}

func pathsOf(t reflect.Type, path string) []string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	text := reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
	switch {
	case t.Kind() == reflect.Slice && !text:
		return pathsOf(t.Elem(), path+"[]")
	case t.Kind() != reflect.Struct || text:
		return []string{path}
	}
	var all []string
	for i := range t.NumField() {
		if tag := t.Field(i).Tag.Get("yaml"); tag != "" {
			all = append(all, pathsOf(t.Field(i).Type, join(path, tag))...)
		}
	}
	return all
}
