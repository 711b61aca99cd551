package journal

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

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
