package callout

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The texts are taken from the elements as the package comment says, however the XML puts them.
func TestFormsAreRead(t *testing.T) {
	t.Parallel()
	plain := fields{eventType: "E", objectType: "EXPRPT", objectURI: "U"}
	and := func(name, value string) fields {
		return fields{eventType: "E", objectType: "EXPRPT", objectURI: "U", name: value}
	}
	tests := map[string]struct {
		reason string
		body   string
		want   fields
	}{
		"Plain": {reason: "As the callout posts it.", body: with("", "", ""), want: plain},
		"AnyOrder": {
			reason: "The two samples differ.",
			body:   "<Notification><ObjectURI>U</ObjectURI><ObjectType>EXPRPT</ObjectType><EventType>E</EventType></Notification>",
			want:   plain,
		},
		"Prefixes": {
			reason: "Where a namespace is declared does not matter.",
			body: `<n:Notification xmlns:n="urn:x"><n:EventType>E</n:EventType><ObjectType xmlns="urn:y">EXPRPT</ObjectType>` +
				`<n:ObjectURI>U</n:ObjectURI></n:Notification>`,
			want: plain,
		},
		"NilContext":    {reason: "There is none.", body: with("", `<Context xmlns:i="urn:i" i:nil="true"/>`, ""), want: and(context, "")},
		"EmptyContext":  {reason: "There is none.", body: with("", "<Context></Context>", ""), want: and(context, "")},
		"BlankContext":  {reason: "There is none.", body: with("", "<Context>\n  </Context>", ""), want: and(context, "")},
		"NilWithText":   {reason: "A contradiction; dropping the text would lose what may matter.", body: with("", `<Context nil="true">C</Context>`, ""), want: and(context, "C")},
		"Trimmed":       {reason: "Indentation is no content.", body: with("", "<Context>\r\n\tC D\r\n</Context>", ""), want: and(context, "C D")},
		"CDATA":         {reason: "Another way to write text.", body: with("", "<Context>a<![CDATA[<b>&amp;]]>c</Context>", ""), want: and(context, "a<b>&amp;c")},
		"Comments":      {reason: "They are no text.", body: with("<!--x-->", "<Context>a<!--b-->c<?d e?></Context>", "<!--x-->"), want: and(context, "ac")},
		"FiveEntities":  {reason: "XML's own need no declaration.", body: with("", "<Context>&lt;&gt;&amp;&apos;&quot;</Context>", ""), want: and(context, `<>&'"`)},
		"References":    {reason: "Characters by number.", body: with("", "<Context>&#65;&#x1F600;</Context>", ""), want: and(context, "A😀")},
		"LineEnds":      {reason: "XML makes one of them all (section 2.11).", body: with("", "<Context>a\r\nb\rc</Context>", ""), want: and(context, "a\nb\nc")},
		"Unknown":       {reason: "What Concur may add one day.", body: with("", "<Failure><EventType>no</EventType><x/></Failure>", ""), want: plain},
		"OtherCase":     {reason: "XML tells upper from lower case.", body: with("", "<context>no</context>", ""), want: plain},
		"OddDate":       {reason: "It is handed on, though nobody here can read it.", body: with("", "<EventDateTime>1.5.2012</EventDateTime>", ""), want: and(eventDateTime, "1.5.2012")},
		"PercentsStay":  {reason: "Concur's URIs are opaque.", body: strings.Replace(with("", "", ""), ">U<", ">https://h/3%Rek29$w%20%<", 1), want: fields{eventType: "E", objectType: "EXPRPT", objectURI: "https://h/3%Rek29$w%20%"}},
		"SpacesOutside": {reason: "Lines around the document.", body: with("\n", "", "\n\n"), want: plain},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := read([]byte(tc.body), "")
			if err != nil {
				t.Fatalf("%v: %s", err, tc.reason)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestTimesAreRead(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason string
		text   string
		want   time.Time // zero: that of the arrival
	}{
		"Date":       {"As the callout posts it.", "2012-05-01", time.Date(2012, 5, 1, 0, 0, 0, 0, time.UTC)},
		"Colon":      {"As the page of the list describes it.", "2012-11-14:19:45:25", time.Date(2012, 11, 14, 19, 45, 25, 0, time.UTC)},
		"NoZone":     {"As the list prints it.", "2012-11-14T19:45:25", time.Date(2012, 11, 14, 19, 45, 25, 0, time.UTC)},
		"Fraction":   {"As .NET writes it.", "2012-11-14T19:45:25.1234567", time.Date(2012, 11, 14, 19, 45, 25, 123456700, time.UTC)},
		"Zulu":       {"RFC 3339.", "2012-11-14T19:45:25Z", time.Date(2012, 11, 14, 19, 45, 25, 0, time.UTC)},
		"Zone":       {"RFC 3339.", "2012-11-14T19:45:25.5-08:00", time.Date(2012, 11, 15, 3, 45, 25, 500000000, time.UTC)},
		"Spaces":     {"The element is indented.", "\n 2012-05-01 \n", time.Date(2012, 5, 1, 0, 0, 0, 0, time.UTC)},
		"Absent":     {"It says nothing.", "", time.Time{}},
		"Words":      {"No form that is known.", "yesterday", time.Time{}},
		"NoSuchDay":  {"Nor is it moved to March.", "2012-02-30", time.Time{}},
		"MonthFirst": {"It could be January or May.", "05/01/2012", time.Time{}},
		"YearOne":    {"What .NET prints for no time.", "0001-01-01T00:00:00", time.Time{}},
		"ZonedOut":   {"RFC 3339 has no year 10000, and no store could write it.", "9999-12-31T23:59:59-01:00", time.Time{}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := with("", "<EventDateTime>"+tc.text+"</EventDateTime>", "")
			want := tc.want
			if want.IsZero() {
				want = arrival
			}
			got := Parse(origin, []byte(body), arrival)
			if !got.Time.Equal(want) || !got.Received.Equal(arrival) || got.Quarantine != "" {
				t.Errorf("time %s, received %s, quarantine %q; want %s: %s", got.Time, got.Received, got.Quarantine, want, tc.reason)
			}
		})
	}
}

// Attributes stay legal where the texts are not.
func TestAttributesOfOddTexts(t *testing.T) {
	t.Parallel()
	long := "https://example.com/" + strings.Repeat("x", 600)
	body := "<Notification><EventType>E\n&#x85;F</EventType><ObjectType>EXP/RPT ä</ObjectType><ObjectURI>" + long + "</ObjectURI></Notification>"
	e := Parse(origin, []byte(body), arrival)
	if err := invalid(e, []byte(body)); err != nil {
		t.Error(err)
	}
	if want := "com.concur.notification.EXP_RPT__"; e.Type != want {
		t.Errorf("type %q, want %q: filters must be able to spell it", e.Type, want)
	}
	if e.EventType != "EF" || e.Subject != "" {
		t.Errorf("event type %q and subject %q, want EF and none: half a URI names nothing", e.EventType, e.Subject)
	}
	want := `{"eventType":"E\n` + "\u0085" + `F","objectType":"EXP/RPT ä","objectURI":"` + long + `","eventDateTime":null,"context":null}`
	if diff := cmp.Diff(want, string(e.Data())); diff != "" {
		t.Errorf("the data loses nothing: -want +got:\n%s", diff)
	}
}

// What is in quarantine keeps its own media type, so that a replay delivers it as what it is.
func TestQuarantineKeepsTheMediaType(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ reason, contentType, want string }{
		"Named":  {"The sender should know.", "text/xml; charset=utf-8", "text/xml; charset=utf-8"},
		"None":   {"Nobody knows.", "", "application/octet-stream"},
		"Broken": {"It cannot go into a header.", "xml\r\nX-Evil: 1", "application/octet-stream"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from := origin
			from.ContentType = tc.contentType
			e := Parse(from, []byte("<x>"), arrival)
			if e.DataContentType != tc.want || e.Quarantine == "" || string(e.Data()) != "<x>" {
				t.Errorf("%q, %q, %q; want %q: %s", e.DataContentType, e.Quarantine, e.Data(), tc.want, tc.reason)
			}
		})
	}
}
