package ess

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// Token is what is known about the current access token, without the token itself.
type Token struct {
	// ApplicationID is the subject of the token, which Concur sets to the application id; "" when it cannot be read.
	ApplicationID string
	// Geolocation is the base URI of the data center to call with this token; "" when the answer had none.
	Geolocation string
	// Scopes are the scopes granted.
	Scopes []string
	// IssuedAt is when the token was asked for, ExpiresAt when it will no longer be accepted, both by the local clock.
	IssuedAt, ExpiresAt time.Time
}

// A token is renewed at a random point between these parts of its life, so that many clients started together
// do not come back together.
const (
	renewLatest   = 0.8
	renewEarliest = 0.7
)

// credential is a Token with what must not leave this package. Only renewAt changes, guarded by tokens.mu.
type credential struct {
	Token
	text    string
	renewAt time.Time
}

// newCredential places the renewal of a token by jitter, a number in [0, 1).
func newCredential(t Token, text string, jitter float64) *credential {
	life := t.ExpiresAt.Sub(t.IssuedAt)
	part := renewLatest - (renewLatest-renewEarliest)*jitter
	return &credential{Token: t, text: text, renewAt: t.IssuedAt.Add(time.Duration(float64(life) * part))}
}

// tokens caches the credential of one application and lets all who wait for a new one share one request.
type tokens struct {
	fetch   func(context.Context) (*credential, error)
	now     func() time.Time
	timeout time.Duration

	mu      sync.Mutex
	current *credential
	renewal *renewal
}

// renewal is a token request under way. cred and err are set before done is closed.
type renewal struct {
	done chan struct{}
	cred *credential
	err  error
}

// get returns a credential that is not refused, fetching one when there is none or it is due.
// It returns early when ctx ends; the request then goes on for the others.
func (t *tokens) get(ctx context.Context, refused *credential) (*credential, error) {
	t.mu.Lock()
	if t.current != nil && t.current == refused {
		t.current = nil
	}
	if cred := t.current; cred != nil && t.now().Before(cred.renewAt) {
		t.mu.Unlock()
		return cred, nil
	}
	r := t.renewal
	if r == nil {
		r = &renewal{done: make(chan struct{})}
		t.renewal = r
		go t.renew(context.WithoutCancel(ctx), r)
	}
	t.mu.Unlock()

	select {
	case <-r.done:
		return r.cred, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// renew makes the request of r and settles it.
func (t *tokens) renew(ctx context.Context, r *renewal) {
	ctx, cancel := context.WithTimeout(ctx, t.timeout)
	defer cancel()
	cred, err := t.fetch(ctx)

	t.mu.Lock()
	defer t.mu.Unlock()
	if left := t.left(); err != nil && passing(err) && left > 0 {
		// Half of what is left, again and again: few requests now, yet the last one well before the end.
		t.current.renewAt = t.now().Add(left / 2)
		cred, err = t.current, nil
	}
	if err == nil {
		t.current = cred
	}
	r.cred, r.err = cred, err
	t.renewal = nil
	close(r.done)
}

// left is the life left in the current token. The caller holds mu.
func (t *tokens) left() time.Duration {
	if t.current == nil {
		return 0
	}
	return t.current.ExpiresAt.Sub(t.now())
}

// passing reports whether a failure says nothing about the application, so that its old token may still serve.
func passing(err error) bool {
	return slices.ContainsFunc([]error{ErrUnavailable, ErrRateLimited, ErrTimeout, ErrConnect, ErrDNS},
		func(kind error) bool { return errors.Is(err, kind) })
}

// Token returns what is known about the current token, fetching or renewing it when due.
// Wrong credentials are ErrCredentials.
func (c *Client) Token(ctx context.Context) (Token, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	cred, err := c.credential(ctx, nil)
	if err != nil {
		return Token{}, err
	}
	token := cred.Token
	token.Scopes = slices.Clone(token.Scopes)
	return token, nil
}
