package request_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/request"
)

func TestRequestIsAcknowledgedAsJSONKeepsIt(t *testing.T) {
	t.Parallel()
	conn := &v1alpha1.ConcurConnection{}
	if got := request.Of(conn); got != "" {
		t.Errorf("without an annotation it is %q", got)
	}
	for _, value := range []string{strings.Repeat("ü", 200) + "x", "x" + strings.Repeat("ü", 200)} {
		conn.Annotations = map[string]string{v1alpha1.ReconcileRequestedAtAnnotation: value}
		if got := request.Of(conn); !utf8.ValidString(got) || len(got) > 256 || !strings.HasPrefix(value, got) || got == "" {
			t.Errorf("%d bytes, cut within a character: it would never equal what was stored", len(got))
		}
	}
}
