package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	authorizationv1 "k8s.io/client-go/kubernetes/typed/authorization/v1"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"

	"github.com/ess-operator/ess-operator/controllers/access"
)

// roleAdvice is what to do about a permission that is missing.
const roleAdvice = "apply the Role and the RoleBinding of config/namespaced/watched to it"

// namespaces are those that --watch-namespaces names.
func (o *options) namespaces() []string {
	var names []string
	for name := range strings.SplitSeq(o.watchNamespaces, ",") {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// cached are the namespaces that the cache reads; nil: all.
func (o *options) cached() map[string]cache.Config {
	if len(o.controllers.Namespaces) == 0 {
		return nil
	}
	names := map[string]cache.Config{}
	for _, name := range o.controllers.Namespaces {
		names[name] = cache.Config{}
	}
	return names
}

// reviewer asks the API server about the manager's own permissions.
func reviewer(config *rest.Config) (access.Reviewer, error) {
	client, err := authorizationv1.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("making a client for access reviews: %w", err)
	}
	return client.SelfSubjectAccessReviews(), nil
}

// leaveOut tells what the manager lacks in the namespaces that it is to watch, and
// leaves those out in which it may not read. The error says that none is left.
func (o *options) leaveOut(ctx context.Context, reviews access.Reviewer) error {
	if len(o.controllers.Namespaces) == 0 {
		return nil // all are watched, with a ClusterRole
	}
	lacks, err := access.Check(ctx, reviews, o.controllers.Namespaces)
	switch {
	case apierrors.IsForbidden(err): // some clusters take even this from everybody
		ctrl.Log.Info("not looking for missing permissions, because the API server does not tell", "error", err.Error())
		return nil
	case err != nil:
		return err
	}
	for _, l := range lacks {
		text := "the manager lacks permissions in this namespace, and does there what it may: " + roleAdvice
		if l.Blind {
			text = "this namespace is left out until the manager may read there: " + roleAdvice
		}
		ctrl.Log.Error(nil, text, "namespace", l.Namespace, "missing", strings.Join(l.Missing, ", "))
	}
	o.controllers.LeftOut = access.Blind(lacks)
	o.controllers.Namespaces = slices.DeleteFunc(o.controllers.Namespaces, func(name string) bool {
		return slices.Contains(o.controllers.LeftOut, name)
	})
	if len(o.controllers.Namespaces) == 0 {
		return fmt.Errorf("the manager may read in none of the namespaces of --watch-namespaces (%s): %s",
			o.watchNamespaces, strings.Replace(roleAdvice, "to it", "to each", 1))
	}
	return nil
}
