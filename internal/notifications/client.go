package notifications

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	// listPath lies below the base URL ("SAP Concur, Event Notification, Get Notifications by Status").
	listPath = "/api/platform/notifications/v1.0/notification?status=FAILED"

	// DefaultTimeout is the time for one call.
	DefaultTimeout = 15 * time.Second

	maxList       = 8 << 20 // some twenty thousand notifications
	maxRetryAfter = time.Hour
	userAgent     = "ess-operator"
)

// Config says for whom a [Client] speaks and how. BaseURL, Token and Transport are required.
type Config struct {
	// BaseURL is where the API lies, such as https://www.concursolutions.com.
	BaseURL string
	// Scheme is the word before the token, OAuth or Bearer. Empty: OAuth, as the pages show.
	Scheme string
	// Token is a user's access token.
	Token string
	// Transport carries the requests. Redirects are never followed.
	Transport http.RoundTripper
	// AllowURL is asked before every call, and refuses by an error. Nil allows any host.
	AllowURL func(*url.URL) error
	// Now is the clock by which a Retry-After date is read. Nil: time.Now.
	Now func() time.Time
	// Observe is called after every HTTP exchange. Nil: nobody is told.
	Observe func(Call)
	// Timeout is the time for one call. Zero: DefaultTimeout.
	Timeout time.Duration
}

// String hides everything but the address, so that a Config printed by accident shows no token.
func (c Config) String() string { return fmt.Sprintf("notifications.Config{BaseURL:%q}", c.BaseURL) }

// GoString is String, for the verb %#v.
func (c Config) GoString() string { return c.String() }

// Call is one HTTP exchange, for metrics.
type Call struct {
	// Operation is failed_list or failed_delete.
	Operation string
	// Code is the HTTP status as text, or unreachable.
	Code string
	// Duration is the time from sending to the end of the answer.
	Duration time.Duration
}

// Client speaks for one user. Its methods may be called from many goroutines at once.
type Client struct {
	cfg  Config
	list string
}

// New checks the configuration and returns a client. It makes no call. Its errors are ErrConfig.
func New(cfg Config) (*Client, error) {
	u, err := url.Parse(cfg.BaseURL)
	if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, &Error{Kind: ErrConfig, Op: "reading the base URL", Detail: "want scheme, host and path only"}
	}
	if cfg.Token == "" || strings.ContainsFunc(cfg.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, &Error{Kind: ErrConfig, Op: "reading the token", Detail: "want one line of visible ASCII characters"}
	}
	cfg.setDefaults()
	return &Client{cfg: cfg, list: strings.TrimRight(cfg.BaseURL, "/") + listPath}, nil
}

func (c *Config) setDefaults() {
	c.Scheme = cmp.Or(c.Scheme, "OAuth")
	c.Timeout = cmp.Or(c.Timeout, DefaultTimeout)
	if c.AllowURL == nil {
		c.AllowURL = func(*url.URL) error { return nil }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Observe == nil {
		c.Observe = func(Call) {}
	}
}

// Failed lists the notifications that could not be posted.
func (c *Client) Failed(ctx context.Context) ([]Notification, error) {
	r := request{name: "failed_list", doing: "listing failed notifications", method: http.MethodGet, target: c.list}
	status, body, err := c.do(ctx, r)
	if err != nil || status == http.StatusNoContent {
		return nil, err
	}
	list, err := decode(body)
	if err != nil {
		return nil, &Error{Kind: ErrMalformed, Op: r.doing, Status: status, Detail: err.Error()}
	}
	return list, nil
}

// Delete deletes a notification by its URI, which is used as it was given. One that is gone already is no failure.
func (c *Client) Delete(ctx context.Context, uri string) error {
	_, _, err := c.do(ctx, request{name: "failed_delete", doing: "deleting a failed notification", method: http.MethodDelete, target: uri})
	if e, ok := errors.AsType[*Error](err); ok && (e.Status == http.StatusNotFound || e.Status == http.StatusGone) {
		return nil
	}
	return err
}

// request is one call, before it is authorised.
type request struct {
	name   string // as in Call.Operation
	doing  string // as in Error.Op
	method string
	target string
}

// do makes one HTTP exchange. All requests of this package pass here. Without an error the status is 2xx.
func (c *Client) do(ctx context.Context, r request) (status int, body []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	u, ok := address(r.target)
	if !ok {
		return 0, nil, &Error{Kind: ErrInvalid, Op: r.doing, Detail: "the URI of the notification is none"}
	}
	if insecure(u) {
		return 0, nil, &Error{Kind: ErrHostNotAllowed, Op: r.doing, Detail: "plain http is for loopback hosts only, use https"}
	}
	if err := c.cfg.AllowURL(u); err != nil {
		return 0, nil, &Error{Kind: ErrHostNotAllowed, Op: r.doing, Detail: err.Error()}
	}
	req := (&http.Request{Method: r.method, URL: u, Host: u.Host, Header: http.Header{
		"Accept":        {"application/xml, application/json;q=0.9"},
		"Authorization": {c.cfg.Scheme + " " + c.cfg.Token},
		"User-Agent":    {userAgent},
	}}).WithContext(ctx)
	return c.exchange(req, r)
}

// exchange sends req and reads the whole answer.
func (c *Client) exchange(req *http.Request, r request) (status int, body []byte, err error) {
	code, start := "unreachable", time.Now()
	defer func() { c.cfg.Observe(Call{Operation: r.name, Code: code, Duration: time.Since(start)}) }()
	// RoundTrip and not http.Client: a redirect is an answer here, and must not take the token along.
	resp, err := c.cfg.Transport.RoundTrip(req)
	if err != nil {
		return 0, nil, lost(req, r, err)
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxList+1))
	ok := resp.StatusCode >= 200 && resp.StatusCode < 300
	switch {
	case err != nil && ok:
		return 0, nil, lost(req, r, err)
	case ok && len(body) > maxList:
		code = strconv.Itoa(resp.StatusCode)
		return 0, nil, &Error{Kind: ErrMalformed, Op: r.doing, Status: resp.StatusCode, Detail: fmt.Sprintf("more than %d bytes", maxList)}
	case ok:
		code = strconv.Itoa(resp.StatusCode)
		return resp.StatusCode, body, nil
	}
	code = strconv.Itoa(resp.StatusCode)
	return 0, nil, &Error{
		Kind: kindOf(resp.StatusCode, r), Op: r.doing, Status: resp.StatusCode,
		RetryAfter: c.retryAfter(resp.Header.Get("Retry-After")),
	}
}

// lost is why there is no whole answer.
func lost(req *http.Request, r request, err error) error {
	if errors.Is(req.Context().Err(), context.Canceled) {
		return &Error{Kind: context.Canceled, Op: r.doing}
	}
	return &Error{Kind: ErrUnreachable, Op: r.doing, Detail: req.URL.Hostname() + ": " + Reason(err)}
}

// kindOf reads a refusal by its status.
func kindOf(status int, r request) error {
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return ErrToken
	case status == http.StatusBadRequest && r.method == http.MethodDelete:
		return ErrInvalid
	case status == http.StatusTooManyRequests:
		return ErrRateLimited
	case status == http.StatusRequestTimeout || status >= http.StatusInternalServerError:
		return ErrUnavailable
	default:
		return ErrMalformed
	}
}

// retryAfter reads the header of that name, seconds or HTTP date, as a wait between zero and one hour.
func (c *Client) retryAfter(value string) time.Duration {
	if seconds, err := strconv.ParseUint(strings.TrimSpace(value), 10, 32); err == nil {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter)
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(c.cfg.Now()), 0), maxRetryAfter)
}
