package session

import (
	"errors"
	"fmt"

	"github.com/ess-operator/ess-operator/internal/ess"
)

// ErrNotReady is returned without a call while the last refresh failed: every
// object of the connection would fail alike. It wraps what the refresh failed with.
var ErrNotReady = errors.New("the connection is not ready")

// MayCall returns nil when Read, Put and Delete would make calls now, or the
// error that they would return instead: ErrSuspended, ErrNotConfigured or ErrNotReady.
//
// While Concur, or the way to it, is in trouble, only Refresh calls, as the
// probe that ends the trouble. A cause on our side, such as a Secret that is
// gone, does not stop those who still have something to call with: a deletion
// needs the credentials of before.
func (s *Session) MayCall() error {
	_, err := s.lend()
	return err
}

// lend returns the client for a call that is no probe, or why there may be none.
func (s *Session) lend() (*ess.Client, error) {
	client, err := s.use()
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if remote, ok := errors.AsType[*ess.Error](s.cause); ok && s.phase == Failed {
		return nil, fmt.Errorf("%w: %w", ErrNotReady, remote)
	}
	return client, nil
}

// notMade reports whether a call was not made for want of a turn, which says
// nothing about Concur or the connection.
func notMade(err error) bool {
	return errors.Is(err, ErrHeld) || errors.Is(err, ErrBudget)
}
