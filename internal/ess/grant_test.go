package ess

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// published returns a sample of Concur's pages.
func published(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/published/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func jwt(payload string) string {
	enc := base64.RawURLEncoding.EncodeToString
	return enc([]byte(`{"alg":"RS256"}`)) + "." + enc([]byte(payload)) + "." + enc([]byte("signature"))
}

func TestTokenRequestAndResult(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	server := newConcur(t, answers(200, "[]"))
	server.grant = func(w http.ResponseWriter, r *http.Request) {
		answers(200, fmt.Sprintf(`{"expires_in":"3600","scope":"a.read b.write","token_type":"Bearer","access_token":%q,"geolocation":%q}`,
			jwt(`{"sub":"app-1"}`), server.URL))(w, r)
	}
	got, err := server.client(t, func(cfg *Config) { cfg.Now = func() time.Time { return now } }).Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := Token{
		ApplicationID: "app-1", Geolocation: server.URL, Scopes: []string{"a.read", "b.write"},
		IssuedAt: now, ExpiresAt: now.Add(time.Hour),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("token (-want +got):\n%s", diff)
	}
	request := server.seenGrants()[0]
	if want := "client_id=" + testID + "&client_secret=" + testSecret + "&grant_type=client_credentials"; request.Body != want {
		t.Errorf("got body %s", request.Body)
	}
	if request.Length != int64(len(request.Body)) || len(request.Encoding) > 0 {
		t.Errorf("the platform refuses chunked requests: length %d, encoding %v", request.Length, request.Encoding)
	}
}

func TestDecodeGrant(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason, body string
		want         grant
		bad          bool
	}{
		"StringLife":   {"The reference page quotes expires_in.", string(published(t, "token-response-1.json")), grant{text: "access_token", life: time.Hour, scopes: []string{"app-scopes"}, geolocation: "https://us.api.concursolutions.com"}, false},
		"NoLife":       {"An hour is the documented life.", `{"access_token":"t"}`, grant{text: "t", life: time.Hour}, false},
		"NullLife":     {"null is as good as none.", `{"access_token":"t","expires_in":null}`, grant{text: "t", life: time.Hour}, false},
		"LongLife":     {"A token for years would never be renewed.", `{"access_token":"t","expires_in":99999999999}`, grant{text: "t", life: 24 * time.Hour}, false},
		"ZeroLife":     {"A token without life would be renewed at every call.", `{"access_token":"t","expires_in":0}`, grant{}, true},
		"NegativeLife": {"Likewise.", `{"access_token":"t","expires_in":"-5"}`, grant{}, true},
		"OddLife":      {"What is no number has no meaning.", `{"access_token":"t","expires_in":"soon"}`, grant{}, true},
		"NoToken":      {"There is nothing to use.", `{"expires_in":3600}`, grant{}, true},
		"SplitToken":   {"A line break would end the header.", `{"access_token":"a\nb"}`, grant{}, true},
		"OtherType":    {"We can only bear it.", `{"access_token":"t","token_type":"mac"}`, grant{}, true},
		"BadLocation":  {"The next call would go nowhere.", `{"access_token":"t","geolocation":"us2"}`, grant{}, true},
		"Trailing":     {"Garbage behind the object means that it was not one answer.", `{"access_token":"t"}x`, grant{}, true},
		"Array":        {"The wrong shape.", `[]`, grant{}, true},
		"Empty":        {"Nothing is no token.", ``, grant{}, true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := decodeGrant([]byte(tc.body))
			if (err != nil) != tc.bad {
				t.Errorf("%s\ngot error %v", tc.reason, err)
			}
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(grant{}), cmp.Transformer("", func(s []string) string { return fmt.Sprint(s) })); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestGrantRefusals(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason string
		status int
		body   string
		want   error
		text   string
	}{
		"WrongCredentials": {"As published.", 400, string(published(t, "token-error-code-5.json")), ErrCredentials, "credentials refused: Incorrect Credentials. Please Retry (invalid_grant) (HTTP 400, code 5)"},
		"OtherStatus":      {"The status does not matter.", 401, `{"code":64,"error":"invalid_client"}`, ErrCredentials, "credentials refused: invalid_client (HTTP 401, code 64)"},
		"Elsewhere":        {"The answer knows the cure.", 400, string(published(t, "token-error-code-16.json")), ErrCredentials, "credentials refused: user lives elsewhere (invalid_request): the application lives in another data center, use the base URL https://us.api.concursolutions.com (HTTP 400, code 16)"},
		"Unauthenticated":  {"Code 115 is no fault of the request's form.", 400, `{"code":115,"error":"invalid_request"}`, ErrCredentials, "credentials refused: invalid_request (HTTP 400, code 115)"},
		"QuotedCode":       {"Numbers come quoted elsewhere in this service.", 400, `{"code":"59","error":"access_denied"}`, ErrCredentials, "credentials refused: access_denied (HTTP 400, code 59)"},
		"Format":           {"Our own mistake.", 400, `{"code":135,"error":"invalid_request"}`, ErrInvalid, "request refused as invalid: invalid_request (HTTP 400, code 135)"},
		"PlainForbidden":   {"Without a body the status has to do.", 403, ``, ErrCredentials, "credentials refused (HTTP 403)"},
		"NotATokenService": {"A wrong base URL.", 404, `<h1>Not Found</h1>`, ErrMalformed, "answer not understood: nothing at this path, check the URL and the path prefix: <h1>Not Found</h1> (HTTP 404)"},
		"Down":             {"A server that fails knows nothing of credentials.", 503, `{"error":"invalid_client"}`, ErrUnavailable, "service unavailable: invalid_client (HTTP 503)"},
		"Limited":          {"Even tokens can be too many.", 429, ``, ErrRateLimited, "too many requests (HTTP 429)"},
		"Redirect":         {"The secret follows no redirect.", 307, ``, ErrMalformed, "answer not understood: redirects are not followed, check the URL (HTTP 307)"},
		"NotJSON":          {"A login page of a proxy.", 200, `<html>`, ErrMalformed, "answer not understood: want a JSON object with access_token and expires_in (HTTP 200)"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newConcur(t, answers(500, ""))
			server.grant = answers(tc.status, tc.body, "Retry-After", "9")
			_, err := server.client(t).Token(t.Context())
			if want := "obtaining a token: " + tc.text; !errors.Is(err, tc.want) || err.Error() != want {
				t.Errorf("%s\ngot  %v\nwant %s", tc.reason, err, want)
			}
			if tc.status != http.StatusOK && RetryAfter(err) != 9*time.Second {
				t.Errorf("got retry after %v", RetryAfter(err))
			}
		})
	}
}

func TestJWTSubject(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ reason, token, want string }{
		"App":       {"The subject is the application.", jwt(string(published(t, "app-jwt-claims-1.json"))), "b2cf4262-e2b9-41b2-9d2f-6fe1b8d0f176"},
		"Opaque":    {"A token need not be a JWT.", "access_token", ""},
		"NotBase64": {"Three parts alone make no JWT.", "a.!.c", ""},
		"NotJSON":   {"Nor does base64.", "a.YWJj.c", ""},
		"Odd":       {"A subject with a line break is not shown.", jwt(`{"sub":"a\nb"}`), ""},
	}
	for name, tc := range tests {
		if got := jwtSubject(tc.token); got != tc.want {
			t.Errorf("%s: %s\ngot %q, want %q", name, tc.reason, got, tc.want)
		}
	}
}
