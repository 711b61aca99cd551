package event_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// TestOperatorReadsTheStatistics holds the answer that the operator's tests read
// against the types that the receiver writes. The two share no code, so that a
// name that one of them changes is seen here.
func TestOperatorReadsTheStatistics(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../controllers/statistics/testdata/statistics.json")
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Routes []json.RawMessage `json:"routes"`
	}
	if err := json.Unmarshal(text, &answer); err != nil || len(answer.Routes) != 1 {
		t.Fatalf("%d routes, %v", len(answer.Routes), err)
	}
	var stats event.RouteStats
	decoder := json.NewDecoder(bytes.NewReader(answer.Routes[0]))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&stats); err != nil {
		t.Fatalf("the operator's sample has what the receiver never writes: %v", err)
	}
	written, err := json.Marshal(stats)
	if err != nil {
		t.Fatal(err)
	}
	var want, got any
	if err := errors.Join(json.Unmarshal(answer.Routes[0], &want), json.Unmarshal(written, &got)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the receiver writes it otherwise (-sample +written):\n%s", diff)
	}
}
