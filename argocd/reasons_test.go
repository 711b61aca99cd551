package argocd_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// unreachable are reasons that no object of a test has, and why.
var unreachable = map[string]string{
	"Unknown": "is for what nobody foresaw; a script that does not know a reason takes it as the others of its condition",
}

// TestEveryReasonHasACase fails when docs/reference/conditions.md, which the operator's own tests
// hold against its code, has a reason that no sample shows.
func TestEveryReasonHasACase(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/reference/conditions.md")
	if err != nil {
		t.Fatal(err)
	}
	_, part, found := strings.Cut(string(page), "\n## Reasons\n")
	rows := regexp.MustCompile("(?m)^\\| `([A-Za-z]+)` \\|").FindAllStringSubmatch(part, -1)
	if !found || len(rows) < 40 {
		t.Fatalf("the page lists %d reasons", len(rows))
	}
	shown := map[string]bool{}
	for kind := range kinds {
		for _, path := range samples(t, kind) {
			object := sample(t, kind, path)
			for _, condition := range []string{"Ready", "Synced", "CompaniesConnected", "Reconciling", "Stalled", "Drifted", "AtRisk"} {
				shown[reasonOf(object, condition)] = true
			}
		}
	}
	for _, row := range rows {
		if _, exempt := unreachable[row[1]]; shown[row[1]] == exempt {
			t.Errorf("reason %s: shown by a sample %t, exempt %t", row[1], shown[row[1]], exempt)
		}
	}
}
