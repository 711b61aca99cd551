package essemulator

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/google/uuid"
)

// correlationHeader is on every answer of Concur; a caller's own value is echoed (SAP Concur, Correlation
// ID).
const correlationHeader = "Concur-Correlationid"

// maxRequestBody bounds what is read of one call. A subscription has a few hundred bytes.
const maxRequestBody = 1 << 20

// call is one request to Concur on its way through the emulator.
type call struct {
	route
	appID         string // who calls, as far as the request tells; not yet proven
	user          string // likewise, for a user's token
	correlationID string
	baseURL       string // scheme and host that the caller used
	path          string
	query         url.Values
	header        http.Header
	body          []byte
	unreadable    error // why the body could not be taken
}

// reply is an answer before it is written.
type reply struct {
	status      int
	contentType string
	header      http.Header
	body        []byte
}

// Handler returns Concur's face: the token service under /oauth2/v0, the ESS API under both prefixes that
// Concur's pages use, /events/v4 and /v4, and the Failed Notifications API of callouts. It works without [Emulator.Run].
func (e *Emulator) Handler() http.Handler { return http.HandlerFunc(e.serve) }

func (e *Emulator) serve(w http.ResponseWriter, r *http.Request) {
	c := e.receive(r)
	w.Header().Set(correlationHeader, c.correlationID)
	entry := e.log.begin(e.clock.Now(), c, r.Method)
	fault := e.faults.take(c)
	rep, err := e.perform(r.Context(), c, fault)
	if err != nil {
		abort(w)
		return
	}
	e.log.answered(entry, rep.status)
	e.logger.Debug("answering", "operation", c.op, "application", c.appID, "status", rep.status,
		"correlationID", c.correlationID)
	for name, values := range rep.header {
		w.Header()[http.CanonicalHeaderKey(name)] = values
	}
	if rep.contentType != "" {
		w.Header().Set("Content-Type", rep.contentType)
	}
	if rep.status != http.StatusNoContent && rep.status != http.StatusNotModified {
		w.Header().Set("Content-Length", strconv.Itoa(len(rep.body)))
	}
	w.WriteHeader(rep.status)
	_, _ = w.Write(rep.body) // the caller may be gone, which is its own affair
}

// receive reads a request as far as can be done without judging it.
func (e *Emulator) receive(r *http.Request) *call {
	c := &call{route: routeOf(r.Method, r.URL.Path), path: r.URL.Path, query: r.URL.Query(), header: r.Header,
		baseURL: "https://" + r.Host}
	if r.TLS == nil {
		c.baseURL = "http://" + r.Host
	}
	if c.correlationID = r.Header.Get(correlationHeader); c.correlationID == "" || len(c.correlationID) > 256 {
		c.correlationID = uuid.NewString()
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequestBody+1))
	switch {
	case r.ContentLength < 0:
		// SAP Concur, HTTP Status Codes, row 400: chunked transfer encoding is not supported.
		c.unreadable = errors.New("request has no Content-Length; chunked transfer encoding is not supported")
	case err != nil:
		c.unreadable = errors.New("request body ended early")
	case len(body) > maxRequestBody:
		c.unreadable = errors.New("request body is larger than 1 MiB")
	default:
		c.body = body
	}
	c.appID, c.user = e.callerOf(c), e.userOf(c)
	if c.op == OpPut {
		c.subID = subscriptionIDOf(c.body)
	}
	return c
}

// errCut says that the caller gets no answer at all.
var errCut = errors.New("connection cut on purpose")

// perform does the operation and lets the fault, if any, have its way with it. The error is errCut.
func (e *Emulator) perform(ctx context.Context, c *call, f *taken) (reply, error) {
	if f == nil {
		return e.dispatch(c), nil
	}
	var rep reply
	if f.After {
		rep = e.dispatch(c)
	}
	if err := e.pause(ctx, f.Delay); err != nil {
		return reply{}, errCut
	}
	if !f.After && !f.answers() {
		rep = e.dispatch(c)
	}
	if f.Hang {
		f.hang(ctx)
		return reply{}, errCut
	}
	if f.Reset {
		return reply{}, errCut
	}
	return f.spoil(rep, c.op == OpFailedList && e.formFor(c) == FailedXML), nil
}

// dispatch does the operation.
func (e *Emulator) dispatch(c *call) reply {
	var value any
	var err error
	switch c.op {
	case OpToken:
		value, err = e.issueToken(c)
	case OpJWKS:
		value = e.Keys().jwks()
	case OpFailedList, OpFailedDelete:
		rep, err := e.notificationAPI(c)
		if err != nil {
			return e.refuse(c, err)
		}
		return rep
	default:
		value, err = e.subscriptionAPI(c)
	}
	if err != nil {
		return e.refuse(c, err)
	}
	body, err := json.Marshal(value)
	if err != nil { // our own types; a bug, and then better seen than hidden
		return reply{status: http.StatusInternalServerError, contentType: "text/plain", body: []byte(err.Error())}
	}
	return reply{status: http.StatusOK, contentType: "application/json", body: body}
}

// pause waits by the emulator's clock, or until the caller leaves.
func (e *Emulator) pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := e.clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
