// Package callout is SAP Concur's Event Notification callout, the older way in which Concur tells a company's
// systems what happens: application connectors, the queue of notifications before each of them, and the list
// of those that could not be delivered.
//
//	s := callout.New(callout.Config{Clock: clk, Roots: roots})
//	err := s.PutConnector(callout.Connector{
//		Name: "reports", Host: "https://connector.example", Path: "/concur/v1.0/notify",
//		UserName: "concur-callouts", Password: "a long password", Enabled: true,
//	})
//	_, err = s.TestConnection(ctx, "reports") // without it nothing is sent
//	_, err = s.Publish(callout.Target{}, callout.Notification{…})
//	go s.Run(ctx)
//
// Package essemulator holds a Service and puts Concur's Failed Notifications API, with its tokens and roles,
// in front of [Service.Failed] and [Service.Delete].
//
// # What is known and what is assumed
//
// Known (SAP Concur, Post Event Notification Request; Event Notification; Callouts and Application
// Connectors): a POST of XML with HTTP Basic authentication, one pair of name and password per connector, 200
// takes the notification from the queue, first come first served, and what could not be delivered is listed
// as FAILED until somebody deletes it. A connector has to pass Test Connection before it is used. When Concur
// tries again, how long it waits, and whether one failure holds up the rest is written nowhere: all that is in
// [Assumptions].
//
// # Time and bounds
//
// Intervals and time-outs follow the clock of the [Config]. Everything is kept in memory and all of it is
// bounded. A Service is safe for concurrent use.
package callout
