// Package strictyaml reads the YAML files of the receiver, which people write by
// hand and a mistake in which can close the receiver to Concur.
//
// [Decode] fills a struct and notes everything that is wrong: each unknown,
// misspelt or repeated key, each value of a wrong kind, by path and line. The
// caller adds with [Document.Refuse] what it finds wrong in what the values mean,
// and [Document.Err] returns all of it at once, in the order of the file.
//
// A struct's keys are the names in its `yaml` tags. A null is as good as an
// absent key. What implements [encoding.TextUnmarshaler] is read from the text of
// a scalar. Anchors, aliases, tags and a second document are refused: a reader of
// the file should see what it says, and no reader should have to expand it.
//
// No message repeats a value, because a value may be a password.
package strictyaml

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Problem is one thing that is wrong with a file.
type Problem struct {
	// Line counts from 1; zero: the file as a whole.
	Line int
	// Path is that of the key, such as "subscriptions[2].sink.uri"; may be empty.
	Path string
	// Message says what is wrong and what to do.
	Message string
}

// String returns "line 4: subscriptions[0].sink.uri: …".
func (p Problem) String() string {
	var b strings.Builder
	if p.Line > 0 {
		b.WriteString("line " + strconv.Itoa(p.Line) + ": ")
	}
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	return b.String() + p.Message
}

// Error holds everything that is wrong with a file, in the order of its lines; never nothing.
type Error struct{ Problems []Problem }

// shown bounds what Error prints: a log line is no place for thousands.
const shown = 20

// Error joins the first problems with "; ".
func (e *Error) Error() string {
	var all []string
	for _, p := range e.Problems[:min(len(e.Problems), shown)] {
		all = append(all, p.String())
	}
	if more := len(e.Problems) - shown; more > 0 {
		all = append(all, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(all, "; ")
}

// Document is a file that was read, and what is wrong with it.
type Document struct {
	lines    map[string]int
	problems []Problem
}

// Decode reads data into the struct that into points to. Fields of keys that are absent or wrong keep
// the values they have.
func Decode(data []byte, into any) *Document {
	d := &Document{lines: map[string]int{}}
	root, err := parse(data)
	if err != nil {
		d.problems = append(d.problems, syntax(err))
		return d
	}
	if root != nil {
		d.value(root, "", reflect.ValueOf(into).Elem())
	}
	return d
}

// Has reports whether the file gives a value at path, right or wrong.
func (d *Document) Has(path string) bool {
	_, ok := d.lines[path]
	return ok
}

// Refuse notes that the value at path is wrong. A path that the file does not have gets the line of
// the block that it is missing from.
func (d *Document) Refuse(path, format string, args ...any) {
	d.problems = append(d.problems, Problem{Line: d.line(path), Path: path, Message: fmt.Sprintf(format, args...)})
}

// Wrong reports whether something at path or below it has been refused.
func (d *Document) Wrong(path string) bool {
	return slices.ContainsFunc(d.problems, func(p Problem) bool {
		rest, ok := strings.CutPrefix(p.Path, path)
		return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
	})
}

// Err returns an [*Error] with all that is wrong, or nil.
func (d *Document) Err() error {
	if len(d.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(d.problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	return &Error{Problems: slices.Clone(d.problems)}
}

// line returns the line of path or, if the file has no such key, of the nearest block around it.
func (d *Document) line(path string) int {
	for {
		if line, ok := d.lines[path]; ok || path == "" {
			return line
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
}

// parse returns the root of the only document in data, or nil when there is nothing in it.
func parse(data []byte) (root *yaml.Node, err error) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, second yaml.Node
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	switch err := decoder.Decode(&second); {
	case err == nil:
		return nil, fmt.Errorf("line %d: the file holds a second document: split it, or take away the line of dashes", second.Line)
	case !errors.Is(err, io.EOF):
		return nil, err
	}
	if len(document.Content) == 0 {
		return nil, nil
	}
	return document.Content[0], nil
}

var (
	lineNumber = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?`)
	quoted     = regexp.MustCompile(`(?s)'.*'`)
)

// syntax turns an error of the parser into a problem. What the parser quotes from the file is left out.
func syntax(err error) Problem {
	text := err.Error()
	match := lineNumber.FindStringSubmatch(text)
	line, _ := strconv.Atoi(match[1]) // no number: the file as a whole
	return Problem{Line: line, Message: "reading YAML: " + quoted.ReplaceAllString(text[len(match[0]):], "'…'")}
}
