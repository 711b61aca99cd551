package essemulator_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/internal/essemulator"
)

func TestKeysMayBeShared(t *testing.T) {
	t.Parallel()
	keys, err := essemulator.NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	emu, err := essemulator.New(essemulator.WithKeys(keys))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(emu.Keys().SigningKeyPEM(), keys.SigningKeyPEM()) || !bytes.Equal(emu.Keys().CAPEM(), keys.CAPEM()) {
		t.Error("the emulator works with other keys than those given")
	}
}

func TestDeliveryRootsMayBeGiven(t *testing.T) {
	t.Parallel()
	private := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(private.Close)
	roots := x509.NewCertPool()
	roots.AddCert(private.Certificate())
	emu, err := essemulator.New(essemulator.WithDeliveryRoots(roots))
	if err != nil {
		t.Fatal(err)
	}
	emu.PutSubscription(essemulator.Subscription{
		ID: "s", Topic: reports, Filter: ".*", Endpoint: private.URL, CompanyIDs: []string{companyA},
	})
	b := &bench{t: t, emu: emu}
	b.run()
	b.publish(report(`{}`))
	if got := b.only().Outcome; got != essemulator.Delivered {
		t.Errorf("outcome = %s, want delivered", got)
	}
}

func TestLogHoldsNoSecret(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	emu, err := essemulator.New(essemulator.WithLogger(
		slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	if err != nil {
		t.Fatal(err)
	}
	emu.PutApplication(essemulator.Application{ID: appA, Secrets: []string{"secret-" + appA}, Scopes: essemulator.AllScopes()})
	srv := httptest.NewTLSServer(emu.Handler())
	b := &bench{t: t, emu: emu, srv: srv}
	b.userToken("admin-token", essemulator.UserToken{User: "admin", CompanyID: companyA})
	b.mustSend("GET", failedPath, "", "Authorization", "OAuth admin-token")
	b.mustAdmin("PUT", "/v1/connectors/c", `{"host":"https://127.0.0.1:1","userName":"concur-callouts","password":"a long password"}`)
	b.mustAdmin("POST", "/v1/connectors/c/test", "")
	token := b.tokenOf(appA)
	b.mustSend("GET", apiPath, "", "Authorization", "Bearer "+token)
	srv.Close() // the handlers have ended, and with them the writing
	if !strings.Contains(text.String(), "operation=list") {
		t.Errorf("the log lacks the call: %s", &text)
	}
	for _, secret := range []string{"secret-" + appA, token, "admin-token", "a long password"} {
		if strings.Contains(text.String(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}

func TestRetryAfterIsHonouredIfAssumed(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"120": 2 * time.Minute, start.Add(5 * time.Minute).Format(http.TimeFormat): 5 * time.Minute, "soon": time.Second,
		"-1": time.Second, "": time.Second,
	} {
		t.Run(value, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, func(a *essemulator.Assumptions) { a.HonourRetryAfter = true })
			b.deliverTo(newEndpoint(t, b.emu, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", value)
				w.WriteHeader(http.StatusServiceUnavailable)
			}))
			b.publish(report(`{}`))
			if got := b.only().NextAttempt.Sub(start); got != want {
				t.Errorf("next attempt after %v, want %v", got, want)
			}
		})
	}
}

func TestDuplicatesFollowTheSeed(t *testing.T) {
	t.Parallel()
	attempts := func(seed uint64) (counts []int) {
		b := newBench(t, func(a *essemulator.Assumptions) { a.Duplicates = 0.5 })
		assume := b.emu.Assumptions()
		assume.Seed = seed
		if err := b.emu.SetAssumptions(assume); err != nil {
			t.Fatal(err)
		}
		b.deliverTo(newEndpoint(t, b.emu, nil))
		for range 20 {
			b.publish(report(`{}`))
		}
		for _, d := range b.emu.Ledger() {
			counts = append(counts, len(d.Attempts))
		}
		return counts
	}
	first := attempts(7)
	if diff := cmp.Diff(first, attempts(7)); diff != "" {
		t.Errorf("the same seed sends other events twice (-first +second):\n%s", diff)
	}
	if cmp.Equal(first, attempts(8)) {
		t.Error("another seed sends the same events twice")
	}
}

func TestClearingFaultsCutsCallsThatHang(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.emu.InjectFault(essemulator.Fault{Hang: true})
	done := make(chan error, 1)
	go func() {
		_, err := b.send("GET", "/oauth2/v0/jwks", "")
		done <- err
	}()
	b.eventually(func() bool { return len(b.emu.Requests()) == 1 && len(b.emu.Faults()) == 1 })
	// The call is logged just before it meets the fault; clear until it has.
	b.eventually(func() bool {
		b.emu.ClearFaults()
		select {
		case err := <-done:
			done <- err
			return true
		default:
			return false
		}
	})
	if a, err := b.send("GET", "/oauth2/v0/jwks", ""); err != nil || a.Status != 200 {
		t.Errorf("after clearing: %d, %v", a.Status, err)
	}
}

func TestStoppedEngineKeepsWhatItHadInHand(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	arrived, free := make(chan struct{}, 1), make(chan struct{})
	ep := newEndpoint(t, b.emu, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case arrived <- struct{}{}:
			<-r.Context().Done()
		case <-free:
		}
	})
	b.subscribe("acme.reports", ep.URL)
	b.connect(appA, companyA)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.emu.Run(ctx) }()
	if _, err := b.emu.Publish(report(`{}`)); err != nil {
		t.Fatal(err)
	}
	b.eventually(func() bool { return len(arrived) == 1 })
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if d := b.only(); d.Outcome != essemulator.Pending || len(d.Attempts) != 0 {
		t.Errorf("a stopped attempt left %+v, want it untried", d)
	}
	close(free)
	b.run()
	b.settle()
	if d := b.only(); d.Outcome != essemulator.Delivered {
		t.Errorf("after starting again: %+v", d)
	}
}
