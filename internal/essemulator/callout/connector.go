package callout

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// DefaultPath is where Concur's pages put the endpoint of notifications.
const DefaultPath = "/concur/v1.0/notify"

// testPath is what Test Connection calls (SAP Concur, Callouts and Application Connectors).
const testPath = "/system/v1.0/testconnection"

// maxConnectors bounds the connectors registered; they can never be removed.
const maxConnectors = 1000

// Connector is an application connector as an administrator registers it on Concur's Register Application
// Connector page, with the service Send Notification configured.
type Connector struct {
	Name string `json:"name"`
	// CompanyID is whose notifications it gets.
	CompanyID string `json:"companyId,omitempty"`
	// Host is the scheme and host, such as "https://connector.example:8443".
	Host string `json:"host"`
	// Path is the endpoint on that host; "" is [DefaultPath].
	Path string `json:"path"`
	// UserName and Password have from 10 to 50 characters each.
	UserName string `json:"userName"`
	Password string `json:"password,omitempty"`
	// Enabled is the check box of the service.
	Enabled bool `json:"enabled"`

	// Verified tells whether the last Test Connection succeeded with the present host and credentials. It is
	// the emulator's to say; [Service.PutConnector] ignores it.
	Verified bool `json:"verified"`
	// LastTest is that test, nil if there was none.
	LastTest *Attempt `json:"lastTest,omitempty"`
}

// connector is a Connector and its queue, in the order of publication. The first of those due is sent, one at
// a time; it leaves the queue when it is settled.
type connector struct {
	Connector
	queue []*callout
	busy  bool
}

// sends tells whether the connector gets callouts at all.
func (c *connector) sends() bool { return c.Enabled && c.Verified }

// endpoint is the URL of a path on the connector's host.
func (c *Connector) endpoint(path string) string { return strings.TrimSuffix(c.Host, "/") + path }

// sameLogin tells whether a test of one connector says something of the other.
func (c *Connector) sameLogin(o *Connector) bool {
	return c.Host == o.Host && c.Path == o.Path && c.UserName == o.UserName && c.Password == o.Password
}

// PutConnector registers a connector or replaces the one of that name. A change of host, path or credentials
// takes its verification away; what waits in its queue stays and is sent with the new settings. As at Concur
// there is no way to remove one, only to disable it. The error is [ErrInvalid] or [ErrBacklogFull].
func (s *Service) PutConnector(c Connector) error {
	if c.Path == "" {
		c.Path = DefaultPath
	}
	c.Verified, c.LastTest = false, nil
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := c.check(&s.assume); err != nil {
		return fmt.Errorf("registering connector %q: %w", c.Name, err)
	}
	old, ok := s.connectors[c.Name]
	if !ok {
		if len(s.connectors) >= maxConnectors {
			return fmt.Errorf("registering connector %q: there are %d already: %w", c.Name, maxConnectors, ErrBacklogFull)
		}
		old = &connector{}
		s.connectors[c.Name] = old
	}
	if old.sameLogin(&c) {
		c.Verified, c.LastTest = old.Verified, old.LastTest
	}
	old.Connector = c
	s.changed()
	return nil
}

// check refuses what Concur's page could not work with.
func (c *Connector) check(a *Assumptions) error {
	long := func(s string) bool { n := utf8.RuneCountInString(s); return n >= 10 && n <= 50 }
	for _, rule := range []struct {
		bad     bool
		message string
	}{
		{c.Name == "", "name is missing"},
		{!validHost(c.Host, a.PlainHosts), "host must be an https URL without a path, such as https://connector.example"},
		{!validPath(c.Path), "path must begin with / and be a path"},
		{strings.Contains(c.UserName, ":"), "userName must not hold a colon, which HTTP Basic cannot carry"},
		{a.CheckCredentials && !long(c.UserName), "userName must have from 10 to 50 characters"},
		{a.CheckCredentials && !long(c.Password), "password must have from 10 to 50 characters"},
	} {
		if rule.bad {
			return fmt.Errorf("%s: %w", rule.message, ErrInvalid)
		}
	}
	return nil
}

// validHost tells whether host is a URL of scheme and host alone.
func validHost(host string, plain bool) bool {
	u, err := url.Parse(host)
	if err != nil || u.Host == "" {
		return false
	}
	if secure := u.Scheme == "https"; !secure && (!plain || u.Scheme != "http") {
		return false
	}
	bare := url.URL{Scheme: u.Scheme, Host: u.Host}
	return bare.String() == strings.TrimSuffix(host, "/")
}

func validPath(path string) bool {
	_, err := url.ParseRequestURI(path)
	return err == nil && strings.HasPrefix(path, "/")
}

// Connectors returns all connectors with their passwords, sorted by name.
func (s *Service) Connectors() []Connector {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Connector, 0, len(s.connectors))
	for _, name := range slices.Sorted(maps.Keys(s.connectors)) {
		c := s.connectors[name].Connector
		if c.LastTest != nil {
			test := *c.LastTest
			c.LastTest = &test
		}
		out = append(out, c)
	}
	return out
}

// TestConnection does what the button of that name does: a GET with the connector's credentials, which has to
// be answered by exactly 200. It returns how it went, and verifies the connector or takes that away. The error
// is [ErrNoConnector], or that of a ctx that ended, which changes nothing.
func (s *Service) TestConnection(ctx context.Context, name string) (Attempt, error) {
	s.mu.Lock()
	found, ok := s.connectors[name]
	if !ok {
		s.mu.Unlock()
		return Attempt{}, fmt.Errorf("testing connector %q: %w", name, ErrNoConnector)
	}
	tested, path, timeout := found.Connector, testPath, s.assume.Timeout
	if s.assume.TestTarget == TestEndpoint {
		path = tested.Path
	}
	s.mu.Unlock()
	try := s.send(ctx, letter{
		method: http.MethodGet, url: tested.endpoint(path), userName: tested.UserName, password: tested.Password,
		timeout: timeout,
	})
	if ctx.Err() != nil && try.Error != "" {
		return try, fmt.Errorf("testing connector %q: %w", name, context.Cause(ctx))
	}
	s.verify(found, &tested, try)
	return try, nil
}

// verify keeps the outcome of a test, unless the connector has changed in the meantime.
func (s *Service) verify(c *connector, tested *Connector, try Attempt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !c.sameLogin(tested) {
		return
	}
	c.Verified, c.LastTest = try.Status == http.StatusOK && try.Error == "", &try
	s.logger.Info("testing connection", "connector", c.Name, "status", try.Status, "verified", c.Verified)
	s.changed()
}
