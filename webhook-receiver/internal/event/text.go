package event

import (
	"strings"
	"unicode/utf8"
)

// maxText is how many bytes of one value become an attribute. In HTTP every attribute is a header, and common
// proxies take 8 KiB of them; the longest value in Concur's samples has 64 bytes.
const maxText = 512

// AttributeValue returns s as the CloudEvents type String: without control characters, noncharacters and what
// stands for a lone surrogate or a broken byte (decoders make U+FFFD of these), without spaces around it, and at
// most 512 bytes long.
func AttributeValue(s string) string {
	s = strings.TrimSpace(strings.Map(legal, s))
	if len(s) <= maxText {
		return s
	}
	end := maxText
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return strings.TrimSpace(s[:end])
}

// legal drops what CloudEvents, "Type System", forbids in a String.
func legal(r rune) rune {
	switch {
	case r < 0x20, 0x7f <= r && r <= 0x9f, r == utf8.RuneError:
		return -1
	case 0xfdd0 <= r && r <= 0xfdef, r&0xfffe == 0xfffe:
		return -1
	}
	return r
}
