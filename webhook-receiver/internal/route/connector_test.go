package route_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/route"
)

func TestCredentialsThatEnd(t *testing.T) {
	t.Parallel()
	table := parse(t, `connectors: [{namespace: a, name: b, credentials: [{username: u, password: p}, {username: u, password: q, validUntil: 2026-01-31T13:00:00+01:00}]}]`)
	want := []route.Credential{
		{Username: "u", Password: "p"},
		{Username: "u", Password: "q", ValidUntil: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)},
	}
	if diff := cmp.Diff(want, table.Connectors()[0].Credentials); diff != "" {
		t.Errorf("credentials (-want +got):\n%s", diff)
	}
	if _, err := route.Parse([]byte(`connectors: [{namespace: a, name: b, credentials: [{username: u, password: p, validUntil: tomorrow}]}]`)); err == nil {
		t.Error("an end that is no time is taken: the pair would be valid for ever")
	}
}

// TestConnectorsOfTheOperator reads the file that the operator's tests hold its renderer to.
func TestConnectorsOfTheOperator(t *testing.T) {
	t.Parallel()
	got := map[string]string{}
	for _, c := range parse(t, operatorsFile(t)).Connectors() {
		line := c.Path
		for _, pair := range c.Credentials {
			line += " " + pair.Username
			if !pair.ValidUntil.IsZero() {
				line += " until " + pair.ValidUntil.Format(time.RFC3339)
			}
		}
		switch {
		case c.Sink != nil:
			line += " to " + c.Sink.URI.String()
		case c.AwaitSink:
			line += " awaited"
		}
		got[c.ID.Namespace+"/"+c.ID.Name] = line
	}
	want := map[string]string{
		"finance/awaited": "/concur/v1.0/notify user-of-awaited awaited",
		"finance/reports": "/notify user-of-reports former-user-of-reports until 2026-01-31T12:30:00Z to http://expense-bot.finance.svc",
		"sales/plain":     "/concur/v1.0/notify user-of-plain",
		"sales/withdrawn": "/concur/v1.0/notify user-of-withdrawn until 2026-01-31T13:00:00Z",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("connectors (-want +got):\n%s", diff)
	}
}
