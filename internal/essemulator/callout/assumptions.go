package callout

import (
	"fmt"
	"time"
)

// Assumptions are the answers to what Concur's pages leave open about callouts, and the variants that its own
// samples show. Start from [DefaultAssumptions].
type Assumptions struct {
	// Namespaced puts a POST's elements into the namespace of the list; Concur's sample has none.
	Namespaced bool
	// Order is the order of a POST's elements.
	Order Order
	// Empty is how an empty Context is written in a POST.
	Empty Empty
	// Date is the form of EventDateTime in a POST.
	Date DateForm
	// Declaration is the XML declaration of a POST.
	Declaration Declaration
	// ContentType is that of a POST; Concur's page does not state it. No header if empty.
	ContentType string

	// Any2xx takes every 2xx for success; Concur documents 200.
	Any2xx bool
	// Timeout is how long a connector may take to answer.
	Timeout time.Duration
	// Attempts is how often a notification is sent before it is FAILED.
	Attempts int
	// Interval is the pause between two attempts.
	Interval time.Duration
	// Blocking holds later notifications of a connector until the one before them is delivered or FAILED.
	Blocking bool
	// TLS13 offers TLS 1.3 besides 1.2.
	TLS13 bool

	// PlainHosts accepts connectors with an http host.
	PlainHosts bool
	// CheckCredentials refuses user names and passwords that are not from 10 to 50 characters long.
	CheckCredentials bool
	// TestTarget is what Test Connection calls.
	TestTarget TestTarget

	// ListRoot is the root element of the list in XML.
	ListRoot ListRoot
	// ListDate is the form of EventDateTime in the list.
	ListDate DateForm
	// ListLimit is how many FAILED notifications the list shows, the oldest first; 0 shows all.
	ListLimit int
}

// Order is the order of elements in a POST.
type Order string

// The orders that Concur's samples show.
const (
	OrderPost Order = "post" // EventType, ObjectType, ObjectURI, EventDateTime, Context
	OrderList Order = "list" // by name, as in the list of failed notifications
)

// Empty is how an empty Context is written.
type Empty string

// The ways of saying nothing: the first is in the sample of the POST, the second in that of the list.
const (
	EmptyElement Empty = "element" // <Context/>
	EmptyNil     Empty = "nil"     // <Context i:nil="true" />
	EmptyAbsent  Empty = "absent"  // no element
)

// DateForm is how EventDateTime is written, always in UTC.
type DateForm string

// The forms that Concur's pages show or describe.
const (
	DateOnly     DateForm = "date"     // 2012-05-01, the sample of the POST
	DateAndTime  DateForm = "datetime" // 2012-11-14T19:45:25, the sample of the list
	DateAndColon DateForm = "colon"    // 2012-11-14:19:45:25, the text of the list's page
)

// Declaration is the XML declaration of a POST.
type Declaration string

// The declarations.
const (
	DeclarationPlain   Declaration = "plain"
	DeclarationPrinted Declaration = "printed" // with the no-break space that Concur's page prints: not well-formed
	DeclarationNone    Declaration = "none"
)

// TestTarget is what Test Connection calls. Concur's pages disagree.
type TestTarget string

// The targets.
const (
	TestSystem   TestTarget = "system"   // GET /system/v1.0/testconnection (Callouts and Application Connectors)
	TestEndpoint TestTarget = "endpoint" // GET of the configured path (Event Notification)
)

// ListRoot is the root element of the list in XML.
type ListRoot string

// The names on the page: in its sample and in its text.
const (
	RootNotificationList  ListRoot = "NotificationList"
	RootNotificationsList ListRoot = "NotificationsList"
)

// DefaultAssumptions returns what is assumed unless told otherwise: messages as Concur's samples, and for
// what no page says a guess.
func DefaultAssumptions() Assumptions {
	return Assumptions{
		Order: OrderPost, Empty: EmptyElement, Date: DateOnly, Declaration: DeclarationPlain,
		ContentType: "application/xml",
		Timeout:     time.Minute, Attempts: 3, Interval: time.Minute, Blocking: true, TLS13: true,
		CheckCredentials: true, TestTarget: TestSystem,
		ListRoot: RootNotificationList, ListDate: DateAndTime,
	}
}

// Validate refuses values under which a Service could not work. The error is [ErrInvalid].
func (a *Assumptions) Validate() error {
	switch {
	case a.Timeout <= 0:
		return fmt.Errorf("checking assumptions: callout-timeout is %v, must be more than zero: %w", a.Timeout, ErrInvalid)
	case a.Interval < 0:
		return fmt.Errorf("checking assumptions: callout-interval is %v, must not be negative: %w", a.Interval, ErrInvalid)
	case a.Attempts < 1 || a.Attempts > maxAttempts:
		return fmt.Errorf("checking assumptions: callout-attempts is %d, must be from 1 to %d: %w",
			a.Attempts, maxAttempts, ErrInvalid)
	case a.ListLimit < 0:
		return fmt.Errorf("checking assumptions: failed-limit is %d, must not be negative: %w", a.ListLimit, ErrInvalid)
	case !headerValue(a.ContentType):
		return fmt.Errorf("checking assumptions: callout-content-type %q cannot be a header: %w", a.ContentType, ErrInvalid)
	}
	return nil
}

// headerValue tells whether s can be sent as a header.
func headerValue(s string) bool {
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}
