package sink

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"sync"
	"time"
)

// Bounds of connections. How many there are at once is bounded by how many attempts are made at once.
const (
	dialTimeout      = 10 * time.Second // beside the attempt's own deadline
	keepAlive        = 30 * time.Second // finds out that a sink has gone without a word
	pingAfter        = 15 * time.Second // the same, of HTTP/2
	idleTimeout      = 90 * time.Second
	idlePerHost      = 32       // as many as one route makes attempts, twice
	idleTotal        = 1024     // a bound on open files
	maxAnswerHeaders = 64 << 10 // bytes
	tlsSessions      = 128
	maxRedirects     = 3
	// maxBundles is how many CA bundles have connections of their own at once. Beyond it the one that was not used
	// for the longest time loses its idle connections.
	maxBundles = 64
)

// clients holds one HTTP client per CA bundle, since that is what the trust of a connection hangs on.
type clients struct {
	dial  *net.Dialer
	roots *x509.CertPool // nil: the system's

	mu    sync.Mutex
	uses  uint64
	byPEM map[string]*cached
}

type cached struct {
	http *http.Client
	used uint64
}

// get returns the client that trusts the given certificates beside the roots.
func (c *clients) get(bundle []byte) (*http.Client, *Error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.uses++
	if found := c.byPEM[string(bundle)]; found != nil {
		found.used = c.uses
		return found.http, nil
	}
	pool, err := c.pool(bundle)
	if err != nil {
		return nil, err
	}
	if len(c.byPEM) >= maxBundles {
		c.evict()
	}
	made := &cached{http: &http.Client{Transport: c.transport(pool), CheckRedirect: follow}, used: c.uses}
	c.byPEM[string(bundle)] = made
	return made.http, nil
}

// pool returns the roots and the bundle; nil stands for the system's roots.
func (c *clients) pool(bundle []byte) (*x509.CertPool, *Error) {
	if len(bundle) == 0 {
		return c.roots, nil
	}
	pool := c.roots
	if pool == nil {
		system, err := x509.SystemCertPool()
		if err != nil {
			return nil, &Error{Kind: ErrUnavailable, Reason: "the certificates of this system cannot be read: " + err.Error()}
		}
		pool = system
	}
	pool = pool.Clone()
	if !pool.AppendCertsFromPEM(bundle) {
		return nil, &Error{Kind: ErrUnavailable, Reason: "the sink's caBundle holds no certificate: give it as PEM"}
	}
	return pool, nil
}

func (c *clients) evict() {
	var oldest string
	least := c.uses
	for pem, one := range c.byPEM {
		if one.used < least {
			oldest, least = pem, one.used
		}
	}
	c.byPEM[oldest].http.CloseIdleConnections()
	delete(c.byPEM, oldest)
}

func (c *clients) closeIdle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, one := range c.byPEM {
		one.http.CloseIdleConnections()
	}
}

func (c *clients) transport(roots *x509.CertPool) *http.Transport {
	return &http.Transport{
		Proxy:       nil, // see the package comment
		DialContext: c.dial.DialContext,
		TLSClientConfig: &tls.Config{
			MinVersion:         tls.VersionTLS12,
			RootCAs:            roots,
			ClientSessionCache: tls.NewLRUClientSessionCache(tlsSessions),
		},
		TLSHandshakeTimeout:    dialTimeout,
		MaxIdleConns:           idleTotal,
		MaxIdleConnsPerHost:    idlePerHost,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxAnswerHeaders,
		DisableCompression:     true, // the answer is not read but for its beginning
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: pingAfter},
	}
}

// follow lets the client follow the redirects that keep method and body, a few times, and never from https to
// http. The answer to be seen is otherwise the redirect itself.
func follow(next *http.Request, via []*http.Request) error {
	switch status := next.Response.StatusCode; {
	case status != http.StatusTemporaryRedirect && status != http.StatusPermanentRedirect,
		len(via) > maxRedirects,
		next.URL.Scheme != "https" && next.URL.Scheme != via[len(via)-1].URL.Scheme:
		return http.ErrUseLastResponse
	}
	next.Header.Del("Referer") // it would tell the second sink the URI of the first, with its query
	return nil
}
