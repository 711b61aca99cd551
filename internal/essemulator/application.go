package essemulator

import (
	"crypto/sha256"
	"crypto/subtle"
	"maps"
	"slices"
)

// AnyPrincipal as [Application.AllowedPrincipal] is an application that any company may connect.
const AnyPrincipal = "*"

// Application is an OAuth2 client as Concur's app management knows it.
type Application struct {
	// ID is the client id, the subject of its tokens and the owner of its subscriptions; a UUID at Concur.
	ID string `json:"id"`
	// Secrets are the client secrets in force; any one gets a token.
	Secrets []string `json:"secrets,omitempty"`
	// Scopes are what its tokens carry.
	Scopes []string `json:"scopes"`
	// AllowedPrincipal is "*" (also when empty) or the UUID of the only company it acts for. ESS then fills
	// companyIds by itself (SAP Concur, release notes of May 2026).
	AllowedPrincipal string `json:"allowedPrincipal,omitempty"`
	// Disabled makes the token service refuse it with code 59.
	Disabled bool `json:"disabled,omitempty"`
}

// application is an Application and the companies that connected it.
type application struct {
	Application
	companies map[string][]string // company id to the groups it brought
}

// PutApplication adds an application or replaces the one of that id, which rotates secrets and changes
// scopes. Tokens already issued stay valid and keep their scopes; subscriptions and companies stay.
func (e *Emulator) PutApplication(a Application) {
	if a.AllowedPrincipal == "" {
		a.AllowedPrincipal = AnyPrincipal
	}
	a.Secrets, a.Scopes = slices.Clone(a.Secrets), slices.Clone(a.Scopes)
	e.mu.Lock()
	defer e.mu.Unlock()
	companies := map[string][]string{}
	if old, ok := e.apps[a.ID]; ok {
		companies = old.companies
	}
	e.apps[a.ID] = &application{Application: a, companies: companies}
}

// Applications returns all applications, sorted by id.
func (e *Emulator) Applications() []Application {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := make([]Application, 0, len(e.apps))
	for _, id := range slices.Sorted(maps.Keys(e.apps)) {
		a := e.apps[id].Application
		a.Secrets, a.Scopes = slices.Clone(a.Secrets), slices.Clone(a.Scopes)
		out = append(out, a)
	}
	return out
}

// RevokeTokens makes every token issued so far to the application useless from now on. An unknown
// application has no tokens.
func (e *Emulator) RevokeTokens(appID string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	maps.DeleteFunc(e.tokens, func(_ tokenHash, g grant) bool { return g.appID == appID })
}

// knows tells whether secret is one of the application's, in constant time for each.
func (a *application) knows(secret string) bool {
	given, found := sha256.Sum256([]byte(secret)), 0
	for _, s := range a.Secrets {
		want := sha256.Sum256([]byte(s))
		found |= subtle.ConstantTimeCompare(given[:], want[:])
	}
	return found == 1
}
