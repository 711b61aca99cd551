package receiver_test

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"

	"github.com/onsi/gomega"

	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// copies is how often each sample is published: once as Concur prints it, and with other ids.
const copies = 10

// statistics is what these tests read of the receiver's statistics.
type statistics struct {
	Routes []struct {
		Route struct {
			Name string `json:"name"`
		} `json:"route"`
		Received     int `json:"received"`
		Pending      int `json:"pending"`
		DeadLettered int `json:"deadLettered"`
		Quarantined  int `json:"quarantined"`
	} `json:"routes"`
}

func TestEveryAcknowledgedEventArrives(t *testing.T) {
	t.Parallel()
	ids := essemulator.Samples()
	w := newWorld(t, ids, func(assume *essemulator.Assumptions) { assume.Duplicates, assume.Workers = 0.5, 8 })
	w.sink.fails(func(n int64) int { // a sink that is often in trouble
		if n%3 == 0 {
			return http.StatusServiceUnavailable
		}
		return 0
	})
	events := variants(t, ids)
	want := map[string][]byte{}
	third := len(events) / 3
	p := w.run()
	for i, e := range events {
		switch i {
		case third:
			p.kill()
			p = w.run()
		case 2 * third:
			if code := p.terminate(); code != 0 {
				t.Errorf("terminating the receiver: exit code %d, want 0", code)
			}
			p = w.run()
		}
		w.publish(e.subscription, e.body)
		want[identity(source(e.subscription), idOf(e.body))] = e.body
	}
	w.delivered(len(events))
	w.Eventually(func() error { return w.sink.missing(want) }).Should(gomega.Succeed())
	w.Eventually(w.held).Should(gomega.BeEmpty(), "what the store still has to do")
	t.Logf("delivered %d events of %d samples; the sink got %d deliveries", len(want), len(ids), w.sink.total())
}

// variant is an event for one subscription.
type variant struct {
	subscription string
	body         []byte
}

// variants are the samples as printed, and copies of those that have an id with other ids.
func variants(t *testing.T, ids []string) []variant {
	t.Helper()
	var events []variant
	for n := range copies {
		for _, id := range ids {
			sample, err := essemulator.Sample(id)
			if err != nil {
				t.Fatal(err)
			}
			body := sample.Body
			if own := []byte(`"` + idOf(body) + `"`); n > 0 {
				if !bytes.Contains(body, own) {
					continue // it has none
				}
				body = bytes.ReplaceAll(body, own, fmt.Appendf(nil, `"copy-%d-of-%s`, n, own[1:]))
			}
			events = append(events, variant{subscription: id, body: body})
		}
	}
	return events
}

// held says what is not delivered yet, or was counted wrongly.
func (w *world) held() []string {
	var stats statistics
	w.admin(http.MethodGet, "/v1/statistics", &stats)
	var left []string
	for _, r := range stats.Routes {
		if r.Pending != 0 || r.DeadLettered != 0 || r.Quarantined != 0 {
			left = append(left, fmt.Sprintf("%+v", r))
		}
	}
	if len(stats.Routes) != len(w.subscriptions) {
		left = append(left, fmt.Sprintf("%d routes, want %d", len(stats.Routes), len(w.subscriptions)))
	}
	return left
}
