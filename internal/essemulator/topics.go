package essemulator

import "slices"

// readScope is what every call of the ESS API needs (SAP Concur, Event Subscription Service v4, Scopes).
const readScope = "events.topic.read"

// topic is one topic and the scopes of which any one opens it.
type topic struct {
	name   string
	scopes []string
}

// topics is the table of Concur's topic pages. The travel profile topic has two scopes because the topic
// page and the ESS guide name different ones.
var topics = []topic{
	{"concur.travel.search", []string{"travelrequest.write"}},
	{"public.concur.document.tax.compliance", []string{"document.tax.compliance.read"}},
	{"public.concur.expense.report", []string{"expense.report.read", "expense.report.readwrite"}},
	{"public.concur.financialintegration", []string{"FISVC"}},
	{"public.concur.request", []string{"travelrequest.write"}},
	{"public.concur.spend.accountingintegration", []string{"spend.accountingintegration.read"}},
	{"public.concur.travel.book", []string{"travel.trips.booking.read"}},
	{"public.concur.travel.itinerary", []string{"travel.itinerary.read"}},
	{"public.concur.travel.search", []string{"travelrequest.write"}},
	{"public.concur.user.profile.identity", []string{"identity.user.event.read"}},
	{"public.concur.user.profile.spend", []string{"spend.user.event.read"}},
	{"public.concur.user.provisioning", []string{"user.provision.read"}},
	{"public.concur.user.travel.profile", []string{"travel.profile.user.event.read", "travel.user.event.read"}},
	{"public.test", []string{testScope}},
}

// testScope opens the topic public.test of Concur's samples. No page names its scope, so this one is the
// emulator's own: applications that do not ask for it do not see the topic.
const testScope = "emulator.public.test"

// AllScopes returns events.topic.read and every scope that opens a topic, sorted.
func AllScopes() []string {
	all := []string{readScope}
	for _, t := range topics {
		all = append(all, t.scopes...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// topicsFor returns the names of the topics that the scopes open, sorted, never nil.
func topicsFor(scopes []string) []string {
	names := []string{}
	for _, t := range topics {
		if slices.ContainsFunc(t.scopes, func(s string) bool { return slices.Contains(scopes, s) }) {
			names = append(names, t.name)
		}
	}
	return names
}
