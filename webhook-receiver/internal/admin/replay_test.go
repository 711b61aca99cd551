package admin_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/admin"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

type replayed struct {
	Events int
	DryRun bool
}

func (b *bench) states() []event.State {
	b.store.mu.Lock()
	defer b.store.mu.Unlock()
	var all []event.State
	for _, r := range b.store.records {
		all = append(all, r.State)
	}
	return all
}

func TestReplayOne(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason string
		seq    int
		body   string
		broken error
		want   int
	}{
		"Stored":      {"A sink that came later can have it.", 1, "", nil, http.StatusOK},
		"Pending":     {"It would lose its count of attempts for nothing.", 2, "", nil, http.StatusConflict},
		"Delivered":   {"A sink that lost it can have it again.", 3, "", nil, http.StatusOK},
		"Dead":        {"A sink that was repaired can have it.", 4, "", nil, http.StatusOK},
		"Quarantined": {"Whoever has looked at it may send it on.", 5, "", nil, http.StatusOK},
		"Absent":      {"What is gone cannot be sent.", 99, "", nil, http.StatusNotFound},
		"Zero":        {"Events begin at 1.", 0, "", nil, http.StatusBadRequest},
		"DryRun":      {"A wish that is not granted must not be passed over.", 4, `{"dryRun":true}`, nil, http.StatusBadRequest},
		"Slow":        {"Nothing is wrong inside; there was too much to do.", 4, "", context.DeadlineExceeded, http.StatusServiceUnavailable},
		"Broken":      {"The store says so, and the caller tries again.", 4, "", fmt.Errorf("writing: %w", event.ErrUnavailable), http.StatusServiceUnavailable},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.fill()
			b.store.broken = tc.broken
			before := b.states()
			w := b.call(http.MethodPost, fmt.Sprintf("/v1/events/%d/replay", tc.seq), tc.body)
			if w.Code == http.StatusOK && tc.want == http.StatusOK {
				before[tc.seq-1] = event.Pending
			} else {
				refused(t, w, tc.want)
			}
			if diff := cmp.Diff(before, b.states()); diff != "" {
				t.Errorf("%s\nstates -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// selected are bodies about what fill stores.
var selected = map[string]struct {
	reason, body string
	want         []string // ids that are pending afterwards, beside the one that was
}{
	"Name":      {"What was delivered is not meant unless it is named.", `{"namespace":"finance","name":"expense-reports"}`, []string{"dead", "quarantined"}},
	"State":     {"A state that is named counts.", `{"namespace":"finance","state":"delivered"}`, []string{"delivered"}},
	"StateOnly": {"A state selects something in particular.", `{"state":"stored"}`, []string{"stored"}},
	"All":       {"All that did not arrive.", `{"all":true}`, []string{"dead", "quarantined"}},
	"AllState":  {"All of one state.", `{"all":true,"state":"delivered"}`, []string{"delivered", "callout"}},
	"ID":        {"One event.", `{"id":"dead"}`, []string{"dead"}},
	"Type":      {"One type.", `{"type":"submitted","state":"dead"}`, []string{"dead"}},
	"Span":      {"A time when a sink was away.", `{"since":"2026-11-22T08:00:00Z","until":"2026-11-22T09:00:00Z"}`, []string{"dead", "quarantined"}},
	"Nothing":   {"To find nothing is no error.", `{"namespace":"nobody"}`, nil},
	"Connector": {"A callout.", `{"kind":"connector","state":"delivered"}`, []string{"callout"}},
}

func TestReplayByFilter(t *testing.T) {
	t.Parallel()
	for name, tc := range selected {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.fill()
			b.checkReplay(t, tc.body, tc.reason, tc.want)
		})
	}
}

// checkReplay replays, dry at first, what fill has stored.
func (b *bench) checkReplay(t *testing.T, body, reason string, want []string) {
	t.Helper()
	before := b.pending(t)
	dry := strings.TrimSuffix(body, "}") + `,"dryRun":true}`
	got := decode[replayed](t, b.call(http.MethodPost, "/v1/replay", dry), http.StatusOK)
	if diff := cmp.Diff(replayed{len(want), true}, got); diff != "" || !slices.Equal(before, b.pending(t)) {
		t.Errorf("a dry run must count and change nothing: %s%v", diff, b.pending(t))
	}
	got = decode[replayed](t, b.call(http.MethodPost, "/v1/replay", body), http.StatusOK)
	if diff := cmp.Diff(replayed{len(want), false}, got); diff != "" {
		t.Errorf("%s\n-want +got:\n%s", reason, diff)
	}
	if diff := cmp.Diff(sorted(append(before, want...)), sorted(b.pending(t))); diff != "" {
		t.Errorf("%s\npending -want +got:\n%s", reason, diff)
	}
}

// pending are the ids of all pending events.
func (b *bench) pending(t *testing.T) []string {
	t.Helper()
	var ids []string
	list := decode[struct{ Events []event.Record }](t, b.get("/v1/events?state=pending&limit=1000&order=oldest"), http.StatusOK)
	for _, r := range list.Events {
		ids = append(ids, r.Event.ID)
	}
	return ids
}

func TestReplayRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ reason, body, says string }{
		"Empty":     {"Everything must be asked for.", `{}`, `{"all": true}`},
		"Null":      {"Everything must be asked for.", `null`, `{"all": true}`},
		"DryRun":    {"A dry run counts what the same call would do.", `{"dryRun":true}`, `{"all": true}`},
		"AllFalse":  {"Everything must be asked for.", `{"all":false}`, `{"all": true}`},
		"AllAnd":    {"Which of the two is meant?", `{"all":true,"namespace":"hr"}`, "no other selection"},
		"Nobody":    {"There must be a body.", ``, "not a JSON object"},
		"Array":     {"One filter.", `[]`, "not a JSON object"},
		"Trailing":  {"One filter.", `{"id":"a"}{"all":true}`, "not a JSON object"},
		"Misspelt":  {"A misspelt filter must not select more.", `{"id":"a","namspace":"hr"}`, "unknown or repeated"},
		"OtherCase": {"Names have a case.", `{"id":"a","Namespace":"hr"}`, "unknown or repeated"},
		"Twice":     {"Which of the two is meant?", `{"id":"a","id":"b"}`, "unknown or repeated"},
		"EmptyText": {"A variable that was not set must not select more.", `{"id":"a","namespace":""}`, "namespace is empty"},
		"Number":    {"A name is a text.", `{"namespace":1}`, "not a JSON object"},
		"Pending":   {"They come without.", `{"state":"pending"}`, "without a replay"},
		"State":     {"There are five states.", `{"state":"Dead"}`, "state is not known"},
		"Since":     {"A time has a date.", `{"since":"1h"}`, "since is not a time"},
		"Newline":   {"Control characters are in no id.", `{"id":"a\r\nb"}`, "control character"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.fill()
			before := b.states()
			p := refused(t, b.call(http.MethodPost, "/v1/replay", tc.body), http.StatusBadRequest)
			if !strings.Contains(p.Detail, tc.says) {
				t.Errorf("%s\ndetail %q, want it to say %q", tc.reason, p.Detail, tc.says)
			}
			if !slices.Equal(before, b.states()) {
				t.Errorf("%s\nyet something was replayed", tc.reason)
			}
		})
	}
	long := fmt.Sprintf(`{"id":%q}`, strings.Repeat("x", 64<<10))
	refused(t, newBench(t).call(http.MethodPost, "/v1/replay", long), http.StatusRequestEntityTooLarge)
}

func TestReplayThatEndsHalfway(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.fill()
	b.store.add(sample("dead too"), event.Dead)
	b.store.broken = event.ErrUnavailable
	w := b.call(http.MethodPost, "/v1/replay", `{"state":"dead"}`)
	if p := refused(t, w, http.StatusServiceUnavailable); !strings.HasPrefix(p.Detail, "1 events were made pending") {
		t.Errorf("detail %q does not say how far it came", p.Detail)
	}
	if w.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

func TestReplayThatGoesWrongHalfway(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	b := newBench(t, func(c *admin.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	b.fill()
	b.store.add(sample("dead too"), event.Dead)
	b.store.broken = errors.New("page 7 is torn")
	p := refused(t, b.call(http.MethodPost, "/v1/replay", `{"state":"dead"}`), http.StatusInternalServerError)
	if !strings.HasPrefix(p.Detail, "1 events were made pending") || strings.Contains(p.Detail, "page 7") {
		t.Errorf("detail %q must say how far it came, and not why it ended", p.Detail)
	}
	if !strings.Contains(log.String(), "page 7 is torn") || !strings.Contains(log.String(), "events=1") {
		t.Errorf("the log must say both: %s", &log)
	}
}
