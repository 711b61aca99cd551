package audit

import (
	"maps"
	"net/http"
	"slices"
)

// Findings are the differences between what was granted and what was done, each
// once, sorted, and in words.
type Findings struct {
	// Unused are the grants that no request needed.
	Unused []string
	// Refused are the requests that the API server did not allow.
	Refused []string
}

// Compare holds grants against requests.
func Compare(grants []Grant, requests []Request) Findings {
	refused := map[string]struct{}{}
	used := make([]bool, len(grants))
	for _, r := range requests {
		// Admission says 403 too, of a write that the authorizer let pass.
		if !r.Allowed || r.Code == http.StatusForbidden || r.Code == http.StatusUnauthorized {
			refused[r.String()] = struct{}{}
			continue
		}
		for i, g := range grants {
			used[i] = used[i] || g.Covers(r)
		}
	}
	var unused []string
	for i, g := range grants {
		if !used[i] {
			unused = append(unused, g.String())
		}
	}
	return Findings{Unused: unused, Refused: slices.Sorted(maps.Keys(refused))}
}
