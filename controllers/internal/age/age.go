// Package age says which of two objects was there first. Where only one can have
// something, a subscription id, a place at ESS or a user name, it is the older.
package age

import (
	"cmp"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Compare orders objects by age, older ones first, and by name within a second.
func Compare(a, b client.Object) int {
	at, bt := a.GetCreationTimestamp(), b.GetCreationTimestamp()
	return cmp.Or(at.Compare(bt.Time), cmp.Compare(client.ObjectKeyFromObject(a).String(), client.ObjectKeyFromObject(b).String()))
}

// Older reports whether a was there before b.
func Older(a, b client.Object) bool { return Compare(a, b) < 0 }
