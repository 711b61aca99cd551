package essemulator_test

import (
	"crypto"
	"crypto/fips140"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/internal/essemulator"
)

func TestEverySampleIsDeliveredByteForByte(t *testing.T) {
	t.Parallel()
	for _, name := range essemulator.Samples() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ev, err := essemulator.Sample(name)
			if err != nil {
				t.Fatal(err)
			}
			ev.CompanyID = companyA
			b := newBench(t, nil)
			ep := newEndpoint(t, b.emu, nil)
			b.emu.PutSubscription(essemulator.Subscription{
				ID: "all", ApplicationID: appA, Topic: ev.Topic, Filter: ".*", Endpoint: ep.URL, CompanyIDs: []string{".*"},
			})
			b.run()
			b.publish(ev)
			got := ep.got()
			if len(got) != 1 || got[0].Body != string(ev.Body) {
				t.Fatalf("endpoint got %d requests, want 1 equal to the sample", len(got))
			}
			checkSignature(t, b.emu, got[0], essemulator.PKCS1v15)
			if ct := got[0].Header.Get("Content-Type"); ct != "application/json" {
				t.Errorf("Content-Type = %q", ct)
			}
		})
	}
}

func TestBothPaddingsVerifyUnderTheCertificatesKey(t *testing.T) {
	t.Parallel()
	for _, padding := range []essemulator.Padding{essemulator.PKCS1v15, essemulator.PSS} {
		t.Run(string(padding), func(t *testing.T) {
			t.Parallel()
			b := newBench(t, func(a *essemulator.Assumptions) { a.Padding = padding })
			ep := newEndpoint(t, b.emu, nil)
			b.deliverTo(ep)
			b.publish(report(`{"id":"1"}`))
			got := ep.got()[0]
			checkSignature(t, b.emu, got, padding)
			if len(got.Chain) == 0 || !got.Chain[0].PublicKey.(*rsa.PublicKey).Equal(b.emu.Keys().Webhook.Public()) {
				t.Error("the client certificate's key is not the signing key")
			}
		})
	}
}

// checkSignature verifies Concur-Signature as a receiver would.
func checkSignature(t *testing.T, emu *essemulator.Emulator, got receipt, padding essemulator.Padding) {
	t.Helper()
	value, err := base64.StdEncoding.DecodeString(got.Header.Get("Concur-Signature"))
	if err != nil {
		t.Fatalf("decoding the signature: %v", err)
	}
	digest, key := sha256.Sum256([]byte(got.Body)), &emu.Keys().Webhook.PublicKey
	if padding == essemulator.PSS {
		salt := 222 // as long as a key of 2048 bits allows
		if fips140.Enabled() {
			salt = sha256.Size // FIPS 186-5 allows no longer one
		}
		err = rsa.VerifyPSS(key, crypto.SHA256, digest[:], value, &rsa.PSSOptions{SaltLength: salt})
	} else {
		err = rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], value)
	}
	if err != nil {
		t.Errorf("verifying the signature: %v", err)
	}
}

func TestRetryMatrix(t *testing.T) {
	t.Parallel()
	const again, gone, fine = essemulator.Pending, essemulator.Lost, essemulator.Delivered
	cases := map[int]essemulator.Outcome{
		200: fine, 201: fine, 202: fine, 204: fine, 299: fine,
		301: gone, 302: gone, 307: gone, 308: gone,
		400: gone, 404: gone, 405: gone, 408: gone, 409: gone, 410: gone, 413: gone, 415: gone, 421: gone, 422: gone,
		431: gone, 401: again, 403: again, 429: again,
		500: again, 501: again, 502: again, 503: again, 504: again, 599: again,
	}
	for status, want := range cases {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			b := newBench(t, nil)
			b.deliverTo(newEndpoint(t, b.emu, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(status)
			}))
			b.publish(report(`{}`))
			d := b.only()
			if d.Outcome != want || len(d.Attempts) != 1 || d.Attempts[0].Status != status {
				t.Errorf("after %d: %s with attempts %+v, want %s after one", status, d.Outcome, d.Attempts, want)
			}
		})
	}
}

func TestBrokenConnectionIsRetriedEvenAfter200(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.deliverTo(newEndpoint(t, b.emu, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}))
	b.publish(report(`{}`))
	d := b.only()
	if d.Outcome != essemulator.Pending || d.Attempts[0].Status != 200 || d.Attempts[0].Error == "" {
		t.Errorf("got %s with %+v, want a pending delivery after a broken 200", d.Outcome, d.Attempts)
	}
}

func TestDeliveryIsRetriedWithGrowingPausesUntilItExpires(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(a *essemulator.Assumptions) {
		a.BackoffInitial, a.BackoffMax, a.Retention = time.Minute, 4*time.Minute, 13*time.Minute
	})
	ep := newEndpoint(t, b.emu, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	b.deliverTo(ep)
	start := b.clock.Now()
	b.publish(report(`{}`))
	for range 14 {
		b.clock.Step(time.Minute)
		b.settle()
	}
	var minutes []float64
	for _, a := range b.only().Attempts {
		minutes = append(minutes, a.Time.Sub(start).Minutes())
	}
	if diff := cmp.Diff([]float64{0, 1, 3, 7, 11}, minutes); diff != "" {
		t.Errorf("minutes of attempts (-want +got):\n%s", diff)
	}
	if got := b.only().Outcome; got != essemulator.Expired {
		t.Errorf("outcome = %s, want expired", got)
	}
}

func TestSlowEndpointTimesOutAndIsRetried(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	reached := make(chan struct{})
	b.deliverTo(newEndpoint(t, b.emu, func(_ http.ResponseWriter, r *http.Request) {
		close(reached)
		<-r.Context().Done()
	}))
	if _, err := b.emu.Publish(report(`{}`)); err != nil {
		t.Fatal(err)
	}
	<-reached
	b.clock.Step(time.Minute)
	b.settle()
	d := b.only()
	if d.Outcome != essemulator.Pending || d.Attempts[0].Error != "waiting 1m0s: no acknowledgement in time" {
		t.Errorf("got %s with %+v, want a pending delivery after a time-out", d.Outcome, d.Attempts)
	}
}

func TestEveryEventIsSentTwiceWhenAllAreDuplicated(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(a *essemulator.Assumptions) { a.Duplicates = 1 })
	ep := newEndpoint(t, b.emu, nil)
	b.deliverTo(ep)
	b.publish(report(`{"id":"1"}`))
	if got := ep.got(); len(got) != 2 || got[0].Body != got[1].Body {
		t.Errorf("endpoint got %d requests, want the same twice", len(got))
	}
	if d := b.only(); d.Outcome != essemulator.Delivered || len(d.Attempts) != 2 {
		t.Errorf("ledger says %s after %d attempts, want delivered after 2", d.Outcome, len(d.Attempts))
	}
}
