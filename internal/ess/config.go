package ess

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"
)

const (
	// DefaultPathPrefix is where the ESS API lies below its base URL ("SAP Concur, Event Topics, Subscription
	// Management"). Some guides write "/v4", which is the path behind the gateway.
	DefaultPathPrefix = "/events/v4"
	// DefaultTimeout is the time for one call, with the token it may need first.
	DefaultTimeout = 15 * time.Second

	tokenPath = "/oauth2/v0/token"
)

// Config says which application a [Client] speaks for and how. BaseURL, ClientID and ClientSecret are required.
type Config struct {
	// BaseURL is the base URI of the data center, such as https://us2.api.concursolutions.com.
	BaseURL string
	// APIURL is the base of the ESS API. Empty: the geolocation of the current token, or BaseURL when the token has none.
	APIURL string
	// PathPrefix is the path of the ESS API below its base. Empty: DefaultPathPrefix.
	PathPrefix string
	// ClientID and ClientSecret are the application's credentials.
	ClientID, ClientSecret string
	// Transport carries the requests. Nil: NewTransport(nil). Redirects are never followed. A transport that holds calls
	// back, as a rate limiter does, may return an *Error: its Kind, Detail and RetryAfter become those of the call.
	Transport http.RoundTripper
	// AllowURL is asked before every call, the token request included, and refuses by an error. Nil allows any host.
	AllowURL func(*url.URL) error
	// Now is the clock by which tokens age. Nil: time.Now.
	Now func() time.Time
	// Jitter spreads renewals and returns numbers in [0, 1). Nil: rand.Float64.
	Jitter func() float64
	// Observe is called after every HTTP exchange, by the goroutine that made it. Nil: nobody is told.
	Observe func(Call)
	// Timeout is the time for one call of a method, a needed token and one repeat included. Zero: DefaultTimeout.
	Timeout time.Duration
	// Patterns read the text of refusals. Each nil pattern is that of DefaultPatterns.
	Patterns Patterns
}

// String hides everything but the addresses, so that a Config printed by accident shows no secret.
func (c Config) String() string {
	return fmt.Sprintf("ess.Config{BaseURL:%q, APIURL:%q}", c.BaseURL, c.APIURL)
}

// GoString is String, for the verb %#v.
func (c Config) GoString() string { return c.String() }

// Call is one HTTP exchange, for metrics.
type Call struct {
	// Operation is token, topics, list, get, put or delete.
	Operation string
	// Code is the HTTP status as text, or, when no whole answer arrived, one of canceled, timeout, tls, dns, connect,
	// too_large, malformed; held when Config.Transport did not send the call.
	Code string
	// Duration is the time from sending to the end of the answer, without what Config.Transport held it back before.
	Duration time.Duration
}

// Patterns are regular expressions on the text of answers 400, 403, 409, 422 and 429. ESS's texts are
// not documented, so all defaults are assumptions.
type Patterns struct {
	// Taken finds refused writes whose id belongs to someone else: ErrTaken.
	Taken *regexp.Regexp
	// Limit finds refused writes that would exceed the number of subscriptions: ErrQuota.
	Limit *regexp.Regexp
	// Busy finds answers 400 that are no fault of the request ("SAP Concur, HTTP Status Codes" names overload and
	// database deadlocks): ErrUnavailable. A text that it finds is read as neither Taken nor Limit.
	Busy *regexp.Regexp
}

// DefaultPatterns returns the patterns used where Config.Patterns has none.
func DefaultPatterns() Patterns { return defaultPatterns() }

// defaultPatterns compiles once what all clients share.
var defaultPatterns = sync.OnceValue(func() Patterns {
	return Patterns{
		Taken: regexp.MustCompile(`(?i)already\s+(exists?|taken|in\s+use|used|registered|assigned|owned)|(is|been)\s+taken|` +
			`not\s+(available|unique)|must\s+be\s+unique|duplicate\s+(id|name|subscription)|` +
			`(owned\s+by|belongs\s+to)\s+(another|a\s+different|other|someone)`),
		Limit: regexp.MustCompile(`(?i)(maximum|\bmax\b|limit|quota|too\s+many|more\s+than|exceed|already\s+has\s+\d+).{0,60}subscription|` +
			`subscriptions?\b.{0,60}(limit|maximum|quota|exceed|too\s+many)`),
		Busy: regexp.MustCompile(`(?i)too\s+many\s+requests|rate[ ._-]?limit|throttl|deadlock`),
	}
})

// New checks the configuration and returns a client. It makes no call. Its errors are ErrConfig.
func New(cfg Config) (*Client, error) {
	base, err := parseBase(cfg.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("reading the base URL: %w: %w", ErrConfig, err)
	}
	var api *url.URL
	if cfg.APIURL != "" {
		if api, err = parseBase(cfg.APIURL); err != nil {
			return nil, fmt.Errorf("reading the API URL: %w: %w", ErrConfig, err)
		}
	}
	prefix, err := parsePrefix(cfg.PathPrefix)
	if err != nil {
		return nil, fmt.Errorf("reading the path prefix: %w: %w", ErrConfig, err)
	}
	if cfg.ClientID == "" || cfg.ClientSecret == "" {
		return nil, fmt.Errorf("reading the credentials: %w: client id and client secret must not be empty", ErrConfig)
	}
	cfg.setDefaults()
	c := &Client{cfg: cfg, base: base, api: api, prefix: prefix}
	c.scrub = newScrubber(cfg.ClientSecret)
	c.tokens = &tokens{fetch: c.fetchToken, now: cfg.Now, timeout: cfg.Timeout}
	return c, nil
}

func (c *Config) setDefaults() {
	if c.Transport == nil {
		c.Transport = NewTransport(nil)
	}
	if c.AllowURL == nil {
		c.AllowURL = func(*url.URL) error { return nil }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Jitter == nil {
		c.Jitter = rand.Float64
	}
	if c.Observe == nil {
		c.Observe = func(Call) {}
	}
	if c.Timeout <= 0 {
		c.Timeout = DefaultTimeout
	}
	c.Patterns.setDefaults()
}

func (p *Patterns) setDefaults() {
	defaults := DefaultPatterns()
	if p.Taken == nil {
		p.Taken = defaults.Taken
	}
	if p.Limit == nil {
		p.Limit = defaults.Limit
	}
	if p.Busy == nil {
		p.Busy = defaults.Busy
	}
}

// parseBase reads a base URI: scheme, host, perhaps a path, nothing more.
func parseBase(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, errors.New("not a URL") // url.Parse quotes its input, which may hold a password
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, errors.New("want scheme, host and path only")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("%q does not begin with https://", raw)
	case u.Hostname() == "":
		return nil, fmt.Errorf("%q names no host", raw)
	case insecure(u):
		return nil, fmt.Errorf("%q: plain http is for loopback hosts only, use https", raw)
	}
	return u, nil
}

// insecure reports whether a request to u would carry secrets in the clear over a network.
func insecure(u *url.URL) bool {
	if u.Scheme == "https" {
		return false
	}
	host := u.Hostname()
	return host != "localhost" && !net.ParseIP(host).IsLoopback()
}

// parsePrefix returns the prefix with one leading and no trailing slash, or "" for the root.
func parsePrefix(raw string) (string, error) {
	if raw == "" {
		return DefaultPathPrefix, nil
	}
	trimmed := strings.Trim(raw, "/")
	if trimmed == "" {
		return "", nil
	}
	u, err := url.Parse("/" + trimmed)
	if err != nil || u.Host != "" || u.EscapedPath() != "/"+trimmed {
		return "", fmt.Errorf("%q is not a path", raw)
	}
	return "/" + trimmed, nil
}
