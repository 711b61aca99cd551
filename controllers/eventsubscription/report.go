package eventsubscription

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/bounded"
	"github.com/ess-operator/ess-operator/controllers/internal/condition"
	"github.com/ess-operator/ess-operator/controllers/internal/failure"
	"github.com/ess-operator/ess-operator/controllers/internal/request"
	"github.com/ess-operator/ess-operator/controllers/statistics"
)

// Sizes that the schema of EventSubscriptionStatus allows.
const (
	maxCompanies = 1000
	maxName      = 256
	maxScope     = 1024
	maxURL       = 4096
)

// unusedLifetime is how long ESS keeps a subscription that works for nobody
// (SAP Concur, Event Subscription Service v4, "Subscription Limits").
const unusedLifetime = 30 * 24 * time.Hour

// report writes into the status of sub what a pass found. It is the only step
// that writes conditions, except for the claim before a first PUT.
func (o outcome) report(sub *v1alpha1.EventSubscription, now time.Time) {
	o.reportSinks(sub)
	o.reportDelivery(sub)
	if errors.Is(o.err, errNotYet) {
		o.reportWaiting(sub, now)
		return
	}
	known := sub.Status.ObservedGeneration == sub.Generation
	sub.Status.ObservedGeneration = sub.Generation
	sub.Status.LastHandledReconcileAt = request.Of(sub)
	if o.held && known {
		return // the failure that is being waited for is what there is to say
	}
	if o.want.Endpoint != "" {
		sub.Status.Endpoint = bounded.Text(o.want.Endpoint, maxURL)
	}
	if o.seen != nil && o.seen.present && (o.seen.owned || o.err == nil) {
		o.describe(sub, now)
	}
	sub.Status.Drift = nil
	o.conclude(sub, now)
	if meta.FindStatusCondition(sub.Status.Conditions, v1alpha1.CompaniesConnectedCondition) == nil {
		set := condition.On(&sub.Status.Conditions, sub.Generation, now)
		set.Unknown(v1alpha1.CompaniesConnectedCondition, v1alpha1.ProgressingReason, "the subscription was not read from ESS yet")
	}
}

// conclude writes Ready, Synced, and the conditions that are present only while True.
func (o outcome) conclude(sub *v1alpha1.EventSubscription, now time.Time) {
	set := condition.On(&sub.Status.Conditions, sub.Generation, now)
	set.Clear(v1alpha1.ReconcilingCondition, v1alpha1.StalledCondition, v1alpha1.DriftedCondition)
	switch {
	case !sub.DeletionTimestamp.IsZero():
		o.reportDeleting(sub, set, now)
	case o.err != nil:
		o.reportFailed(sub, set, now)
	case o.did.writes() && sub.Spec.Suspend:
		o.reportDrifted(sub, set)
	default:
		sub.Status.Retry = nil
		set.True(v1alpha1.ReadyCondition, v1alpha1.SubscribedReason, fmt.Sprintf("ESS holds subscription %q as specified", o.want.ID))
		set.True(v1alpha1.SyncedCondition, v1alpha1.SubscribedReason, "topic, filter and endpoint were read back from ESS and are equal")
	}
}

// describe writes what ESS shows of the subscription.
func (o outcome) describe(sub *v1alpha1.EventSubscription, now time.Time) {
	remote := o.seen.remote
	sub.Status.CompanyIDs = bounded.Set(remote.CompanyIDs, maxCompanies, maxName)
	sub.Status.CompanyCount = new(int32(len(remote.CompanyIDs)))
	sub.Status.Groups = bounded.Set(remote.Groups, maxCompanies, maxName)
	sub.Status.Scope = bounded.Text(remote.Scope, maxScope)
	sub.Status.LastSyncTime = &metav1.Time{Time: now.Truncate(time.Second)}

	set := condition.On(&sub.Status.Conditions, sub.Generation, now)
	if len(remote.CompanyIDs) > 0 {
		o.reportRefusals(sub, set)
		set.True(v1alpha1.CompaniesConnectedCondition, v1alpha1.CompaniesConnectedReason, "events of the companies in status.companyIDs are delivered")
		return
	}
	reason, message := withoutCompanies(sub)
	set.False(v1alpha1.CompaniesConnectedCondition, reason, message)
	since := meta.FindStatusCondition(sub.Status.Conditions, v1alpha1.CompaniesConnectedCondition).LastTransitionTime
	set.True(v1alpha1.AtRiskCondition, v1alpha1.UnusedReason, fmt.Sprintf(
		"ESS removes subscriptions that work for nobody after 30 days: without a connected company this one may go on %s",
		since.Add(unusedLifetime).UTC().Format(time.DateOnly)))
}

// withoutCompanies says why no company is connected.
func withoutCompanies(sub *v1alpha1.EventSubscription) (reason, message string) {
	old := meta.FindStatusCondition(sub.Status.Conditions, v1alpha1.CompaniesConnectedCondition)
	if old != nil && (old.Reason == v1alpha1.LostReason || old.Reason == v1alpha1.ExpiredReason) {
		return old.Reason, old.Message
	}
	return v1alpha1.NoCompaniesReason, "no company is connected, so that nothing is delivered: an administrator of each company has to connect the application in the SAP Concur App Center; one that was connected before this subscription was made has to disconnect and connect again"
}

// loss says why ESS does not hold any more what it held.
func loss(sub *v1alpha1.EventSubscription, now time.Time) (reason, message string) {
	const again = "it is made again, and nothing is delivered until an administrator of each company disconnects the application in the SAP Concur App Center and connects it again"
	if expired(meta.FindStatusCondition(sub.Status.Conditions, v1alpha1.CompaniesConnectedCondition), now) {
		return v1alpha1.ExpiredReason, "ESS removed the subscription, as it does after 30 days without a connected company; " + again
	}
	if refused := meta.FindStatusCondition(sub.Status.Conditions, v1alpha1.AtRiskCondition); refused != nil &&
		refused.Reason == v1alpha1.DeliveriesRefusedReason && now.Sub(refused.LastTransitionTime.Time) >= unusedLifetime-2*statistics.RefusedFor {
		return v1alpha1.ExpiredReason, "ESS removed the subscription, as it does after 30 days without a successful delivery; " + again
	}
	return v1alpha1.LostReason, "the subscription was removed at ESS, not by this operator, and with it every connected company; " + again
}

// expired reports whether a subscription that is gone was without companies for
// about as long as ESS keeps such ones; from when ESS counts is not documented.
func expired(companies *metav1.Condition, now time.Time) bool {
	const margin = 24 * time.Hour
	return companies != nil && companies.Status == metav1.ConditionFalse &&
		now.Sub(companies.LastTransitionTime.Time) >= unusedLifetime-margin
}

func (o outcome) reportFailed(sub *v1alpha1.EventSubscription, set condition.Set, now time.Time) {
	verdict := failure.Of(o.err)
	message := condition.KeepTail(sub.Status.Conditions, v1alpha1.ReadyCondition, failure.Message(o.err), failure.Correlation(o.err))
	set.False(v1alpha1.ReadyCondition, verdict.Reason, message)
	if o.seen != nil && o.did.writes() {
		set.False(v1alpha1.SyncedCondition, verdict.Reason, "ESS does not hold the subscription as specified")
	} else {
		set.Unknown(v1alpha1.SyncedCondition, verdict.Reason, "ESS was not compared with the spec")
	}
	again := verdict.Class == failure.BackOff
	switch {
	case verdict.Stalled:
		set.True(v1alpha1.StalledCondition, verdict.Reason, message)
	case again:
		set.True(v1alpha1.ReconcilingCondition, verdict.Reason, "the operator tries again by itself; status.retry says when")
	}
	if again || verdict.Refused && verdict.Class == failure.Terminal {
		sub.Status.Retry = failure.Retry(sub.Status.Retry, o.err, now, rand.Float64())
	} else {
		sub.Status.Retry = nil
	}
}

func (o outcome) reportDrifted(sub *v1alpha1.EventSubscription, set condition.Set) {
	sub.Status.Retry = nil
	sub.Status.Drift = drift(o.want, *o.seen)
	for i := range sub.Status.Drift {
		d := &sub.Status.Drift[i]
		d.Desired, d.Observed = bounded.Text(d.Desired, maxURL), bounded.Text(d.Observed, maxURL)
	}
	message := "spec.suspend is true, so that nothing is written at ESS; status.drift shows what would change"
	set.False(v1alpha1.ReadyCondition, v1alpha1.SuspendedReason, message)
	set.False(v1alpha1.SyncedCondition, v1alpha1.DriftedReason, message)
	set.True(v1alpha1.DriftedCondition, v1alpha1.DriftedReason, message)
}

func (o outcome) reportDeleting(sub *v1alpha1.EventSubscription, set condition.Set, now time.Time) {
	if o.err != nil {
		o.reportFailed(sub, set, now)
		return
	}
	sub.Status.Retry = nil
	set.Clear(v1alpha1.AtRiskCondition)
	message := fmt.Sprintf("ESS marked subscription %q for deletion and still lists it", sub.Status.SubscriptionID)
	set.False(v1alpha1.ReadyCondition, v1alpha1.DeletingReason, message)
	set.False(v1alpha1.SyncedCondition, v1alpha1.DeletingReason, message)
	set.True(v1alpha1.ReconcilingCondition, v1alpha1.DeletingReason, message)
}

// reportWaiting says that the object waits for its connection, unless an
// earlier process said more about this very spec.
func (o outcome) reportWaiting(sub *v1alpha1.EventSubscription, now time.Time) {
	if sub.Status.ObservedGeneration != sub.Generation {
		progressing(sub, now, errNotYet.Error())
	}
}

// progressing says that work is under way. A new spec has not failed yet.
func progressing(sub *v1alpha1.EventSubscription, now time.Time, message string) {
	if sub.Status.ObservedGeneration != sub.Generation {
		sub.Status.Retry = nil
	}
	sub.Status.ObservedGeneration = sub.Generation
	set := condition.On(&sub.Status.Conditions, sub.Generation, now)
	set.Clear(v1alpha1.StalledCondition, v1alpha1.DriftedCondition)
	set.Unknown(v1alpha1.ReadyCondition, v1alpha1.ProgressingReason, message)
	set.Unknown(v1alpha1.SyncedCondition, v1alpha1.ProgressingReason, message)
	set.True(v1alpha1.ReconcilingCondition, v1alpha1.ProgressingReason, message)
	if meta.FindStatusCondition(sub.Status.Conditions, v1alpha1.CompaniesConnectedCondition) == nil {
		set.Unknown(v1alpha1.CompaniesConnectedCondition, v1alpha1.ProgressingReason, "the subscription was not read from ESS yet")
	}
}

// changed reports whether two statuses differ in more than times.
func changed(before, after *v1alpha1.EventSubscriptionStatus) bool {
	same := after.DeepCopy()
	same.LastSyncTime = before.LastSyncTime
	return !equality.Semantic.DeepEqual(before, same)
}
