package essemulator

import (
	"context"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"
)

// crowded is an emulator with one subscription that takes everything and no engine to deliver it.
func crowded(t *testing.T) *Emulator {
	t.Helper()
	emu, err := New(WithClock(clocktesting.NewFakeClock(time.Unix(1e9, 0))))
	if err != nil {
		t.Fatal(err)
	}
	emu.PutSubscription(Subscription{ID: "s", Topic: "t", Filter: ".*", CompanyIDs: []string{anyCompany}})
	return emu
}

func TestBacklogIsBounded(t *testing.T) {
	t.Parallel()
	emu := crowded(t)
	for range maxWaiting {
		if _, err := emu.Publish(Event{Topic: "t", Type: "e"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := emu.Publish(Event{Topic: "t", Type: "e"}); !errors.Is(err, ErrBacklogFull) {
		t.Errorf("one event too many: %v, want ErrBacklogFull", err)
	}
}

func TestLedgerForgetsOnlySettledDeliveries(t *testing.T) {
	t.Parallel()
	emu := crowded(t)
	for range maxLedger + 1 {
		if _, err := emu.Publish(Event{Topic: "t", Type: "e"}); err != nil {
			t.Fatal(err)
		}
		emu.mu.Lock()
		last := emu.ledger[len(emu.ledger)-1]
		if last.ID > 1 { // the first one stays pending
			emu.settle(last, Delivered)
		}
		emu.mu.Unlock()
	}
	ledger := emu.Ledger()
	if len(ledger) > maxLedger || ledger[0].ID != 1 || ledger[0].Outcome != Pending {
		t.Errorf("%d deliveries, the first is %d, %s", len(ledger), ledger[0].ID, ledger[0].Outcome)
	}
	if ledger[1].ID == 2 || ledger[len(ledger)-1].ID != maxLedger+1 {
		t.Errorf("the oldest settled goes first: got %d to %d", ledger[1].ID, ledger[len(ledger)-1].ID)
	}
}

func TestRequestLogIsBounded(t *testing.T) {
	t.Parallel()
	var l requestLog
	for n := range maxLogged + 5 {
		l.begin(time.Unix(int64(n), 0), &call{}, "GET")
	}
	if len(l.entries) != maxLogged || l.entries[0].Time.Unix() != 5 {
		t.Errorf("%d entries from %v", len(l.entries), l.entries[0].Time)
	}
}

func TestTokensRememberedAreBounded(t *testing.T) {
	t.Parallel()
	emu := crowded(t)
	now := emu.clock.Now()
	emu.mu.Lock()
	defer emu.mu.Unlock()
	hash := func(n int) (h tokenHash) {
		binary.BigEndian.PutUint32(h[:], uint32(n))
		return h
	}
	for n := range maxTokens {
		emu.tokens[hash(n)] = grant{expires: now.Add(time.Duration(n + 1))}
	}
	emu.remember("one more", grant{expires: now.Add(time.Hour)})
	if _, ok := emu.tokens[hash(0)]; ok || len(emu.tokens) != maxTokens {
		t.Errorf("%d tokens are remembered, that which ends first among them: %v", len(emu.tokens), ok)
	}
}

func TestUserTokensAreBounded(t *testing.T) {
	t.Parallel()
	emu := crowded(t)
	for n := range maxTokens {
		if _, err := emu.PutUserToken("", UserToken{User: "u", ExpiresAt: emu.clock.Now().Add(time.Hour * time.Duration(n))}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := emu.PutUserToken("", UserToken{User: "u"}); err != nil {
		t.Errorf("one more, when the first has ended: %v", err)
	}
	if _, err := emu.PutUserToken("", UserToken{User: "u"}); !errors.Is(err, ErrBacklogFull) {
		t.Errorf("one too many: %v, want ErrBacklogFull", err)
	}
}

func TestOnlyOneEngineRuns(t *testing.T) {
	t.Parallel()
	emu := crowded(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 2)
	go func() { done <- emu.Run(ctx) }()
	go func() { done <- emu.Run(ctx) }()
	if err := <-done; !errors.Is(err, ErrRunning) {
		t.Errorf("the second engine: %v, want ErrRunning", err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("the first engine: %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	if err := emu.Run(ctx); err != nil {
		t.Errorf("running again later: %v", err)
	}
}

func TestSettleEndsWithItsContext(t *testing.T) {
	t.Parallel()
	emu := crowded(t)
	if _, err := emu.Publish(Event{Topic: "t", Type: "e"}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := emu.Settle(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Settle without an engine: %v, want the context's error", err)
	}
}
