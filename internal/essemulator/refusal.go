package essemulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// apiError is a "no" of the ESS API. id is the short name in the body.
type apiError struct {
	status  int
	id      string
	message string
}

func (r *apiError) Error() string { return r.message }

func refuse(status int, id, format string, args ...any) error {
	return &apiError{status: status, id: id, message: fmt.Sprintf(format, args...)}
}

// tokenError is a "no" of the token service (SAP Concur, Authentication, Response Codes).
type tokenError struct {
	status      int
	code        int
	kind        string // the error field
	description string
}

func (r *tokenError) Error() string { return r.description }

// refuse writes err in the shape its service uses.
func (e *Emulator) refuse(c *call, err error) reply {
	var no *tokenError
	if errors.As(err, &no) {
		return jsonReply(no.status, map[string]any{
			"code": no.code, "error": no.kind, "error_description": no.description,
			"geolocation": e.base(c), "concur-correlationid": c.correlationID,
		})
	}
	var r *apiError
	if !errors.As(err, &r) {
		r = &apiError{status: http.StatusInternalServerError, id: "internal", message: err.Error()}
	}
	return e.shaped(c, r)
}

func (e *Emulator) shaped(c *call, r *apiError) reply {
	phrase := fmt.Sprintf("%d - %s", r.status, http.StatusText(r.status))
	at := e.clock.Now().UTC().Format("2006-01-02T15:04:05.000-07:00")
	switch e.Assumptions().ErrorShape {
	case ErrorFlat:
		return jsonReply(r.status, flatError{at, phrase, r.message, r.id, c.path})
	case ErrorText:
		return reply{status: r.status, contentType: "text/plain;charset=UTF-8", body: []byte(r.message)}
	case ErrorEmpty:
		return reply{status: r.status}
	default:
		return jsonReply(r.status, siblingError{at, phrase, errorDetail{r.id, r.message}, c.path})
	}
}

// siblingError is the body that Concur's List v4 service answers with.
type siblingError struct {
	Timestamp  string      `json:"timestamp"`
	HTTPStatus string      `json:"httpStatus"`
	Error      errorDetail `json:"error"`
	Path       string      `json:"path"`
}

type errorDetail struct {
	ID      string `json:"id"`
	Message string `json:"message"`
}

// flatError is the body that Concur's Detokenizer v5 service answers with.
type flatError struct {
	Timestamp    string `json:"timestamp"`
	HTTPStatus   string `json:"httpStatus"`
	ErrorMessage string `json:"errorMessage"`
	ErrorID      string `json:"errorId"`
	Path         string `json:"path"`
}

func jsonReply(status int, value any) reply {
	body, err := json.Marshal(value)
	if err != nil { // strings and numbers only, which always marshal
		panic(err)
	}
	return reply{status: status, contentType: "application/json", body: body}
}

// base is the URL of this data center: the one set, or the one the caller used.
func (e *Emulator) base(c *call) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.baseURL != "" {
		return e.baseURL
	}
	return c.baseURL
}
