package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
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

func (s *stage) edit(ctx context.Context) error {
	s.title("An edit of the filter is one PUT")
	if err := s.call(ctx, http.MethodDelete, "/v1/requests", nil); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"patch", "-n", namespace, subscription, "--type=merge", "-p", `{"spec":{"filter":"reportCreated|statusChanged"}}`},
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

  export KUBECONFIG=%[1]s PATH=%[2]s:$PATH
  kubectl get eventsubscriptions -n %[3]s -o wide
  curl -X POST 'http://%[4]s/v1/samples/expense-report-status-changed-2022-1?company=%[5]s'    # another event
  curl --cacert %[6]s --oauth2-bearer "$(cat %[10]s)" 'https://%[7]s/v1/events'   # what the receiver's store holds
  curl http://%[4]s/          # what the emulator can do
  less %[8]s %[9]s    # the logs

`, word(s.plane.Kubeconfig), word(s.plane.AssetsDir), namespace, s.admin, company, word(s.path(adminSecret+"/ca.crt")), s.receiverAdmin,
		word(s.path("manager.log")), word(s.path("webhook-receiver.log")), word(s.path(adminSecret+"/token")))
	<-ctx.Done()
	fmt.Println("\nStopping.")
	return nil
}
