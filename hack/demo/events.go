package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// publish lets a built-in event happen at the company.
func (s *stage) publish(ctx context.Context, samples ...string) error {
	for _, sample := range samples {
		if err := s.act(ctx, http.MethodPost, "/v1/samples/"+sample+"?company="+company); err != nil {
			return err
		}
	}
	return nil
}

// arrived waits until the sink has got so many events in all, and prints the new ones.
func (s *stage) arrived(ctx context.Context, total int) error {
	err := s.until(ctx, "the events", func(context.Context) error {
		if got := s.sink.count(); got != total {
			return fmt.Errorf("the sink got %d events, want %d", got, total)
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.sink.show()
	return nil
}

// acknowledged waits until the emulator has delivered everything, and returns the attempts of the last delivery.
func (s *stage) acknowledged(ctx context.Context) (attempts int, err error) {
	var ledger []struct {
		Outcome  string
		Attempts []struct{ Status int }
	}
	err = s.until(ctx, "the deliveries", func(ctx context.Context) error {
		if err := s.call(ctx, http.MethodGet, "/v1/deliveries", &ledger); err != nil {
			return err
		}
		for _, d := range ledger {
			if d.Outcome != "delivered" {
				return fmt.Errorf("the ledger says %v", d)
			}
		}
		return nil
	})
	if err != nil || len(ledger) == 0 {
		return 0, err
	}
	return len(ledger[len(ledger)-1].Attempts), nil
}

func (s *stage) deliverEvents(ctx context.Context) error {
	s.title("Something happens at the company: events arrive, are proven, stored and handed on as CloudEvents")
	if err := s.publish(ctx, "expense-report-created-1", "expense-report-status-changed-1"); err != nil {
		return err
	}
	return s.arrived(ctx, 2)
}

func (s *stage) deliverTwice(ctx context.Context) error {
	s.title("SAP Concur sends an event twice, as it may: it arrives once")
	if err := s.send(ctx, http.MethodPatch, "/v1/assumptions", `{"duplicates":"1"}`, nil); err != nil {
		return err
	}
	if err := s.publish(ctx, "expense-report-status-changed-2"); err != nil {
		return err
	}
	attempts, err := s.acknowledged(ctx)
	if err != nil {
		return err
	}
	if err := s.send(ctx, http.MethodPatch, "/v1/assumptions", `{"duplicates":"0"}`, nil); err != nil {
		return err
	}
	fmt.Printf("  SAP Concur sent it %d times, and got 200 each time.\n", attempts)
	if attempts != 2 {
		return fmt.Errorf("the event was sent %d times, want 2", attempts)
	}
	return s.arrived(ctx, 3)
}

func (s *stage) forge(ctx context.Context) error {
	s.title("A stranger sends an event: 401, which makes SAP Concur try again, should it be our key that is stale")
	url := "https://" + string(s.receiver) + "/events/" + namespace + "/expense-reports"
	forged := `{"id":"forged","eventType":"reportCreated","topic":"public.concur.expense.report"}`
	fmt.Printf("  $ curl --cacert %s -d '%s' \\\n      %s\n", word(s.path("emulator-ca.crt")), forged, url)
	stranger, err := s.trusting(s.path("emulator-ca.crt"))
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(forged))
	if err != nil {
		return fmt.Errorf("forging an event: %w", err)
	}
	answer, err := stranger.Do(request)
	if err != nil {
		return fmt.Errorf("forging an event: %w", err)
	}
	_ = answer.Body.Close()
	fmt.Println("   ", answer.Status)
	if answer.StatusCode != http.StatusUnauthorized {
		return fmt.Errorf("a forged event was answered %s", answer.Status)
	}
	return nil
}

func (s *stage) outage(ctx context.Context) error {
	s.title("The sink goes away; SAP Concur does not notice")
	if err := s.sink.close(); err != nil {
		return err
	}
	if err := s.publish(ctx, "expense-report-status-changed-3", "expense-report-status-changed-guide-1"); err != nil {
		return err
	}
	if _, err := s.acknowledged(ctx); err != nil {
		return err
	}
	pending, err := s.store(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("  Both were answered 200. The receiver's store holds %d events that wait for the sink.\n", pending)
	if pending != 2 {
		return fmt.Errorf("%d events wait, want 2", pending)
	}
	fmt.Println("  The sink comes back.")
	if err := s.sink.open(ctx); err != nil {
		return err
	}
	return s.arrived(ctx, 5)
}

func (s *stage) showDelivery(ctx context.Context) error {
	s.title("Once a minute the operator asks the receiver how it went")
	err := s.kubectl(ctx, "wait", "-n", namespace, `--for=jsonpath={.status.delivery.received}`, "--timeout="+(2*time.Minute).String(), subscription)
	if err != nil {
		return err
	}
	return s.kubectl(ctx, "get", "eventsubscriptions", "-n", namespace, "-o", "wide")
}
