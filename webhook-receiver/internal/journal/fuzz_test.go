package journal

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// FuzzRecords wants every decoder to read what was written, and nothing else: no panic, and ErrDamaged for the rest.
func FuzzRecords(f *testing.F) {
	e := entry(reports, "a").Event
	sealed, sum, err := sealEvent(&e)
	if err != nil {
		f.Fatal(err)
	}
	stamp(sealed, kindEvent, 1, sum)
	s := &status{seq: 1, version: 3, state: codeDead, letter: true, due: 5, err: "503"}
	f.Add(sealed, uint64(1))
	f.Add(s.seal(), uint64(1))
	f.Add(seen{seq: 1, id: identity(&e), arrived: 7}.seal(), uint64(1))
	f.Fuzz(func(t *testing.T, b []byte, seq uint64) {
		_, err := openEvent(b, seq, true)
		status, err2 := openStatus(b, seq)
		id, err3 := openSeen(b, seq)
		_, err4 := openRow(b[:min(4, len(b))], b)
		for _, err := range []error{err, err2, err3, err4} {
			if err != nil && !errors.Is(err, ErrDamaged) {
				t.Errorf("%v is not ErrDamaged", err)
			}
		}
		if err2 == nil && !bytes.Equal(status.seal(), b) {
			t.Error("a status is not what it was read from")
		}
		if err3 == nil && !bytes.Equal(id.seal(), b) {
			t.Error("an id is not what it was read from")
		}
	})
}

// FuzzPayloads skips the checksums, which fuzzing would not get past.
func FuzzPayloads(f *testing.F) {
	e := entry(reports, "a").Event
	sealed, _, err := sealEvent(&e)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed[headerSize:], uint64(1))
	f.Add((&status{seq: 1, err: "x"}).seal()[headerSize:], uint64(1))
	f.Fuzz(func(t *testing.T, payload []byte, seq uint64) {
		_, _ = decodeSeen(payload, seq)
		_, _ = decodeStatus(payload, seq)
		got, err := decodeEvent(payload, true)
		if err != nil {
			return
		}
		sealed, sum, err := sealEvent(&got)
		if err != nil {
			return // such as a year beyond 9999
		}
		stamp(sealed, kindEvent, seq, sum)
		again, err := openEvent(sealed, seq, true)
		if err != nil || !bytes.Equal(got.Body, again.Body) || got.ID != again.ID || got.Route != again.Route {
			t.Errorf("%+v became %+v, %v", got, again, err)
		}
	})
}

// FuzzKeys wants keys to sort as what they are made of, and to give it back.
func FuzzKeys(f *testing.F) {
	f.Add(uint32(1), uint64(1), int64(1), uint64(2), int64(1))
	f.Add(uint32(1), uint64(9), int64(1), uint64(2), int64(256))
	f.Fuzz(func(t *testing.T, route uint32, seq1 uint64, due1 int64, seq2 uint64, due2 int64) {
		a := &status{route: route, seq: seq1, due: due1 & math.MaxInt64}
		b := &status{route: route, seq: seq2, due: due2 & math.MaxInt64}
		keys := []uint64{number(dueKey(a)), number(orderKey(a)), number(indexKey(a))}
		if !slices.Equal(keys, []uint64{a.seq, a.seq, a.seq}) || dueTime(dueKey(a)) != a.due {
			t.Errorf("keys of %+v do not give it back", a)
		}
		if a.due < b.due && bytes.Compare(dueKey(a), dueKey(b)) >= 0 {
			t.Errorf("%+v sorts after %+v", a, b)
		}
		if a.seq < b.seq && bytes.Compare(indexKey(a), indexKey(b)) >= 0 {
			t.Errorf("%+v is listed after %+v", a, b)
		}
	})
}

// FuzzSalvageScanner hides a record in anything, where it must be found, unless within another record.
func FuzzSalvageScanner(f *testing.F) {
	record := seal(kindStatus, 7, bytes.Repeat([]byte("x"), 50))
	f.Add([]byte("before"), []byte("after"))
	f.Add(record[:20], record[3:])
	f.Add(magic[:], record)
	f.Add(bytes.Repeat([]byte{0}, scanWindow-2), []byte{})
	f.Fuzz(func(t *testing.T, before, after []byte) {
		file := append(append(bytes.Clone(before), record...), after...)
		found, covered := false, false
		sc := &scanner{
			file: bytes.NewReader(file), size: int64(len(file)), broken: func(header, int64) {},
			whole: func(h header, at int64, payload []byte) {
				found = found || at == int64(len(before)) && h.seq == 7 && len(payload) == 50
				covered = covered || at < int64(len(before)) && at+headerSize+int64(h.length) > int64(len(before))
			},
		}
		sc.run()
		if !found && !covered {
			t.Error("the record was not found")
		}
	})
}

// FuzzTree proves files of random bytes: no panic, and an error that says so.
func FuzzTree(f *testing.F) {
	b := open(f)
	b.appends(event.Entry{State: event.Stored, Event: entry(reports, "a").Event}, event.Accepted)
	file := make([]byte, 0)
	if err := b.view(readAll(&file)); err != nil {
		f.Fatal(err)
	}
	f.Add(file, 3, byte(1))
	f.Add(file, 4096*3+16, byte(0xff))
	f.Fuzz(func(t *testing.T, file []byte, at int, x byte) {
		file = bytes.Clone(file)
		if len(file) > 0 {
			file[uint(at)%uint(len(file))] ^= x
		}
		sound := prove(bytes.NewReader(file), int64(len(file)), nil) == nil
		l := whatLives(bytes.NewReader(file), int64(len(file)))
		if sound && (l.all || len(l.lost) > 0) {
			t.Errorf("the tree is sound, and yet lost %+v", l.lost)
		}
	})
}
