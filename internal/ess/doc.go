// Package ess is a client of SAP Concur's Event Subscription Service (ESS) v4 and of the OAuth2 token service in front of it.
//
// # Use
//
// One [Client] serves one OAuth2 application in one data center:
//
//	client, err := ess.New(ess.Config{
//		BaseURL:      "https://us2.api.concursolutions.com",
//		ClientID:     id,
//		ClientSecret: secret,
//	})
//	topics, err := client.Topics(ctx)
//	err = client.Put(ctx, ess.Subscription{ID: "acme.reports", Topic: topics[0], Filter: ".*", Endpoint: endpoint})
//
// A Client may be used by many goroutines at once. It holds the application's secret and its current token, shows
// neither in any error, and is not changed after New: for a new secret make a new Client.
//
// # What it promises
//
//   - Every call ends: in Config.Timeout at the latest, with at most 1 MiB of any answer kept.
//   - The token is fetched when first needed and renewed at 80 % of its life at the latest. Callers who need one at
//     the same time share one request. While a renewal fails for want of a working token service, the old token
//     serves until it expires.
//   - An answer 401 or 403 fetches one fresh token and repeats the call once, because both are how Concur says
//     that a token has expired. Nothing else is repeated: back-off belongs to the caller.
//   - No redirect is followed and no host is called that Config.AllowURL refuses, also not on the word of a token's
//     geolocation. Plain http is for loopback hosts only.
//
// # Errors
//
// Whatever goes wrong in a call is an [*Error]. Test its kind with errors.Is against the Err values:
//
//	if errors.Is(err, ess.ErrNotFound) { … }
//
// A caller that cancels its own context gets an error that is context.Canceled and none of the Err values.
//
// # What is not known about ESS
//
// Concur does not document how ESS answers when it refuses. This package sorts refusals by HTTP status and, for a
// refused Put, by the text of the answer; the texts are assumptions, collected in [Patterns] and replaceable. The path
// prefix is configurable because Concur's pages disagree about it. Reading one subscription accepts both documented
// forms, an object and an array of one.
package ess
