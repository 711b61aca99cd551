package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// ErrDamaged means that bytes of the file are not what was written. What to do about it is in docs/durability.md.
var ErrDamaged = errors.New("the journal is damaged")

// Everything that cannot be computed anew is stored sealed: with a header by which it is found and proved
// without the B-tree around it.
//
//	0  magic, 4 bytes
//	4  kind, 1 byte
//	5  version of the format, 1 byte
//	6  zero, 2 bytes
//	8  seq, 8 bytes (numbers are big endian)
//	16 length of what follows the header, 4 bytes
//	20 CRC-32C of what follows the header
//	24 CRC-32C of bytes 0 to 23
const (
	headerSize    = 28
	formatVersion = 1
	// maxSealed bounds what a damaged length can make a reader allocate; bodies are bounded far below it.
	maxSealed = 256 << 20
)

// kind says what is sealed.
type kind byte

const (
	kindEvent  kind = 1
	kindStatus kind = 2
	kindID     kind = 3
	kindRoute  kind = 4
)

var (
	magic      = [4]byte{0xE5, 'S', 'j', 0x1E}
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// header is what stands before a sealed payload.
type header struct {
	kind   kind
	seq    uint64
	length uint32
	sum    uint32 // of the payload
}

func (h header) put(b []byte) {
	copy(b, magic[:])
	b[4], b[5], b[6], b[7] = byte(h.kind), formatVersion, 0, 0
	binary.BigEndian.PutUint64(b[8:], h.seq)
	binary.BigEndian.PutUint32(b[16:], h.length)
	binary.BigEndian.PutUint32(b[20:], h.sum)
	binary.BigEndian.PutUint32(b[24:], checksum(b[:24]))
}

// readHeader reads and proves a header.
func readHeader(b []byte) (header, error) {
	if len(b) < headerSize {
		return header{}, fmt.Errorf("%w: a record of %d bytes", ErrDamaged, len(b))
	}
	if !bytes.Equal(b[:4], magic[:]) || binary.BigEndian.Uint32(b[24:]) != checksum(b[:24]) {
		return header{}, fmt.Errorf("%w: a record without a valid header", ErrDamaged)
	}
	if b[5] != formatVersion {
		return header{}, fmt.Errorf("%w: a record of format %d, which this version does not know", ErrDamaged, b[5])
	}
	h := header{
		kind: kind(b[4]), seq: binary.BigEndian.Uint64(b[8:]),
		length: binary.BigEndian.Uint32(b[16:]), sum: binary.BigEndian.Uint32(b[20:]),
	}
	if h.length > maxSealed {
		return header{}, fmt.Errorf("%w: a record of %d bytes", ErrDamaged, h.length)
	}
	return h, nil
}

// seal returns the payload with its header before it.
func seal(k kind, seq uint64, payload []byte) []byte {
	b := make([]byte, headerSize+len(payload))
	copy(b[headerSize:], payload)
	stamp(b, k, seq, checksum(payload))
	return b
}

// stamp writes the header of a sealed record whose payload is in place and has that checksum.
func stamp(b []byte, k kind, seq uint64, sum uint32) {
	header{kind: k, seq: seq, length: uint32(len(b) - headerSize), sum: sum}.put(b)
}

// unseal proves a sealed record and returns its payload, which shares b's memory.
func unseal(b []byte, k kind, seq uint64) ([]byte, error) {
	h, err := readHeader(b)
	if err != nil {
		return nil, err
	}
	if h.kind != k || h.seq != seq || int(h.length) != len(b)-headerSize {
		return nil, fmt.Errorf("%w: a record that is not the one looked for", ErrDamaged)
	}
	payload := b[headerSize:]
	if checksum(payload) != h.sum {
		return nil, fmt.Errorf("%w: the bytes of a record do not fit their checksum", ErrDamaged)
	}
	return payload, nil
}
