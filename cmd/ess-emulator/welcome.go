package main

import (
	"fmt"
	"io"
	"strings"
)

// welcome prints where everything is and commands that work as they stand.
func (p *program) welcome(w io.Writer) {
	app := p.opts.applications[0]
	endpoint := "https://localhost:9443/hook" // of the reader's own making
	if p.echo != nil {
		endpoint = "https://" + p.echo.Addr().String() + "/hook"
	}
	secret := "$SECRET" // only the demo application's secret is public
	if app.ID == demoID && app.Secrets[0] == demoSecret {
		secret = demoSecret
	}
	fmt.Fprint(w, strings.NewReplacer(
		"{api}", "https://"+p.api.Addr().String(), "{admin}", "http://"+p.admin.Addr().String(),
		"{dir}", p.opts.stateDir, "{app}", app.ID, "{secret}", secret, "{endpoint}", endpoint,
	).Replace(welcomeText))
}

const welcomeText = `ess-emulator is ready.

  Concur      {api}   (trust {dir}/ca.crt)
  admin API   {admin}    (overview: curl {admin}/)
  endpoints   {dir}/endpoint.crt and endpoint.key serve https://localhost; {dir}/signing-key.pem verifies
              Concur-Signature

Subscribe to expense reports:

  TOKEN=$(curl -s --cacert {dir}/ca.crt {api}/oauth2/v0/token \
    -d grant_type=client_credentials -d client_id={app} -d client_secret={secret} |
    sed 's/.*"access_token":"\([^"]*\)".*/\1/')
  curl -s --cacert {dir}/ca.crt -H "Authorization: Bearer $TOKEN" {api}/events/v4/topics
  curl -s --cacert {dir}/ca.crt -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \
    -X PUT {api}/events/v4/subscriptions/webhook -d '{"id":"my.reports",
    "topic":"public.concur.expense.report","filter":".*","webHookConfig":{"endpoint":"{endpoint}"}}'

A company connects, something happens there, and this is what became of it:

  curl -s -X PUT {admin}/v1/applications/{app}/companies/acme
  curl -s -X POST '{admin}/v1/samples/expense-report-status-changed-1?company=acme'
  curl -s {admin}/v1/deliveries

`
