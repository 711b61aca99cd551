package operator_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/onsi/gomega"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// writesAndReads are the operations that concern one subscription.
var writesAndReads = []string{essemulator.OpPut, essemulator.OpGet, essemulator.OpDelete}

func TestCreateUpdateDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connect()

	sub := w.subscribe("reports")
	held := w.ess.Subscriptions(appID)
	if len(held) != 1 || held[0].ID != w.namespace+".reports" || held[0].Topic != topic || held[0].Filter != ".*" || held[0].Endpoint != endpoint {
		t.Fatalf("ESS holds %+v", held)
	}
	if diff := cmp.Diff([]string{"GET reports 404", "PUT reports 200", "GET reports 200"}, w.calls(writesAndReads...)); diff != "" {
		t.Errorf("calls of a creation (-want +got):\n%s", diff)
	}
	if sub.Status.SubscriptionID != held[0].ID || sub.Status.ApplicationID != appID || sub.Status.Endpoint != endpoint {
		t.Errorf("status is %+v", sub.Status)
	}

	w.ess.ResetRequests()
	w.change(sub, func() { sub.Spec.Filter = "reportCreated" })
	w.eventuallyReady(sub, "True", v1alpha1.SubscribedReason)
	if got := w.ess.Subscriptions(appID)[0].Filter; got != "reportCreated" {
		t.Errorf("the filter at ESS is %q", got)
	}
	if diff := cmp.Diff([]string{"GET reports 200", "PUT reports 200", "GET reports 200"}, w.calls(writesAndReads...)); diff != "" {
		t.Errorf("calls of an edit (-want +got):\n%s", diff)
	}

	w.ess.ResetRequests()
	w.delete(sub)
	if left := w.ess.Subscriptions(appID); len(left) != 0 {
		t.Errorf("ESS still holds %+v", left)
	}
	if diff := cmp.Diff([]string{"DELETE reports 200"}, w.calls(writesAndReads...)); diff != "" {
		t.Errorf("calls of a deletion (-want +got):\n%s", diff)
	}
}

func TestRetainLeavesTheSubscription(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	conn := w.connect()
	sub := w.subscribe("reports", func(s *v1alpha1.EventSubscription) { s.Spec.DeletionPolicy = v1alpha1.DeletionRetain })
	w.delete(conn) // Retain needs no connection at all
	w.ess.ResetRequests()
	w.delete(sub)
	w.Expect(w.ess.Subscriptions(appID)).To(gomega.HaveLen(1))
	w.Expect(w.ess.Requests()).To(gomega.BeEmpty())
}

func TestCompanyConnects(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connect()
	sub := w.subscribe("reports")
	if c := condition(sub, v1alpha1.CompaniesConnectedCondition); c.Status != "False" || c.Reason != v1alpha1.NoCompaniesReason {
		t.Errorf("without a company CompaniesConnected is %+v", c)
	}
	if condition(sub, v1alpha1.AtRiskCondition) == nil {
		t.Error("a subscription without companies is not at risk")
	}
	if err := w.ess.ConnectCompany(appID, company); err != nil {
		t.Fatal(err)
	}
	w.request(sub, "now")
	if *sub.Status.CompanyCount != 1 || sub.Status.CompanyIDs[0] != company {
		t.Errorf("status shows companies %v", sub.Status.CompanyIDs)
	}
	if c := condition(sub, v1alpha1.CompaniesConnectedCondition); c.Status != "True" {
		t.Errorf("with a company CompaniesConnected is %+v", c)
	}
	if condition(sub, v1alpha1.AtRiskCondition) != nil {
		t.Error("still at risk with a company")
	}
	w.Expect(w.calls(essemulator.OpPut)).To(gomega.HaveLen(1))
}
