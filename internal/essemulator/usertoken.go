package essemulator

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Schemes of Authorization.
const (
	schemeBearer = "Bearer"
	schemeOAuth  = "OAuth"
	schemeBasic  = "Basic"
)

// The roles that may see and delete failed notifications (SAP Concur, Get Notifications by Status).
const (
	RoleCompanyAdministrator     = "Company Administrator"
	RoleWebServicesAdministrator = "Web Services Administrator"
	RoleCanAdminister            = "Can Administer"
)

// UserToken is what an access token of a user allows. The token itself is not kept.
type UserToken struct {
	// User is whose it is, such as a login.
	User string `json:"user"`
	// CompanyID is the user's company, whose failed notifications are seen.
	CompanyID string `json:"companyId,omitempty"`
	// Roles are the user's, such as [RoleWebServicesAdministrator].
	Roles []string `json:"roles"`
	// ExpiresAt is when it ends; zero is the assumed lifetime from now.
	ExpiresAt time.Time `json:"expiresAt,omitzero"`
}

// PutUserToken makes token a valid access token, or replaces what it allows, and returns it; "" makes one up.
// The error is [ErrInvalid].
func (e *Emulator) PutUserToken(token string, t UserToken) (string, error) {
	if t.User == "" || strings.ContainsAny(token, " \t\r\n") {
		return "", fmt.Errorf("putting a user's token: want a user, and a token without blanks: %w", ErrInvalid)
	}
	token = cmp.Or(token, rand.Text())
	e.mu.Lock()
	defer e.mu.Unlock()
	if t.ExpiresAt.IsZero() {
		t.ExpiresAt = e.clock.Now().Add(e.assume.UserTokenLifetime)
	}
	t.Roles = slices.Clone(t.Roles)
	hash := tokenHash(sha256.Sum256([]byte(token)))
	if len(e.users) >= maxTokens {
		now := e.clock.Now()
		maps.DeleteFunc(e.users, func(_ tokenHash, t UserToken) bool { return !now.Before(t.ExpiresAt) })
	}
	if _, ok := e.users[hash]; !ok && len(e.users) >= maxTokens {
		return "", fmt.Errorf("putting a user's token: there are %d already: %w", maxTokens, ErrBacklogFull)
	}
	e.users[hash] = t
	return token, nil
}

// RevokeUserTokens makes every token of the user useless from now on. An unknown user has none.
func (e *Emulator) RevokeUserTokens(user string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	maps.DeleteFunc(e.users, func(_ tokenHash, t UserToken) bool { return t.User == user })
}

// UserTokens returns what the tokens known allow, also those that have ended, sorted by user and end.
func (e *Emulator) UserTokens() []UserToken {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := make([]UserToken, 0, len(e.users))
	for _, t := range e.users {
		t.Roles = slices.Clone(t.Roles)
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b UserToken) int {
		return cmp.Or(strings.Compare(a.User, b.User), a.ExpiresAt.Compare(b.ExpiresAt))
	})
	return out
}

// userOf guesses whose token a call bears, for the log. It proves nothing.
func (e *Emulator) userOf(c *call) string {
	t, _ := e.userTokenOf(c)
	return t.User
}

// userTokenOf returns what the call's token allows, valid or ended, under whichever scheme it came.
func (e *Emulator) userTokenOf(c *call) (UserToken, bool) {
	_, token, _ := strings.Cut(c.header.Get("Authorization"), " ")
	e.mu.Lock()
	defer e.mu.Unlock()
	t, ok := e.users[sha256.Sum256([]byte(strings.TrimSpace(token)))]
	return t, ok
}

// authorizeUser proves the caller of the Failed Notifications API and the role. That a missing header gives 401
// and a bad token 403 is from SAP Concur, HTTP Status Codes; 403 without the role from Delete Notification.
func (e *Emulator) authorizeUser(c *call) (UserToken, error) {
	assume := e.Assumptions()
	status, header := assume.Statuses, c.header.Get("Authorization")
	if header == "" {
		return UserToken{}, refuse(status.MissingToken, "unauthorized", "Authorization header is missing")
	}
	if scheme, _, _ := strings.Cut(header, " "); !assume.FailedAuth.takes(scheme) {
		return UserToken{}, refuse(status.BadUserToken, "forbidden", "this scheme of Authorization is not supported")
	}
	t, known := e.userTokenOf(c)
	if !known {
		if _, ok := e.grantOf(c); ok {
			return UserToken{}, refuse(status.MissingRole, "forbidden", "an application's token has no user and no role")
		}
		return UserToken{}, refuse(status.BadUserToken, "forbidden", "access token is invalid or revoked")
	}
	mayAdminister := func(role string) bool {
		return role == RoleCompanyAdministrator || role == RoleWebServicesAdministrator || role == RoleCanAdminister
	}
	switch {
	case !e.clock.Now().Before(t.ExpiresAt):
		return t, refuse(status.BadUserToken, "forbidden", "access token has expired")
	case !slices.ContainsFunc(t.Roles, mayAdminister):
		return t, refuse(status.MissingRole, "forbidden", "user lacks the role %s or %s",
			RoleCompanyAdministrator, RoleWebServicesAdministrator)
	}
	return t, nil
}

// takes tells whether a scheme is accepted.
func (a FailedAuth) takes(scheme string) bool {
	return a != FailedBearer && strings.EqualFold(scheme, schemeOAuth) ||
		a != FailedOAuth && strings.EqualFold(scheme, schemeBearer)
}
