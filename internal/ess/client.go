package ess

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"time"
)

const (
	maxBody    = 1 << 20
	maxRefusal = 64 << 10 // of an error page; a few words of it are shown
	userAgent  = "ess-operator"
	// The header of "SAP Concur, Correlation ID", and how some pages spell it in answers.
	correlationHeader    = "Concur-Correlationid"
	correlationHeaderAlt = "Correlationid"
)

// Client speaks for one OAuth2 application to the token service and to ESS. Make one with New.
// Its methods may be called from many goroutines at once.
type Client struct {
	cfg    Config
	base   *url.URL
	api    *url.URL // nil: the geolocation of the token
	prefix string
	scrub  scrubber
	tokens *tokens
}

// String hides everything but the addresses.
func (c *Client) String() string { return "ess.Client of " + c.base.String() }

// GoString is String, for the verb %#v.
func (c *Client) GoString() string { return c.String() }

// request is one call, before it is addressed and authorised.
type request struct {
	name   string // as in Call.Operation
	doing  string // as in Error.Op
	id     string // of the subscription it is about, "" when it is about none
	method string
	path   string // escaped, below base and prefix
	body   []byte
	form   bool // body is a form, not JSON
}

// answer is what came back, whatever its status.
type answer struct {
	status        int
	header        http.Header
	body          []byte
	correlationID string
}

func (a answer) ok() bool { return a.status >= 200 && a.status < 300 }

// call makes one call to ESS with a valid token. Its answer is a success.
func (c *Client) call(ctx context.Context, r request) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	cred, err := c.credential(ctx, nil)
	if err != nil {
		return answer{}, err
	}
	a, err := c.callWith(ctx, r, cred)
	if !refusesToken(err) {
		return a, err
	}
	// 401 and 403 both mean a token that expired or was revoked, until a fresh one is refused as well.
	if cred, err = c.credential(ctx, cred); err != nil {
		return answer{}, err
	}
	return c.callWith(ctx, r, cred)
}

func refusesToken(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && (e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden)
}

// credential returns a credential other than refused.
func (c *Client) credential(ctx context.Context, refused *credential) (*credential, error) {
	cred, err := c.tokens.get(ctx, refused)
	if err == nil {
		return cred, nil
	}
	if _, ok := errors.AsType[*Error](err); ok {
		return nil, err
	}
	return nil, &Error{Kind: contextKind(err), Op: doingToken, Cause: err} // this caller stopped waiting
}

func (c *Client) callWith(ctx context.Context, r request, cred *credential) (answer, error) {
	base, err := c.apiBase(cred)
	if err != nil {
		return answer{}, &Error{Kind: ErrHostNotAllowed, Op: r.doing, Detail: c.scrub.line(err.Error())}
	}
	scrub := c.scrub.with(cred.text)
	a, err := c.do(ctx, r, joinURL(base, c.prefix+r.path), scrub, "Bearer "+cred.text)
	if err != nil {
		return answer{}, err
	}
	if !a.ok() {
		return answer{}, c.refusal(r, a, scrub)
	}
	return a, nil
}

// apiBase is where calls with cred go. A token without geolocation, which Concur's pages do not show, is assumed to be
// good for the data center that issued it.
func (c *Client) apiBase(cred *credential) (*url.URL, error) {
	switch {
	case c.api != nil:
		return c.api, nil
	case cred.Geolocation == "":
		return c.base, nil
	}
	base, err := parseBase(cred.Geolocation)
	if err != nil {
		return nil, fmt.Errorf("reading the geolocation of the token: %w", err)
	}
	return base, nil
}

// do makes one HTTP exchange. All requests of this package pass here. An answer is no error, whatever its status.
func (c *Client) do(ctx context.Context, r request, target string, scrub scrubber, authorization string) (answer, error) {
	req, err := newRequest(ctx, r, target)
	if err != nil {
		return answer{}, &Error{Kind: ErrInvalid, Op: r.doing, Detail: "address not usable", Cause: err}
	}
	if err := c.cfg.AllowURL(req.URL); err != nil {
		return answer{}, &Error{Kind: ErrHostNotAllowed, Op: r.doing, Detail: scrub.line(err.Error()), Cause: err}
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	var told trace
	start := time.Now()
	a, lost := c.exchange(req, &told)
	code := strconv.Itoa(a.status)
	if lost != nil {
		code = kindWord(lost.kind)
	}
	c.cfg.Observe(Call{Operation: r.name, Code: code, Duration: time.Since(told.sentAfter(start))})
	if lost != nil {
		return answer{}, &Error{
			Kind: lost.kind, Op: r.doing, Status: a.status, Cause: lost.cause, CorrelationID: a.correlationID,
			Detail: scrub.line(lost.detail(req.URL.Hostname())), RetryAfter: RetryAfter(lost.cause),
		}
	}
	return a, nil
}

func newRequest(ctx context.Context, r request, target string) (*http.Request, error) {
	var body io.Reader
	if r.body != nil {
		body = bytes.NewReader(r.body) // of known length: the platform answers 400 to chunked requests
	}
	req, err := http.NewRequestWithContext(ctx, r.method, target, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set(correlationHeader, newUUID())
	switch {
	case r.form:
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	case r.body != nil:
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

// exchange sends req and reads the whole answer. When there is none, the answer returned holds what is known.
func (c *Client) exchange(req *http.Request, told *trace) (answer, *loss) {
	ctx := httptrace.WithClientTrace(req.Context(), told.hooks())
	// RoundTrip and not http.Client: a redirect is an answer here, and cookies and referers have no place.
	resp, err := c.cfg.Transport.RoundTrip(req.WithContext(ctx))
	if err != nil {
		a := answer{correlationID: req.Header.Get(correlationHeader)}
		return a, &loss{transportKind(ctx, err, told.handshakeFailed.Load()), err}
	}
	defer resp.Body.Close()
	a := answer{status: resp.StatusCode, header: resp.Header, correlationID: correlationID(req, resp)}
	if a.status < http.StatusOK {
		return a, nil // 101 hands over the connection; there is no body to wait for
	}
	limit := maxBody
	if !a.ok() {
		limit = maxRefusal
	}
	a.body, err = readBody(ctx, resp.Body, limit)
	switch {
	case err != nil && (a.ok() || errors.Is(ctx.Err(), context.Canceled)):
		return a, &loss{transportKind(ctx, err, false), err}
	case a.ok() && len(a.body) > maxBody:
		return a, &loss{ErrTooLarge, nil}
	case len(a.body) > limit:
		// The last word goes too: half a secret would not be recognised as one.
		a.body = a.body[:bytes.LastIndexAny(a.body[:limit], " \t\r\n")+1]
	}
	return a, nil // of a refusal the status counts, even when its body broke off
}

// readBody reads up to one byte more than limit.
func readBody(ctx context.Context, body io.Reader, limit int) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(body, int64(limit)+1))
	if err == nil {
		// Giving up tells the server before it closes the connection, and what the server then ends looks whole.
		err = ctx.Err()
	}
	return text, err
}

func joinURL(base *url.URL, path string) string {
	u := *base
	u.Path, u.RawPath = "", ""
	root := base.EscapedPath()
	for len(root) > 0 && root[len(root)-1] == '/' {
		root = root[:len(root)-1]
	}
	return u.String() + root + path
}

// correlationID returns what the answer calls the exchange, or else what the request called it.
func correlationID(req *http.Request, resp *http.Response) string {
	for _, header := range []string{correlationHeader, correlationHeaderAlt} {
		if id := resp.Header.Get(header); plainID(id) {
			return id
		}
	}
	return req.Header.Get(correlationHeader)
}

// plainID reports whether s is short and harmless enough to be shown as an identifier.
func plainID(s string) bool {
	for _, r := range s {
		if r <= ' ' || r > '~' {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// newUUID returns a random UUID (version 4).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
