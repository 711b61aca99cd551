package ess

import (
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"
)

const (
	testID     = "dabd27f0-23e7-415d-b5e5-19a7dbe4fb4d"
	testSecret = "4f6b7c1e-0d3a-4a55-9a0e-c2f1f2b7a9d8"
)

// seen is one request as the server got it.
type seen struct {
	Method, Path, Body string
	Header             http.Header
	Length             int64
	Encoding           []string
}

// concur is a TLS server with a token service that numbers its tokens and an API that answers as the test says.
type concur struct {
	*httptest.Server
	grant http.HandlerFunc // nil: a good token
	api   http.HandlerFunc

	mu     sync.Mutex
	grants []seen
	calls  []seen
}

func newConcur(t *testing.T, api http.HandlerFunc) *concur {
	t.Helper()
	c := &concur{api: api}
	c.Server = httptest.NewTLSServer(c)
	t.Cleanup(c.Close)
	return c
}

// ServeHTTP records the request and answers it.
func (c *concur) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s := seen{
		Method: r.Method, Path: r.URL.EscapedPath(), Body: string(body),
		Header: r.Header.Clone(), Length: r.ContentLength, Encoding: r.TransferEncoding,
	}
	if r.URL.Path != tokenPath {
		c.note(&c.calls, s)
		c.api(w, r)
		return
	}
	n := c.note(&c.grants, s)
	if c.grant != nil {
		c.grant(w, r)
		return
	}
	fmt.Fprintf(w, `{"access_token":"token-%d","expires_in":3600,"token_type":"Bearer","geolocation":%q}`, n, c.URL)
}

func (c *concur) note(to *[]seen, s seen) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	*to = append(*to, s)
	return len(*to)
}

func (c *concur) seenGrants() []seen { return c.copyOf(&c.grants) }
func (c *concur) seenCalls() []seen  { return c.copyOf(&c.calls) }

func (c *concur) copyOf(list *[]seen) []seen {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(*list)
}

func (c *concur) roots() *x509.CertPool {
	roots := x509.NewCertPool()
	roots.AddCert(c.Certificate())
	return roots
}

// client returns a client of c; edits change its configuration.
func (c *concur) client(t *testing.T, edits ...func(*Config)) *Client {
	t.Helper()
	transport := unhurried(c.roots())
	t.Cleanup(transport.CloseIdleConnections)
	cfg := Config{
		BaseURL: c.URL, ClientID: testID, ClientSecret: testSecret, Transport: transport,
		Jitter: func() float64 { return 0 }, Timeout: time.Minute,
	}
	for _, edit := range edits {
		edit(&cfg)
	}
	client, err := New(cfg)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return client
}

// unhurried returns a transport whose own bounds are out of the way: on a busy machine, a handshake of a test that runs
// beside many others may take longer than one over the internet.
func unhurried(roots *x509.CertPool) *http.Transport {
	t := NewTransport(roots)
	t.TLSHandshakeTimeout, t.ResponseHeaderTimeout = time.Minute, time.Minute
	t.HTTP2.SendPingTimeout, t.HTTP2.PingTimeout = time.Minute, time.Minute
	return t
}

// answers returns a handler that always says the same.
func answers(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// roundTrip is a transport made of a function.
type roundTrip func(*http.Request) (*http.Response, error)

// RoundTrip calls the function.
func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
