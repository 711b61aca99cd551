package callout_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/internal/essemulator/callout"
)

// sent is the body that a connector gets of a notification.
func sent(t *testing.T, n callout.Notification, change func(*callout.Assumptions)) string {
	t.Helper()
	b := newBench(t, nil, change)
	b.run()
	if _, err := b.service.Publish(callout.Target{CompanyID: company}, n); err != nil {
		t.Fatal(err)
	}
	b.settle()
	got := b.got()
	if len(got) != 1 {
		t.Fatalf("the connector got %d posts, want 1", len(got))
	}
	return got[0].Body
}

// submitted is the notification of the printed list.
func submitted() callout.Notification {
	return callout.Notification{
		EventType: "Report Entered Expense Report Workflow Step - REPORT SUBMITTED", ObjectType: "EXPRPT",
		ObjectURI: "https://www.concursolutions.com/api/expense/expensereport/v1.1/reportfulldetails/" +
			"nxxKgLlnROzz$sHcpnRHQ$pALxamClaFfdC",
		EventTime: time.Date(2012, 11, 14, 19, 45, 25, 0, time.UTC),
	}
}

func TestPostsAreThePrintedOnesByteForByte(t *testing.T) {
	t.Parallel()
	_, listing, _ := strings.Cut(printed(t, "notification-post-1.http"), "\n\n")
	request := report("")
	request.EventType, request.ObjectType = "Request Entered Request Workflow Step - SUBMIT", "TRAVELREQ"
	request.ObjectURI = "https://www.concursolutions.com/api/travelrequest/v1.0/requests/nxxKgLlnROz3zHJBCRksaas23dsfs"
	_, namespaced, _ := strings.Cut(printed(t, "notification-post-namespaced.xml"), "\n")
	for name, tc := range map[string]struct {
		reason string
		n      callout.Notification
		change func(*callout.Assumptions)
		want   string
	}{
		"the sample": {"the defaults are Concur's print", report(""), nil, printed(t, "notification-post-1.xml")},
		"as printed": {
			"the page's no-break space is one of the forms", report(""),
			func(a *callout.Assumptions) { a.Declaration = callout.DeclarationPrinted }, listing,
		},
		"travel request": {"the other object type", request, nil, printed(t, "notification-post-travelreq.xml")},
		"namespaced": {
			"all of the list's ways in a POST", submitted(), func(a *callout.Assumptions) {
				a.Namespaced, a.Order, a.Empty = true, callout.OrderList, callout.EmptyNil
				a.Date, a.Declaration = callout.DateAndTime, callout.DeclarationNone
			}, namespaced,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, sent(t, tc.n, tc.change)); diff != "" {
				t.Errorf("%s (-printed +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestFormsOfAPost(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change  func(*callout.Assumptions)
		context string
		has     string
		lacks   string
	}{
		"colon": {
			change: func(a *callout.Assumptions) { a.Date = callout.DateAndColon },
			has:    "<EventDateTime>2012-05-01:00:00:00</EventDateTime>",
		},
		"absent":  {change: func(a *callout.Assumptions) { a.Empty = callout.EmptyAbsent }, lacks: "Context"},
		"context": {context: "a <b> & c", has: "<Context>a &lt;b&gt; &amp; c</Context>"},
		"nil is declared only where used": {
			change: func(a *callout.Assumptions) { a.Empty = callout.EmptyNil }, context: "x", lacks: "xmlns:i",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := sent(t, report(tc.context), tc.change)
			if !strings.Contains(got, tc.has) || tc.lacks != "" && strings.Contains(got, tc.lacks) {
				t.Errorf("want %q and not %q in\n%s", tc.has, tc.lacks, got)
			}
		})
	}
}

// printedFailure is the only entry of the printed list.
func printedFailure() []callout.Failed {
	n := submitted()
	return []callout.Failed{{
		EventDateTime: "2012-11-14T19:45:25", EventType: n.EventType, ObjectType: n.ObjectType, ObjectURI: n.ObjectURI,
		NotificationURI: "https://www.concursolutions.com/api/platform/notifications/v1.0/notification/" +
			"nOB1KNTDSWUcJPMV6dPDjNc$scu6EDbt9s",
	}}
}

func TestListsAreThePrintedOnes(t *testing.T) {
	t.Parallel()
	got := string(callout.ListXML(callout.RootNotificationList, printedFailure()))
	if diff := cmp.Diff(printed(t, "failed-list-response-1.xml"), got); diff != "" {
		t.Errorf("XML (-printed +got):\n%s", diff)
	}
	var want, have any
	if err := json.Unmarshal([]byte(printed(t, "failed-list-response-1.json")), &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(callout.ListJSON(printedFailure()), &have); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("JSON (-printed +got):\n%s", diff)
	}
}

func TestEmptyListsAreLists(t *testing.T) {
	t.Parallel()
	if got := string(callout.ListJSON(nil)); got != "[]" {
		t.Errorf("JSON = %s, want []", got)
	}
	got := string(callout.ListXML(callout.RootNotificationsList, nil))
	if !strings.Contains(got, "<NotificationsList ") || !strings.HasSuffix(got, "</NotificationsList>\n") {
		t.Errorf("XML = %s", got)
	}
}
