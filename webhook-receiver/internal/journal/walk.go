package journal

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
)

// walk reads a bbolt tree page by page, trusting none.
type walk struct {
	file io.ReaderAt
	meta boltMeta
	seen []uint64 // bitmap of the pages reached
	// lost is called with what is wrong and the keys of a bucket that are lost by it, from lo on and below hi; nil is
	// no bound. Its error ends the walk.
	lost func(bucket string, lo, hi []byte, err error) error
	// leaf is called for each leaf page of a bucket, unless nil.
	leaf func(bucket string, offset, size int64)
	// ahead is told which pages will be read next, unless nil.
	ahead func(offset, size int64)
}

func newWalk(file io.ReaderAt, m boltMeta) *walk {
	return &walk{file: file, meta: m, seen: make([]uint64, m.high/64+1)}
}

// prove walks the whole tree of an open file and returns what is wrong with it.
func prove(file io.ReaderAt, size int64, ahead func(offset, size int64)) error {
	m, err := newestMeta(file)
	if err != nil {
		return err
	}
	if size < m.size() {
		return fmt.Errorf("%w: it was truncated: %d of %d bytes are there", ErrDamaged, size, m.size())
	}
	w := newWalk(file, m)
	w.ahead = ahead
	w.lost = func(_ string, _, _ []byte, err error) error { return err }
	if err := w.tree("", m.root, nil, nil); err != nil {
		return err
	}
	return w.freelist()
}

// claim notes that a page is in use; each may be in one place only.
func (w *walk) claim(p *page) error {
	for id := p.id; id <= p.id+p.overflow; id++ {
		if w.used(id) {
			return fmt.Errorf("%w: page %d is in two places", ErrDamaged, id)
		}
		w.seen[id/64] |= 1 << (id % 64)
	}
	return nil
}

func (w *walk) used(id uint64) bool { return w.seen[id/64]&(1<<(id%64)) != 0 }

// tree walks a page and all below, whose keys are from lo on and below hi.
func (w *walk) tree(bucket string, id uint64, lo, hi []byte) error {
	p, err := readPage(w.file, w.meta, id)
	if err == nil {
		err = w.claim(p)
	}
	if err != nil {
		return w.lost(bucket, lo, hi, err)
	}
	return w.page(bucket, p, lo, hi)
}

// page walks a page that has been read.
func (w *walk) page(bucket string, p *page, lo, hi []byte) error {
	elements, err := w.elements(p, lo, hi)
	if err != nil {
		return w.lost(bucket, lo, hi, err)
	}
	if p.flags == leafPage {
		return w.leaves(bucket, p, elements)
	}
	return w.branches(bucket, elements, hi)
}

// branches walks the pages that a branch page refers to.
func (w *walk) branches(bucket string, elements []element, hi []byte) error {
	if w.ahead != nil {
		for _, e := range elements {
			w.ahead(int64(e.child)*w.meta.pageSize, w.meta.pageSize)
		}
	}
	for i, e := range elements {
		below := hi
		if i+1 < len(elements) {
			below = elements[i+1].key
		}
		if err := w.tree(bucket, e.child, e.key, below); err != nil {
			return err
		}
	}
	return nil
}

// elements reads all elements of a page and proves their order.
func (w *walk) elements(p *page, lo, hi []byte) ([]element, error) {
	if p.flags != leafPage && (p.flags != branchPage || p.count == 0) {
		return nil, fmt.Errorf("%w: page %d is of no kind that can be there", ErrDamaged, p.id)
	}
	elements := make([]element, p.count)
	for i := range elements {
		e, err := p.element(i)
		if err != nil {
			return nil, err
		}
		switch {
		case i > 0 && bytes.Compare(elements[i-1].key, e.key) >= 0,
			hi != nil && bytes.Compare(e.key, hi) >= 0,
			lo != nil && bytes.Compare(e.key, lo) < 0:
			return nil, fmt.Errorf("%w: the keys of page %d are not in order", ErrDamaged, p.id)
		}
		elements[i] = e
	}
	return elements, nil
}

// leaves walks the buckets in a leaf page of the root, and reports other leaf pages.
func (w *walk) leaves(bucket string, p *page, elements []element) error {
	if w.leaf != nil && bucket != "" {
		w.leaf(bucket, p.offset, p.size)
	}
	for _, e := range elements {
		if (e.flags&bucketLeaf != 0) != (bucket == "") {
			if err := w.lost(bucket, e.key, nil, fmt.Errorf("%w: page %d has a bucket where none can be", ErrDamaged, p.id)); err != nil {
				return err
			}
			continue
		}
		if bucket != "" {
			continue
		}
		if err := w.bucket(p, e); err != nil {
			return err
		}
	}
	return nil
}

// bucket walks the bucket that a leaf element is: its root page, or the page within the element.
func (w *walk) bucket(p *page, e element) error {
	name := string(e.key)
	value, err := p.bytes(e.at, e.length)
	if err == nil && len(value) < 16 {
		err = fmt.Errorf("%w: bucket %q has no root", ErrDamaged, name)
	}
	if err != nil {
		return w.lost(name, nil, nil, err)
	}
	if root := binary.NativeEndian.Uint64(value); root != 0 {
		return w.tree(name, root, nil, nil)
	}
	inline := value[16:]
	if len(inline) < pageHeader {
		return w.lost(name, nil, nil, fmt.Errorf("%w: bucket %q has no page", ErrDamaged, name))
	}
	ne := binary.NativeEndian
	in := &page{
		id: p.id, flags: ne.Uint16(inline[8:]), count: int(ne.Uint16(inline[10:])),
		offset: p.offset + e.at + 16, first: inline, size: int64(len(inline)),
	}
	if in.flags != leafPage {
		return w.lost(name, nil, nil, fmt.Errorf("%w: bucket %q has a page of no kind that can be there", ErrDamaged, name))
	}
	return w.page(name, in, nil, nil)
}

// freelist proves that no page is both free and in use: bbolt would write over it.
func (w *walk) freelist() error {
	if w.meta.freelist == noFreelist {
		return nil
	}
	p, err := readPage(w.file, w.meta, w.meta.freelist)
	if err != nil {
		return err
	}
	if p.flags != freelistPage {
		return fmt.Errorf("%w: page %d should be the list of free pages", ErrDamaged, p.id)
	}
	if err := w.claim(p); err != nil {
		return err
	}
	b, err := p.freeIDs()
	if err != nil {
		return err
	}
	for ; len(b) > 0; b = b[8:] {
		id := binary.NativeEndian.Uint64(b)
		if id < 2 || id >= w.meta.high || w.used(id) {
			return fmt.Errorf("%w: page %d is free and in use", ErrDamaged, id)
		}
	}
	return nil
}
