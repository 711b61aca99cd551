package connector_test

import (
	"testing"

	"github.com/ess-operator/ess-operator/test/tree"
)

// TestResultIsOfThisTree keeps go test from taking a result of another tree from its cache:
// what kubectl and TestMain read of it, go test does not see.
func TestResultIsOfThisTree(t *testing.T) {
	t.Parallel()
	if err := tree.Depend("../.."); err != nil {
		t.Error(err)
	}
}
