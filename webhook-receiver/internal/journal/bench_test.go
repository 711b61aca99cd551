package journal

import (
	"bytes"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/sync/errgroup"
	"k8s.io/utils/clock"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// sized is an event of about the size of those that Concur documents.
func sized(route event.RouteID, n int64) event.Entry {
	e := entry(route, fmt.Sprintf("7d4a3f7e-0000-4000-8000-%012d", n))
	e.Event.Body = make([]byte, 1500)
	for i := range e.Event.Body {
		e.Event.Body[i] = byte('a' + i%26)
	}
	return e
}

// realDisk opens a journal that syncs, where temporary files are.
func realDisk(b *testing.B, noSync bool) *Journal {
	b.Helper()
	dir := b.TempDir() // TMPDIR chooses the disk
	j, err := Open(Options{
		Path: filepath.Join(dir, "journal.db"), MaxSize: 8 << 30, Clock: clock.RealClock{}, Logger: quiet(), noSync: noSync,
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = j.Close() })
	return j
}

func BenchmarkAppend(b *testing.B) {
	for _, noSync := range []bool{false, true} {
		for _, senders := range []int{1, 8, 64, 256} {
			b.Run(fmt.Sprintf("senders=%d/sync=%v", senders, !noSync), func(b *testing.B) {
				j := realDisk(b, noSync)
				var n, worst atomic.Int64
				b.SetParallelism(senders / 2)
				b.ResetTimer()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						began := time.Now()
						if _, err := j.Append(b.Context(), sized(reports, n.Add(1))); err != nil {
							b.Error(err)
						}
						took := int64(time.Since(began))
						for w := worst.Load(); took > w && !worst.CompareAndSwap(w, took); w = worst.Load() {
						}
					}
				})
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
				b.ReportMetric(float64(worst.Load())/1e6, "max-ms")
			})
		}
	}
}

// readAll copies the file as it is committed.
func readAll(into *[]byte) func(tx *bolt.Tx) error {
	return func(tx *bolt.Tx) error {
		var b bytes.Buffer
		_, err := tx.WriteTo(&b)
		*into = b.Bytes()
		return err
	}
}

// stocked is a journal with n pending events of some routes.
func stocked(b *testing.B, n, routes int) *Journal {
	b.Helper()
	j := realDisk(b, true)
	var senders errgroup.Group
	for s := range 64 {
		senders.Go(func() error {
			for i := s; i < n; i += 64 {
				id := event.RouteID{Kind: event.Subscription, Namespace: "n", Name: fmt.Sprint(i % routes)}
				if _, err := j.Append(b.Context(), sized(id, int64(i))); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := senders.Wait(); err != nil {
		b.Fatal(err)
	}
	return j
}

func BenchmarkStats(b *testing.B) {
	j := stocked(b, 20_000, 1000)
	for b.Loop() {
		if s := j.Stats(); len(s.Routes) != 1000 || s.Routes[0].OldestPending.IsZero() {
			b.Fatal("that is not it")
		}
	}
}

func BenchmarkClaim(b *testing.B) {
	j := stocked(b, 100_000, 1)
	id := event.RouteID{Kind: event.Subscription, Namespace: "n", Name: "0"}
	for b.Loop() {
		records, _, err := j.Claim(id, 10)
		if err != nil || len(records) != 10 {
			b.Fatal(len(records), err)
		}
		for _, r := range records {
			if err := j.Settle(r.Seq, event.Settlement{Abandoned: true}); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkSettle(b *testing.B) {
	j := stocked(b, 1000, 1)
	id := event.RouteID{Kind: event.Subscription, Namespace: "n", Name: "0"}
	for b.Loop() {
		var all errgroup.Group
		for _, r := range must(j.claimAll(id)) {
			all.Go(func() error {
				return j.Settle(r.Seq, event.Settlement{Error: "503", RetryAt: time.Now().Add(-time.Second)})
			})
		}
		if err := all.Wait(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/1000-settles")
}

func BenchmarkOpen(b *testing.B) {
	if testing.Short() {
		b.Skip("it stores a million events first")
	}
	j := stocked(b, 1_000_000, 100)
	o := j.options
	perEvent := float64(j.Stats().Used) / 1_000_000
	for _, crashed := range []bool{false, true} {
		b.Run(fmt.Sprintf("crashed=%v", crashed), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				if crashed {
					j.dbMu.Lock()
					_ = j.db.Close() // without the list of free pages that Close writes
					j.db = nil
					j.dbMu.Unlock()
				}
				if err := j.Close(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				var err error
				if j, err = Open(o); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/open")
			b.ReportMetric(perEvent, "bytes/event")
		})
	}
	_ = j.Close()
}
