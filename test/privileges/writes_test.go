package privileges_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/test/privileges/audit"
)

// writable are the Secrets that are the manager's own.
var writable = []string{"ess-operator-receiver-admin", "ess-operator-receiver-routes"}

// expectHarmless holds every write of the manager against what it may write at all, whatever the roles say.
func (c *cluster) expectHarmless() {
	c.t.Helper()
	writes := 0
	for _, r := range c.requests() {
		if !r.Write() {
			continue
		}
		writes++
		if err := harmless(r); err != nil {
			c.t.Error(err)
		}
	}
	if writes == 0 {
		c.t.Error("the manager wrote nothing at all")
	}
}

// harmless returns an error if a write could change what is a user's.
func harmless(r audit.Request) error {
	switch what := r.Group + "/" + r.Resource; what {
	case "/secrets":
		if r.Verb != "patch" || r.Namespace != systemNamespace || !slices.Contains(writable, r.Name) {
			return fmt.Errorf("%s: it may patch its own Secrets only", r)
		}
	case "/events", "events.k8s.io/events", "coordination.k8s.io/leases",
		"authentication.k8s.io/tokenreviews", "authorization.k8s.io/subjectaccessreviews", "authorization.k8s.io/selfsubjectaccessreviews":
	case v1alpha1.GroupVersion.Group + "/concurconnections/status",
		v1alpha1.GroupVersion.Group + "/eventsubscriptions/status", v1alpha1.GroupVersion.Group + "/applicationconnectors/status":
		return onlyWrites(r, "status")
	case v1alpha1.GroupVersion.Group + "/concurconnections", v1alpha1.GroupVersion.Group + "/eventsubscriptions":
		return onlyWrites(r, "metadata", "finalizers", "resourceVersion")
	default:
		return fmt.Errorf("%s: it has no business there", r)
	}
	return nil
}

// onlyWrites returns an error unless r is a patch of one field of an object. If inner fields are
// given, it may write those alone; metadata may otherwise say only which version is meant.
func onlyWrites(r audit.Request, field string, inner ...string) error {
	var patch map[string]json.RawMessage
	if r.Verb != "patch" {
		return fmt.Errorf("%s: it writes all that it has read, which may be old", r)
	}
	if err := json.Unmarshal(r.Body, &patch); err != nil {
		return fmt.Errorf("%s: reading the patch %s: %w", r, r.Body, err)
	}
	allowed := map[string][]string{field: inner}
	if field != "metadata" {
		allowed["metadata"] = []string{"resourceVersion", "uid"}
	}
	for name, value := range patch {
		fields, ok := allowed[name]
		if !ok {
			return fmt.Errorf("%s: it writes %s: %s", r, name, r.Body)
		}
		var object map[string]json.RawMessage
		if err := json.Unmarshal(value, &object); err != nil {
			return fmt.Errorf("%s: %s is no object: %s", r, name, r.Body)
		}
		for below := range object {
			if len(fields) > 0 && !slices.Contains(fields, below) {
				return fmt.Errorf("%s: it writes %s.%s: %s", r, name, below, r.Body)
			}
		}
	}
	return nil
}

func TestHarmlessFindsHarm(t *testing.T) {
	t.Parallel()
	group := v1alpha1.GroupVersion.Group
	tests := map[string]struct {
		reason  string
		request audit.Request
		want    bool
	}{
		"Routes":     {"they are its work", audit.Request{Verb: "patch", Resource: "secrets", Namespace: systemNamespace, Name: writable[1]}, true},
		"UserSecret": {"Secrets are the user's", audit.Request{Verb: "patch", Resource: "secrets", Namespace: finance, Name: writable[1]}, false},
		"NewSecret":  {"it makes none", audit.Request{Verb: "create", Resource: "secrets", Namespace: systemNamespace, Name: writable[1]}, false},
		"Status":     {"it reports there", audit.Request{Verb: "patch", Group: group, Resource: "eventsubscriptions/status", Body: json.RawMessage(`{"status":{"a":1}}`)}, true},
		"Finalizer":  {"it needs to be asked before an object goes", audit.Request{Verb: "patch", Group: group, Resource: "eventsubscriptions", Body: json.RawMessage(`{"metadata":{"finalizers":["f"],"resourceVersion":"1"}}`)}, true},
		"Label":      {"labels are the user's", audit.Request{Verb: "patch", Group: group, Resource: "eventsubscriptions", Body: json.RawMessage(`{"metadata":{"labels":{"a":"b"}}}`)}, false},
		"Spec":       {"so is the spec", audit.Request{Verb: "patch", Group: group, Resource: "concurconnections", Body: json.RawMessage(`{"spec":{"suspend":true}}`)}, false},
		"SpecBeside": {"also by way of status", audit.Request{Verb: "patch", Group: group, Resource: "concurconnections/status", Body: json.RawMessage(`{"status":{},"spec":{}}`)}, false},
		"Update":     {"what it read may be old", audit.Request{Verb: "update", Group: group, Resource: "eventsubscriptions/status", Body: json.RawMessage(`{"status":{}}`)}, false},
		"Connector":  {"they have no finalizer", audit.Request{Verb: "patch", Group: group, Resource: "applicationconnectors", Body: json.RawMessage(`{"metadata":{"finalizers":["f"]}}`)}, false},
		"ConfigMap":  {"nobody asked it to", audit.Request{Verb: "create", Resource: "configmaps"}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := harmless(tt.request); (err == nil) != tt.want {
				t.Errorf("the verdict is %v, want harmless to be %t: %s", err, tt.want, tt.reason)
			}
		})
	}
}
