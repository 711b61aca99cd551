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
	w.Expect(held).To(gomega.HaveLen(1))
	got := [...]string{held[0].ID, held[0].Topic, held[0].Filter, held[0].Endpoint}
	w.Expect(got).To(gomega.Equal([...]string{w.namespace + ".reports", topic, ".*", endpoint}))
	w.expectCalls("a creation", "GET reports 404", "PUT reports 200", "GET reports 200")
	w.Expect(sub.Status.SubscriptionID).To(gomega.Equal(held[0].ID))
	w.Expect(sub.Status.ApplicationID).To(gomega.Equal(appID))
	w.Expect(sub.Status.Endpoint).To(gomega.Equal(endpoint))

	w.ess.ResetRequests()
	w.change(sub, func() { sub.Spec.Filter = "reportCreated" })
	w.eventuallyReady(sub, "True", v1alpha1.SubscribedReason)
	w.Expect(w.ess.Subscriptions(appID)[0].Filter).To(gomega.Equal("reportCreated"))
	w.expectCalls("an edit", "GET reports 200", "PUT reports 200", "GET reports 200")

	w.ess.ResetRequests()
	w.delete(sub)
	w.Expect(w.ess.Subscriptions(appID)).To(gomega.BeEmpty())
	w.expectCalls("a deletion", "DELETE reports 200")
}

// expectCalls compares the calls about single subscriptions, in order.
func (w *world) expectCalls(of string, want ...string) {
	w.t.Helper()
	if diff := cmp.Diff(want, w.calls(writesAndReads...)); diff != "" {
		w.t.Errorf("calls of %s (-want +got):\n%s", of, diff)
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
