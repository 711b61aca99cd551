package essemulator

import (
	"crypto/sha256"
	"net/url"
	"slices"
	"strings"
)

// callerOf guesses who calls, for the log and for faults: the client_id of a token request, the owner of
// the token otherwise. It proves nothing.
func (e *Emulator) callerOf(c *call) string {
	if c.op == OpToken {
		form, err := url.ParseQuery(string(c.body))
		if err != nil {
			return ""
		}
		return form.Get("client_id")
	}
	g, _ := e.grantOf(c)
	return g.appID
}

// grantOf returns what the call's bearer token allows, valid or ended.
func (e *Emulator) grantOf(c *call) (grant, bool) {
	scheme, token, _ := strings.Cut(c.header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, schemeBearer) {
		return grant{}, false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	g, ok := e.tokens[sha256.Sum256([]byte(strings.TrimSpace(token)))]
	return g, ok
}

// authorize proves the caller. Concur's platform answers 401 when the header is missing and 403 when it is
// there but not valid, expired or revoked (SAP Concur, HTTP Status Codes).
func (e *Emulator) authorize(c *call) (grant, error) {
	status := e.Assumptions().Statuses
	if c.header.Get("Authorization") == "" {
		return grant{}, refuse(status.MissingToken, "unauthorized", "Authorization header is missing")
	}
	g, ok := e.grantOf(c)
	switch {
	case !ok:
		return grant{}, refuse(status.BadToken, "forbidden", "access token is invalid or revoked")
	case !e.clock.Now().Before(g.expires):
		return grant{}, refuse(status.BadToken, "forbidden", "access token has expired")
	case !slices.Contains(g.scopes, readScope):
		return grant{}, refuse(status.MissingScope, "forbidden", "access token lacks the scope %s", readScope)
	}
	return g, nil
}
