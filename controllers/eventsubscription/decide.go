package eventsubscription

import (
	"fmt"
	"strings"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/failure"
	"github.com/ess-operator/ess-operator/internal/ess"
)

// action is what has to happen at ESS.
type action int

const (
	settle   action = iota // nothing: ESS holds what is wanted, and it is ours
	adopt                  // nothing at ESS: it holds what is wanted, and becomes ours
	create                 // PUT: ESS has none of this id, and never had ours
	update                 // PUT: ours, and it differs
	takeOver               // PUT: not ours, it differs, and the policy adopts always
	recreate               // PUT: ours, and ESS lost it
)

// writes reports whether the action is a PUT.
func (a action) writes() bool { return a >= create }

// claims reports whether the action makes something ours that was not.
func (a action) claims() bool { return a == adopt || a == create || a == takeOver }

// observation is what is known of one id at ESS.
type observation struct {
	remote  ess.Subscription
	present bool
	owned   bool // status says that this object made or adopted it, under this application
	known   bool // status says that ESS was seen to hold it
}

// decide says what has to happen, or why nothing may. It is pure.
func decide(want ess.Subscription, seen observation, policy v1alpha1.AdoptionPolicy) (action, error) {
	same := seen.present && len(differences(want, seen.remote)) == 0
	switch {
	case !seen.present && seen.owned && seen.known:
		return recreate, nil
	case !seen.present:
		return create, nil
	case seen.owned && same:
		return settle, nil
	case seen.owned:
		return update, nil
	default:
		return decideForeign(want, seen.remote, policy)
	}
}

// decideForeign decides about a subscription that exists and that this object did not make.
func decideForeign(want, remote ess.Subscription, policy v1alpha1.AdoptionPolicy) (action, error) {
	differ := differences(want, remote)
	switch {
	case policy == v1alpha1.AdoptNever:
		return settle, failure.New(failure.ErrAlreadyExists,
			"subscription %q already exists at ESS under application %s and was not made by this object; set spec.adoptionPolicy to Always or IfIdentical to adopt it, or choose another subscriptionID",
			want.ID, remote.ApplicationID)
	case len(differ) == 0:
		return adopt, nil
	case policy == v1alpha1.AdoptAlways:
		return takeOver, nil
	default:
		return settle, failure.New(failure.ErrAlreadyExists,
			"subscription %q already exists at ESS under application %s, was not made by this object, and differs (%s); make the spec equal to it, set spec.adoptionPolicy to Always to overwrite it, or choose another subscriptionID",
			want.ID, remote.ApplicationID, told(differ))
	}
}

// differences are the fields that ESS holds differently, in a fixed order.
func differences(want, got ess.Subscription) []v1alpha1.Drift {
	fields := []v1alpha1.Drift{
		{Field: "topic", Desired: want.Topic, Observed: got.Topic},
		{Field: "filter", Desired: want.Filter, Observed: got.Filter},
		{Field: "endpoint", Desired: want.Endpoint, Observed: got.Endpoint},
	}
	var differ []v1alpha1.Drift
	for _, f := range fields {
		if f.Desired != f.Observed {
			differ = append(differ, f)
		}
	}
	return differ
}

// drift is what ESS would have to change to hold want.
func drift(want ess.Subscription, seen observation) []v1alpha1.Drift {
	if !seen.present {
		return []v1alpha1.Drift{{Field: "subscription", Desired: want.ID}}
	}
	return differences(want, seen.remote)
}

// became tells differences that a PUT has ended.
func became(differ []v1alpha1.Drift) string {
	parts := make([]string, 0, len(differ))
	for _, d := range differ {
		parts = append(parts, fmt.Sprintf("%s from %q to %q", d.Field, d.Observed, d.Desired))
	}
	return strings.Join(parts, ", ")
}

// told lists differences for a message.
func told(differ []v1alpha1.Drift) string {
	parts := make([]string, 0, len(differ))
	for _, d := range differ {
		parts = append(parts, fmt.Sprintf("%s is %q instead of %q", d.Field, d.Observed, d.Desired))
	}
	return strings.Join(parts, ", ")
}
