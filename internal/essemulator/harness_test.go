package essemulator_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/ess-operator/ess-operator/internal/essemulator"
)

const (
	appA, appB = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
	companyA   = "aaaaaaaa-1111-4111-8111-aaaaaaaaaaaa"
	companyB   = "bbbbbbbb-2222-4222-8222-bbbbbbbbbbbb"
	reports    = "public.concur.expense.report"
	apiPath    = "/events/v4/subscriptions"
)

// bench is an emulator with two applications, served over HTTPS under a fake clock.
type bench struct {
	t     *testing.T
	emu   *essemulator.Emulator
	clock *clocktesting.FakeClock
	srv   *httptest.Server
	token string // of appA, fetched on first use and when it has ended
	until time.Time
}

// newBench starts an emulator whose assumptions change has changed.
func newBench(t *testing.T, change func(*essemulator.Assumptions)) *bench {
	t.Helper()
	assume := essemulator.DefaultAssumptions()
	if change != nil {
		change(&assume)
	}
	fake := clocktesting.NewFakeClock(time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC))
	emu, err := essemulator.New(essemulator.WithClock(fake), essemulator.WithAssumptions(assume))
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{appA, appB} {
		emu.PutApplication(essemulator.Application{
			ID: id, Secrets: []string{"secret-" + id}, Scopes: []string{"events.topic.read", "expense.report.read"},
		})
	}
	srv := httptest.NewTLSServer(emu.Handler())
	t.Cleanup(srv.Close)
	return &bench{t: t, emu: emu, clock: fake, srv: srv}
}

// answer is a response with its body read.
type answer struct {
	Status int
	Header http.Header
	Body   string
}

// send makes one call; header is alternating names and values.
func (b *bench) send(method, path, body string, header ...string) (answer, error) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.srv.URL+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := b.srv.Client().Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(text)}, err
}

func (b *bench) mustSend(method, path, body string, header ...string) answer {
	b.t.Helper()
	a, err := b.send(method, path, body, header...)
	if err != nil {
		b.t.Fatalf("%s %s: %v", method, path, err)
	}
	return a
}

// call makes an authorized call as appA.
func (b *bench) call(method, path, body string) answer {
	b.t.Helper()
	if now := b.clock.Now(); b.token == "" || !now.Before(b.until) {
		b.token, b.until = b.tokenOf(appA), now.Add(time.Hour)
	}
	return b.mustSend(method, path, body, "Authorization", "Bearer "+b.token)
}

// tokenOf gets a token for an application.
func (b *bench) tokenOf(app string) string {
	b.t.Helper()
	a := b.requestToken(url.Values{
		"client_id": {app}, "client_secret": {"secret-" + app}, "grant_type": {"client_credentials"},
	})
	var got struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(a.Body), &got); err != nil || a.Status != http.StatusOK {
		b.t.Fatalf("token request: %d %s (%v)", a.Status, a.Body, err)
	}
	return got.AccessToken
}

func (b *bench) requestToken(form url.Values) answer {
	b.t.Helper()
	return b.mustSend(http.MethodPost, "/oauth2/v0/token", form.Encode(),
		"Content-Type", "application/x-www-form-urlencoded")
}

// subscribe puts a subscription of appA and expects success.
func (b *bench) subscribe(id, endpoint string) {
	b.t.Helper()
	if a := b.call(http.MethodPut, apiPath+"/webhook", putJSON(id, reports, ".*", endpoint)); a.Status != 200 {
		b.t.Fatalf("PUT %s: %d %s", id, a.Status, a.Body)
	}
}

// putJSON is the body of a PUT.
func putJSON(id, topic, filter, endpoint string) string {
	body, err := json.Marshal(map[string]any{
		"id": id, "topic": topic, "filter": filter, "webHookConfig": map[string]string{"endpoint": endpoint},
	})
	if err != nil {
		panic(err)
	}
	return string(body)
}

// ids are the ids of all subscriptions.
func (b *bench) ids() []string {
	out := []string{}
	for _, s := range b.emu.Subscriptions("") {
		out = append(out, s.ID)
	}
	return out
}

// golden is the request log, one line per call.
func (b *bench) golden() []string {
	var lines []string
	for _, r := range b.emu.Requests() {
		lines = append(lines, r.String())
	}
	return lines
}
