package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// session is a reader who follows the welcome.
type session struct {
	t                *testing.T
	client           *http.Client
	concur, admin    string
	endpoint, bearer string
	accept           string
}

// newSession finds the addresses in the welcome and trusts the CA in the state directory.
func newSession(t *testing.T, welcome, dir string) *session {
	t.Helper()
	ca, err := os.ReadFile(filepath.Join(dir, "ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	find := func(pattern string) string { return regexp.MustCompile(pattern).FindStringSubmatch(welcome)[1] }
	return &session{
		t: t, client: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}},
		concur: find(`Concur +(\S+)`), admin: find(`admin API +(\S+)`), endpoint: find(`"endpoint":"([^"]+)"`),
	}
}

// do makes one call and returns the body of a 200.
func (s *session) do(method, url, contentType, body string) string {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Accept", s.accept)
	if s.bearer != "" {
		req.Header.Set("Authorization", "Bearer "+s.bearer)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		s.t.Fatalf("%s %s answered %d %s (%v)", method, url, resp.StatusCode, text, err)
	}
	return string(text)
}

func TestTheWelcomeIsTrue(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	out, stop := start(t, dir, "--echo-listen=127.0.0.1:0")
	s := newSession(t, out.String(), dir)
	var token struct {
		AccessToken string `json:"access_token"`
		Geolocation string `json:"geolocation"`
	}
	text := s.do("POST", s.concur+"/oauth2/v0/token", "application/x-www-form-urlencoded",
		"grant_type=client_credentials&client_id="+demoID+"&client_secret="+demoSecret)
	if err := json.Unmarshal([]byte(text), &token); err != nil {
		t.Fatal(err)
	}
	if token.Geolocation != s.concur {
		t.Errorf("geolocation = %s, want where we called: %s", token.Geolocation, s.concur)
	}
	s.bearer = token.AccessToken
	s.do("PUT", s.concur+"/events/v4/subscriptions/webhook", "application/json",
		`{"id":"my.reports","topic":"public.concur.expense.report","filter":".*","webHookConfig":{"endpoint":"`+s.endpoint+`"}}`)
	s.do("PUT", s.admin+"/v1/applications/"+demoID+"/companies/acme", "", "")
	s.do("POST", s.admin+"/v1/samples/expense-report-status-changed-1?company=acme", "", "")
	s.do("POST", s.admin+"/v1/settle", "", "")
	if ledger := s.do("GET", s.admin+"/v1/deliveries", "", ""); !strings.Contains(ledger, `"outcome": "delivered"`) {
		t.Errorf("ledger: %s", ledger)
	}
	if !strings.Contains(out.String(), "event at /hook, signature good") {
		t.Errorf("the built-in endpoint printed nothing of the event:\n%s", out)
	}
	stop()
}
