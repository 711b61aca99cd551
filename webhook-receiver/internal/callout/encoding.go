package callout

import (
	"bytes"
	"encoding/binary"
	"errors"
	"mime"
	"regexp"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// Why a text cannot be read.
var (
	errCharset           = errors.New("the body is in an encoding that is not read; UTF-8, UTF-16, ISO-8859-1 and windows-1252 are")
	errUTF8              = errors.New("the body is not valid UTF-8")
	errUTF16             = errors.New("the body is not valid UTF-16")
	errByteOrder         = errors.New("the body is called UTF-16, but has no byte order mark")
	errUnclosed          = errors.New("the XML declaration has no end")
	errSecondDeclaration = errors.New("there is an XML declaration after the beginning")
)

// maxDeclaration bounds the XML declaration; Concur's has 39 bytes.
const maxDeclaration = 256

// charset is an encoding by what it takes to read it.
type charset int

const (
	unknown charset = iota
	utf8Bytes
	utf16LittleEndian
	utf16BigEndian
	utf16Any // says nothing without a byte order mark
	windows1252
)

// charsets are the names that encodings are called by, in lower case.
var charsets = map[string]charset{
	"utf-8":        utf8Bytes,
	"utf8":         utf8Bytes,
	"us-ascii":     utf8Bytes, // a part of it
	"ascii":        utf8Bytes,
	"utf-16":       utf16Any,
	"unicode":      utf16Any, // what .NET calls it
	"utf-16le":     utf16LittleEndian,
	"utf-16be":     utf16BigEndian,
	"iso-8859-1":   windows1252, // as the Encoding Standard (WHATWG) has it
	"latin1":       windows1252,
	"windows-1252": windows1252,
	"cp1252":       windows1252,
}

// signatures are how bodies begin whose encoding is beyond doubt: byte order marks, which are no part of the text,
// and "<" in UTF-16. Those that begin with another one come first.
var signatures = []struct {
	bytes string
	mark  bool
	is    charset
}{
	{"\xff\xfe\x00\x00", true, unknown}, // UTF-32
	{"\x00\x00\xfe\xff", true, unknown},
	{"\xef\xbb\xbf", true, utf8Bytes},
	{"\xff\xfe", true, utf16LittleEndian},
	{"\xfe\xff", true, utf16BigEndian},
	{"<\x00\x00\x00", false, unknown},
	{"<\x00", false, utf16LittleEndian},
	{"\x00<", false, utf16BigEndian},
}

// encodingName finds the encoding in an XML declaration.
var encodingName = regexp.MustCompile(`encoding\s*=\s*["']([A-Za-z0-9._-]+)["']`)

// decode returns body as UTF-8, without byte order mark and XML declaration.
func decode(body []byte, contentType string) ([]byte, error) {
	is, text, sure := detect(body)
	if !sure {
		is = claimed(text, contentType)
	}
	text, err := transcode(text, is)
	if err != nil {
		return nil, err
	}
	text = trimLeft(text)
	first, err := declaration(text)
	return text[len(first):], err
}

// trimLeft takes off what XML does not allow before a declaration, and people put there all the same.
func trimLeft(text []byte) []byte { return bytes.TrimLeft(text, " \t\r\n") }

// detect looks for a signature, and returns what follows the byte order mark.
func detect(body []byte) (is charset, text []byte, sure bool) {
	for _, s := range signatures {
		if !bytes.HasPrefix(body, []byte(s.bytes)) {
			continue
		}
		if s.mark {
			body = body[len(s.bytes):]
		}
		return s.is, body, true
	}
	return unknown, body, false
}

// claimed returns the encoding that the Content-Type or else the XML declaration names.
func claimed(text []byte, contentType string) charset {
	name := "utf-8"
	_, parameters, err := mime.ParseMediaType(contentType)
	first, _ := declaration(trimLeft(text)) // decode reports the error
	if err == nil && parameters["charset"] != "" {
		name = parameters["charset"]
	} else if found := encodingName.FindSubmatch(first); found != nil {
		name = string(found[1])
	}
	is := charsets[strings.ToLower(name)]
	if is.wide() && !bytes.ContainsRune(text, 0) {
		return utf8Bytes // every tag in UTF-16 has zero bytes, so this is not
	}
	return is
}

func (c charset) wide() bool {
	return c == utf16LittleEndian || c == utf16BigEndian || c == utf16Any
}

// declaration returns the XML declaration at the beginning of text, which must be readable as ASCII as far as that
// goes; nothing when there is none.
func declaration(text []byte) ([]byte, error) {
	const start, end = "<?xml", "?>"
	rest, found := bytes.CutPrefix(text, []byte(start))
	if !found || len(rest) > 0 && isName(rest[0]) { // such as <?xml-stylesheet
		return nil, nil
	}
	length := bytes.Index(text[:min(len(text), maxDeclaration)], []byte(end))
	if length < 0 {
		return nil, errUnclosed
	}
	return text[:length+len(end)], nil
}

// isName tells what continues a name. All beyond ASCII does not: that is the no-break space of Concur's page.
func isName(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' || strings.IndexByte("-._:", b) >= 0
}

// transcode returns text as UTF-8.
func transcode(text []byte, is charset) ([]byte, error) {
	switch is {
	case utf8Bytes:
		if !utf8.Valid(text) {
			return nil, errUTF8
		}
		return text, nil
	case utf16LittleEndian:
		return fromUTF16(text, binary.LittleEndian)
	case utf16BigEndian:
		return fromUTF16(text, binary.BigEndian)
	case utf16Any:
		return nil, errByteOrder
	case windows1252:
		return charmap.Windows1252.NewDecoder().Bytes(text)
	}
	return nil, errCharset
}

// fromUTF16 is strict, where the decoder of golang.org/x/text would put U+FFFD for what is wrong.
func fromUTF16(text []byte, order binary.ByteOrder) ([]byte, error) {
	if len(text)%2 != 0 {
		return nil, errUTF16
	}
	units := make([]uint16, 0, len(text)/2+1)
	for ; len(text) > 0; text = text[2:] {
		units = append(units, order.Uint16(text))
	}
	units = append(units, 0) // for a high surrogate at the end
	decoded := make([]byte, 0, len(units))
	for i := 0; i < len(units)-1; i++ {
		r := rune(units[i])
		if utf16.IsSurrogate(r) {
			i++
			if r = utf16.DecodeRune(r, rune(units[i])); r == utf8.RuneError {
				return nil, errUTF16
			}
		}
		decoded = utf8.AppendRune(decoded, r)
	}
	return decoded, nil
}
