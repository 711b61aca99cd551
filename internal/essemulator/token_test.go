package essemulator_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/internal/essemulator"
)

func TestTokenIsAJWTOfTheDocumentedForm(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.emu.SetBaseURL("https://us2.example.com")
	token, err := jose.ParseSignedCompact(b.tokenOf(appA), []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(b.mustSend("GET", "/oauth2/v0/jwks", "").Body), &keys); err != nil {
		t.Fatal(err)
	}
	payload, err := token.Verify(keys)
	if err != nil {
		t.Fatalf("verifying with the published keys: %v", err)
	}
	if kid := token.Signatures[0].Header.KeyID; len(kid) != 10 {
		t.Errorf("kid = %q, want ten digits", kid)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	now, profile := float64(b.clock.Now().Unix()), "https://us2.example.com/profile/v1/apps/"+appA
	want := map[string]any{
		"concur.type": "app", "concur.version": 3.0, "concur.appId": appA, "sub": appA, "concur.app": profile,
		"concur.profile": profile, "concur.scopes": []any{"events.topic.read", "expense.report.read"},
		"iss": "https://us2.example.com", "aud": "*", "iat": now, "nbf": now - 10, "exp": now + 3600,
	}
	if diff := cmp.Diff(want, claims); diff != "" {
		t.Errorf("claims (-want +got):\n%s", diff)
	}
}

func TestTokenResponse(t *testing.T) {
	t.Parallel()
	cases := map[essemulator.ExpiresIn]any{
		essemulator.ExpiresInString: "3600", essemulator.ExpiresInNumber: 3600.0,
	}
	for as, want := range cases {
		t.Run(string(as), func(t *testing.T) {
			t.Parallel()
			b := newBench(t, func(a *essemulator.Assumptions) { a.ExpiresIn = as })
			a := b.requestToken(credentials(nil))
			var got map[string]any
			if err := json.Unmarshal([]byte(a.Body), &got); err != nil {
				t.Fatal(err)
			}
			delete(got, "access_token")
			full := map[string]any{
				"expires_in": want, "scope": "events.topic.read expense.report.read", "token_type": "Bearer",
				"geolocation": b.srv.URL, // nobody set one, so it is where the client called
			}
			if diff := cmp.Diff(full, got); diff != "" {
				t.Errorf("response (-want +got):\n%s", diff)
			}
		})
	}
}

// credentials are a good token request of appA with some fields changed; "" removes one.
func credentials(changes map[string]string) url.Values {
	form := url.Values{
		"client_id": {appA}, "client_secret": {"secret-" + appA}, "grant_type": {"client_credentials"},
	}
	for name, value := range changes {
		if form.Set(name, value); value == "" {
			form.Del(name)
		}
	}
	return form
}

func TestTokenRefusals(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		changes map[string]string
		status  int
		code    float64
		kind    string
	}{
		"MissingID":     {map[string]string{"client_id": ""}, 400, 62, "invalid_request"},
		"MissingSecret": {map[string]string{"client_secret": ""}, 400, 63, "invalid_request"},
		"MissingGrant":  {map[string]string{"grant_type": ""}, 400, 65, "invalid_request"},
		"OtherGrant":    {map[string]string{"grant_type": "password"}, 400, 60, "invalid_grant"},
		"UnknownClient": {map[string]string{"client_id": "nobody"}, 401, 61, "invalid_client"},
		"WrongSecret":   {map[string]string{"client_secret": "wrong"}, 401, 64, "invalid_client"},
		"Disabled":      {map[string]string{"client_id": "off", "client_secret": "s"}, 400, 59, "access_denied"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, nil)
			b.emu.PutApplication(essemulator.Application{ID: "off", Secrets: []string{"s"}, Disabled: true})
			a := b.requestToken(credentials(tc.changes))
			var got map[string]any
			if err := json.Unmarshal([]byte(a.Body), &got); err != nil {
				t.Fatal(err)
			}
			if a.Status != tc.status || got["code"] != tc.code || got["error"] != tc.kind {
				t.Errorf("got %d %s, want %d with code %v %s", a.Status, a.Body, tc.status, tc.code, tc.kind)
			}
			if got["concur-correlationid"] != a.Header.Get("Concur-Correlationid") {
				t.Error("the body names another correlation id than the header")
			}
		})
	}
}

func TestTokenRequestMustBeAForm(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	a := b.mustSend(http.MethodPost, "/oauth2/v0/token", credentials(nil).Encode(), "Content-Type", "application/json")
	var got struct{ Code int }
	if err := json.Unmarshal([]byte(a.Body), &got); err != nil || a.Status != 400 || got.Code != 135 {
		t.Errorf("got %d %s, want 400 with code 135", a.Status, a.Body)
	}
}

func TestSecretRotation(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	issued := b.tokenOf(appA)
	b.emu.PutApplication(essemulator.Application{
		ID: appA, Secrets: []string{"new"}, Scopes: []string{"events.topic.read", "travelrequest.write"},
	})
	if got := b.requestToken(credentials(nil)).Status; got != 401 {
		t.Errorf("the old secret got %d, want 401", got)
	}
	if got := b.requestToken(credentials(map[string]string{"client_secret": "new"})).Status; got != 200 {
		t.Errorf("the new secret got %d, want 200", got)
	}
	a := b.mustSend("GET", "/events/v4/topics", "", "Authorization", "Bearer "+issued)
	if want := `["public.concur.expense.report"]`; a.Body != want {
		t.Errorf("a token keeps the scopes it was issued with: got %s, want %s", a.Body, want)
	}
}

func TestSecretsAndTokensAreNotLogged(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.call("GET", apiPath, "")
	log := b.emu.Requests()
	if got := string(log[0].Body); got != "client_id="+appA+"&client_secret=REDACTED&grant_type=client_credentials" {
		t.Errorf("token request is logged as %s", got)
	}
	if got := log[1].Header.Get("Authorization"); got != "Bearer REDACTED" {
		t.Errorf("access token is logged as %s", got)
	}
	if log[1].ApplicationID != appA {
		t.Errorf("the list call is not logged as that of %s: %+v", appA, log[1])
	}
}
