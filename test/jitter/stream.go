package jitter

import (
	"context"
	"io"
	"sync"
	"time"
)

const (
	// piece is how much of a stream is delayed together, at most.
	piece = 16 << 10
	// ahead is how many pieces may be on their way. A stream that has more waits.
	ahead = 4096
)

// chunk is a piece of a stream, and how the stream ended after it.
type chunk struct {
	data []byte
	err  error
	due  time.Time
}

// stream is the body of a watch. What comes is read at once and handed over when it is
// due, so that a stream of many events is late by no more than one of few.
type stream struct {
	source  io.ReadCloser
	chunks  chan chunk
	current chunk

	ended  <-chan struct{} // as the request
	why    func() error
	closed chan struct{}
	close  func() error
}

// stream returns what source says, late, until ctx ends.
func (j *Jitter) stream(ctx context.Context, source io.ReadCloser) io.ReadCloser {
	s := &stream{
		source: source, chunks: make(chan chunk, ahead),
		ended: ctx.Done(), why: ctx.Err, closed: make(chan struct{}),
	}
	s.close = sync.OnceValue(func() error {
		close(s.closed)
		return source.Close()
	})
	go s.receive(&pace{jitter: j})
	return s
}

// receive reads the source until it ends.
func (s *stream) receive(p *pace) {
	for {
		data := make([]byte, piece)
		n, err := s.source.Read(data)
		select {
		case s.chunks <- chunk{data: data[:n], err: err, due: p.due(time.Now())}:
		case <-s.closed:
			return
		}
		if err != nil {
			return
		}
	}
}

// Read implements io.Reader.
func (s *stream) Read(p []byte) (int, error) {
	for len(s.current.data) == 0 {
		if s.current.err != nil {
			return 0, s.current.err
		}
		if err := s.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, s.current.data)
	s.current.data = s.current.data[n:]
	return n, nil
}

// next waits until there is another chunk and it is due.
func (s *stream) next() error {
	var c chunk
	select {
	case c = <-s.chunks:
	case <-s.closed:
		return io.ErrClosedPipe
	case <-s.ended:
		return s.why()
	}
	timer := time.NewTimer(time.Until(c.due))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.closed:
		return io.ErrClosedPipe
	case <-s.ended:
		return s.why()
	}
	s.current = c
	return nil
}

// Close implements io.Closer.
func (s *stream) Close() error { return s.close() }

// pace says when the chunks of one stream are due.
type pace struct {
	jitter *Jitter
	lag    time.Duration
	until  time.Time // the lag is another one afterwards
	last   time.Time // that a chunk is due
}

// due is when what came now is handed over, which is never before what came earlier.
func (p *pace) due(now time.Time) time.Time {
	if !now.Before(p.until) {
		p.lag, p.until = p.jitter.draw(), now.Add(4*p.jitter.draw())
	}
	if due := now.Add(p.lag); due.After(p.last) {
		p.last = due
	}
	return p.last
}
