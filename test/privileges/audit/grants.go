package audit

import (
	"cmp"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
)

// Grant is the least that a rule can say: one verb on one resource. A rule with two
// verbs and three resources is six of them.
type Grant struct {
	// Role is the ClusterRole or Role that has the rule, such as "Role finance/reader".
	Role string
	// Namespace is where it holds; empty: in the whole cluster.
	Namespace string
	// Verb, Group, Resource and Name are those of the rule. A Name that is empty
	// is any, and so is "*" of the others.
	Verb, Group, Resource, Name string
	// Path is of a rule about URLs, which has none of the above but Verb.
	Path string
}

// String is the grant as a person would tell it.
func (g Grant) String() string {
	what := g.Verb + " " + g.Path
	if g.Path == "" {
		what = describe(g.Verb, g.Group, g.Resource, g.Name)
	}
	return what + in(g.Namespace) + " (" + g.Role + ")"
}

// Covers reports whether the grant allows the request.
func (g Grant) Covers(r Request) bool {
	if !is(g.Verb, r.Verb) || (g.Path == "") != (r.Resource != "") {
		return false
	}
	if g.Path != "" {
		prefix, open := strings.CutSuffix(g.Path, "*")
		return r.Path == g.Path || open && strings.HasPrefix(r.Path, prefix)
	}
	return is(g.Group, r.Group) && is(g.Resource, r.Resource) && g.reaches(r)
}

// reaches reports whether the object of a request is among those of the grant.
func (g Grant) reaches(r Request) bool {
	return (g.Name == "" || g.Name == r.Name) && (g.Namespace == "" || g.Namespace == r.Namespace)
}

func is(granted, asked string) bool { return granted == "*" || granted == asked }

// Bound is what RBAC objects there are.
type Bound struct {
	ClusterRoles        []rbacv1.ClusterRole
	Roles               []rbacv1.Role
	ClusterRoleBindings []rbacv1.ClusterRoleBinding
	RoleBindings        []rbacv1.RoleBinding
}

// Grants returns what a service account may do by the bindings that name it,
// sorted. What it may do as a member of a group, as everybody may, is left out.
// A binding to a role that does not exist grants nothing.
func (b Bound) Grants(namespace, name string) []Grant {
	account := rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: name}
	var grants []Grant
	for i := range b.ClusterRoleBindings {
		if binding := &b.ClusterRoleBindings[i]; names(binding.Subjects, account) {
			grants = append(grants, b.of(binding.RoleRef, "")...)
		}
	}
	for i := range b.RoleBindings {
		if binding := &b.RoleBindings[i]; names(binding.Subjects, account) {
			grants = append(grants, b.of(binding.RoleRef, binding.Namespace)...)
		}
	}
	slices.SortFunc(grants, func(a, b Grant) int { return cmp.Compare(a.String(), b.String()) })
	return slices.Compact(grants)
}

func names(subjects []rbacv1.Subject, account rbacv1.Subject) bool {
	return slices.ContainsFunc(subjects, func(s rbacv1.Subject) bool {
		return s.Kind == account.Kind && s.Namespace == account.Namespace && s.Name == account.Name
	})
}

// of are the grants of the role that a binding in a namespace refers to.
func (b Bound) of(ref rbacv1.RoleRef, namespace string) []Grant {
	if ref.Kind == "ClusterRole" {
		for i := range b.ClusterRoles {
			if role := &b.ClusterRoles[i]; role.Name == ref.Name {
				return expand("ClusterRole "+role.Name, namespace, role.Rules)
			}
		}
		return nil
	}
	for i := range b.Roles {
		if role := &b.Roles[i]; role.Name == ref.Name && role.Namespace == namespace {
			return expand("Role "+namespace+"/"+role.Name, namespace, role.Rules)
		}
	}
	return nil
}

// expand takes rules apart.
func expand(role, namespace string, rules []rbacv1.PolicyRule) []Grant {
	var grants []Grant
	for _, rule := range rules {
		for _, verb := range rule.Verbs {
			for _, path := range rule.NonResourceURLs {
				grants = append(grants, Grant{Role: role, Namespace: namespace, Verb: verb, Path: path})
			}
			for _, g := range targets(rule) {
				g.Role, g.Namespace, g.Verb = role, namespace, verb
				grants = append(grants, g)
			}
		}
	}
	return grants
}

// targets are the resources of a rule, each alone.
func targets(rule rbacv1.PolicyRule) []Grant {
	objects := rule.ResourceNames
	if len(objects) == 0 {
		objects = []string{""}
	}
	var all []Grant
	for _, group := range rule.APIGroups {
		for _, resource := range rule.Resources {
			for _, name := range objects {
				all = append(all, Grant{Group: group, Resource: resource, Name: name})
			}
		}
	}
	return all
}

func describe(verb, group, resource, name string) string {
	text := verb + " " + resource
	if group != "" {
		text += "." + group
	}
	if name != "" {
		text += " " + name
	}
	return text
}

func in(namespace string) string {
	if namespace == "" {
		return ""
	}
	return " in " + namespace
}
