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
	if r.ContentLength > most {
		return nil, 0, tooLarge, fmt.Errorf("reading the body: it has %d bytes, but only %d are allowed; raise events.maxBodySize", r.ContentLength, most)
	}
	end := most + 1 // one more, to see whether it ends
	if r.ContentLength >= 0 {
		end = r.ContentLength + 1
	}
	in := newPace(w, r.Body)
	for size := min(firstRead, end); ; size = min(2*size, end) {
		if !h.bytes.take(size - held) {
			return nil, held, overloaded, fmt.Errorf("reading the body: bodies may take %d bytes of memory together, and do", h.bytes.limit)
		}
		held = size
		body, err = in.fill(body, size)
		switch {
		case err != nil && in.ended:
			in.lift()
			return body, held, "", nil
		case err != nil:
			how, err = in.failed(err)
			return nil, held, how, err
		case size == end:
			return nil, held, tooLarge, fmt.Errorf("reading the body: it has more than %d bytes; raise events.maxBodySize", end-1)
		}
	}
}

// pace reads a body no longer than the limits allow: it moves the deadline of the connection, or of the stream, as
// bytes come in.
type pace struct {
	from  io.Reader
	to    *http.ResponseController
	start time.Time
	got   int64
	ended bool // the body ended where it should
}

func newPace(w http.ResponseWriter, body io.Reader) *pace {
	return &pace{from: body, to: http.NewResponseController(w), start: time.Now()}
}

// fill reads on until body has size bytes; less only with an error.
func (p *pace) fill(body []byte, size int64) ([]byte, error) {
	grown := make([]byte, size)
	n, err := io.ReadFull(p, grown[copy(grown, body):])
	return grown[:len(body)+n], err
}

func (p *pace) Read(b []byte) (int, error) {
	allowed := min(bodyTimeout, bodyGrace+time.Duration(p.got)*time.Second/bodyRate)
	_ = p.to.SetReadDeadline(p.start.Add(allowed)) // where there is no connection, nothing can be slow
	n, err := p.from.Read(b)
	p.got += int64(n)
	p.ended = p.ended || errors.Is(err, io.EOF)
	return n, err
}

// lift takes the deadline away: it would end the wait for the store, since the server keeps reading to see the
// sender go.
func (p *pace) lift() { _ = p.to.SetReadDeadline(time.Time{}) }

// failed tells a body that broke off from one that came too slowly.
func (p *pace) failed(err error) (result, error) {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return timeout, fmt.Errorf("reading the body: it came too slowly: %d bytes in %s", p.got, time.Since(p.start).Round(time.Millisecond))
	}
	return aborted, fmt.Errorf("reading the body after %d bytes: %w", p.got, err)
}
