package essemulator

import (
	"flag"

	"github.com/ess-operator/ess-operator/internal/essemulator/callout"
)

func (a *Assumptions) bindCallouts(fs *flag.FlagSet) {
	c := &a.Callout
	fs.BoolVar(&c.Namespaced, "callout-namespaced", c.Namespaced, "write a callout's XML in the namespace of the failed list")
	choose(fs, &c.Order, "callout-order", "order of a callout's elements", callout.OrderPost, callout.OrderList)
	choose(fs, &c.Empty, "callout-empty", "how a callout writes an empty Context",
		callout.EmptyElement, callout.EmptyNil, callout.EmptyAbsent)
	choose(fs, &c.Date, "callout-date", "form of a callout's EventDateTime",
		callout.DateOnly, callout.DateAndTime, callout.DateAndColon)
	choose(fs, &c.Declaration, "callout-declaration", "XML declaration of a callout, printed: with a no-break space",
		callout.DeclarationPlain, callout.DeclarationPrinted, callout.DeclarationNone)
	fs.StringVar(&c.ContentType, "callout-content-type", c.ContentType, "content `type` of a callout; no header if empty")
	fs.BoolVar(&c.Any2xx, "callout-any-2xx", c.Any2xx, "take every 2xx of a connector for success instead of 200 alone")
	fs.DurationVar(&c.Timeout, "callout-timeout", c.Timeout, "`time` that a connector has to answer")
	fs.IntVar(&c.Attempts, "callout-attempts", c.Attempts, "`number` of attempts before a notification is FAILED")
	fs.DurationVar(&c.Interval, "callout-interval", c.Interval, "`time` between two attempts of a callout")
	fs.BoolVar(&c.Blocking, "callout-blocking", c.Blocking,
		"hold a connector's later notifications until the one before them is delivered or FAILED")
	fs.BoolVar(&c.TLS13, "callout-tls13", c.TLS13, "offer connectors TLS 1.3 besides 1.2")
	fs.BoolVar(&c.PlainHosts, "plain-connectors", c.PlainHosts, "accept connectors with an http host besides https")
	fs.BoolVar(&c.CheckCredentials, "check-credentials", c.CheckCredentials,
		"refuse a connector's user name or password outside 10 to 50 characters")
	choose(fs, &c.TestTarget, "test-connection", "what Test Connection calls: the system's path or the configured one",
		callout.TestSystem, callout.TestEndpoint)
}

func (a *Assumptions) bindFailed(fs *flag.FlagSet) {
	c := &a.Callout
	choose(fs, &c.ListRoot, "failed-root", "root element of the failed list",
		callout.RootNotificationList, callout.RootNotificationsList)
	choose(fs, &c.ListDate, "failed-date", "form of EventDateTime in the failed list",
		callout.DateAndTime, callout.DateOnly, callout.DateAndColon)
	fs.IntVar(&c.ListLimit, "failed-limit", c.ListLimit, "`number` of notifications in the failed list, oldest first; 0 all")
	choose(fs, &a.FailedAuth, "failed-auth", "schemes of Authorization that the failed list takes",
		FailedAnyScheme, FailedOAuth, FailedBearer)
	choose(fs, &a.FailedForm, "failed-form", "failed list for a caller who accepts neither or both alike",
		FailedXML, FailedJSON)
	fs.DurationVar(&a.UserTokenLifetime, "user-token-lifetime", a.UserTokenLifetime,
		"`time` for which a user's token is valid unless it says so itself")
}
