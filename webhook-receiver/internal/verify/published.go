package verify

import _ "embed" // the published keys

// The public keys that SAP Concur prints on the page "Event Subscription Service v4", under "Concur-Signature"
// (https://developer.concur.com/api-reference/ess/v4.event-subscription.html).
//
// Concur announces a rotation some weeks ahead, printing both keys; so the one before stays believed for
// deliveries that are signed late. The key before these two (on the page until 2023-11-20) is not built in on
// purpose: nothing has been signed with it for years, and who can still sign with a key that old is anybody's guess.
var (
	//go:embed published/current.pem
	currentPEM []byte // in force since 2025-10-22
	//go:embed published/previous.pem
	previousPEM []byte // in force from 2023-11-20 to 2025-10-22
)

// PublishedKeys returns the built-in keys: those that Concur has published, current and previous.
func PublishedKeys() []Key {
	return []Key{{Name: "current", PEM: currentPEM}, {Name: "previous", PEM: previousPEM}}
}

// PublishedName is the name in ESS's client certificate (SAP Concur, Event Subscription Service v4, mTLS).
const PublishedName = "webhook.api.concursolutions.com"
