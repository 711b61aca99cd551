package ess

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	doingToken = "obtaining a token"
	// The lifetime in "SAP Concur, Authentication", used when an answer names none.
	defaultLife = time.Hour
	maxLife     = 24 * time.Hour
	maxToken    = 16 << 10 // bytes; more would not fit into a request header anyway
	// codeElsewhere is the token service's "lives in another data center".
	codeElsewhere = 16
)

// fetchToken makes the client credentials grant.
func (c *Client) fetchToken(ctx context.Context) (*credential, error) {
	form := url.Values{
		"client_id":     {c.cfg.ClientID},
		"client_secret": {c.cfg.ClientSecret},
		"grant_type":    {"client_credentials"},
	}
	r := request{name: "token", doing: doingToken, method: http.MethodPost, body: []byte(form.Encode()), form: true}
	asked := c.cfg.Now() // before sending: the local view of the token's life must not outlast the real one
	a, err := c.do(ctx, r, joinURL(c.base, tokenPath), c.scrub, "")
	if err != nil {
		return nil, err
	}
	if !a.ok() {
		return nil, c.grantRefusal(a)
	}
	g, err := decodeGrant(a.body)
	if err != nil {
		return nil, &Error{
			Kind: ErrMalformed, Op: doingToken, Status: a.status, CorrelationID: a.correlationID, Detail: c.scrub.line(err.Error()),
		}
	}
	token := Token{
		ApplicationID: jwtSubject(g.text), Geolocation: g.geolocation, Scopes: g.scopes,
		IssuedAt: asked, ExpiresAt: asked.Add(g.life),
	}
	return newCredential(token, g.text, c.cfg.Jitter()), nil
}

// grant is a successful answer of the token service.
type grant struct {
	text        string
	life        time.Duration
	scopes      []string
	geolocation string
}

// decodeGrant reads a token answer. Its errors never quote the body, which holds the token.
func decodeGrant(body []byte) (grant, error) {
	var w struct {
		AccessToken string          `json:"access_token"`
		TokenType   string          `json:"token_type"`
		ExpiresIn   json.RawMessage `json:"expires_in"`
		Scope       string          `json:"scope"`
		Geolocation string          `json:"geolocation"`
	}
	if json.Unmarshal(body, &w) != nil {
		return grant{}, errors.New("want a JSON object with access_token and expires_in")
	}
	if !sendable(w.AccessToken) {
		return grant{}, errors.New("access_token is missing or not usable in a header")
	}
	if w.TokenType != "" && !strings.EqualFold(w.TokenType, "bearer") {
		return grant{}, errors.New("token_type is not Bearer")
	}
	life, err := decodeLife(w.ExpiresIn)
	if err != nil {
		return grant{}, err
	}
	if w.Geolocation != "" && !absoluteURL(w.Geolocation) {
		return grant{}, errors.New("geolocation is not a base URL")
	}
	return grant{text: w.AccessToken, life: life, scopes: strings.Fields(w.Scope), geolocation: w.Geolocation}, nil
}

// sendable reports whether a token can be a header value.
func sendable(token string) bool {
	visible := func(r rune) bool { return r > ' ' && r <= '~' }
	return token != "" && len(token) <= maxToken && !strings.ContainsFunc(token, func(r rune) bool { return !visible(r) })
}

func absoluteURL(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && len(raw) <= maxDetail && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http")
}

// decodeLife reads expires_in, a number in some of Concur's samples and a string in others, in whole seconds.
func decodeLife(data json.RawMessage) (time.Duration, error) {
	data = bytes.TrimSpace(data)
	if len(data) == 0 || bytes.Equal(data, []byte("null")) {
		return defaultLife, nil
	}
	var quoted string
	if json.Unmarshal(data, &quoted) == nil {
		data = []byte(quoted)
	}
	seconds, err := strconv.ParseInt(string(data), 10, 64)
	if err != nil || seconds <= 0 {
		return 0, errors.New("expires_in is not a positive number of seconds")
	}
	return time.Duration(min(seconds, int64(maxLife/time.Second))) * time.Second, nil
}

// jwtSubject returns the subject of a JWT without verifying it, or "" when the token is opaque. The token was
// received over TLS from its issuer, and the subject only names the application to people.
func jwtSubject(token string) string {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return ""
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return ""
	}
	var claims struct {
		Subject string `json:"sub"`
	}
	if json.Unmarshal(payload, &claims) != nil || !plainID(claims.Subject) {
		return ""
	}
	return claims.Subject
}

// grantFault is an error of the token service ("SAP Concur, Authentication, Response Codes").
type grantFault struct {
	Code          int
	Name          string // the OAuth2 error, such as invalid_client
	Description   string
	Geolocation   string
	CorrelationID string
}

// decodeGrantFault never fails: what is not JSON has no name and no code.
func decodeGrantFault(body []byte) grantFault {
	var w struct {
		Code          json.RawMessage `json:"code"`
		Error         looseText       `json:"error"`
		Description   looseText       `json:"error_description"`
		Geolocation   looseText       `json:"geolocation"`
		CorrelationID looseText       `json:"concur-correlationid"`
	}
	if json.Unmarshal(body, &w) != nil {
		return grantFault{}
	}
	code, err := strconv.Atoi(strings.Trim(string(w.Code), `" `))
	if err != nil {
		code = 0
	}
	return grantFault{
		Code: code, Name: string(w.Error), Description: string(w.Description),
		Geolocation: string(w.Geolocation), CorrelationID: string(w.CorrelationID),
	}
}

// grantRefusal makes an error of an answer of the token service that is not success.
func (c *Client) grantRefusal(a answer) error {
	f := decodeGrantFault(a.body)
	e := &Error{
		Kind: f.kind(a.status), Op: doingToken, Status: a.status, Code: f.Code, CorrelationID: a.correlationID,
		RetryAfter: ParseRetryAfter(a.header.Get("Retry-After"), c.cfg.Now()),
	}
	if a.header.Get(correlationHeader) == "" && plainID(f.CorrelationID) {
		e.CorrelationID = f.CorrelationID
	}
	detail := decodeFault(a.body).text()
	switch {
	case f.Code == codeElsewhere && absoluteURL(f.Geolocation):
		detail += ": the application lives in another data center, use the base URL " + f.Geolocation
	case errors.Is(e.Kind, ErrMalformed):
		detail = unexpected(a.status, detail)
	}
	for _, id := range []string{a.correlationID, e.CorrelationID} {
		detail = strings.ReplaceAll(detail, id, "")
	}
	e.Detail = c.scrub.line(detail)
	return e
}

// kind sorts by error and code first: which HTTP status goes with which of them is mostly not documented.
func (f grantFault) kind(status int) error {
	switch {
	case status == http.StatusTooManyRequests:
		return ErrRateLimited
	case status >= http.StatusInternalServerError, status == http.StatusRequestTimeout, f.Name == "temporarily_unavailable":
		return ErrUnavailable
	case status < 400:
		return ErrMalformed
	}
	switch f.Name {
	case "invalid_client", "invalid_grant", "invalid_scope", "access_denied", "unauthorized_client", "unauthorized":
		return ErrCredentials
	}
	switch f.Code {
	case codeElsewhere, 62, 63, 115, 123: // id or secret missing, client not authenticated, principal disabled
		return ErrCredentials
	}
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return ErrCredentials
	case status == http.StatusBadRequest, f.Name != "":
		return ErrInvalid
	}
	return ErrMalformed
}
