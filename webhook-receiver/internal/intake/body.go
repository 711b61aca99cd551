package intake

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync/atomic"
	"time"
)

// budget counts what is in use of something that is limited. Nobody waits for it.
type budget struct {
	limit int64
	used  atomic.Int64
}

func (b *budget) take(n int64) bool {
	if b.used.Add(n) <= b.limit {
		return true
	}
	b.used.Add(-n)
	return false
}

func (b *budget) give(n int64) { b.used.Add(-n) }

// read returns the body, and how many bytes of the budget it holds in any case; or how the request ended. What was
// announced is not reserved before it comes, for announcing costs nothing.
func (h *Handler) read(w http.ResponseWriter, r *http.Request) (body []byte, held int64, how result, err error) {
	most := h.maxBody.Load()
	if r.ContentLength >= 0 {
		most = min(most, r.ContentLength)
	}
	if r.ContentLength > most {
		how, err = beyond(r, most)
		return nil, 0, how, err
	}
	in := newPace(w, r.Body, h.pacing)
	for size := min(firstRead, most+1); ; size = min(2*size, most+1) { // one more, to see whether it ends
		charge := max(size, firstRead) - held // a request takes memory, however small its body
		if !h.bytes.take(charge) {
			return nil, held, overloaded, fmt.Errorf("reading the body: bodies may take %d bytes of memory together, and do", h.bytes.limit)
		}
		held += charge
		body, err = in.fill(body, size)
		switch {
		case err != nil && in.ended:
			return body, held, "", nil
		case err != nil:
			how, err = in.failed(err)
			return nil, held, how, err
		case size > most:
			how, err = beyond(r, most)
			return nil, held, how, err
		}
	}
}

// beyond tells a body that is too large from one that is larger than announced.
func beyond(r *http.Request, most int64) (result, error) {
	if r.ContentLength == most {
		return aborted, fmt.Errorf("reading the body: it has more than the %d bytes that were announced", most)
	}
	return tooLarge, fmt.Errorf("reading the body: it has more than the %d bytes that are allowed; raise events.maxBodySize", most)
}

// pacing is how long a body may take.
type pacing struct {
	whole time.Duration // at the most
	grace time.Duration // in any case
	rate  int64         // bytes per second that must have come after the grace
}

// pace reads a body no longer than that: it moves the deadline of the connection, or of the stream, as bytes come in.
// At the end of a body the server lifts it, so the wait for the store is not cut short.
type pace struct {
	pacing
	from  io.Reader
	to    *http.ResponseController
	start time.Time
	got   int64
	ended bool // the body ended where it should
}

func newPace(w http.ResponseWriter, body io.Reader, p pacing) *pace {
	return &pace{pacing: p, from: body, to: http.NewResponseController(w), start: time.Now()}
}

// fill reads on until body has size bytes; less only with an error.
func (p *pace) fill(body []byte, size int64) ([]byte, error) {
	grown := make([]byte, size)
	n, err := io.ReadFull(p, grown[copy(grown, body):])
	return grown[:len(body)+n], err
}

func (p *pace) Read(b []byte) (int, error) {
	allowed := min(p.whole, p.grace+time.Duration(p.got)*time.Second/time.Duration(p.rate))
	_ = p.to.SetReadDeadline(p.start.Add(allowed)) // where there is no connection, nothing can be slow
	n, err := p.from.Read(b)
	p.got += int64(n)
	p.ended = p.ended || errors.Is(err, io.EOF)
	return n, err
}

// failed tells a body that broke off from one that came too slowly.
func (p *pace) failed(err error) (result, error) {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return timeout, fmt.Errorf("reading the body: it came too slowly: %d bytes in %s", p.got, time.Since(p.start).Round(time.Millisecond))
	}
	return aborted, fmt.Errorf("reading the body after %d bytes: %w", p.got, err)
}
