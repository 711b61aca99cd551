package notifications

import (
	"bytes"
	"encoding/xml"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sample is the notification of both samples that Concur's page prints.
var sample = Notification{
	URI:           "https://www.concursolutions.com/api/platform/notifications/v1.0/notification/nOB1KNTDSWUcJPMV6dPDjNc$scu6EDbt9s",
	EventType:     "Report Entered Expense Report Workflow Step - REPORT SUBMITTED",
	ObjectType:    "EXPRPT",
	ObjectURI:     "https://www.concursolutions.com/api/expense/expensereport/v1.1/reportfulldetails/nxxKgLlnROzz$sHcpnRHQ$pALxamClaFfdC",
	EventDateTime: "2012-11-14T19:45:25",
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestDecode(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason string
		body   string
		want   []Notification
		err    error
	}{
		"XML":            {"as the page prints it", string(read(t, "failed-list-response-1.xml")), []Notification{sample}, nil},
		"JSON":           {"as the page prints it", string(read(t, "failed-list-response-1.json")), []Notification{sample}, nil},
		"Mark":           {"a byte order mark says nothing", "\ufeff \n[]", []Notification{}, nil},
		"EmptyXML":       {"nothing failed", "<NotificationList/>", []Notification{}, nil},
		"EmptyJSON":      {"nothing failed", "[]", []Notification{}, nil},
		"OtherRoot":      {"the page's text calls it so", "<NotificationsList><Notification><ObjectType>EXPRPT</ObjectType></Notification></NotificationsList>", []Notification{{ObjectType: "EXPRPT"}}, nil},
		"OtherNames":     {"so does the text of the URI", `<NotificationList><Notification><NotificationUrl>a</NotificationUrl></Notification></NotificationList>`, []Notification{{URI: "a"}}, nil},
		"OtherNamesJSON": {"in JSON, too", `[{"NotificationUrl": "a", "Context": null}]`, []Notification{{URI: "a"}}, nil},
		"Unknown":        {"what is added later must not hurt", `<NotificationList><Failure><a/></Failure><Notification><Failure><Reason>x</Reason></Failure><Context> c </Context></Notification></NotificationList>`, []Notification{{Context: "c"}}, nil},
		"Text":           {"text between elements is none", "<NotificationList>a<Notification>b<ObjectType>EXPRPT</ObjectType>c</Notification></NotificationList>", []Notification{{ObjectType: "EXPRPT"}}, nil},
		"HTML":           {"the page of a proxy", "<html><body>hello</body></html>", nil, errForm},
		"Broken":         {"half a list is none", "<NotificationList><Notification>", nil, errForm},
		"BrokenJSON":     {"half a list is none", `[{"Context": "a"}`, nil, errForm},
		"Shape":          {"another API", `{"items": []}`, nil, errForm},
		"Types":          {"a text is a text", `[{"Context": 1}]`, nil, errForm},
		"Nothing":        {"an empty answer says nothing", "", nil, errForm},
		"DOCTYPE":        {"entities are how bombs are built", `<!DOCTYPE a [<!ENTITY b "c">]><NotificationList/>`, nil, errDirective},
		"Deep":           {"nothing is nested so", "<NotificationList>" + strings.Repeat("<a>", 8), nil, errDepth},
		"Many":           {"memory has an end", "<NotificationList>" + strings.Repeat("<Notification/>", maxItems+1), nil, errItems},
		"ManyJSON":       {"memory has an end", "[" + strings.Repeat("{},", maxItems) + "{}]", nil, errItems},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := decode([]byte(tt.body))
			if diff := cmp.Diff(tt.want, got); diff != "" || !errors.Is(err, tt.err) || (err != nil) != (tt.err != nil) {
				t.Errorf("%s: %v (-want +got):\n%s", tt.reason, err, diff)
			}
		})
	}
}

func TestXMLIsThatOfThePost(t *testing.T) {
	t.Parallel()
	// The page's sample, but for the blank before "?>".
	want := bytes.ReplaceAll(read(t, "notification-post-1.xml"), []byte(`" ?>`), []byte(`"?>`))
	got := Notification{
		URI: "not written", EventType: "Report Entered Expense Report Workflow Step - SUBMIT", ObjectType: "EXPRPT",
		ObjectURI:     "https://www.concursolutions.com/api/expense/expensereport/v1.1/reportfulldetails/3%Rek29$wsIY12Di3LS9$gjei%KL23",
		EventDateTime: "2012-05-01",
	}.XML()
	if diff := cmp.Diff(strings.TrimSpace(string(want)), strings.TrimSpace(string(got))); diff != "" {
		t.Errorf("-page +got:\n%s", diff)
	}
}

// FuzzDecode holds that no list makes trouble, and that what is read of one can be written and read again.
func FuzzDecode(f *testing.F) {
	f.Add(read(f, "failed-list-response-1.xml"))
	f.Add(read(f, "failed-list-response-1.json"))
	f.Add([]byte("<NotificationList><Notification><Context>&lt;a&#13;&#x9;</Context></Notification></NotificationList>"))
	f.Add([]byte(`[{"EventType": "a\u0000b"}]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		list, err := decode(body)
		if err != nil && list != nil {
			t.Fatalf("both a list and %v", err)
		}
		for _, n := range list {
			text := n.XML()
			if !bytes.Equal(text, n.XML()) {
				t.Fatal("equal notifications give different bytes")
			}
			var back struct{ EventType, ObjectType, ObjectURI, EventDateTime, Context string }
			if err := xml.Unmarshal(text, &back); err != nil {
				t.Fatalf("%v: %q", err, text)
			}
		}
	})
}
