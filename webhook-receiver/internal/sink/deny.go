package sink

import (
	"context"
	"fmt"
	"net/netip"
	"syscall"
)

// denyList holds where no sink may be.
type denyList []netip.Prefix

// newDenyList brings prefixes into the form that addresses are compared in.
func newDenyList(prefixes []netip.Prefix) denyList {
	list := make(denyList, 0, len(prefixes))
	for _, p := range prefixes {
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		list = append(list, p.Masked())
	}
	return list
}

// control is called for each address after it was looked up and before it is dialled (net.Dialer.ControlContext).
func (d denyList) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("reading the address to dial: %w", err)
	}
	if p, found := d.covering(at.Addr()); found {
		return &DeniedError{Address: at.Addr(), Prefix: p}
	}
	return nil
}

func (d denyList) covering(a netip.Addr) (netip.Prefix, bool) {
	for _, face := range faces(a) {
		for _, p := range d {
			if p.Contains(face) {
				return p, true
			}
		}
	}
	return netip.Prefix{}, false
}

// The IPv6 ranges whose addresses hold an IPv4 address, and where in its bytes.
var embedding = []struct {
	prefix netip.Prefix
	at     int
}{
	{netip.MustParsePrefix("64:ff9b::/96"), 12},    // NAT64, RFC 6052
	{netip.MustParsePrefix("64:ff9b:1::/48"), 12},  // NAT64 of one's own, RFC 8215, with a /96 within it
	{netip.MustParsePrefix("2002::/16"), 2},        // 6to4, RFC 3056
	{netip.MustParsePrefix("::/96"), 12},           // IPv4-compatible, RFC 4291
	{netip.MustParsePrefix("::ffff:0:0:0/96"), 12}, // IPv4-translated, RFC 7915
}

// faces returns all addresses at which dialling a may arrive: itself, the IPv4 address within it, and the
// loopback addresses for the unspecified ones, which is where Linux takes these.
func faces(a netip.Addr) []netip.Addr {
	a = a.WithZone("").Unmap()
	if a.IsUnspecified() {
		return []netip.Addr{a, netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}
	}
	all := []netip.Addr{a}
	if a.Is4() {
		return all
	}
	for _, e := range embedding {
		if e.prefix.Contains(a) {
			b := a.As16()
			inner := netip.AddrFrom4([4]byte(b[e.at : e.at+4]))
			all = append(all, inner)
			if inner.IsUnspecified() {
				all = append(all, netip.AddrFrom4([4]byte{127, 0, 0, 1}))
			}
		}
	}
	return all
}
