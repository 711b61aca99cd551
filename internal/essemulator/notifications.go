package essemulator

import (
	"errors"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/ess-operator/ess-operator/internal/essemulator/callout"
)

// notificationsPath is where failed notifications are listed, and below it deleted (SAP Concur, Get
// Notifications by Status; Delete Notification).
const notificationsPath = "/api/platform/notifications/v1.0/notification"

// notificationAPI lists and deletes failed notifications of the caller's company.
func (e *Emulator) notificationAPI(c *call) (reply, error) {
	user, err := e.authorizeUser(c)
	if err != nil {
		return reply{}, err
	}
	status := e.Assumptions().Statuses
	if c.unreadable != nil {
		return reply{}, refuse(http.StatusBadRequest, invalidRequest, "%v", c.unreadable)
	}
	if c.op == OpFailedList {
		if !strings.EqualFold(c.query.Get("status"), "FAILED") {
			return reply{}, refuse(status.FailedQuery, invalidRequest, "status must be FAILED")
		}
		return e.failedList(c, user), nil
	}
	if !callout.ValidID(c.notifyID) {
		return reply{}, refuse(status.MalformedID, invalidRequest, "notification id is malformed")
	}
	err = e.callouts.Delete(user.CompanyID, c.notifyID)
	if errors.Is(err, callout.ErrNoNotification) && status.UnknownNotification != http.StatusOK {
		return reply{}, refuse(status.UnknownNotification, "notification.not.found", "no such notification")
	}
	return reply{status: http.StatusOK}, nil
}

// failedList writes the list in the form that the caller wants.
func (e *Emulator) failedList(c *call, user UserToken) reply {
	list := e.callouts.Failed(user.CompanyID, e.base(c)+notificationsPath+"/")
	if e.formFor(c) == FailedJSON {
		return reply{status: http.StatusOK, contentType: "application/json", body: callout.ListJSON(list)}
	}
	root := e.Assumptions().Callout.ListRoot
	return reply{status: http.StatusOK, contentType: "application/xml", body: callout.ListXML(root, list)}
}

// formFor is the form in which a caller gets the list.
func (e *Emulator) formFor(c *call) FailedForm {
	return preferred(c.header.Values("Accept"), e.Assumptions().FailedForm)
}

// preferred reads Accept headers: the better of XML and JSON, or fallback when neither is named or both are
// wanted alike.
func preferred(accept []string, fallback FailedForm) FailedForm {
	quality := map[FailedForm]float64{}
	for part := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		media, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		q := 1.0
		if given, ok := params["q"]; ok {
			if q, err = strconv.ParseFloat(given, 64); err != nil {
				continue
			}
		}
		switch media {
		case "application/xml", "text/xml":
			quality[FailedXML] = max(quality[FailedXML], q)
		case "application/json":
			quality[FailedJSON] = max(quality[FailedJSON], q)
		}
	}
	switch {
	case quality[FailedXML] > quality[FailedJSON]:
		return FailedXML
	case quality[FailedJSON] > quality[FailedXML]:
		return FailedJSON
	default:
		return fallback
	}
}
