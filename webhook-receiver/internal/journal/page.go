package journal

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
)

// What bbolt writes, as far as a reader needs it who cannot trust it. Numbers are in the byte order of the machine.
const (
	pageHeader  = 16
	elementSize = 16

	branchPage   = 0x01
	leafPage     = 0x02
	metaPage     = 0x04
	freelistPage = 0x10

	bucketLeaf = 0x01 // flag of a leaf element whose value is a bucket

	boltMagic   = 0xED0CDAED
	boltVersion = 2
	noFreelist  = 1<<64 - 1

	maxPageSize = 64 << 10
)

// boltMeta is what a meta page says.
type boltMeta struct {
	pageSize int64
	root     uint64
	freelist uint64
	high     uint64 // all pages are below
	txid     uint64
}

// size is how long the file must be.
func (m boltMeta) size() int64 { return int64(m.high) * m.pageSize }

// readMeta reads a meta page without its header.
func readMeta(b []byte) (boltMeta, bool) {
	ne := binary.NativeEndian
	sum := fnv.New64a()
	_, _ = sum.Write(b[:56])
	if ne.Uint32(b) != boltMagic || ne.Uint32(b[4:]) != boltVersion || ne.Uint64(b[56:]) != sum.Sum64() {
		return boltMeta{}, false
	}
	m := boltMeta{
		pageSize: int64(ne.Uint32(b[8:])), root: ne.Uint64(b[16:]), freelist: ne.Uint64(b[32:]),
		high: ne.Uint64(b[40:]), txid: ne.Uint64(b[48:]),
	}
	return m, m.pageSize >= 1024 && m.pageSize <= maxPageSize && m.pageSize&(m.pageSize-1) == 0 && m.high < 1<<40
}

// newestMeta finds the meta page that counts. bbolt takes the older one when the newer is invalid, and so loses the
// last transaction without a word; here both must be valid, and of transactions that follow each other. A crash
// cannot leave anything else, since what counts in a meta page lies in one sector.
func newestMeta(r io.ReaderAt) (boltMeta, error) {
	var best boltMeta
	var found []uint64
	for offset := int64(0); offset <= maxPageSize; offset = max(1024, 2*offset) {
		b := make([]byte, pageHeader+64)
		if _, err := r.ReadAt(b, offset); err != nil {
			continue
		}
		m, ok := readMeta(b[pageHeader:])
		if !ok || offset != 0 && offset != m.pageSize {
			continue
		}
		found = append(found, m.txid)
		if m.txid >= best.txid {
			best = m
		}
	}
	if len(found) != 2 {
		return best, fmt.Errorf("%w: %d of its two meta pages are valid", ErrDamaged, len(found))
	}
	if found[0] != found[1]+1 && found[1] != found[0]+1 {
		return best, fmt.Errorf("%w: its two meta pages are of transactions %d and %d", ErrDamaged, found[0], found[1])
	}
	return best, nil
}

// page is a page of the tree that was read from the file.
type page struct {
	id       uint64
	flags    uint16
	count    int
	overflow uint64 // pages that follow and belong to it
	offset   int64  // in the file
	first    []byte // its first page
	file     io.ReaderAt
	size     int64 // of all its pages
}

func readPage(file io.ReaderAt, m boltMeta, id uint64) (*page, error) {
	if id < 2 || id >= m.high {
		return nil, fmt.Errorf("%w: it refers to page %d of %d", ErrDamaged, id, m.high)
	}
	b := make([]byte, m.pageSize)
	p := &page{id: id, offset: int64(id) * m.pageSize, first: b, file: file}
	if _, err := file.ReadAt(b, p.offset); err != nil {
		return nil, fmt.Errorf("reading page %d: %w", id, err)
	}
	ne := binary.NativeEndian
	p.flags, p.count, p.overflow = ne.Uint16(b[8:]), int(ne.Uint16(b[10:])), uint64(ne.Uint32(b[12:]))
	if ne.Uint64(b) != id || id+p.overflow >= m.high {
		return nil, fmt.Errorf("%w: page %d is not what it should be", ErrDamaged, id)
	}
	p.size = int64(p.overflow+1) * m.pageSize
	return p, nil
}

// bytes returns n bytes of the page at an offset in it.
func (p *page) bytes(offset, n int64) ([]byte, error) {
	if offset < 0 || n < 0 || offset+n > p.size {
		return nil, fmt.Errorf("%w: page %d has an element outside of itself", ErrDamaged, p.id)
	}
	if offset+n <= int64(len(p.first)) {
		return p.first[offset : offset+n], nil
	}
	if p.file == nil {
		return nil, fmt.Errorf("%w: page %d has an element outside of itself", ErrDamaged, p.id)
	}
	b := make([]byte, n)
	if _, err := p.file.ReadAt(b, p.offset+offset); err != nil {
		return nil, fmt.Errorf("reading page %d: %w", p.id, err)
	}
	return b, nil
}

// element is one of a branch or leaf page.
type element struct {
	flags  uint32 // of a leaf
	child  uint64 // of a branch
	key    []byte
	at     int64 // where the value of a leaf element lies, in the page
	length int64 // and how long it is
}

func (p *page) element(i int) (element, error) {
	at := int64(pageHeader + i*elementSize)
	b, err := p.bytes(at, elementSize)
	if err != nil {
		return element{}, err
	}
	ne := binary.NativeEndian
	if p.flags == branchPage {
		key, err := p.bytes(at+int64(ne.Uint32(b)), int64(ne.Uint32(b[4:])))
		return element{child: ne.Uint64(b[8:]), key: key}, err
	}
	pos, keySize, size := int64(ne.Uint32(b[4:])), int64(ne.Uint32(b[8:])), int64(ne.Uint32(b[12:]))
	e := element{flags: ne.Uint32(b), at: at + pos + keySize, length: size}
	if e.at+size > p.size || pos < elementSize {
		return element{}, fmt.Errorf("%w: page %d has an element outside of itself", ErrDamaged, p.id)
	}
	e.key, err = p.bytes(at+pos, keySize)
	return e, err
}

// freeIDs are the numbers in a list of free pages, 8 bytes each.
func (p *page) freeIDs() ([]byte, error) {
	at, count := int64(pageHeader), int64(p.count)
	if p.count == 0xFFFF { // the first number is the count
		b, err := p.bytes(at, 8)
		if err != nil {
			return nil, err
		}
		at, count = at+8, int64(binary.NativeEndian.Uint64(b))
	}
	if count < 0 || count > p.size/8 {
		return nil, fmt.Errorf("%w: the list of free pages has %d", ErrDamaged, count)
	}
	return p.bytes(at, count*8)
}
