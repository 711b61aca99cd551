package journal

import (
	"bytes"
	"io"
)

// scanner finds sealed records in the bytes of a file, whatever else they are.
type scanner struct {
	file io.ReaderAt
	size int64
	// whole is called with a record that fits its checksums; payload is the callee's.
	whole func(h header, offset int64, payload []byte)
	// broken is called with a record of which only the header does.
	broken func(h header, offset int64)
	// unreadable counts the bytes that the disk did not give back.
	unreadable int64
}

const (
	scanWindow = 1 << 20
	scanSector = 4096
)

// run reads the file once. Within a whole record it looks for no other: a body may hold anything.
func (s *scanner) run() {
	for at := int64(0); at+headerSize <= s.size; {
		window := s.read(at)
		next := at + int64(len(window))
		if next < s.size {
			next -= int64(len(magic) - 1) // it may begin here and end in the next window
		}
		for from := int64(0); ; {
			i := bytes.Index(window[min(from, int64(len(window))):], magic[:])
			if i < 0 {
				break
			}
			from += int64(i)
			from += s.record(at + from)
			next = max(next, at+from)
		}
		at = next
	}
}

// read returns the window at an offset, with zeros for what cannot be read.
func (s *scanner) read(at int64) []byte {
	b := make([]byte, min(scanWindow, s.size-at))
	if _, err := s.file.ReadAt(b, at); err == nil {
		return b
	}
	for i := 0; i < len(b); i += scanSector {
		sector := b[i:min(i+scanSector, len(b))]
		if _, err := s.file.ReadAt(sector, at+int64(i)); err != nil {
			clear(sector)
			s.unreadable += int64(len(sector))
		}
	}
	return b
}

// record reports the record at an offset and returns where to go on, from there.
func (s *scanner) record(offset int64) int64 {
	const next = int64(len(magic))
	b := make([]byte, headerSize)
	if _, err := s.file.ReadAt(b, offset); err != nil {
		return next
	}
	h, err := readHeader(b)
	if err != nil {
		return next
	}
	if offset+headerSize+int64(h.length) > s.size {
		s.broken(h, offset)
		return next
	}
	payload := make([]byte, h.length)
	if _, err := s.file.ReadAt(payload, offset+headerSize); err != nil || checksum(payload) != h.sum {
		s.broken(h, offset)
		return next
	}
	s.whole(h, offset, payload)
	return headerSize + int64(h.length)
}
