package audit

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const line = `{"kind":"Event","stage":"ResponseComplete","requestURI":"/apis/g.example/v1/namespaces/finance/things/one/status?fieldManager=m","verb":"patch",` +
	`"user":{"username":"system:serviceaccount:system:manager"},"objectRef":{"resource":"things","namespace":"finance","name":"one","apiGroup":"g.example","subresource":"status"},` +
	`"responseStatus":{"code":200},"requestObject":{"status":{}},"annotations":{"authorization.k8s.io/decision":"allow"}}` + "\n"

// asked is what line says.
func asked() Request {
	return Request{
		Verb: "patch", Group: "g.example", Resource: "things/status", Namespace: "finance", Name: "one",
		Path: "/apis/g.example/v1/namespaces/finance/things/one/status", Code: 200, Allowed: true, Body: json.RawMessage(`{"status":{}}`),
	}
}

func created() Request {
	r := asked()
	r.Verb, r.Resource, r.Name = "create", "things", ""
	return r
}

func TestDecode(t *testing.T) {
	t.Parallel()
	watch := asked()
	watch.Verb = "watch"
	refused := asked()
	refused.Verb, refused.Code, refused.Allowed = "watch", 403, false
	asWatch := strings.ReplaceAll(line, `"verb":"patch"`, `"verb":"watch"`)
	tests := map[string]struct {
		reason string
		log    string
		want   []Request
	}{
		"One":        {"a request is told with all that RBAC asks for", line, []Request{asked()}},
		"Unfinished": {"a line that is being written is not yet one", line + line[:40], []Request{asked()}},
		"Others":     {"others may do what they like", strings.Replace(line, "system:manager", "system:other", 1), nil},
		"Acting":     {"whoever acts as the manager is the manager", strings.Replace(line, `"objectRef"`, `"impersonatedUser":{"username":"system:serviceaccount:system:manager"},"objectRef"`, 1), []Request{asked()}},
		"ActingAs":   {"and is not whoever it is", strings.Replace(line, `"objectRef"`, `"impersonatedUser":{"username":"other"},"objectRef"`, 1), nil},
		"Received":   {"a request that has no answer yet is told later", strings.Replace(line, "ResponseComplete", "RequestReceived", 1), nil},
		"Create": {
			"a rule cannot name what is created, which RBAC learns from nowhere",
			strings.NewReplacer(`"verb":"patch"`, `"verb":"create"`, `,"subresource":"status"`, "").Replace(line), []Request{created()},
		},
		"Watch": {
			"a watch is told when it starts and when it ends, and counts once",
			strings.Replace(asWatch, "ResponseComplete", "ResponseStarted", 1) + asWatch, []Request{watch},
		},
		"WatchRefused": {
			"a watch that is refused never starts",
			strings.NewReplacer(`"code":200`, `"code":403`, `"allow"`, `"forbid"`).Replace(asWatch), []Request{refused},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := decode([]byte(tt.log), Account("system", "manager"))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
		})
	}
}

func TestDecodeRefusesWhatIsNoLog(t *testing.T) {
	t.Parallel()
	if _, err := decode([]byte(line+"no JSON\n"), "any"); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("the error is %v, want one that names the line: a request that is skipped would not be held against the rules", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(line))
	f.Add([]byte(line + line[:10]))
	f.Add([]byte("{}\n[]\n"))
	f.Fuzz(func(t *testing.T, log []byte) {
		requests, err := decode(log, Account("system", "manager"))
		if err != nil {
			return
		}
		if n := strings.Count(string(log), "\n"); len(requests) > n {
			t.Errorf("%d requests in %d lines", len(requests), n)
		}
	})
}

func TestGrants(t *testing.T) {
	t.Parallel()
	account := []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: "system", Name: "manager"}}
	group := []rbacv1.Subject{{Kind: "Group", Name: "system:serviceaccounts"}}
	reader := []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"secrets"}, ResourceNames: []string{"a", "b"}, Verbs: []string{"get"}}}
	bound := Bound{
		ClusterRoles: []rbacv1.ClusterRole{
			{ObjectMeta: metav1.ObjectMeta{Name: "wide"}, Rules: []rbacv1.PolicyRule{
				{APIGroups: []string{"g.example"}, Resources: []string{"things", "things/status"}, Verbs: []string{"get", "patch"}},
				{NonResourceURLs: []string{"/metrics"}, Verbs: []string{"get"}},
			}},
			{ObjectMeta: metav1.ObjectMeta{Name: "everybody"}, Rules: reader},
		},
		Roles: []rbacv1.Role{
			{ObjectMeta: metav1.ObjectMeta{Namespace: "finance", Name: "narrow"}, Rules: reader},
			{ObjectMeta: metav1.ObjectMeta{Namespace: "travel", Name: "narrow"}, Rules: reader},
		},
		ClusterRoleBindings: []rbacv1.ClusterRoleBinding{
			{RoleRef: rbacv1.RoleRef{Kind: "ClusterRole", Name: "wide"}, Subjects: account},
			{RoleRef: rbacv1.RoleRef{Kind: "ClusterRole", Name: "everybody"}, Subjects: group},
		},
		RoleBindings: []rbacv1.RoleBinding{
			{ObjectMeta: metav1.ObjectMeta{Namespace: "finance"}, RoleRef: rbacv1.RoleRef{Kind: "Role", Name: "narrow"}, Subjects: account},
			{ObjectMeta: metav1.ObjectMeta{Namespace: "sales"}, RoleRef: rbacv1.RoleRef{Kind: "Role", Name: "narrow"}, Subjects: account},
			{ObjectMeta: metav1.ObjectMeta{Namespace: "sales"}, RoleRef: rbacv1.RoleRef{Kind: "ClusterRole", Name: "everybody"}, Subjects: account},
		},
	}
	var got []string
	for _, g := range bound.Grants("system", "manager") {
		got = append(got, g.String())
	}
	want := []string{
		"get /metrics (ClusterRole wide)",
		"get secrets a in finance (Role finance/narrow)",
		"get secrets a in sales (ClusterRole everybody)",
		"get secrets b in finance (Role finance/narrow)",
		"get secrets b in sales (ClusterRole everybody)",
		"get things.g.example (ClusterRole wide)",
		"get things/status.g.example (ClusterRole wide)",
		"patch things.g.example (ClusterRole wide)",
		"patch things/status.g.example (ClusterRole wide)",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("grants (-want +got):\n%s", diff)
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	fitting := Grant{Role: "Role r", Namespace: "finance", Verb: "patch", Group: "g.example", Resource: "things/status", Name: "one"}
	with := func(change func(*Grant)) Grant {
		g := fitting
		change(&g)
		return g
	}
	forbidden, conflict, admission := asked(), asked(), asked()
	forbidden.Allowed, forbidden.Code = false, 403
	conflict.Code = 409
	admission.Code = 403
	path := Request{Verb: "get", Path: "/metrics/cadvisor", Code: 200, Allowed: true}
	tests := map[string]struct {
		reason          string
		grant           Grant
		request         Request
		unused, refused bool
	}{
		"Fits":           {reason: "this is what it is for", grant: fitting, request: asked()},
		"AnyName":        {reason: "no name is any", grant: with(func(g *Grant) { g.Name = "" }), request: asked()},
		"Everywhere":     {reason: "no namespace is the cluster", grant: with(func(g *Grant) { g.Namespace = "" }), request: asked()},
		"Stars":          {reason: "a star is anything", grant: with(func(g *Grant) { g.Verb, g.Group, g.Resource = "*", "*", "*" }), request: asked()},
		"Conflict":       {reason: "what failed later was allowed", grant: fitting, request: conflict},
		"OtherVerb":      {reason: "one verb is not another", grant: with(func(g *Grant) { g.Verb = "update" }), request: asked(), unused: true},
		"OtherGroup":     {reason: "groups share names of resources", grant: with(func(g *Grant) { g.Group = "" }), request: asked(), unused: true},
		"NoSubresource":  {reason: "status is a resource of its own", grant: with(func(g *Grant) { g.Resource = "things" }), request: asked(), unused: true},
		"OtherName":      {reason: "another object's permission", grant: with(func(g *Grant) { g.Name = "two" }), request: asked(), unused: true},
		"OtherNamespace": {reason: "another namespace's", grant: with(func(g *Grant) { g.Namespace = "travel" }), request: asked(), unused: true},
		"Refused":        {reason: "a refusal uses nothing, and something is missing", grant: fitting, request: forbidden, unused: true, refused: true},
		"Admission":      {reason: "a write that can never be made is a fault, whoever says so", grant: fitting, request: admission, unused: true, refused: true},
		"Path":           {reason: "URLs may end with a star", grant: Grant{Verb: "get", Path: "/metrics*"}, request: path},
		"OtherPath":      {reason: "and are otherwise taken as they are", grant: Grant{Verb: "get", Path: "/metrics"}, request: path, unused: true},
		"PathOfObject":   {reason: "a rule about URLs says nothing of objects", grant: Grant{Verb: "patch", Path: "*"}, request: asked(), unused: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var want Findings
			if tt.unused {
				want.Unused = []string{tt.grant.String()}
			}
			if tt.refused {
				want.Refused = []string{tt.request.String()}
			}
			if diff := cmp.Diff(want, Compare([]Grant{tt.grant}, []Request{tt.request, tt.request})); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
		})
	}
}

func TestWrites(t *testing.T) {
	t.Parallel()
	for verb, want := range map[string]bool{
		"get": false, "list": false, "watch": false, "head": false,
		"create": true, "update": true, "patch": true, "delete": true, "deletecollection": true, "connect": true,
	} {
		if got := (Request{Verb: verb}).Write(); got != want {
			t.Errorf("%s changes something: %t, want %t", verb, got, want)
		}
	}
}
