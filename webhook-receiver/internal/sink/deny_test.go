package sink

import (
	"errors"
	"net/netip"
	"testing"
)

func TestDenyListSeesThroughAddresses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason  string
		deny    string
		address string
		denied  bool
	}{
		"Plain":            {"The simple case.", "127.0.0.0/8", "127.1.2.3:80", true},
		"Outside":          {"Others are free.", "127.0.0.0/8", "10.0.0.1:80", false},
		"Edge":             {"The last address of a range is in it.", "169.254.0.0/16", "169.254.255.255:80", true},
		"BehindTheEdge":    {"The next is not.", "169.254.0.0/16", "169.255.0.0:80", false},
		"IPv6":             {"Loopback of IPv6.", "::1/128", "[::1]:80", true},
		"Mapped":           {"Dialling a mapped address is dialling IPv4.", "127.0.0.0/8", "[::ffff:127.0.0.1]:80", true},
		"MappedHex":        {"Whatever its spelling.", "169.254.0.0/16", "[::ffff:a9fe:a9fe]:80", true},
		"MappedSetting":    {"A setting may be mapped as well.", "::ffff:127.0.0.0/104", "127.0.0.1:80", true},
		"NAT64":            {"A gateway would go to the address within.", "169.254.0.0/16", "[64:ff9b::169.254.169.254]:80", true},
		"NAT64Free":        {"Others may be reached through it.", "169.254.0.0/16", "[64:ff9b::8.8.8.8]:80", false},
		"LocalNAT64":       {"The prefix for one's own use.", "10.0.0.0/8", "[64:ff9b:1::10.1.2.3]:80", true},
		"SixToFour":        {"So would a relay.", "10.0.0.0/8", "[2002:0a01:0203::1]:80", true},
		"Translated":       {"A translator without state takes this form.", "169.254.0.0/16", "[::ffff:0:169.254.169.254]:80", true},
		"Compatible":       {"A form of old, which some kernels still take.", "127.0.0.0/8", "[::127.0.0.1]:80", true},
		"Unspecified":      {"Linux goes to itself.", "127.0.0.0/8", "0.0.0.0:80", true},
		"UnspecifiedIPv6":  {"Here as well.", "::1/128", "[::]:80", true},
		"UnspecifiedOther": {"And to the loopback of the other family.", "127.0.0.0/8", "[::]:80", true},
		"UnspecifiedNAT64": {"Hidden deeper.", "127.0.0.0/8", "[64:ff9b::0.0.0.0]:80", true},
		"Zone":             {"A zone says through which interface, not where to.", "fe80::/10", "[fe80::1%eth0]:80", true},
		"HostBits":         {"A setting with bits of a host means its range.", "10.1.2.3/8", "10.9.9.9:80", true},
		"NothingDenied":    {"An empty list denies nothing.", "", "127.0.0.1:80", false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var prefixes []netip.Prefix
			if tc.deny != "" {
				prefixes = append(prefixes, netip.MustParsePrefix(tc.deny))
			}
			err := newDenyList(prefixes).control(t.Context(), "tcp", tc.address, nil)
			if denied := errors.As(err, new(*DeniedError)); denied != tc.denied {
				t.Errorf("%s: got %v, want denied: %t", tc.reason, err, tc.denied)
			}
		})
	}
}

func TestWhatIsNoAddressIsNotDialled(t *testing.T) {
	t.Parallel()
	if err := newDenyList(nil).control(t.Context(), "tcp", "no address", nil); err == nil {
		t.Error("got no error: what cannot be checked must not be dialled")
	}
}

func FuzzDenyList(f *testing.F) {
	for _, seed := range []string{"127.0.0.1:80", "[::ffff:127.0.0.1]:80", "[fe80::1%a]:1", "[64:ff9b::7f00:1]:80", "x"} {
		f.Add(seed)
	}
	everything := newDenyList([]netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")})
	f.Fuzz(func(t *testing.T, address string) {
		if err := everything.control(t.Context(), "tcp", address, nil); err == nil {
			t.Errorf("%s gets around a list that denies everything", address)
		}
	})
}
