package essemulator

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Fault makes calls to Concur's face go wrong. Of several that fit a call, the one injected first acts.
//
// Status, Body, Garbage, BodySize, Hang and Reset replace the operation, which then does not happen unless
// After is set. Delay, Header and RetryAfter alone leave the operation as it is.
type Fault struct {
	// Operation is one of the Op values, "" for any.
	Operation string `json:"operation,omitempty"`
	// ApplicationID is the application whose calls fail, "" for any.
	ApplicationID string `json:"applicationId,omitempty"`
	// Times is how many calls fail, 0 for all until [Emulator.ClearFaults].
	Times int `json:"times,omitempty"`
	// Status of the answer. Zero is 200 where Body, Garbage or BodySize make up the answer.
	Status int `json:"status,omitempty"`
	// Header is added to the answer.
	Header http.Header `json:"header,omitempty"`
	// Body of the answer, sent as what the caller gets otherwise unless Header names a Content-Type.
	Body string `json:"body,omitempty"`
	// RetryAfter is the header of that name, seconds or a date.
	RetryAfter string `json:"retryAfter,omitempty"`
	// Delay passes on the emulator's clock before the answer, in nanoseconds when written as JSON.
	Delay time.Duration `json:"delay,omitempty"`
	// Hang never answers, until the caller leaves or faults are cleared.
	Hang bool `json:"hang,omitempty"`
	// Reset cuts the connection.
	Reset bool `json:"reset,omitempty"`
	// Garbage answers with what no decoder of JSON or XML takes.
	Garbage bool `json:"garbage,omitempty"`
	// BodySize answers with valid JSON of that many bytes, at most 64 MiB; with XML where the caller gets XML.
	BodySize int `json:"bodySize,omitempty"`
	// After does the operation and spoils only the answer.
	After bool `json:"after,omitempty"`
}

// maxFaultBody bounds BodySize.
const maxFaultBody = 64 << 20

// InjectFault makes the fault act on calls from now on and returns its number.
func (e *Emulator) InjectFault(f Fault) int { return e.faults.add(f) }

// ClearFault ends one fault. An unknown number is no fault.
func (e *Emulator) ClearFault(id int) { e.faults.clear(func(n int) bool { return n == id }) }

// ClearFaults ends all faults; calls that hang are cut.
func (e *Emulator) ClearFaults() { e.faults.clear(func(int) bool { return true }) }

// Faults returns the faults that still act, by number.
func (e *Emulator) Faults() map[int]Fault {
	e.faults.mu.Lock()
	defer e.faults.mu.Unlock()
	return maps.Clone(e.faults.faults)
}

// faultBook is the set of faults in force. Its zero value is ready.
type faultBook struct {
	mu      sync.Mutex
	faults  map[int]Fault
	last    int
	release chan struct{} // closed when faults are cleared
}

func (b *faultBook) add(f Fault) int {
	f.BodySize = min(f.BodySize, maxFaultBody)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.faults == nil {
		b.faults = map[int]Fault{}
	}
	b.last++
	b.faults[b.last] = f
	return b.last
}

func (b *faultBook) clear(which func(int) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	maps.DeleteFunc(b.faults, func(n int, _ Fault) bool { return which(n) })
	if b.release != nil {
		close(b.release)
		b.release = nil
	}
}

// taken is a fault that acts on one call.
type taken struct {
	Fault
	release <-chan struct{} // closed when faults are cleared
}

// take returns the fault that acts on this call, or nil, and counts it.
func (b *faultBook) take(c *call) *taken {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, n := range slices.Sorted(maps.Keys(b.faults)) {
		f := b.faults[n]
		if f.Operation != "" && f.Operation != c.op || f.ApplicationID != "" && f.ApplicationID != c.appID {
			continue
		}
		switch f.Times {
		case 0:
		case 1:
			delete(b.faults, n)
		default:
			left := f
			left.Times--
			b.faults[n] = left
		}
		if b.release == nil {
			b.release = make(chan struct{})
		}
		return &taken{f, b.release}
	}
	return nil
}

// hang returns when the caller is gone or faults are cleared.
func (f *taken) hang(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-f.release:
	}
}

// answers tells whether the fault makes up the answer, so that the operation is not needed.
func (f *Fault) answers() bool {
	return f.Status != 0 || f.Body != "" || f.Garbage || f.BodySize > 0 || f.Hang || f.Reset
}

// spoil turns the answer of the operation into that of the fault. xml is for callers who want XML, not JSON.
func (f *Fault) spoil(rep reply, xml bool) reply {
	if f.answers() {
		rep = reply{status: cmp.Or(f.Status, http.StatusOK), contentType: "application/json", body: []byte(f.Body)}
		if xml {
			rep.contentType = "application/xml"
		}
	}
	switch {
	case f.Garbage:
		rep.body = []byte("<html>\x00\xff{]\"garbage")
	case f.BodySize > 0:
		rep.body = bigBody(f.BodySize, "[", "]")
		if xml {
			rep.body = bigBody(f.BodySize, "<NotificationList>", "</NotificationList>")
		}
	}
	rep.header = f.Header.Clone()
	if rep.header == nil {
		rep.header = http.Header{}
	}
	if rep.header.Get("Content-Type") != "" {
		rep.contentType = ""
	}
	if f.RetryAfter != "" {
		rep.header.Set("Retry-After", f.RetryAfter)
	}
	return rep
}

// bigBody is an empty document blown up with blanks to n bytes: only its size can be refused.
func bigBody(n int, first, last string) []byte {
	if n < len(first)+len(last) {
		return bytes.Repeat([]byte("0"), n)
	}
	body := bytes.Repeat([]byte(" "), n)
	copy(body, first)
	copy(body[n-len(last):], last)
	return body
}
