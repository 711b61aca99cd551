package callout

import (
	"fmt"
	"strings"
	"testing"
)

// hostileCase is a body and what becomes of it.
type hostileCase struct {
	reason      string
	body        string
	contentType string
	want        error // nil: it is read
}

// hostile is the answer to every attack and accident known to us: why, and what goes into quarantine for which reason.
// The answer to the sender is 200 each time, as any other would make a notification fail for good.
func hostile() map[string]hostileCase {
	all := map[string]hostileCase{}
	for _, some := range []map[string]hostileCase{declarations(), sizes(), longTexts(), shapes(), badFields(), malformed()} {
		for name, tc := range some {
			all[name] = tc
		}
	}
	return all
}

// with is a good notification with something before, in, and after it.
func with(before, in, after string) string {
	return before + "<Notification><EventType>E</EventType><ObjectType>EXPRPT</ObjectType><ObjectURI>U</ObjectURI>" + in +
		"</Notification>" + after
}

func declarations() map[string]hostileCase {
	return map[string]hostileCase{
		"BillionLaughs": {
			reason: "Entities that expand to entities would fill the memory.",
			body:   with(`<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>`, "<Context>&b;</Context>", ""),
			want:   errDeclaration,
		},
		"ExternalEntity": {
			reason: "Nobody may make the receiver read files or call hosts.",
			body:   with(`<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>`, "<Context>&a;</Context>", ""),
			want:   errDeclaration,
		},
		"ExternalDoctype": {
			reason: "A DOCTYPE alone can name a file to fetch.",
			body:   with(`<!DOCTYPE x SYSTEM "http://169.254.169.254/latest">`, "", ""),
			want:   errDeclaration,
		},
		"ParameterEntity": {
			reason: "The parts of a declaration can be spread over entities.",
			body:   with(`<!DOCTYPE x [<!ENTITY % p SYSTEM "http://example.com/x.dtd"> %p;]>`, "", ""),
			want:   errDeclaration,
		},
		"DoctypeInside": {
			reason: "What is no XML there is still never read.",
			body:   with("", `<!DOCTYPE x [<!ENTITY a "b">]>`, ""),
			want:   errDeclaration,
		},
		"DoctypeAfterwards": {
			reason: "The end counts as well as the beginning.",
			body:   with("", "", `<!DOCTYPE x>`),
			want:   errDeclaration,
		},
		"LongDoctype": {
			reason: "Nor is it read to its end to be refused.",
			body:   with("<!DOCTYPE x ["+strings.Repeat(`<!ENTITY a "b">`, 10_000)+"]>", "", ""),
			want:   errToken,
		},
		"UnknownEntity": {
			reason: "Without declarations there are five entities, and &nbsp; is none of them.",
			body:   with("", "<Context>&nbsp;</Context>", ""),
			want:   wrongInLine(1),
		},
		"InclusionByXInclude": {
			reason: "Inclusion is nothing but an unknown element here.",
			body:   with("", `<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/>`, ""),
		},
		"StyleSheet": {
			reason: "A processing instruction is for somebody else.",
			body:   with(`<?xml-stylesheet href="http://example.com/x.xsl"?>`, "<?php echo 1 ?>", ""),
		},
	}
}

func sizes() map[string]hostileCase {
	return map[string]hostileCase{
		"DeepNesting": {
			reason: "Depth costs memory for each level, and nothing here is deep.",
			body:   strings.Repeat("<a>", 100_000),
			want:   errRoot,
		},
		"DeepNestingInside": {
			reason: "As above, where unknown elements are passed over.",
			body:   with("", strings.Repeat("<a>", 100_000)+strings.Repeat("</a>", 100_000), ""),
			want:   errDepth,
		},
		"JustDeepEnough": {
			reason: "The limit is where the documentation says.",
			body:   with("", strings.Repeat("<a>", maxDepth-1)+strings.Repeat("</a>", maxDepth-1), ""),
		},
		"JustTooDeep": {
			reason: "As above.",
			body:   with("", strings.Repeat("<a>", maxDepth)+strings.Repeat("</a>", maxDepth), ""),
			want:   errDepth,
		},
		"ManyElements": {
			reason: "Each element costs time.",
			body:   with("", strings.Repeat("<a/>", 100_000), ""),
			want:   errElements,
		},
		"HugeAttribute": {
			reason: "Nothing looks at attributes; they must not cost memory either.",
			body:   `<Notification a="` + strings.Repeat("x", 1<<20) + `"/>`,
			want:   errToken,
		},
		"ManyAttributes": {
			reason: "An attribute of five bytes takes a hundred in memory.",
			body:   `<Notification` + attributes(maxAttributes+1) + `/>`,
			want:   errAttributes,
		},
		"VeryManyAttributes": {
			reason: "Those beyond the longest tag are never made.",
			body:   `<Notification` + attributes(100_000) + `/>`,
			want:   errToken,
		},
		"HugeName": {
			reason: "A name is part of a tag.",
			body:   "<" + strings.Repeat("a", 1<<20) + "/>",
			want:   errToken,
		},
	}
}

func longTexts() map[string]hostileCase {
	return map[string]hostileCase{
		"HugeComment": {
			reason: "What nobody reads must not cost memory.",
			body:   with("<!--"+strings.Repeat("x", 1<<20)+"-->", "", ""),
			want:   errToken,
		},
		"HugeText": {
			reason: "Nor white space between elements.",
			body:   with("", strings.Repeat(" ", 1<<20), ""),
			want:   errToken,
		},
		"LongContextInParts": {
			reason: "Many short parts are one long text.",
			body:   with("", "<Context>"+strings.Repeat("<![CDATA[0123456789abcdef]]><!-- -->", 10_000)+"</Context>", ""),
			want:   tooLong("Context", maxToken),
		},
		"LongURI": {
			reason: "Whoever follows it has limits too.",
			body:   "<Notification><ObjectURI>" + strings.Repeat("u", 4097) + "</ObjectURI></Notification>",
			want:   tooLong("ObjectURI", 4096),
		},
		"LongObjectType": {
			reason: "It becomes a part of the CloudEvents type.",
			body:   "<Notification><ObjectType>" + strings.Repeat("E", 129) + "</ObjectType></Notification>",
			want:   tooLong("ObjectType", 128),
		},
		"UnclosedDeclaration": {
			reason: "Its end is looked for where it can be.",
			body:   `<?xml version="1.0"` + strings.Repeat(" ", 1<<20),
			want:   errUnclosed,
		},
		"LongEntityName": {
			reason: "A name without end is a token without end.",
			body:   with("", "<Context>&"+strings.Repeat("a", 1<<20)+"</Context>", ""),
			want:   errToken,
		},
	}
}

func attributes(n int) string {
	var s strings.Builder
	for i := range n {
		fmt.Fprintf(&s, ` a%d=""`, i)
	}
	return s.String()
}

func wrongInLine(line int) error {
	return fmt.Errorf("the body is not well-formed XML: it goes wrong in line %d", line)
}

func tooLong(name string, most int) error {
	return fmt.Errorf("%s is longer than %d bytes", name, most)
}

func TestHostileBodiesAreAnswered(t *testing.T) {
	t.Parallel()
	for name, tc := range hostile() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from := origin
			from.ContentType = tc.contentType
			e := Parse(from, []byte(tc.body), arrival)
			want := ""
			if tc.want != nil {
				want = tc.want.Error()
			}
			if e.Quarantine != want {
				t.Errorf("quarantine: %q, want %q: %s", e.Quarantine, want, tc.reason)
			}
			if err := invalid(e, []byte(tc.body)); err != nil {
				t.Error(err)
			}
		})
	}
}
