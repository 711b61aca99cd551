package essemulator

import (
	"fmt"
	"slices"
)

// anyCompany in companyIds switches the company filter off (SAP Concur API explorer, Event Subscription
// Service).
const anyCompany = ".*"

// ConnectCompany does what a company does in the App Center: its id, and the groups if any, are added to
// every subscription that the application has now. A subscription made later does not get it: the company
// has to connect again. Connecting twice is no fault. The error is [ErrNoApplication] or
// [ErrCompanyNotAllowed].
func (e *Emulator) ConnectCompany(appID, companyID string, groups ...string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	app, ok := e.apps[appID]
	switch {
	case !ok:
		return fmt.Errorf("connecting company %s to %s: %w", companyID, appID, ErrNoApplication)
	case companyID == "":
		return fmt.Errorf("connecting a company to %s: the company id is empty: %w", appID, ErrInvalid)
	case app.AllowedPrincipal != AnyPrincipal && app.AllowedPrincipal != companyID:
		return fmt.Errorf("connecting company %s to %s: %w", companyID, appID, ErrCompanyNotAllowed)
	}
	app.companies[companyID] = union(app.companies[companyID], groups)
	e.sweep()
	for _, s := range e.subs {
		if s.ApplicationID == appID {
			s.CompanyIDs = union(s.CompanyIDs, []string{companyID})
			s.Groups = union(s.Groups, groups)
			s.companiesChanged(e.clock.Now())
		}
	}
	e.changed()
	return nil
}

// DisconnectCompany takes the company, and the groups that only it brought, from every subscription of the
// application. A company that was not connected is no fault. The error is [ErrNoApplication].
func (e *Emulator) DisconnectCompany(appID, companyID string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	app, ok := e.apps[appID]
	if !ok {
		return fmt.Errorf("disconnecting company %s from %s: %w", companyID, appID, ErrNoApplication)
	}
	groups := app.companies[companyID]
	delete(app.companies, companyID)
	for _, others := range app.companies {
		groups = slices.DeleteFunc(slices.Clone(groups), func(g string) bool { return slices.Contains(others, g) })
	}
	e.sweep()
	for _, s := range e.subs {
		if s.ApplicationID == appID {
			s.CompanyIDs = without(s.CompanyIDs, []string{companyID})
			s.Groups = without(s.Groups, groups)
			s.companiesChanged(e.clock.Now())
		}
	}
	e.changed()
	return nil
}

// union returns list with those of more that it lacks, in a slice of its own.
func union(list, more []string) []string {
	out := slices.Clone(list)
	for _, m := range more {
		if !slices.Contains(out, m) {
			out = append(out, m)
		}
	}
	return out
}

// without returns list without the gone ones, in a slice of its own.
func without(list, gone []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(gone, s) })
}
