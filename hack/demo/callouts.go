package main

import (
	"context"
	"fmt"
	"net/http"
)

// The connector, as its administrator registers it at Concur. The user name and the password are those of config/samples.
const (
	connectorObject   = "applicationconnector/report-callouts"
	connectorSecret   = "secret/report-callouts"
	connectorUser     = "acme-report-callouts"
	connectorPassword = "replace-me-please"
	changedPassword   = "changed-in-the-cluster-alone"
	userToken         = "token-of-an-administrator"
)

func (s *stage) callout(ctx context.Context) error {
	s.title("A company without ESS: its administrator registers an application connector, from what the object's status says")
	for _, args := range [][]string{
		{"wait", "-n", namespace, "--for=condition=Ready", "--timeout=60s", connectorObject},
		{"get", "-n", namespace, connectorObject, "-o", "custom-columns=READY:.status.conditions[?(@.type==\"Ready\")].status,URL:.status.url,TEST:.status.testConnectionURL"},
	} {
		if err := s.kubectl(ctx, args...); err != nil {
			return err
		}
	}
	registration := fmt.Sprintf(`{"host":"https://%s","userName":%q,"password":%q,"enabled":true,"companyId":%q}`,
		s.receiver, connectorUser, connectorPassword, company)
	if err := s.send(ctx, http.MethodPut, "/v1/connectors/reports", registration, nil); err != nil {
		return err
	}
	fmt.Printf("  $ curl -X POST 'http://%s/v1/connectors/reports/test'   # the button Test Connection\n", s.admin)
	err := s.until(ctx, "the receiver to know the connector", func(ctx context.Context) error {
		var tested struct {
			Verified bool
			Status   int
		}
		if err := s.call(ctx, http.MethodPost, "/v1/connectors/reports/test", &tested); err != nil {
			return err
		}
		if !tested.Verified {
			return fmt.Errorf("the test was answered %d", tested.Status)
		}
		return nil
	})
	if err != nil {
		return err
	}
	fmt.Println("    verified\n  A report is submitted. What SAP Concur posts is XML, and the same sink gets it as JSON:")
	if err := s.act(ctx, http.MethodPost, "/v1/notification-samples/expense-report-1?connector=reports"); err != nil {
		return err
	}
	return s.arrived(ctx, 6)
}

func (s *stage) recover(ctx context.Context) error {
	s.title("The password is changed in the cluster and not at SAP Concur: what fails there is fetched")
	if err := s.send(ctx, http.MethodPatch, "/v1/assumptions", `{"callout-attempts":"1"}`, nil); err != nil {
		return err
	}
	err := s.kubectl(ctx, "patch", "-n", namespace, connectorSecret, "--type=merge", "-p", `{"stringData":{"password":"`+changedPassword+`"}}`)
	if err != nil {
		return err
	}
	if err := s.until(ctx, "the old password to end", s.oldPasswordEnds); err != nil {
		return err
	}
	report := `{"eventType":"Report Entered Expense Report Workflow Step - SUBMIT","objectType":"EXPRPT","objectURI":"https://us2.concursolutions.com/report/3%Rek29$"}`
	if err := s.send(ctx, http.MethodPost, "/v1/notifications?connector=reports", report, nil); err != nil {
		return err
	}
	fmt.Println("  SAP Concur hears 401, and lists it as FAILED. The operator looks there every 10 s here.")
	if err := s.arrived(ctx, 7); err != nil {
		return err
	}
	if err := s.until(ctx, "the deletion", s.deletedAtConcur); err != nil {
		return err
	}
	fmt.Println("  It is stored, so it was deleted at SAP Concur.")
	for _, args := range [][]string{
		{"wait", "-n", namespace, "--for=jsonpath={.status.recovery.recovered}=1", "--timeout=60s", connectorObject},
		{"get", "applicationconnectors", "-n", namespace, "-o", "wide"},
	} {
		if err := s.kubectl(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

// oldPasswordEnds is nil once the receiver refuses it.
func (s *stage) oldPasswordEnds(ctx context.Context) error {
	caller, err := s.trusting(s.path("emulator-ca.crt"))
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+string(s.receiver)+"/system/v1.0/testconnection", nil)
	if err != nil {
		return fmt.Errorf("testing the connection: %w", err)
	}
	request.SetBasicAuth(connectorUser, connectorPassword)
	answer, err := caller.Do(request)
	if err != nil {
		return fmt.Errorf("testing the connection: %w", err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusUnauthorized {
		return fmt.Errorf("the receiver answers %s to the old password", answer.Status)
	}
	return nil
}

// deletedAtConcur is nil once no notification is FAILED any more, and the last one was.
func (s *stage) deletedAtConcur(ctx context.Context) error {
	var ledger []struct{ Outcome string }
	if err := s.call(ctx, http.MethodGet, "/v1/callouts", &ledger); err != nil {
		return err
	}
	if n := len(ledger); n != 2 || ledger[1].Outcome != "deleted" {
		return fmt.Errorf("the ledger says %v", ledger)
	}
	return nil
}
