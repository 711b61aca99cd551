package callout_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/internal/essemulator/callout"
)

const prefix = "https://concur.test/notification/"

// failing is a bench whose connector refuses everything at once.
func failing(t *testing.T, change func(*callout.Assumptions)) *bench {
	t.Helper()
	b := newBench(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		func(a *callout.Assumptions) {
			a.Attempts = 1
			if change != nil {
				change(a)
			}
		})
	b.run()
	return b
}

func TestFailedNotificationsAreListedUntilDeleted(t *testing.T) {
	t.Parallel()
	b := failing(t, nil)
	b.publish("first", "second")
	b.settle()
	ids := b.ids()
	text := "first"
	want := callout.Failed{
		Context: &text, EventDateTime: "2012-05-01T00:00:00", EventType: report("").EventType,
		NotificationURI: prefix + ids[0], ObjectType: "EXPRPT", ObjectURI: report("").ObjectURI,
	}
	if diff := cmp.Diff(want, b.service.Failed(company, prefix)[0]); diff != "" {
		t.Errorf("first entry (-want +got):\n%s", diff)
	}
	if err := b.service.Delete(company, ids[0]); err != nil {
		t.Error(err)
	}
	if err := b.service.Delete(company, ids[0]); !errors.Is(err, callout.ErrNoNotification) {
		t.Errorf("deleting twice: %v", err)
	}
	if err := b.service.Delete("another", ids[1]); !errors.Is(err, callout.ErrNoNotification) {
		t.Errorf("deleting another company's: %v", err)
	}
	if list := b.service.Failed(company, prefix); len(list) != 1 || list[0].NotificationURI != prefix+ids[1] {
		t.Errorf("list after one was deleted: %+v", list)
	}
	if diff := cmp.Diff([]callout.Outcome{callout.Deleted, callout.GivenUp}, b.outcomes()); diff != "" {
		t.Errorf("ledger (-want +got):\n%s", diff)
	}
}

// ids are the notification ids in the order of publication.
func (b *bench) ids() (out []string) {
	for _, c := range b.service.Ledger() {
		out = append(out, c.NotificationID)
	}
	return out
}

func TestSomeIDsHoldADollar(t *testing.T) {
	t.Parallel()
	b := failing(t, nil)
	b.publish("first", "second")
	ids := b.ids()
	if !strings.Contains(ids[0], "$") || strings.Contains(ids[1], "$") {
		t.Errorf("ids %q: want one with a $ and one without", ids)
	}
	if !callout.ValidID(ids[0]) || !callout.ValidID(ids[1]) {
		t.Errorf("ids %q: want them valid", ids)
	}
}

func TestListLimitAndDateAreAssumed(t *testing.T) {
	t.Parallel()
	b := failing(t, func(a *callout.Assumptions) { a.ListLimit, a.ListDate = 2, callout.DateAndColon })
	b.publish("a", "b", "c")
	b.settle()
	list := b.service.Failed(company, prefix)
	if len(list) != 2 || *list[0].Context != "a" || list[0].EventDateTime != "2012-05-01:00:00:00" {
		t.Errorf("list: %+v, want the two oldest with a colon", list)
	}
	if list := b.service.Failed("another", prefix); len(list) != 0 {
		t.Errorf("another company sees %+v", list)
	}
}

func TestRawNotificationsAreListedAsFarAsTheyCanBeRead(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ body, uri, date string }{
		"namespaced": {
			printed(t, "notification-post-namespaced.xml"), "nxxKgLlnROzz$sHcpnRHQ$pALxamClaFfdC", "2012-11-14T19:45:25",
		},
		"plain": {printed(t, "notification-post-1.xml"), "3%Rek29$wsIY12Di3LS9$gjei%KL23", "2012-05-01T00:00:00"},
		"other date": {
			"<Notification><EventDateTime>soon</EventDateTime></Notification>", "", "soon",
		},
		"no XML": {"\x00\xff{", "", ""},
		"doctype": {
			`<!DOCTYPE n [<!ENTITY a "b">]><Notification><ObjectURI>x&a;</ObjectURI></Notification>`, "", "",
		},
		"empty": {"", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := failing(t, nil)
			b.publishRaw(tc.body)
			got := b.service.Failed(company, prefix)
			if len(got) != 1 || !strings.HasSuffix(got[0].ObjectURI, tc.uri) || got[0].EventDateTime != tc.date {
				t.Errorf("list: %+v, want an entry with %q and %q", got, tc.uri, tc.date)
			}
		})
	}
}

// publishRaw publishes a body to the bench's connector and settles.
func (b *bench) publishRaw(body string) {
	b.t.Helper()
	if n, err := b.service.PublishRaw(callout.Target{Connector: "reports"}, []byte(body)); n != 1 || err != nil {
		b.t.Fatalf("PublishRaw = %d, %v", n, err)
	}
	b.settle()
}

func TestRawNotificationsArriveByteForByte(t *testing.T) {
	t.Parallel()
	b := failing(t, nil)
	for _, body := range []string{"", "\x00\xff{", printed(t, "notification-post-1.http"), strings.Repeat("a", 1<<20)} {
		b.publishRaw(body)
		posts, ledger := b.got(), b.service.Ledger()
		if got := posts[len(posts)-1].Body; got != body {
			t.Errorf("the connector got %d bytes that differ from %.60q", len(got), body)
		}
		last := ledger[len(ledger)-1]
		if sum := fmt.Sprintf("%x", sha256.Sum256([]byte(body))); last.BodySize != len(body) || last.BodySHA256 != sum {
			t.Errorf("ledger: %+v, want the sum %s", last, sum)
		}
		if !strings.HasPrefix(body, string(last.Body)) || len(last.Body) != min(len(body), 8<<10) {
			t.Errorf("ledger: %d bytes of %d", len(last.Body), len(body))
		}
	}
}

func TestEverySampleIsReadable(t *testing.T) {
	t.Parallel()
	if len(callout.Samples()) < 4 {
		t.Fatalf("samples: %v", callout.Samples())
	}
	for _, name := range callout.Samples() {
		b := failing(t, nil)
		body, err := callout.Sample(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.service.PublishRaw(callout.Target{CompanyID: company}, body); err != nil {
			t.Fatal(err)
		}
		b.settle()
		if got := b.service.Failed(company, prefix)[0]; got.ObjectURI == "" || got.EventType == "" || got.ObjectType == "" {
			t.Errorf("%s reads as %+v", name, got)
		}
	}
	if _, err := callout.Sample("../doc"); !errors.Is(err, callout.ErrNoSample) {
		t.Errorf("a sample that is none: %v", err)
	}
}

func TestNotificationsThatCannotBePublished(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	for _, spoil := range []func(*callout.Notification){
		func(n *callout.Notification) { n.EventType = "" },
		func(n *callout.Notification) { n.ObjectType = "" },
		func(n *callout.Notification) { n.ObjectURI = "" },
	} {
		n := report("")
		spoil(&n)
		if _, err := b.service.Publish(callout.Target{}, n); !errors.Is(err, callout.ErrInvalid) {
			t.Errorf("%+v: %v, want ErrInvalid", n, err)
		}
	}
}

func TestAssumptionsThatCannotBe(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, nil)
	for name, spoil := range map[string]func(*callout.Assumptions){
		"timeout":      func(a *callout.Assumptions) { a.Timeout = 0 },
		"interval":     func(a *callout.Assumptions) { a.Interval = -1 },
		"no attempt":   func(a *callout.Assumptions) { a.Attempts = 0 },
		"attempts":     func(a *callout.Assumptions) { a.Attempts = 101 },
		"limit":        func(a *callout.Assumptions) { a.ListLimit = -1 },
		"content type": func(a *callout.Assumptions) { a.ContentType = "a\nb" },
	} {
		a := callout.DefaultAssumptions()
		spoil(&a)
		if err := b.service.SetAssumptions(a); !errors.Is(err, callout.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
}
