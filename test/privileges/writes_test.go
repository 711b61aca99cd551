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
		return onlyStatus(r)
	case v1alpha1.GroupVersion.Group + "/concurconnections", v1alpha1.GroupVersion.Group + "/eventsubscriptions":
		return onlyReplaces(r, "/metadata/finalizers")
	default:
		return fmt.Errorf("%s: it has no business there", r)
	}
	return nil
}

// onlyStatus returns an error unless r is a patch of status. Metadata may say only which object is meant.
func onlyStatus(r audit.Request) error {
	var patch map[string]json.RawMessage
	if err := readPatch(r, &patch); err != nil {
		return err
	}
	for name, value := range patch {
		switch name {
		case "status":
		case "metadata":
			var object map[string]json.RawMessage
			if err := json.Unmarshal(value, &object); err != nil {
				return fmt.Errorf("%s: metadata is no object: %s", r, r.Body)
			}
			for below := range object {
				if below != "resourceVersion" && below != "uid" {
					return fmt.Errorf("%s: it writes metadata.%s: %s", r, below, r.Body)
				}
			}
		default:
			return fmt.Errorf("%s: it writes %s: %s", r, name, r.Body)
		}
	}
	return nil
}

// onlyReplaces returns an error unless r is a JSON patch that writes one field of an object. It may look at others.
func onlyReplaces(r audit.Request, field string) error {
	var operations []struct{ Op, Path string }
	if err := readPatch(r, &operations); err != nil {
		return err
	}
	for _, o := range operations {
		if o.Op != "test" && (o.Path != field || o.Op == "move" || o.Op == "copy") {
			return fmt.Errorf("%s: it writes %s: %s", r, o.Path, r.Body)
		}
	}
	return nil
}

// readPatch reads the body of a patch.
func readPatch(r audit.Request, into any) error {
	if r.Verb != "patch" {
		return fmt.Errorf("%s: it writes all that it has read, which may be old", r)
	}
	if err := json.Unmarshal(r.Body, into); err != nil {
		return fmt.Errorf("%s: reading the patch %s: %w", r, r.Body, err)
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
		"Finalizer":  {"it needs to be asked before an object goes", audit.Request{Verb: "patch", Group: group, Resource: "eventsubscriptions", Body: json.RawMessage(`[{"op":"test","path":"/metadata/uid","value":"1"},{"op":"add","path":"/metadata/finalizers","value":["f"]}]`)}, true},
		"Moved":      {"where it comes from, it is taken away", audit.Request{Verb: "patch", Group: group, Resource: "eventsubscriptions", Body: json.RawMessage(`[{"op":"move","from":"/metadata/labels","path":"/metadata/finalizers"}]`)}, false},
		"Whole":      {"a list that is replaced as a whole may be old", audit.Request{Verb: "patch", Group: group, Resource: "eventsubscriptions", Body: json.RawMessage(`{"metadata":{"finalizers":["f"]}}`)}, false},
		"Label":      {"labels are the user's", audit.Request{Verb: "patch", Group: group, Resource: "eventsubscriptions", Body: json.RawMessage(`[{"op":"add","path":"/metadata/labels/a","value":"b"}]`)}, false},
		"LabelToo":   {"also by way of status", audit.Request{Verb: "patch", Group: group, Resource: "eventsubscriptions/status", Body: json.RawMessage(`{"metadata":{"labels":{"a":"b"}}}`)}, false},
		"Spec":       {"so is the spec", audit.Request{Verb: "patch", Group: group, Resource: "concurconnections", Body: json.RawMessage(`[{"op":"replace","path":"/spec/suspend","value":true}]`)}, false},
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
