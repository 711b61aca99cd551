package sink

import (
	"bytes"
	"context"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/route"
)

const (
	tracerName = "github.com/ess-operator/ess-operator/webhook-receiver"

	// maxDrain is how much of an answer is read so that its connection can be used again. Beyond it a new
	// connection is cheaper.
	maxDrain = 64 << 10
	maxPeek  = 512 // bytes of an answer's text that are looked at for the error message
)

// Config is what a Client needs. Its zero value reaches every address.
type Config struct {
	// DenyCIDRs is where no sink may be; see the package comment.
	DenyCIDRs []netip.Prefix
	// Roots are trusted for every https sink; nil: those of the system. A sink's own CA bundle comes beside them.
	Roots *x509.CertPool
	// Version is the version of the receiver, told to sinks as User-Agent.
	Version string
	// TracerProvider makes a span for each attempt; nil: none are made.
	TracerProvider trace.TracerProvider
}

// Client sends events to sinks and keeps connections to them. It may be used from many goroutines at once.
type Client struct {
	clients   clients
	userAgent string
	tracer    trace.Tracer // nil: no spans
}

// New returns a Client.
func New(config Config) *Client {
	deny := newDenyList(config.DenyCIDRs)
	c := &Client{
		clients: clients{
			dial:  &net.Dialer{Timeout: dialTimeout, KeepAlive: keepAlive, ControlContext: deny.control},
			roots: config.Roots,
			byPEM: map[string]*cached{},
		},
		userAgent: "ess-operator-receiver/" + config.Version,
	}
	if config.TracerProvider != nil {
		c.tracer = config.TracerProvider.Tracer(tracerName)
	}
	return c
}

// Send makes one attempt to hand an event to a sink, and returns nil once the sink has answered 2xx. Its deadline is
// that of the context. An error is an [*Error]; when the context had ended, errors.Is also finds its error. After a
// time-out, or when the connection breaks, the sink may have taken the event.
func (c *Client) Send(ctx context.Context, to route.Sink, e event.Event, format route.Format) error {
	if to.URI == nil {
		return &Error{Kind: ErrUnavailable, Reason: "the sink has no URI"}
	}
	m := encode(e, format)
	m.header["User-Agent"] = []string{c.userAgent}
	ctx, span := c.begin(ctx, to, e, m.header)
	status, failure := c.post(ctx, to, m)
	finish(span, status, failure)
	if failure != nil {
		return failure
	}
	return nil
}

// Close closes the connections that are not in use. The client can be used on.
func (c *Client) Close() { c.clients.closeIdle() }

func (c *Client) post(ctx context.Context, to route.Sink, m message) (int, *Error) {
	client, failure := c.clients.get(to.CABundle)
	if failure != nil {
		return 0, failure
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to.URI.String(), bytes.NewReader(m.body))
	if err != nil {
		return 0, &Error{Kind: ErrUnavailable, Reason: "the sink's URI cannot be requested"} // err quotes it
	}
	request.Header = m.header
	response, err := client.Do(request)
	if err != nil {
		return 0, unanswered(ctx, to.URI.Host, err)
	}
	defer response.Body.Close()
	return response.StatusCode, judge(response, time.Now())
}

// judge reads an answer.
func judge(response *http.Response, now time.Time) *Error {
	status := response.StatusCode
	if status >= 200 && status <= 299 {
		drain(response.Body, maxDrain)
		return nil
	}
	failure := &Error{Kind: kindOf(status), Status: status, Reason: "the sink answered " + statusText(status)}
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		failure.RetryAfter = retryAfter(response.Header.Get("Retry-After"), now)
	}
	beginning, _ := io.ReadAll(io.LimitReader(response.Body, maxPeek)) // what arrived is enough
	failure.Answer = quote(beginning)
	drain(response.Body, maxDrain-maxPeek)
	return failure
}

func drain(body io.Reader, limit int64) {
	_, _ = io.CopyN(io.Discard, body, limit) // at worst the connection is not used again
}
