package essemulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/ess-operator/ess-operator/internal/essemulator/callout"
)

// maxAdminBody bounds a body of the admin API; an event may be larger than any that Concur's pages show.
const maxAdminBody = 16 << 20

// adminRoute is one call of the admin API. does is what the overview and the manual say about it.
type adminRoute struct {
	pattern string
	does    string
	handle  func(*Emulator, *http.Request) (any, error)
}

// adminRoutes is the admin API but for callouts, which [calloutRoutes] has.
func adminRoutes() []adminRoute {
	return []adminRoute{
		{"GET /v1/applications", "list applications, without their secrets", (*Emulator).adminApplications},
		{"PUT /v1/applications/{app}", "add or replace one: `secrets`, `scopes`, `allowedPrincipal`, `disabled`",
			(*Emulator).adminPutApplication},
		{"POST /v1/applications/{app}/revoke-tokens", "make its tokens so far useless", (*Emulator).adminRevoke},
		{"PUT /v1/applications/{app}/companies/{company}", "a company connects; body optional: `groups`",
			(*Emulator).adminConnect},
		{"DELETE /v1/applications/{app}/companies/{company}", "a company disconnects", (*Emulator).adminDisconnect},
		{"GET /v1/subscriptions", "list subscriptions; `?application=` of one", (*Emulator).adminSubscriptions},
		{"PUT /v1/subscriptions/{id}", "write one behind the API's back", (*Emulator).adminPutSubscription},
		{"DELETE /v1/subscriptions/{id}", "remove one at once", (*Emulator).adminRemoveSubscription},
		{"POST /v1/events", "publish the body, byte for byte; `?topic=`, `?company=`, `?type=`, `?group=` override it",
			(*Emulator).adminPublish},
		{"GET /v1/samples", "list the built-in events", (*Emulator).adminSamples},
		{"POST /v1/samples/{name}", "publish a built-in event; overrides as above", (*Emulator).adminPublishSample},
		{"GET /v1/deliveries", "the ledger: every delivery with its attempts", (*Emulator).adminLedger},
		{"POST /v1/settle", "wait until no delivery and no callout is under way or due", (*Emulator).adminSettle},
		{"GET /v1/requests", "the log of calls to Concur's face, oldest first", (*Emulator).adminRequests},
		{"DELETE /v1/requests", "forget them", (*Emulator).adminResetRequests},
		{"GET /v1/faults", "list faults by number", (*Emulator).adminFaults},
		{"POST /v1/faults", "inject a fault; returns its number", (*Emulator).adminInject},
		{"DELETE /v1/faults", "clear all", (*Emulator).adminClearFaults},
		{"DELETE /v1/faults/{number}", "clear one", (*Emulator).adminClearFault},
		{"GET /v1/assumptions", "the assumptions in force, by flag name", (*Emulator).adminAssumptions},
		{"PATCH /v1/assumptions", "change some, by flag name", (*Emulator).adminAssume},
		{"GET /v1/disguise", "how deliveries prove themselves", (*Emulator).adminDisguise},
		{"PUT /v1/disguise", "change it: `certificate`, `signature`", (*Emulator).adminSetDisguise},
		{"POST /v1/announce-key", "the key that the next rotation will bring, to be trusted before", (*Emulator).adminAnnounce},
		{"POST /v1/rotate-key", "new key for signature and client certificate; lasts until the program ends",
			(*Emulator).adminRotate},
		{"GET /v1/keys", "CA and signing key in PEM", (*Emulator).adminKeys},
		{"POST /v1/certificates", "issue a server certificate: `hosts`", (*Emulator).adminIssue},
		{"GET /v1/clock", "the emulator's time", (*Emulator).adminClock},
		{"POST /v1/clock", "push it forward: `{\"by\": \"720h\"}`", (*Emulator).adminStep},
	}
}

// AdminHandler returns the admin API: JSON over HTTP for all that the methods of Emulator do. GET / lists
// its calls. It has no authentication and belongs on a loopback address; requests that a browser sends for
// another site are refused.
func (e *Emulator) AdminHandler() http.Handler {
	mux := http.NewServeMux()
	routes := append(adminRoutes(), calloutRoutes()...)
	for _, route := range routes {
		mux.HandleFunc(route.pattern, func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, maxAdminBody)
			value, err := route.handle(e, r)
			answerAdmin(w, value, err)
		})
	}
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, overview(routes)) // a caller that left needs no answer
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answerAdmin(w, nil, nil) })
	return http.NewCrossOriginProtection().Handler(mux)
}

func overview(routes []adminRoute) string {
	var b strings.Builder
	b.WriteString("ess-emulator: admin API\n\n")
	for _, r := range routes {
		method, path, _ := strings.Cut(r.pattern, " ")
		fmt.Fprintf(&b, "%-6s %-50s %s\n", method, path, r.does)
	}
	return b.String()
}

// adminError is what a refused admin call answers.
type adminError struct {
	Error string `json:"error"`
}

// adminStatus says which status an error of this package has; first match wins.
var adminStatus = []struct {
	kind   error
	status int
}{
	{ErrInvalid, http.StatusBadRequest},
	{ErrNoApplication, http.StatusNotFound},
	{ErrNoSubscription, http.StatusNotFound},
	{ErrNoSample, http.StatusNotFound},
	{callout.ErrNoConnector, http.StatusNotFound},
	{ErrCompanyNotAllowed, http.StatusConflict},
	{ErrFixedClock, http.StatusConflict},
	{ErrBacklogFull, http.StatusServiceUnavailable},
}

func answerAdmin(w http.ResponseWriter, value any, err error) {
	status := http.StatusOK
	if err != nil {
		status, value = http.StatusInternalServerError, adminError{err.Error()}
		for _, s := range adminStatus {
			if errors.Is(err, s.kind) {
				status = s.status
				break
			}
		}
	}
	if value == nil {
		value = struct{}{}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false) // for people who read XML in it
	_ = out.Encode(value)    // a caller that left needs no answer
}

// decode reads a JSON body strictly. An empty body leaves into as it is.
func decode(r *http.Request, into any) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return fmt.Errorf("reading the body: %w: %w", err, ErrInvalid)
	}
	if len(body) == 0 {
		return nil
	}
	return decodeJSON(body, into)
}

func decodeJSON(body []byte, into any) error {
	in := json.NewDecoder(strings.NewReader(string(body)))
	in.DisallowUnknownFields()
	if err := in.Decode(into); err != nil {
		return fmt.Errorf("decoding the body: %w: %w", err, ErrInvalid)
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("decoding the body: more than one JSON value: %w", ErrInvalid)
	}
	return nil
}
