package monitoring

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Beginnings of series that several cases have.
const (
	events  = `ess_receiver_received_total{kind="subscription",namespace="finance",name="reports",result=`
	callout = `ess_receiver_received_total{kind="connector",namespace="finance",name="callouts",result=`
	route   = `{kind="subscription",namespace="finance",name="reports"} `
)

// alertCase is what people are told of some series at some time.
type alertCase struct {
	alert, reason string
	series        []string
	at            time.Duration
	want          []string // summaries
}

var alertCases = map[string]alertCase{
	"OperatorThere": {
		alert: "ConcurOperatorDown", reason: "one of two managers is enough", at: time.Hour,
		series: []string{`ess_operator_build_info{job="ess-operator-metrics",pod="a"} 1x10`, `ess_operator_build_info{job="ess-operator-metrics",pod="b"} 1x60`},
	},
	"OperatorReplaced": {
		alert: "ConcurOperatorDown", reason: "a rollout is no outage", at: 20 * time.Minute,
		series: []string{`ess_operator_build_info{job="ess-operator-metrics",pod="a"} 1x10`},
	},
	"OperatorGone": {
		alert: "ConcurOperatorDown", reason: "and neither is another operator ours", at: time.Hour,
		series: []string{`ess_operator_build_info{job="ess-operator-metrics"} 1x10`, `ess_operator_build_info{job="other-ess-operator-metrics"} 1x60`},
		want:   []string{"No manager of ess-operator tells its metrics. Events go on arriving; changes of subscriptions wait."},
	},
	"ObjectNotReady": {
		alert: "ConcurObjectNotReady", reason: "two managers tell the same two objects", at: time.Hour,
		series: []string{
			`ess_operator_objects{pod="a",kind="EventSubscription",ready="False",reason="QuotaExceeded"} 2x60`,
			`ess_operator_objects{pod="b",kind="EventSubscription",ready="False",reason="QuotaExceeded"} 2x60`,
			`ess_operator_objects{pod="a",kind="EventSubscription",ready="True",reason="Subscribed"} 3x60`,
		},
		want: []string{"2 objects of kind EventSubscription are not ready: QuotaExceeded."},
	},
	"ObjectNeverSeen": {
		alert: "ConcurObjectNotReady", reason: "a manager that hangs leaves objects as they were made", at: time.Hour,
		series: []string{`ess_operator_objects{kind="ConcurConnection",ready="Unknown",reason="Progressing"} 1x60`},
		want:   []string{"1 objects of kind ConcurConnection are not ready: Progressing."},
	},
	"ObjectJustMade": {
		alert: "ConcurObjectNotReady", reason: "what takes some minutes is no trouble", at: time.Hour,
		series: []string{`ess_operator_objects{kind="EventSubscription",ready="Unknown",reason="Progressing"} 0x50 1x10`},
	},
	"ObjectAsWanted": {
		alert: "ConcurObjectNotReady", reason: "somebody wanted it so", at: time.Hour,
		series: []string{
			`ess_operator_objects{kind="EventSubscription",ready="False",reason="Suspended"} 1x60`,
			`ess_operator_objects{kind="EventSubscription",ready="False",reason="Deleting"} 1x60`,
			`ess_operator_objects{kind="ConcurConnection",ready="False",reason="InUse"} 1x60`,
		},
	},
	"ReceiverThere": {
		alert: "ConcurReceiverDown", reason: "nothing is wrong", at: time.Hour,
		series: []string{`ess_receiver_build_info{job="ess-operator-receiver-admin"} 1x60`},
	},
	"ReceiverNeverThere": {
		alert: "ConcurReceiverDown", reason: "its pod waits for a Secret since it was installed", at: time.Hour,
		want: []string{"The receiver tells no metrics. If it takes no events either, SAP Concur gives them up after 72 hours."},
	},
	"ReceiverGone": {
		alert: "ConcurReceiverDown", reason: "five minutes after the last sample Prometheus forgets a series", at: 45 * time.Minute,
		series: []string{`ess_receiver_build_info{job="ess-operator-receiver-admin"} 1x30`},
		want:   []string{"The receiver tells no metrics. If it takes no events either, SAP Concur gives them up after 72 hours."},
	},
	"StoreFull": {
		alert: "ConcurEventsRefused", reason: "people are told by what they can do about it", at: time.Hour,
		series: []string{events + `"full"} 0x50 1+1x10`, callout + `"full"} 0x50 1+1x10`, events + `"accepted"} 0+1x60`},
		want:   []string{"The receiver answers 503 to events of SAP Concur, which are gone after 72 hours: full."},
	},
	"TooLargeAgain": {
		alert: "ConcurEventsRefused", reason: "a first one is the beginning of a series; ESS comes back with it", at: time.Hour,
		series: []string{events + `"too_large"} _x20 1x20 2x20`},
		want:   []string{"The receiver answers 503 to events of SAP Concur, which are gone after 72 hours: too_large."},
	},
	"SlowOnce": {
		alert: "ConcurEventsRefused", reason: "ESS tries again, and it goes well", at: time.Hour,
		series: []string{events + `"timeout"} 0x40 3x20`, events + `"overloaded"} 0x10 3x50`},
	},
	"SlowForAnHour": {
		alert: "ConcurEventsRefused", reason: "too little of something is not mended by trying again", at: time.Hour,
		series: []string{events + `"overloaded"} 0+1x60`},
		want:   []string{"The receiver answers 503 to events of SAP Concur, which are gone after 72 hours: overloaded."},
	},
	"RouteOnItsWay": {
		alert: "ConcurEventsRefused", reason: "a new subscription's events come before its route", at: time.Hour,
		series: []string{`ess_receiver_received_total{kind="subscription",result="unknown_route"} 0x50 1+1x2 3x8`},
	},
	"Draining": {
		alert: "ConcurEventsRefused", reason: "the pod is being replaced, and senders break off", at: time.Hour,
		series: []string{events + `"draining"} 0+1x60`, events + `"aborted"} 0+1x60`},
	},
	"NothingProven": {
		alert: "ConcurEventsUnproven", reason: "SAP Concur's key has changed", at: 2 * time.Hour,
		series: []string{events + `"unproven"} 0+1x120`, events + `"accepted"} 0+1x30 30x90`},
		want:   []string{"Nothing proves that what arrives for subscription finance/reports comes from SAP Concur, and all of it is answered 401."},
	},
	"WrongPassword": {
		alert: "ConcurEventsUnproven", reason: "the password at SAP Concur is not that of the Secret", at: 2 * time.Hour,
		series: []string{callout + `"wrong_credentials"} 0+1x120`},
		want:   []string{"Nothing proves that what arrives for connector finance/callouts comes from SAP Concur, and all of it is answered 401."},
	},
	"StrangersKnock": {
		alert: "ConcurEventsUnproven", reason: "what the internet tries is no fault, while SAP Concur's events are taken", at: 2 * time.Hour,
		series: []string{
			events + `"unproven"} 0+1x120`, events + `"accepted"} 0+1x120`,
			`ess_receiver_received_total{kind="connector",result="wrong_credentials"} 0+1x120`,
		},
	},
	"SinkDown": {
		alert: "ConcurEventsNotDelivered", reason: "its owner has to mend it", at: 2 * time.Hour,
		series: []string{`ess_receiver_oldest_pending_seconds` + route + `0+60x120`},
		want:   []string{"An event of subscription finance/reports has waited for 2h 0m 0s to be delivered."},
	},
	"SinkSlow": {
		alert: "ConcurEventsNotDelivered", reason: "retries are for this", at: time.Hour,
		series: []string{`ess_receiver_oldest_pending_seconds` + route + `0+60x60`},
	},
	"Dead": {
		alert: "ConcurEventsDead", reason: "they are removed after a week", at: time.Minute,
		series: []string{`ess_receiver_store_dead_events` + route + `3x5`, `ess_receiver_store_dead_events{kind="connector",namespace="finance",name="callouts"} 0x5`},
		want:   []string{"Delivery of 3 events of subscription finance/reports was given up. The receiver removes them after journal.bbolt.retention."},
	},
	"CertificateEnds": {
		alert: "ConcurReceiverCertificateEnds", reason: "of two, the one that nobody has renewed", at: 24 * time.Hour,
		series: []string{
			`ess_receiver_certificate_expiry_timestamp_seconds{file="events.tls"} 259200x1440`,
			`ess_receiver_certificate_expiry_timestamp_seconds{file="admin.tls"} 2592000x1440`,
		},
		want: []string{"The certificate events.tls of the receiver ends in 2d 0h 0m 0s."},
	},
}

// TestAlerts gives Prometheus what the programs tell in a situation.
func TestAlerts(t *testing.T) {
	t.Parallel()
	alerts := installed(t)
	fired := map[string]bool{}
	for name, c := range alertCases {
		fired[c.alert] = fired[c.alert] || len(c.want) > 0
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			alert, ok := alerts[c.alert]
			if !ok {
				t.Fatalf("there is no alert %s", c.alert)
			}
			if diff := cmp.Diff(c.want, firing(t, alert, load(t, c.series), c.at)); diff != "" {
				t.Errorf("%s: %s (-want +got):\n%s", c.alert, c.reason, diff)
			}
		})
	}
	for name := range alerts {
		if !fired[name] {
			t.Errorf("no case shows %s firing", name)
		}
	}
}
