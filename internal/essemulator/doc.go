// Package essemulator is SAP Concur's Event Subscription Service (ESS) v4 as an http.Handler: the token
// service in front of it, the subscriptions API with its refusals, and the delivery engine behind it that
// posts signed events to endpoints and retries as Concur does. The older way, the Event Notification callout, is
// package callout below; here are its API of failed notifications and the tokens of users who may call it.
//
// It is a second, independent reading of Concur's public pages. It shares no code with the client of this
// project on purpose: a JSON name that is wrong on both sides would otherwise look right.
//
// # Using it in a test
//
//	emu, err := essemulator.New()
//	srv := httptest.NewTLSServer(emu.Handler())
//	emu.PutApplication(essemulator.Application{
//		ID: "6a1f…", Secrets: []string{"s3cret"}, Scopes: []string{"events.topic.read", "expense.report.read"},
//	})
//	go emu.Run(ctx) // only needed for deliveries
//
// Everything Concur does on its own is a method here: companies connect ([Emulator.ConnectCompany]), tokens
// are revoked ([Emulator.RevokeTokens]), subscriptions appear and vanish ([Emulator.PutSubscription],
// [Emulator.RemoveSubscription]), events happen ([Emulator.Publish]), and calls fail ([Emulator.InjectFault]).
// What happened can be asserted on: [Emulator.Requests] is every call, [Emulator.Ledger] every delivery.
// Callouts have all that of their own, at [Emulator.Callouts], and users' tokens ([Emulator.PutUserToken]).
// The same is offered as JSON over HTTP by [Emulator.AdminHandler].
//
// # What is known and what is assumed
//
// Concur documents the happy paths and few of the refusals. Every answer without a public source is a field
// of [Assumptions], with a default that says what we think is likely, and can be turned to the other reading.
// A client that works under all of them will not be surprised.
//
// # Time
//
// Nothing waits by the wall clock but the network itself. Token life, deletion, the 30 days after which ESS
// removes what does not work, and the retry schedule follow the clock given by [WithClock]; deletion and
// removal are decided whenever someone looks, so a test that steps the clock sees the result at once.
//
// An Emulator is safe for concurrent use. It keeps everything in memory, and all of it is bounded.
package essemulator
