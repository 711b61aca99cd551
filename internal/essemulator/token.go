package essemulator

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// tokenHash is the SHA-256 of an access token; the tokens themselves are not kept.
type tokenHash [sha256.Size]byte

// grant is what an issued token allows.
type grant struct {
	appID   string
	scopes  []string
	expires time.Time
}

// maxTokens bounds the tokens remembered; beyond it those that end first are forgotten, and answer as
// revoked ones do.
const maxTokens = 10000

// issueToken answers POST /oauth2/v0/token (SAP Concur, Authentication, Client Credentials grant).
func (e *Emulator) issueToken(c *call) (any, error) {
	form, err := tokenForm(c, e.Assumptions().Statuses)
	if err != nil {
		return nil, err
	}
	base, now := e.base(c), e.clock.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	app, err := e.authenticate(form)
	if err != nil {
		return nil, err
	}
	lifetime := e.assume.TokenLifetime
	token, err := e.keys.sign(claimsFor(app, base, now, lifetime))
	if err != nil {
		return nil, err
	}
	e.remember(token, grant{appID: app.ID, scopes: slices.Clone(app.Scopes), expires: now.Add(lifetime)})
	return tokenResponse{
		ExpiresIn: expiresIn(lifetime, e.assume.ExpiresIn), Scope: strings.Join(app.Scopes, " "),
		TokenType: "Bearer", AccessToken: token, Geolocation: base,
	}, nil
}

// tokenResponse is the answer of the token service.
type tokenResponse struct {
	ExpiresIn   any    `json:"expires_in"` // string or number
	Scope       string `json:"scope"`
	TokenType   string `json:"token_type"`
	AccessToken string `json:"access_token"`
	Geolocation string `json:"geolocation"`
}

// tokenForm decodes the body and checks that nothing is missing.
func tokenForm(c *call, status Statuses) (url.Values, error) {
	no := func(code int, kind, description string) error {
		return &tokenError{status: status.TokenError, code: code, kind: kind, description: description}
	}
	if c.unreadable != nil {
		return nil, &tokenError{status: 400, code: 135, kind: "invalid_request", description: c.unreadable.Error()}
	}
	media, _, err := mime.ParseMediaType(c.header.Get("Content-Type"))
	form, formErr := url.ParseQuery(string(c.body))
	switch {
	case err != nil || formErr != nil || media != "application/x-www-form-urlencoded":
		return nil, no(135, "invalid_request", "request format not supported")
	case form.Get("client_id") == "":
		return nil, no(62, "invalid_request", "client_id missing")
	case form.Get("client_secret") == "":
		return nil, no(63, "invalid_request", "client_secret missing")
	case form.Get("grant_type") == "":
		return nil, no(65, "invalid_request", "grant_type missing")
	case form.Get("grant_type") != "client_credentials":
		return nil, no(60, "invalid_grant", "grant type not allowed for client")
	}
	return form, nil
}

// authenticate finds the application that the form proves; e.mu is held.
func (e *Emulator) authenticate(form url.Values) (*application, error) {
	app, ok := e.apps[form.Get("client_id")]
	status := e.assume.Statuses
	switch {
	case !ok:
		return nil, &tokenError{status.InvalidClient, 61, "invalid_client", "client not found"}
	case !app.knows(form.Get("client_secret")):
		return nil, &tokenError{status.InvalidClient, 64, "invalid_client", "incorrect client credentials"}
	case app.Disabled:
		return nil, &tokenError{status.TokenError, 59, "access_denied", "client disabled"}
	}
	return app, nil
}

// remember stores a grant and forgets what ended long ago; e.mu is held. Ended tokens are kept for a day so
// that their refusal can say why.
func (e *Emulator) remember(token string, g grant) {
	now := e.clock.Now()
	maps.DeleteFunc(e.tokens, func(_ tokenHash, g grant) bool { return now.Sub(g.expires) > 24*time.Hour })
	if len(e.tokens) >= maxTokens {
		var first tokenHash
		oldest := time.Time{}
		for h, g := range e.tokens {
			if oldest.IsZero() || g.expires.Before(oldest) {
				first, oldest = h, g.expires
			}
		}
		delete(e.tokens, first)
	}
	e.tokens[sha256.Sum256([]byte(token))] = g
}

func expiresIn(d time.Duration, as ExpiresIn) any {
	seconds := int64(d / time.Second)
	if as == ExpiresInNumber {
		return seconds
	}
	return strconv.FormatInt(seconds, 10)
}

// claimsFor are the claims seen in the App token that Concur's Mexico guide prints.
func claimsFor(app *application, base string, now time.Time, lifetime time.Duration) map[string]any {
	profile := base + "/profile/v1/apps/" + app.ID
	return map[string]any{
		"concur.type": "app", "concur.version": 3, "concur.appId": app.ID, "concur.app": profile,
		"concur.profile": profile, "concur.scopes": app.Scopes, "sub": app.ID, "iss": base, "aud": "*",
		"iat": now.Unix(), "nbf": now.Add(-10 * time.Second).Unix(), "exp": now.Add(lifetime).Unix(),
	}
}

// sign makes a JWT of type App.
func (k Keys) sign(claims map[string]any) (string, error) {
	key := jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: k.Token, KeyID: k.tokenKeyID()}}
	signer, err := jose.NewSigner(key, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", fmt.Errorf("making a token signer: %w", err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("encoding token claims: %w", err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("signing a token: %w", err)
	}
	return signed.CompactSerialize()
}

// jwks is the key set that GET /oauth2/v0/jwks answers.
func (k Keys) jwks() jose.JSONWebKeySet {
	return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{
		Key: k.Token.Public(), KeyID: k.tokenKeyID(), Algorithm: string(jose.RS256), Use: "sig",
	}}}
}
