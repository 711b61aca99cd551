// Package bounded makes what a remote service said fit into a status: lists
// become sorted sets of bounded size, texts are cut. A status that breaks its
// own schema could never be written, and the object would be stuck with it.
package bounded

import (
	"slices"
	"strings"
)

// Set returns the values sorted and each once, without those longer than
// length bytes, and at most size of them.
func Set(values []string, size, length int) []string {
	set := slices.DeleteFunc(slices.Clone(values), func(v string) bool { return len(v) > length })
	slices.Sort(set)
	set = slices.Compact(set)
	if len(set) > size {
		set = set[:size]
	}
	return slices.Clip(set)
}

// Text returns at most length bytes of value, cut at a character.
func Text(value string, length int) string {
	value = strings.ToValidUTF8(value, "?")
	if len(value) <= length {
		return value
	}
	return strings.ToValidUTF8(value[:length], "")
}
