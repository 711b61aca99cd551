package callout

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// utf16Of encodes s without byte order mark.
func utf16Of(s string, little bool) []byte {
	var encoded []byte
	for _, unit := range utf16.Encode([]rune(s)) {
		pair := []byte{byte(unit >> 8), byte(unit)}
		if little {
			slices.Reverse(pair)
		}
		encoded = append(encoded, pair...)
	}
	return encoded
}

// called is a notification whose context is "Zoë €😀", after a declaration of the given encoding, if any.
func called(encoding string) string {
	declaration := ""
	if encoding != "" {
		declaration = `<?xml version="1.0" encoding="` + encoding + `"?>`
	}
	return with(declaration, "<Context>Zoë €😀</Context>", "")
}

func windows(t *testing.T, s string) string {
	t.Helper()
	encoded, err := charmap.Windows1252.NewEncoder().String(strings.ReplaceAll(s, "😀", ""))
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

type encodingCase struct {
	reason      string
	body        string
	contentType string
	want        string // the context; by default "Zoë €😀"
	refused     error
}

func TestEncodingsAreTold(t *testing.T) {
	t.Parallel()
	tests := marked()
	for name, tc := range named(t) {
		tests[name] = tc
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := read([]byte(tc.body), tc.contentType)
			if !errors.Is(err, tc.refused) {
				t.Fatalf("error %v, want %v: %s", err, tc.refused, tc.reason)
			}
			want := tc.want
			if want == "" {
				want = "Zoë €😀"
			}
			if err == nil && got[context] != want {
				t.Errorf("context %q, want %q: %s", got[context], want, tc.reason)
			}
		})
	}
}

// marked are bodies whose first bytes tell their encoding.
func marked() map[string]encodingCase {
	little, big := string(utf16Of(called("utf-16"), true)), string(utf16Of(called("utf-16"), false))
	return map[string]encodingCase{
		"UTF8":             {reason: "The default.", body: called("")},
		"UTF8Declared":     {reason: "As Concur's samples are.", body: called("utf-8")},
		"UTF8Mark":         {reason: "What .NET writes.", body: "\xef\xbb\xbf" + called("utf-8")},
		"UTF16Little":      {reason: "The mark tells.", body: "\xff\xfe" + little},
		"UTF16Big":         {reason: "The mark tells.", body: "\xfe\xff" + big},
		"UTF16LittleBare":  {reason: "A document begins with <, so its zero byte tells.", body: little},
		"UTF16BigBare":     {reason: "As above.", body: big},
		"MarkBeatsCharset": {reason: "RFC 7303, section 3.", body: "\xff\xfe" + little, contentType: "text/xml; charset=utf-8"},
		"MarkBeatsDeclaration": {
			reason: "A string that was declared before it was encoded.",
			body:   "\xff\xfe" + string(utf16Of(called("utf-8"), true)),
		},
		"UTF16Odd":        {reason: "Half a character.", body: "\xff\xfe" + little + "\x00", refused: errUTF16},
		"UTF16Lone":       {reason: "Half a pair.", body: "\xff\xfe\x3c\x00\x00\xd8\x3e\x00", refused: errUTF16},
		"UTF16LoneAtEnd":  {reason: "Half a pair.", body: "\xff\xfe\x3c\x00\x00\xd8", refused: errUTF16},
		"UTF16Reversed":   {reason: "Low before high.", body: "\xff\xfe\x3c\x00\x00\xdc\x00\xd8", refused: errUTF16},
		"UTF32Little":     {reason: "Nobody writes it; its mark begins like that of UTF-16.", body: "\xff\xfe\x00\x00<\x00\x00\x00", refused: errCharset},
		"UTF32LittleBare": {reason: "As above.", body: "<\x00\x00\x00", refused: errCharset},
		"UTF32Big":        {reason: "As above.", body: "\x00\x00\xfe\xff\x00\x00\x00<", refused: errCharset},
	}
}

// named are bodies whose encoding somebody says.
func named(t *testing.T) map[string]encodingCase {
	t.Helper()
	western := windows(t, called(""))
	return map[string]encodingCase{
		"Windows1252":    {reason: "Declared.", body: windows(t, called("windows-1252")), want: "Zoë €"},
		"Latin1":         {reason: "Read as windows-1252, since nobody means the control characters.", body: windows(t, called("ISO-8859-1")), want: "Zoë €"},
		"CharsetAlone":   {reason: "RFC 7303.", body: western, contentType: "text/xml; charset=Windows-1252", want: "Zoë €"},
		"CharsetBeats":   {reason: "RFC 7303, section 3.", body: called("iso-8859-1"), contentType: "text/xml; charset=UTF-8"},
		"BrokenType":     {reason: "What cannot be read says nothing.", body: called(""), contentType: "text/xml; charset"},
		"SingleQuotes":   {reason: "XML allows both.", body: strings.ReplaceAll(windows(t, called("cp1252")), `"`, `'`), want: "Zoë €"},
		"Undeclared":     {reason: "Not valid in the encoding that it must have.", body: western, refused: errUTF8},
		"WrongDeclared":  {reason: "As above.", body: windows(t, called("utf-8")), refused: errUTF8},
		"WrongCharset":   {reason: "As above.", body: western, contentType: "text/xml; charset=utf-8", refused: errUTF8},
		"NotASCII":       {reason: "A wrong claim that does no harm: all ASCII is UTF-8.", body: called("us-ascii")},
		"SaidUTF16":      {reason: "Declared by .NET while it wrote a string; the bytes are UTF-8.", body: called("utf-16")},
		"SaidUTF16LE":    {reason: "As above.", body: called(""), contentType: "text/xml; charset=utf-16le"},
		"CharsetUTF16LE": {reason: "White space first, so that only the charset tells.", body: string(utf16Of("\n"+called(""), true)), contentType: "text/xml; charset=utf-16le"},
		"UTF16NoOrder":   {reason: "One of two; guessing wrong makes garbage.", body: string(utf16Of("\n"+called(""), true)), contentType: "text/xml; charset=utf-16", refused: errByteOrder},
		"UTF7":           {reason: "Dear to attackers, and used by nobody else.", body: called("utf-7"), refused: errCharset},
		"EBCDIC":         {reason: "Exotic.", body: called("ibm037"), refused: errCharset},
		"OverlongUTF8":   {reason: "A tag in disguise: C0 BC is no way to write <.", body: with("", "<Context>\xc0\xbcb></Context>", ""), refused: errUTF8},
		"SurrogatesUTF8": {reason: "CESU-8 is not UTF-8.", body: with("", "<Context>\xed\xa0\xbd\xed\xb8\x80</Context>", ""), refused: errUTF8},
	}
}

// However the declaration ends, no part of it may stay in the text.
func TestDeclarationIsTakenOff(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ reason, body, want string }{
		"Printed":         {"Concur's page has a no-break space before the end.", "<?xml version=\"1.0\" encoding=\"UTF-8\"\u00a0?><a/>", "<a/>"},
		"PrintedAtFirst":  {"It could be anywhere else.", "<?xml\u00a0version=\"1.0\"?><a/>", "<a/>"},
		"PrintedInLatin1": {"And in another encoding.", "<?xml\xa0version=\"1.0\" encoding=\"iso-8859-1\"\xa0?><a/>", "<a/>"},
		"AfterLines":      {"Not allowed by XML, and a slip that everybody makes.", "\r\n\t<?xml version='1.0'?>\n<a/>", "\n<a/>"},
		"NewVersion":      {"What XML 1.1 adds is refused for itself.", "<?xml version='1.1'?><a/>", "<a/>"},
		"StyleSheet":      {"Another instruction that begins alike.", "<?xml-stylesheet href=''?><a/>", "<?xml-stylesheet href=''?><a/>"},
		"None":            {"It may be left out.", "<a/>", "<a/>"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := decode([]byte(tc.body), "")
			if err != nil || string(got) != tc.want || !utf8.Valid(got) {
				t.Errorf("decode = %q, %v; want %q: %s", got, err, tc.want, tc.reason)
			}
		})
	}
}
