package eventdisplay_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/internal/eventdisplay"
)

// post sends one event; header is alternating names and values.
func post(display http.Handler, body string, header ...string) int {
	r := httptest.NewRequest(http.MethodPost, "/anywhere", strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	display.ServeHTTP(w, r)
	return w.Code
}

// last is what GET / answers.
func last(t *testing.T, display http.Handler) (answer struct {
	Received int
	Events   []eventdisplay.Event
},
) {
	t.Helper()
	w := httptest.NewRecorder()
	display.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != http.StatusOK {
		t.Fatalf("GET / answered %d %s (%v)", w.Code, w.Body, err)
	}
	return answer
}

// structured is an event in structured mode.
var structured = []string{"Content-Type", "application/cloudevents+json; charset=utf-8"}

// calls are what people post.
var calls = map[string]struct {
	reason, body string
	header       []string
	want         string // the line printed; none for what is refused
}{
	"Binary": {
		reason: "the receiver's default",
		header: []string{"Ce-Specversion", "1.0", "Ce-Type", "t", "Ce-Id", "1", "Ce-Source", "/s", "Ce-Subject", "r"},
		want:   "t subject=r id=1 source=/s\n",
	},
	"BinaryEncoded": {
		reason: "headers carry what is not ASCII percent-encoded",
		header: []string{"Ce-Specversion", "1.0", "Ce-Type", "t", "Ce-Id", "1", "Ce-Source", "/s", "Ce-Subject", "%C3%A9%20%25"},
		want:   "t subject=é % id=1 source=/s\n",
	},
	"BinaryBadlyEncoded": {
		reason: "senders that do not encode are understood, too",
		header: []string{"Ce-Specversion", "1.0", "Ce-Type", "t", "Ce-Id", "100%", "Ce-Source", "/s"},
		want:   "t subject= id=100% source=/s\n",
	},
	"BinaryWithoutID": {
		reason: "id is required",
		header: []string{"Ce-Specversion", "1.0", "Ce-Type", "t", "Ce-Source", "/s"},
	},
	"Version": {
		reason: "0.3 has other attributes",
		header: []string{"Ce-Specversion", "0.3", "Ce-Type", "t", "Ce-Id", "1", "Ce-Source", "/s"},
	},
	"NoEvent": {reason: "anybody can post anything", body: "hello"},
	"Structured": {
		reason: "the receiver's other mode", header: structured,
		body: `{"specversion":"1.0","type":"t","id":"1","source":"/s","subject":"r","data":{"a":1}}`,
		want: "t subject=r id=1 source=/s\n",
	},
	"StructuredNumber": {
		reason: "attributes are strings", header: structured,
		body: `{"specversion":"1.0","type":"t","id":1,"source":"/s"}`,
	},
	"StructuredGarbage": {reason: "this is not JSON", header: structured, body: `{`},
	"StructuredMissing": {reason: "source is required", header: structured, body: `{"specversion":"1.0","type":"t","id":"1"}`},
	"Batch": {
		reason: "nobody here sends batches", body: `[]`,
		header: []string{"Content-Type", "application/cloudevents-batch+json"},
	},
	"Lines": {
		reason: "no sender can make it print a line of its own", header: structured,
		body: `{"specversion":"1.0","type":"t\nt","id":"\u001b[2J","source":"/s"}`,
		want: "t\uFFFDt subject= id=\uFFFD[2J source=/s\n",
	},
	"Long": {
		reason: "what is kept is bounded", header: structured,
		body: `{"specversion":"1.0","type":"t","id":"` + strings.Repeat("é", 1000) + `","source":"/s"}`,
		want: "t subject= id=" + strings.Repeat("é", 512) + "… source=/s\n",
	},
}

func TestWhatIsTaken(t *testing.T) {
	t.Parallel()
	for name, tt := range calls {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			display := eventdisplay.New(&out)
			want := http.StatusNoContent
			if tt.want == "" {
				want = http.StatusBadRequest
			}
			if code := post(display, tt.body, tt.header...); code != want {
				t.Errorf("answered %d, want %d: %s", code, want, tt.reason)
			}
			if diff := cmp.Diff(tt.want, out.String()); diff != "" {
				t.Errorf("%s: printed (-want +got):\n%s", tt.reason, diff)
			}
			if n := len(last(t, display).Events); (n == 1) != (tt.want != "") {
				t.Errorf("%d events are shown", n)
			}
		})
	}
}

func TestTheLastAreShown(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	display := eventdisplay.New(&out)
	if got := last(t, display); got.Received != 0 || got.Events == nil {
		t.Errorf("before the first: %+v, want an empty list", got)
	}
	var senders sync.WaitGroup
	for n := range 1200 {
		send := func() {
			post(display, "", "Ce-Specversion", "1.0", "Ce-Type", "t", "Ce-Id", fmt.Sprint(n), "Ce-Source", "/s")
		}
		if n < 200 {
			senders.Go(send)
			continue
		}
		senders.Wait()
		send()
	}
	got := last(t, display)
	if got.Received != 1200 || len(got.Events) != 1000 || got.Events[0].ID != "200" || got.Events[999].ID != "1199" {
		t.Errorf("of %d events %d are shown, from %+v to %+v", got.Received, len(got.Events), got.Events[0], got.Events[len(got.Events)-1])
	}
	if n := strings.Count(out.String(), "\n"); n != 1200 {
		t.Errorf("printed %d lines, want 1200", n)
	}
}

func TestOtherCalls(t *testing.T) {
	t.Parallel()
	for call, want := range map[string]int{"PUT /": 405, "GET /elsewhere": 404} {
		method, path, _ := strings.Cut(call, " ")
		w := httptest.NewRecorder()
		eventdisplay.New(nil).ServeHTTP(w, httptest.NewRequest(method, path, nil))
		if w.Code != want {
			t.Errorf("%s answered %d, want %d", call, w.Code, want)
		}
	}
}

func TestTooLargeIsRetried(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(strings.Repeat("x", 16<<20+1)))
	w := httptest.NewRecorder()
	eventdisplay.New(nil).ServeHTTP(w, r)
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("answered %d, want 503", w.Code)
	}
}

func FuzzEvent(f *testing.F) {
	f.Add("application/cloudevents+json", "1", `{"specversion":"1.0","type":"t","id":"1","source":"/s"}`)
	f.Add("application/json", "%C3%A9", `{}`)
	f.Add("application/cloudevents; x=", "%", `[`)
	f.Fuzz(func(t *testing.T, contentType, id, body string) {
		var out strings.Builder
		display := eventdisplay.New(&out)
		code := post(display, body, "Content-Type", contentType,
			"Ce-Specversion", "1.0", "Ce-Type", "t", "Ce-Id", id, "Ce-Source", "/s")
		if taken := code == http.StatusNoContent; taken != (strings.Count(out.String(), "\n") == 1) || out.Len() > 8<<10 {
			t.Fatalf("answered %d and printed %q", code, out.String())
		}
	})
}
