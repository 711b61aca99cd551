package eventsubscription

import (
	"errors"
	"testing"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/failure"
	"github.com/ess-operator/ess-operator/internal/ess"
)

func TestDecide(t *testing.T) {
	t.Parallel()
	want := ess.Subscription{ID: "a", Topic: "t", Filter: ".*", Endpoint: "https://e"}
	same, other := want, want
	same.CompanyIDs = []string{"company"}
	other.Filter = "other"
	nothing := ess.Subscription{}
	cases := map[string]struct {
		reason  string
		seen    observation
		policy  v1alpha1.AdoptionPolicy
		want    action
		wantErr error
	}{
		"Settled":     {"what only ESS writes is no difference", observation{same, true, true, true}, v1alpha1.AdoptIfIdentical, settle, nil},
		"SettledLate": {"the answer to the first PUT was lost, and the PUT done", observation{same, true, true, false}, v1alpha1.AdoptIfIdentical, settle, nil},
		"Changed":     {"ours follows the spec", observation{other, true, true, true}, v1alpha1.AdoptNever, update, nil},
		"Absent":      {"nobody has it", observation{nothing, false, false, false}, v1alpha1.AdoptNever, create, nil},
		"NeverMade":   {"a first PUT that failed lost nothing", observation{nothing, false, true, false}, v1alpha1.AdoptNever, create, nil},
		"Lost":        {"ESS held it, and companies have to connect again", observation{nothing, false, true, true}, v1alpha1.AdoptNever, recreate, nil},
		"FormerKnown": {"what was known of another id or application is no loss of this one", observation{nothing, false, false, true}, v1alpha1.AdoptNever, create, nil},
		"Identical":   {"the default adopts what is as wanted", observation{same, true, false, false}, v1alpha1.AdoptIfIdentical, adopt, nil},
		"Different":   {"the default overwrites nothing", observation{other, true, false, false}, v1alpha1.AdoptIfIdentical, settle, failure.ErrAlreadyExists},
		"Always":      {"Always asks for it", observation{other, true, false, false}, v1alpha1.AdoptAlways, takeOver, nil},
		"AlwaysSame":  {"no PUT where nothing differs", observation{same, true, false, false}, v1alpha1.AdoptAlways, adopt, nil},
		"Never":       {"Never means never", observation{same, true, false, false}, v1alpha1.AdoptNever, settle, failure.ErrAlreadyExists},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := decide(want, tc.seen, tc.policy)
			if got != tc.want || !errors.Is(err, tc.wantErr) {
				t.Errorf("decided %d (%v), want %d (%v): %s", got, err, tc.want, tc.wantErr, tc.reason)
			}
		})
	}
}

func TestActions(t *testing.T) {
	t.Parallel()
	for did, want := range map[action]struct{ writes, claims bool }{
		settle: {}, adopt: {claims: true}, create: {writes: true, claims: true}, update: {writes: true},
		takeOver: {writes: true, claims: true}, recreate: {writes: true},
	} {
		if did.writes() != want.writes || did.claims() != want.claims {
			t.Errorf("action %d writes %v and claims %v, want %+v", did, did.writes(), did.claims(), want)
		}
	}
}
