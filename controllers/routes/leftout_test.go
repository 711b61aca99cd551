package routes_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/routes"
)

// without takes the objects of a namespace out of a world, as if it could not be read.
func without(w routes.World, namespace string, before string) routes.World {
	w.Subscriptions = slices.DeleteFunc(w.Subscriptions, func(s v1alpha1.EventSubscription) bool { return s.Namespace == namespace })
	w.Connections = slices.DeleteFunc(w.Connections, func(c v1alpha1.ConcurConnection) bool { return c.Namespace == namespace })
	w.Connectors = slices.DeleteFunc(w.Connectors, func(c v1alpha1.ApplicationConnector) bool { return c.Namespace == namespace })
	w.Before = []byte(before)
	return w
}

func TestRoutesOfNamespacesThatAreLeftOutStay(t *testing.T) {
	t.Parallel()
	before, count := render(t, world(t))
	for _, namespace := range []string{"travel", "sales"} {
		unread := without(world(t), namespace, before)
		gone, fewer := render(t, unread)
		if fewer >= count || strings.Contains(gone, "namespace: "+namespace+"\n") {
			t.Fatalf("there is no route of %s to keep", namespace)
		}
		unread.LeftOut = []string{namespace}
		got, kept := render(t, unread)
		if diff := cmp.Diff(before, got); diff != "" || kept != count {
			t.Errorf("routes of %s, where the manager may not read at present, are lost or changed (-before +now):\n%s", namespace, diff)
		}
	}
}

func TestUserNameOfAConnectorThatIsLeftOutStaysItsOwn(t *testing.T) {
	t.Parallel()
	before, _ := render(t, world(t))
	unread := without(world(t), "sales", before)
	unread.LeftOut = []string{"sales"}
	unread.Logins[name("finance/reports")] = pair("user-of-plain") // that of sales/plain
	got, _ := render(t, unread)
	var file struct {
		Connectors []struct {
			Namespace, Name string
			Credentials     []struct{ Username string }
		}
	}
	if err := yaml.Unmarshal([]byte(got), &file); err != nil {
		t.Fatal(err)
	}
	var owners []string
	for _, c := range file.Connectors {
		for _, credential := range c.Credentials {
			if credential.Username == "user-of-plain" {
				owners = append(owners, c.Namespace+"/"+c.Name)
			}
		}
	}
	if diff := cmp.Diff([]string{"sales/plain"}, owners); diff != "" {
		t.Errorf("whom the user name leads to; the receiver would refuse a file with two (-want +got):\n%s", diff)
	}
}
