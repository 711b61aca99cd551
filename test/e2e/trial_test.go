//go:build e2e

package e2e

import (
	"context"
	"time"
)

// trialByKustomize is the README's way from an empty cluster to an event in a pod, and back.
func trialByKustomize(ctx context.Context, s *suite) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.step(ctx, "install config/trial with kubectl apply", time.Minute, func(ctx context.Context) {
		s.applied(ctx, "config/crd")
		s.applied(ctx, trial)
	})
	s.trialWorks(ctx)
	s.step(ctx, "remove config/trial with kubectl delete", 2*time.Minute, func(ctx context.Context) {
		s.kubectl(ctx, "delete", "-n", trialNamespace, "eventsubscriptions,concurconnections", "--all", "--timeout=60s")
		s.removed(ctx, trial)
		s.nothingLeft(ctx)
	})
}

// trialByHelm is the same with the chart. Uninstalling it keeps the definitions and with them every object.
func trialByHelm(ctx context.Context, s *suite) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w := s.open(ctx)
	w.step(ctx, "install charts/ess-operator with helm", 2*time.Minute, func(ctx context.Context) {
		w.helm(ctx, "install", release, chart, "-n", operatorNamespace, "--create-namespace", "-f", trialValues)
		w.applied(ctx, emulator)
	})
	w.trialWorks(ctx)
	w.step(ctx, "helm upgrade: zero PUT and DELETE", 3*time.Minute, func(ctx context.Context) {
		w.meetConcur(ctx)
		w.must(w.concur.forgetCalls(ctx))
		w.helm(ctx, "upgrade", release, chart, "-n", operatorNamespace, "-f", trialValues, "--set", "manager.podAnnotations.upgraded=yes")
		w.rolledOut(ctx)
		w.handled(ctx)
		w.flows(ctx)
		w.unwritten(ctx)
	})
	w.step(ctx, "helm uninstall, and install again: zero PUT and DELETE", 3*time.Minute, func(ctx context.Context) {
		w.must(w.concur.forgetCalls(ctx))
		w.helm(ctx, "uninstall", release, "-n", operatorNamespace, "--wait")
		w.stillThere(ctx)
		w.helm(ctx, "install", release, chart, "-n", operatorNamespace, "-f", trialValues)
		w.rolledOut(ctx)
		w.handled(ctx)
		w.flows(ctx)
		w.unwritten(ctx)
	})
	w.step(ctx, "remove the trial as charts/ess-operator/README.md has it", 2*time.Minute, func(ctx context.Context) {
		w.kubectl(ctx, "delete", "-n", trialNamespace, "eventsubscriptions,concurconnections", "--all", "--timeout=60s")
		w.helm(ctx, "uninstall", release, "-n", operatorNamespace, "--wait")
		w.removed(ctx, emulator)
	})
}

// trialWorks is what everybody should see after either installation.
func (s *suite) trialWorks(ctx context.Context) {
	s.step(ctx, "manager and receiver run", 3*time.Minute, s.rolledOut)
	s.step(ctx, "connection and subscription are ready", 2*time.Minute, s.subscribed)
	s.step(ctx, "an event is in the sink's log", 3*time.Minute, s.eventShown)
	s.step(ctx, "pods keep to the restricted standard", 30*time.Second, s.restricted)
	s.step(ctx, "NetworkPolicies, as far as they are enforced here", 2*time.Minute, s.policed)
}
