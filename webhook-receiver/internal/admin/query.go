package admin

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

const (
	defaultLimit = 100
	maxLimit     = 1000
	// maxValue bounds one value; ids of events are the longest, and Concur's are below 100.
	maxValue = 1024
)

// filterNames are the query parameters, and the fields of a replay's body, that make a filter.
var filterNames = []string{"kind", "namespace", "name", "id", "state", "type", "since", "until"}

// knownOnly refuses parameters that nobody reads: a misspelt filter would select everything.
func knownOnly(r *http.Request, known []string) error {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return badRequest("the query is not well formed; percent-encode what is not a letter or a digit")
	}
	for name, values := range q {
		if !slices.Contains(known, name) {
			return badRequest("there is an unknown query parameter; %s", knownSentence(known))
		}
		if len(values) > 1 {
			return badRequest("%s is given more than once; give it once", name)
		}
	}
	return nil
}

func knownSentence(known []string) string {
	if len(known) == 0 {
		return "this path knows none"
	}
	return "this path knows " + strings.Join(known, ", ")
}

// filterOf reads a filter. value returns what was given under a name, and whether anything was.
func filterOf(value func(name string) (string, bool)) (event.Filter, error) {
	texts := make(map[string]string, len(filterNames))
	for _, name := range filterNames {
		text, given := value(name)
		if !given {
			continue
		}
		if err := checkText(name, text); err != nil {
			return event.Filter{}, err
		}
		texts[name] = text
	}
	f := event.Filter{Kind: event.Kind(texts["kind"]), Namespace: texts["namespace"], Name: texts["name"],
		ID: texts["id"], State: event.State(texts["state"]), Type: texts["type"]}
	if f.Kind != "" && f.Kind != event.Subscription && f.Kind != event.Connector {
		return event.Filter{}, badRequest("kind is not known; it is %s or %s", event.Subscription, event.Connector)
	}
	if f.State != "" && !slices.Contains(event.States(), f.State) {
		return event.Filter{}, badRequest("state is not known; it is one of %s", stateList())
	}
	return withSpan(f, texts)
}

func stateList() string {
	var names []string
	for _, s := range event.States() {
		names = append(names, string(s))
	}
	return strings.Join(names, ", ")
}

// checkText refuses what no event can have. Nothing at all is refused too: it is a variable that was not set,
// and leaving it out would select everything.
func checkText(name, text string) error {
	switch {
	case text == "":
		return badRequest("%s is empty; give it a value, or leave it out to select by the others", name)
	case len(text) > maxValue:
		return badRequest("%s is longer than %d bytes", name, maxValue)
	case strings.ContainsFunc(text, unicode.IsControl):
		return badRequest("%s has a control character in it", name)
	}
	return nil
}

func withSpan(f event.Filter, texts map[string]string) (event.Filter, error) {
	for name, at := range map[string]*time.Time{"since": &f.Since, "until": &f.Until} {
		text, given := texts[name]
		if !given {
			continue
		}
		t, err := time.Parse(time.RFC3339, text)
		// The first year is what Go holds for no time at all.
		if err != nil || t.Year() < 1970 {
			return event.Filter{}, badRequest("%s is not a time; write it as 2026-11-22T08:00:00Z (RFC 3339)", name)
		}
		*at = t.UTC()
	}
	if !f.Since.IsZero() && !f.Until.IsZero() && !f.Since.Before(f.Until) {
		return event.Filter{}, badRequest("since is not before until; an event is selected from since on and before until")
	}
	return f, nil
}

// queryFilter reads the filter of a request whose parameters are known.
func queryFilter(r *http.Request) (event.Filter, error) {
	q := r.URL.Query()
	return filterOf(func(name string) (string, bool) { return q.Get(name), q.Has(name) })
}

// queryPage reads which page of f is wanted.
func queryPage(r *http.Request, f event.Filter) (event.Page, error) {
	q := r.URL.Query()
	p := event.Page{Limit: defaultLimit, Newest: true}
	if q.Has("limit") {
		n, err := strconv.Atoi(q.Get("limit"))
		if err != nil || n < 1 || n > maxLimit {
			return event.Page{}, badRequest("limit is not a number from 1 to %d", maxLimit)
		}
		p.Limit = n
	}
	if q.Has("order") {
		order := q.Get("order")
		if order != "newest" && order != "oldest" {
			return event.Page{}, badRequest("order is neither newest nor oldest")
		}
		p.Newest = order == "newest"
	}
	if !q.Has("continue") {
		return p, nil
	}
	after, ok := after(q.Get("continue"), f, p.Newest)
	if !ok {
		return event.Page{}, badRequest("continue does not belong to this list; " +
			"repeat the other parameters of the page before, or begin without continue")
	}
	p.After = after
	return p, nil
}
