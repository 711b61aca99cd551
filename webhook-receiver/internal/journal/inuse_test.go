package journal_test

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/journal"
)

func TestOpenSaysThatAnotherHoldsTheFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	first, err := journal.Open(journal.Options{Path: path, MaxSize: 16 << 20})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := journal.Open(journal.Options{Path: path, MaxSize: 16 << 20}); !errors.Is(err, journal.ErrInUse) {
		t.Errorf("opening it twice: %v, want ErrInUse", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := journal.Open(journal.Options{Path: path, MaxSize: 16 << 20})
	if err != nil {
		t.Fatalf("opening it after the first has closed: %v", err)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
}
