package callout

import (
	"strings"
	"testing"
)

// maxBody is what the receiver takes by default.
const maxBody = 4 << 20

// BenchmarkParse shows what a body costs: one of Concur's, and those that are made to cost most.
func BenchmarkParse(b *testing.B) {
	fill := func(s string) string { return strings.Repeat(s, maxBody/len(s)) }
	unknown := func(n int, s string) string { return with("", strings.Repeat(s, n), "") }
	bodies := map[string]string{
		"Sample":           string(samples(b)["notification-post-1.xml"]),
		"NestedTags":       fill("<a>"),
		"NestedInside":     with("", fill("<a>"), ""),
		"EmptyElements":    with("", fill("<a/>"), ""),
		"HugeAttribute":    `<Notification a="` + fill("x") + `"/>`,
		"ManyAttributes":   "<Notification" + fill(` a=""`) + "/>",
		"MostAttributes":   "<Notification" + strings.Repeat(` a=""`, maxToken/5-10) + "/>",
		"FullTags":         unknown(maxElements-4, "<a"+strings.Repeat(` a=""`, maxToken/5-10)+"/>"),
		"FullTexts":        unknown(60, "<a>"+strings.Repeat("x", maxToken-10)+"</a>"),
		"FullComments":     unknown(60, "<!--"+strings.Repeat("x", maxToken-10)+"-->"),
		"ManyComments":     unknown(maxBody/7, "<!---->"),
		"ManyInstructions": unknown(maxBody/5, "<?a?>"),
		"ManyReferences":   with("", fill("&#65;"), ""),
		"BillionLaughs":    with(`<!DOCTYPE x [`+fill(`<!ENTITY a "&b;&b;">`)+`]>`, "", ""),
		"OpenDeclarations": fill("<!a<"),
		"WhiteSpace":       fill(" "),
		"UTF16":            "\xff\xfe" + fill("<\x00"),
		"Windows1252":      `<?xml version="1.0" encoding="windows-1252"?>` + fill("\x80"),
		"ForbiddenAtEnd":   "<" + fill("é") + "\x00",
	}
	for name, body := range bodies {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				Parse(origin, []byte(body), arrival)
			}
		})
	}
}
