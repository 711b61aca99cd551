package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
)

// Where the samples live.
const (
	namespace    = "finance"
	connection   = "concurconnection/acme-us"
	subscription = "eventsubscription/expense-reports"
)

// changes are the operations that concern one subscription.
var changes = []string{"put", "get", "delete"}

func (s *stage) subscribe(ctx context.Context) error {
	s.title("The samples become a verified subscription")
	dir, err := s.writeOverlay()
	if err != nil {
		return err
	}
	for _, args := range [][]string{
		{"create", "namespace", namespace},
		{"apply", "-k", dir},
		{"wait", "-n", namespace, "--for=condition=Ready", "--timeout=60s", connection, subscription},
		{"get", "concurconnections,eventsubscriptions", "-n", namespace},
	} {
		if err := s.kubectl(ctx, args...); err != nil {
			return err
		}
	}
	return s.showCalls(ctx, append(changes, "token", "list", "topics")...)
}

func (s *stage) connectCompany(ctx context.Context) error {
	s.title("A company connects the application, and the next resync (10 s here) counts it")
	if err := s.act(ctx, http.MethodPut, "/v1/applications/"+clientID+"/companies/"+company); err != nil {
		return err
	}
	err := s.kubectl(ctx, "wait", "-n", namespace, "--for=condition=CompaniesConnected", "--timeout=60s", subscription)
	if err != nil {
		return err
	}
	return s.kubectl(ctx, "get", "eventsubscriptions", "-n", namespace, "-o", "wide")
}

func (s *stage) deliverEvents(ctx context.Context) error {
	s.title("Something happens at the company: events arrive, signed")
	for _, sample := range []string{"expense-report-created-1", "expense-report-status-changed-1"} {
		if err := s.act(ctx, http.MethodPost, "/v1/samples/"+sample+"?company="+company); err != nil {
			return err
		}
	}
	if err := s.until(ctx, "the deliveries", s.delivered); err != nil {
		return err
	}
	text, err := os.ReadFile(s.path("ess-emulator.log"))
	if err != nil {
		return fmt.Errorf("reading what the endpoint printed: %w", err)
	}
	fmt.Println("  The endpoint printed:")
	for line := range strings.SplitSeq(string(text), "\n") {
		if strings.HasPrefix(line, "event at ") || strings.Contains(line, `"eventType"`) {
			fmt.Println("    " + line)
		}
	}
	return nil
}

// delivered is nil when both events were delivered.
func (s *stage) delivered(ctx context.Context) error {
	var ledger []struct{ Outcome string }
	if err := s.call(ctx, http.MethodGet, "/v1/deliveries", &ledger); err != nil {
		return err
	}
	if len(ledger) != 2 || ledger[0].Outcome != "delivered" || ledger[1].Outcome != "delivered" {
		return fmt.Errorf("the ledger says %v", ledger)
	}
	return nil
}

func (s *stage) edit(ctx context.Context) error {
	s.title("An edit of the filter is one PUT")
	if err := s.call(ctx, http.MethodDelete, "/v1/requests", nil); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"patch", "-n", namespace, subscription, "--type=merge", "-p", `{"spec":{"filter":"reportCreated"}}`},
		{"wait", "-n", namespace, "--for=jsonpath={.status.observedGeneration}=2", "--timeout=60s", subscription},
		{"wait", "-n", namespace, "--for=condition=Ready", "--timeout=60s", subscription},
	} {
		if err := s.kubectl(ctx, args...); err != nil {
			return err
		}
	}
	return s.showCalls(ctx, changes...)
}

func (s *stage) misconfigure(ctx context.Context) error {
	s.title("A mistake is told in plain words")
	for _, args := range [][]string{
		{"patch", "-n", namespace, subscription, "--type=merge", "-p", `{"spec":{"topic":"public.concur.expense.reports"}}`},
		{"wait", "-n", namespace, "--for=condition=Stalled", "--timeout=60s", subscription},
		{"get", "-n", namespace, subscription, "-o", `jsonpath={.status.conditions[?(@.type=="Ready")].message}`},
		{"patch", "-n", namespace, subscription, "--type=merge", "-p", `{"spec":{"topic":"public.concur.expense.report"}}`},
		{"wait", "-n", namespace, "--for=condition=Ready", "--timeout=60s", subscription},
	} {
		if err := s.kubectl(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

func (s *stage) remove(ctx context.Context) error {
	if os.Getenv("KEEP") != "" {
		return nil // what is kept should still be there to look at
	}
	s.title("Deleting the object deletes the subscription, and waits until ESS no longer lists it")
	if err := s.call(ctx, http.MethodDelete, "/v1/requests", nil); err != nil {
		return err
	}
	if err := s.kubectl(ctx, "delete", "-n", namespace, subscription, "--timeout=60s"); err != nil {
		return err
	}
	if err := s.showCalls(ctx, changes...); err != nil {
		return err
	}
	var left []struct{ ID string }
	if err := s.call(ctx, http.MethodGet, "/v1/subscriptions", &left); err != nil {
		return err
	}
	if len(left) > 0 {
		return fmt.Errorf("ESS still holds %v", left)
	}
	fmt.Printf("  ESS holds %d subscriptions.\n\nThat was it. make demo KEEP=1 leaves everything running, to go on by hand.\n", len(left))
	return nil
}

// keep waits for Ctrl-C when the demo is to stay.
func (s *stage) keep(ctx context.Context) error {
	if os.Getenv("KEEP") == "" {
		return nil
	}
	fmt.Printf(`
Everything goes on running until you press Ctrl-C. In another terminal:

  export KUBECONFIG=%s PATH=%s:$PATH
  kubectl get eventsubscriptions -n %s -o wide
  curl http://%s/          # what the emulator can do
  less %s    # the operator's log

`, s.plane.Kubeconfig, s.plane.AssetsDir, namespace, s.admin, s.path("manager.log"))
	<-ctx.Done()
	fmt.Println("\nStopping.")
	return nil
}
