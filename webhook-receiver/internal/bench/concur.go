package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

// concur has the events that are sent, signed beforehand: to sign costs twenty times what it costs to check.
type concur struct {
	key    *rsa.PrivateKey
	events []signed
}

type signed struct{ body, signature []byte }

// slot is what one event takes, with its signature.
const slot = 2048

// sample has the size of what Concur sends: about 700 bytes.
const sample = `{"id":"%08d-23e7-415d-b5e5-19a7dbe4fb4d","correlationId":"d4dd0ac7-cf42-41fa-9b4c-6c9c6cf5b4f1","eventType":"statusChanged","topic":"public.concur.expense.report",` +
	`"subtopic":null,"timeStamp":"2026-11-22T10:00:00.000Z","data":null,"route":"stable","facts":{"companyId":"e6a1f1c4-8c8a-4f35-9c52-6d52f6a7a001","reportId":"0F2D94E2F2B94B3DA2F7",` +
	`"userId":"3f7bd0a2-5d5e-4c53-9f0c-6c1f7e2f9f11","actingUserId":null,"reportType":"Regular","lastModifiedDate":"2026-11-22T10:00:00.000Z","previousApprovalStatus":"A_NOTF",` +
	`"currentApprovalStatus":"A_PEND","previousPaymentStatus":"P_NOTP","currentPaymentStatus":"P_NOTP","stepCode":"MANAGER","href":"https://us2.api.concursolutions.com/expensereports/v4/reports/0F2D94E2F2B94B3DA2F7"}}`

func newConcur(events int) (*concur, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	// Not in Go's memory: the receiver does not have it, and its garbage is collected the later, the more is in use.
	arena, err := unix.Mmap(-1, 0, events*slot, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("making room for events: %w", err)
	}
	c := &concur{key: key, events: make([]signed, events)}
	var (
		group   sync.WaitGroup
		next    atomic.Int64
		failure atomic.Pointer[error]
	)
	for range runtime.NumCPU() {
		group.Go(func() {
			for i := next.Add(1) - 1; i < int64(events); i = next.Add(1) - 1 {
				memory := arena[i*slot : i*slot : (i+1)*slot]
				body := fmt.Appendf(memory, sample, i)
				digest := sha256.Sum256(body)
				signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
				if err != nil {
					failure.Store(&err)
					return
				}
				all := base64.StdEncoding.AppendEncode(body, signature)
				c.events[i] = signed{body: all[:len(body)], signature: all[len(body):]}
			}
		})
	}
	group.Wait()
	if err := failure.Load(); err != nil {
		return nil, fmt.Errorf("signing events: %w", *err)
	}
	return c, nil
}

// result is what one measurement found.
type result struct {
	rate     float64 // events per second
	p50, p99 time.Duration
	cpu      time.Duration // of the whole process for each event, senders included
}

func (r result) String() string {
	return fmt.Sprintf("%.0f/s, p50 %v, p99 %v, cpu %v", r.rate, r.p50.Round(10*time.Microsecond), r.p99.Round(10*time.Microsecond), r.cpu.Round(time.Microsecond))
}

// measure starts a server and lets the senders of a cell post until the time is over or the events are.
func (c *concur) measure(ctx context.Context, of cell, s settings) (result, error) {
	target, err := newTarget(of.variant, c.key, s.dir)
	if err != nil {
		return result{}, err
	}
	defer target.close()
	senders := make([]*sender, of.senders)
	var next atomic.Int64
	for i := range senders {
		senders[i] = &sender{target: target, client: target.client(of.handshakes), events: c.events, next: &next}
		defer senders[i].client.CloseIdleConnections()
	}
	// What keeps its connection has one before the clock starts.
	if !of.handshakes {
		if err := together(senders, func(s *sender) error { return s.post(ctx) }); err != nil {
			return result{}, err
		}
	}
	limited, cancel := context.WithTimeout(ctx, s.length)
	defer cancel()
	start, before := time.Now(), processorTime()
	err = together(senders, func(s *sender) error { return s.send(limited) })
	length, used := time.Since(start), processorTime()-before
	if err != nil {
		return result{}, err
	}
	return summary(senders, length, used)
}

// sender is one of those that post at the same time.
type sender struct {
	target *target
	client *http.Client
	events []signed
	next   *atomic.Int64 // of the events, for all senders
	took   []time.Duration
}

// together has every sender do something at the same time.
func together(senders []*sender, do func(*sender) error) error {
	var group errgroup.Group
	for _, s := range senders {
		group.Go(func() error { return do(s) })
	}
	return group.Wait()
}

// send posts until ctx ends or no event is left.
func (s *sender) send(ctx context.Context) error {
	for {
		begin := time.Now()
		err := s.post(ctx)
		if errors.Is(err, errNoneLeft) || ctx.Err() != nil {
			return nil //nolint:nilerr // what the end of the measurement broke off is no failure
		}
		if err != nil {
			return err
		}
		s.took = append(s.took, time.Since(begin))
	}
}

var errNoneLeft = errors.New("all events have been sent")

// post sends the next event.
func (s *sender) post(ctx context.Context) error {
	i := s.next.Add(1) - 1
	if i >= int64(len(s.events)) {
		return errNoneLeft
	}
	return s.target.post(ctx, s.client, s.events[i])
}

func summary(senders []*sender, length, used time.Duration) (result, error) {
	var all []time.Duration
	for _, s := range senders {
		all = append(all, s.took...)
	}
	if len(all) == 0 {
		return result{}, fmt.Errorf("no event was answered within %v", length)
	}
	slices.Sort(all)
	return result{
		rate: float64(len(all)) / length.Seconds(), cpu: used / time.Duration(len(all)),
		p50: all[len(all)/2], p99: all[len(all)*99/100],
	}, nil
}

// processorTime is what this process has used so far, in user and system mode.
func processorTime() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
