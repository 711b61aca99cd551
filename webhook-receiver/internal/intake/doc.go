// Package intake is where events come in over HTTP: [Handler] answers requests, and [Server] is the port that they
// come through.
//
// ESS decides by the status alone what becomes of an event (SAP Concur, Event Subscription Service v4, Retry
// Policy): 2xx, and it forgets the event; 401, 403, 429 or 5xx, and it tries again for 72 hours; any other 4xx, and
// the event is lost for good. So there is one order, limits → route → prove → parse → store → answer, and one table
// that says what ESS hears of how it ended ([Handler] holds to it even when its own code panics):
//
//   - 200 only once the event would survive a loss of power, or did so already;
//   - 401 when nothing proves it, for it may be our keys that are stale;
//   - 503 with Retry-After for all else that may be over in 72 hours, an unknown route and a body that is too large
//     among them: a person can still add the one and raise the limit for the other.
//
// Requests that cannot be a delivery, by their method or their path, get 405 and 404.
//
// # Callouts
//
// Connectors of the older Event Notification callout come in by the same port and are answered by the same table:
// exactly 200 takes a notification from Concur's queue, and what becomes of one that was answered otherwise is not
// documented, but that it can be listed as failed (SAP Concur, Event Notification; Get Notifications by Status).
// Several connectors may share one path, and then the user name tells them apart. Credentials are looked at before
// the body is read.
//
// Until a routes file has been read, any path may be a connector's, so every POST is answered 503 and none 404. After
// that, what is posted to a path that no connector has is not Concur's: 404.
package intake
