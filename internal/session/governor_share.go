package session

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Application is an OAuth2 application in one data center.
type Application struct {
	// BaseURL is the base URI of the data center.
	BaseURL string
	// ClientID is the application's own id.
	ClientID string
}

// normalized writes the URL as all who mean the same one do.
func (a Application) normalized() Application {
	if u, err := url.Parse(a.BaseURL); err == nil {
		u.Scheme, u.Host = strings.ToLower(u.Scheme), strings.ToLower(u.Host)
		a.BaseURL = u.String()
	}
	a.BaseURL = strings.TrimRight(a.BaseURL, "/")
	return a
}

// share is a governor and the connections that act as its application.
type share struct {
	governor *Governor
	limits   map[types.NamespacedName]Limit
}

// lowest is the lowest rate and the lowest burst of all connections: each was
// set by somebody who knows what the application may ask for.
func (s *share) lowest() Limit {
	limits := slices.Collect(maps.Values(s.limits))
	lowest := limits[0]
	for _, l := range limits[1:] {
		lowest.PerSecond, lowest.Burst = min(lowest.PerSecond, l.PerSecond), min(lowest.Burst, l.Burst)
	}
	return lowest
}

// Govern returns the governor of the application that a connection acts as,
// from now on under limit. A connection has one governor at a time; all
// connections of one application have the same.
func (r *Registry) Govern(connection types.NamespacedName, as Application, limit Limit) *Governor {
	as = as.normalized()
	r.mu.Lock()
	defer r.mu.Unlock()
	if former, ok := r.applications[connection]; ok && former != as {
		r.ungovern(connection)
	}
	s, ok := r.shares[as]
	if !ok {
		s = &share{governor: newGovernor(limit, r.waited), limits: map[types.NamespacedName]Limit{}}
		r.shares[as] = s
	}
	r.applications[connection] = as
	if s.limits[connection] != limit {
		s.limits[connection] = limit
		s.governor.set(s.lowest())
	}
	return s.governor
}

// ungovern ends the share of a connection. A governor that nobody shares is
// forgotten, unless it holds: whoever comes back has to wait, too. The caller holds mu.
func (r *Registry) ungovern(connection types.NamespacedName) {
	as, ok := r.applications[connection]
	if !ok {
		return
	}
	delete(r.applications, connection)
	s := r.shares[as]
	delete(s.limits, connection)
	if len(s.limits) > 0 {
		s.governor.set(s.lowest())
	}
	maps.DeleteFunc(r.shares, func(_ Application, s *share) bool {
		return len(s.limits) == 0 && s.governor.Held() == 0
	})
}

// Held is how long no call of a connection will be made because Concur asked
// for it; zero when calls may be made.
func (r *Registry) Held(connection types.NamespacedName) time.Duration {
	r.mu.Lock()
	s, ok := r.shares[r.applications[connection]]
	r.mu.Unlock()
	if !ok {
		return 0
	}
	return s.governor.Held()
}
