package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// concur has the events that are sent, signed beforehand: to sign costs twenty times what it costs to check.
type concur struct {
	key    *rsa.PrivateKey
	events []signed
}

type signed struct {
	body      []byte
	signature string
}

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
	c := &concur{key: key, events: make([]signed, events)}
	var (
		group   sync.WaitGroup
		next    atomic.Int64
		failure atomic.Pointer[error]
	)
	for range runtime.NumCPU() {
		group.Go(func() {
			for i := next.Add(1) - 1; i < int64(events); i = next.Add(1) - 1 {
				body := fmt.Appendf(nil, sample, i)
				digest := sha256.Sum256(body)
				signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
				if err != nil {
					failure.Store(&err)
					return
				}
				c.events[i] = signed{body: body, signature: base64.StdEncoding.EncodeToString(signature)}
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
}

func (r result) String() string {
	return fmt.Sprintf("%.0f/s, p50 %v, p99 %v", r.rate, r.p50.Round(10*time.Microsecond), r.p99.Round(10*time.Microsecond))
}

// measure starts a server and lets the senders of a cell post until the time is over or the events are.
func (c *concur) measure(ctx context.Context, of cell, s settings) (result, error) {
	target, err := newTarget(of.variant, c.key, s.dir)
	if err != nil {
		return result{}, err
	}
	defer target.close()
	ctx, cancel := context.WithTimeout(ctx, s.length)
	defer cancel()
	var (
		group   sync.WaitGroup
		next    atomic.Int64
		failure atomic.Pointer[error]
		took    = make([][]time.Duration, of.senders)
	)
	start := time.Now()
	for sender := range of.senders {
		group.Go(func() {
			client := target.client(of.handshakes)
			defer client.CloseIdleConnections()
			for ctx.Err() == nil {
				i := next.Add(1) - 1
				if i >= int64(len(c.events)) {
					return
				}
				begin := time.Now()
				if err := target.post(ctx, client, c.events[i]); err != nil {
					if ctx.Err() == nil {
						failure.Store(&err)
					}
					return
				}
				took[sender] = append(took[sender], time.Since(begin))
			}
		})
	}
	group.Wait()
	length := time.Since(start)
	if err := failure.Load(); err != nil {
		return result{}, *err
	}
	all := slices.Concat(took...)
	if len(all) == 0 {
		return result{}, fmt.Errorf("no event was answered within %v", length)
	}
	slices.Sort(all)
	return result{rate: float64(len(all)) / length.Seconds(), p50: all[len(all)/2], p99: all[len(all)*99/100]}, nil
}
