package essemulator

import (
	"fmt"
	"net/http"
)

func (e *Emulator) adminApplications(*http.Request) (any, error) {
	apps := e.Applications()
	for i := range apps {
		apps[i].Secrets = nil
	}
	return apps, nil
}

func (e *Emulator) adminPutApplication(r *http.Request) (any, error) {
	var app Application
	if err := decode(r, &app); err != nil {
		return nil, err
	}
	id := r.PathValue("app")
	if app.ID != "" && app.ID != id {
		return nil, fmt.Errorf("putting application %s: the body names %s: %w", id, app.ID, ErrInvalid)
	}
	app.ID = id
	e.PutApplication(app)
	return nil, nil
}

func (e *Emulator) adminRevoke(r *http.Request) (any, error) {
	e.RevokeTokens(r.PathValue("app"))
	return nil, nil
}

func (e *Emulator) adminConnect(r *http.Request) (any, error) {
	var body struct {
		Groups []string `json:"groups"`
	}
	if err := decode(r, &body); err != nil {
		return nil, err
	}
	return nil, e.ConnectCompany(r.PathValue("app"), r.PathValue("company"), body.Groups...)
}

func (e *Emulator) adminDisconnect(r *http.Request) (any, error) {
	return nil, e.DisconnectCompany(r.PathValue("app"), r.PathValue("company"))
}

func (e *Emulator) adminSubscriptions(r *http.Request) (any, error) {
	return e.Subscriptions(r.URL.Query().Get("application")), nil
}

func (e *Emulator) adminPutSubscription(r *http.Request) (any, error) {
	var sub Subscription
	if err := decode(r, &sub); err != nil {
		return nil, err
	}
	id := r.PathValue("id")
	switch {
	case sub.ID != "" && sub.ID != id:
		return nil, fmt.Errorf("putting subscription %s: the body names %s: %w", id, sub.ID, ErrInvalid)
	case sub.ApplicationID == "":
		return nil, fmt.Errorf("putting subscription %s: applicationId is missing: %w", id, ErrInvalid)
	}
	sub.ID = id
	e.PutSubscription(sub)
	return nil, nil
}

func (e *Emulator) adminRemoveSubscription(r *http.Request) (any, error) {
	id := r.PathValue("id")
	for _, s := range e.Subscriptions("") {
		if s.ID == id {
			e.RemoveSubscription(id)
			return nil, nil
		}
	}
	return nil, fmt.Errorf("removing subscription %s: %w", id, ErrNoSubscription)
}
