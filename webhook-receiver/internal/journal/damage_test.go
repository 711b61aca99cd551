package journal

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// specimen is a closed journal, its bytes, and what it holds.
type specimen struct {
	t       *testing.T
	bytes   []byte
	spans   []span
	content map[uint64]event.Record
	options Options
	random  *rand.Rand
}

func newSpecimen(t *testing.T, n int) *specimen {
	t.Helper()
	b := open(t)
	b.fill(n)
	s := &specimen{t: t, content: b.content(), random: rand.New(rand.NewPCG(1, 2))}
	b.checked()
	s.options = b.options
	file, err := os.ReadFile(b.options.Path)
	if err != nil {
		t.Fatal(err)
	}
	m := must(newestMeta(strings.NewReader(string(file))))
	s.bytes = file[:m.size()] // the rest is what bbolt has grown the file by
	s.spans = spans(s.bytes)
	return s
}

// copy writes the specimen anew, changed.
func (s *specimen) copy(change func(b []byte) []byte) Options {
	s.t.Helper()
	o := s.options
	dir, err := os.MkdirTemp(s.t.TempDir(), "")
	if err != nil {
		s.t.Fatal(err)
	}
	o.Path = filepath.Join(dir, "journal.db")
	if err := os.WriteFile(o.Path, change(slices.Clone(s.bytes)), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return o
}

// span is where a record lies.
type span struct {
	seq      uint64
	from, to int64
}

// spans finds all copies of all records.
func spans(file []byte) (all []span) {
	note := func(h header, at int64) {
		all = append(all, span{h.seq, at, at + headerSize + int64(h.length)})
	}
	sc := &scanner{
		file: bytes.NewReader(file), size: int64(len(file)), broken: note,
		whole: func(h header, at int64, _ []byte) { note(h, at) },
	}
	sc.run()
	return all
}

// hit is which events have bytes of their own in a part of the file, in whatever copy.
func (s *specimen) hit(from, to int64) map[uint64]bool {
	hit := map[uint64]bool{}
	for _, r := range s.spans {
		if r.from < to && from < r.to {
			hit[r.seq] = true
		}
	}
	return hit
}

// readable wants every event but those that were hit as it was; of the others, one may be known to be damaged.
func (s *specimen) readable(o Options, hit map[uint64]bool, one bool, what string) {
	s.t.Helper()
	j, err := Open(o)
	if err != nil {
		s.t.Errorf("%s: %v", what, err)
		return
	}
	defer func() { _ = j.Close() }()
	_ = must(j.claimAll(reports)) // which must not panic
	for seq, want := range s.content {
		got, err := j.Get(seq)
		if absent(err) && (hit[seq] || one) {
			one = one && hit[seq] // what the tree has of one record, such as its length, is that record's, too
			continue
		}
		if !reflect.DeepEqual(want.Event, got.Event) {
			s.t.Errorf("%s: event %d is another: %v", what, seq, err)
		}
		if !hit[seq] && got.State != want.State {
			s.t.Errorf("%s: event %d is %s, was %s", what, seq, got.State, want.State)
		}
	}
}

// absent reports whether an error says that an event is not there, or not whole.
func absent(err error) bool { return errors.Is(err, ErrDamaged) || errors.Is(err, event.ErrNotFound) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// claimAll delivers everything, following each key to its end.
func (j *Journal) claimAll(id event.RouteID) (all []event.Record, err error) {
	for {
		some, _, err := j.Claim(id, 100)
		if err != nil || len(some) == 0 {
			return all, err
		}
		all = append(all, some...)
	}
}

// livePages are those that the tree is made of.
func (s *specimen) livePages() (live []int) {
	m := must(newestMeta(bytes.NewReader(s.bytes)))
	w := newWalk(bytes.NewReader(s.bytes), m)
	if err := w.tree("", m.root, nil, nil); err != nil {
		s.t.Fatal(err)
	}
	for id := range m.high {
		if w.used(id) {
			live = append(live, int(id))
		}
	}
	return append(live, 0, 1)
}

// TestFlippedByteIsNeverSilent damages one byte at a time, anywhere in the file.
func TestFlippedByteIsNeverSilent(t *testing.T) {
	t.Parallel()
	s := newSpecimen(t, 60)
	times := 120
	if testing.Short() {
		times = 50
	}
	live := s.livePages()
	refused := 0
	for i := range times {
		at := s.random.IntN(len(s.bytes))
		if i%4 > 0 {
			at = live[s.random.IntN(len(live))]*4096 + at%4096
		}
		bit := byte(1) << s.random.IntN(8)
		what := fmt.Sprintf("bit %#x of byte %d", bit, at)
		o := s.copy(func(b []byte) []byte { b[at] ^= bit; return b })
		hit := s.hit(int64(at), int64(at)+1)
		j, err := Open(o)
		switch {
		case err == nil:
			_ = j.Close()
			s.readable(o, hit, true, what)
		case !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "journal salvage --from "+o.Path):
			t.Errorf("%s: %v, want ErrDamaged and what to do", what, err)
		default:
			refused++
		}
		s.salvaged(o, hit, what)
	}
	t.Logf("%d of %d were refused", refused, times)
}

// salvaged wants every event that was not hit in the salvaged journal.
func (s *specimen) salvaged(o Options, hit map[uint64]bool, what string) {
	s.t.Helper()
	to := o.Path + ".salvaged"
	report, err := Salvage(o.Path, to)
	if err != nil {
		s.t.Errorf("%s: %v", what, err)
		return
	}
	for _, seq := range report.Missing {
		if !hit[seq] {
			s.t.Errorf("%s: event %d is missing", what, seq)
		}
	}
	if check, err := Check(to); err != nil || !check.Whole() {
		s.t.Errorf("%s: salvaged, Check = %+v, %v", what, check, err)
	}
	o.Path = to
	doubtful := hit
	if report.Stale > 0 {
		doubtful = map[uint64]bool{}
		for seq := range s.content {
			doubtful[seq] = true
		}
		s.kept(o, hit, what)
	}
	s.readable(o, doubtful, false, what+", salvaged")
}

// kept wants the bytes of every event that was not hit, in whatever state.
func (s *specimen) kept(o Options, hit map[uint64]bool, what string) {
	s.t.Helper()
	j, err := Open(o)
	if err != nil {
		s.t.Error(err)
		return
	}
	defer func() { _ = j.Close() }()
	for seq, want := range s.content {
		if got, err := j.Get(seq); !hit[seq] && (err != nil || !reflect.DeepEqual(want.Event, got.Event)) {
			s.t.Errorf("%s: event %d was not salvaged: %v", what, seq, err)
		}
	}
}

// TestTruncatedFileIsRefusedAndSalvaged cuts the file off at many places.
func TestTruncatedFileIsRefusedAndSalvaged(t *testing.T) {
	t.Parallel()
	s := newSpecimen(t, 60)
	m := must(newestMeta(strings.NewReader(string(s.bytes))))
	for _, size := range []int64{0, 1, 4095, 4096, 10_000, m.size() / 2, m.size() - 4096, m.size() - 1} {
		what := fmt.Sprintf("%d of %d bytes", size, m.size())
		o := s.copy(func(b []byte) []byte { return b[:size] })
		if j, err := Open(o); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "journal salvage") {
			t.Errorf("%s: Open = %v, %v, want ErrDamaged", what, j, err)
		}
		s.salvaged(o, s.hit(size, m.size()), what)
	}
}

// TestSectorsOfZeros damages whole sectors, as a disk does.
func TestSectorsOfZeros(t *testing.T) {
	t.Parallel()
	s := newSpecimen(t, 60)
	for at := 0; at < len(s.bytes); at += 3 * 4096 {
		o := s.copy(func(b []byte) []byte { clear(b[at : at+4096]); return b })
		s.salvaged(o, s.hit(int64(at), int64(at)+4096), fmt.Sprintf("zeros at %d", at))
	}
}

// TestDamagedIsNoDuplicate takes an event once more whose bytes have been lost: it may be the only copy.
func TestDamagedIsNoDuplicate(t *testing.T) {
	t.Parallel()
	b := open(t)
	e := entry(reports, "a")
	b.add(e)
	b.close()
	file := must(os.ReadFile(b.options.Path))
	at := bytes.Index(file, e.Event.Body)
	for ; at >= 0; at = bytes.Index(file, e.Event.Body) {
		file[at] ^= 1
	}
	if err := os.WriteFile(b.options.Path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	b.Journal = must(Open(b.options))
	b.appends(e, event.Accepted)
	b.appends(e, event.Duplicate)
	if got := b.get(2); got.State != event.Quarantined || got.Event.Quarantine == "" || !bytes.Equal(got.Event.Body, e.Event.Body) {
		t.Errorf("got %+v, want it in quarantine, byte for byte", got)
	}
}
