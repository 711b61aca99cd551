//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// diagnostics is where the state of the cluster after a failure is kept, a folder for each phase.
const diagnostics = "bin/e2e/diagnostics"

// describe writes down what a person would look at first. No Secret's content is among it.
func (s *suite) describe() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	dir := filepath.Join(root, diagnostics, filepath.Base(s.t.Name()))
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o750)); err != nil {
		s.t.Logf("making the folder for diagnostics: %v", err)
		return
	}
	s.keep(ctx, dir, "nodes.txt", "describe", "nodes")
	s.keep(ctx, dir, "objects.yaml", "get", "concurconnections,eventsubscriptions,applicationconnectors", "-A", "-o", "yaml")
	for _, namespace := range namespaces() {
		if _, err := s.clientset.CoreV1().Namespaces().Get(ctx, namespace, metav1.GetOptions{}); err != nil {
			continue // nothing is there to be described
		}
		s.keep(ctx, dir, namespace+"-all.txt", "get", "all,pvc,networkpolicies,poddisruptionbudgets,secrets", "-n", namespace, "-o", "wide")
		s.keep(ctx, dir, namespace+"-pods.txt", "describe", "pods", "-n", namespace)
		s.keep(ctx, dir, namespace+"-events.txt", "get", "events", "-n", namespace, "--sort-by=.lastTimestamp")
		s.keepLogs(ctx, dir, namespace)
	}
	fmt.Printf("e2e: what the cluster looked like is in %s\n", filepath.Join(diagnostics, filepath.Base(s.t.Name())))
}

// keepLogs keeps the logs of all containers, and of those that ended.
func (s *suite) keepLogs(ctx context.Context, dir, namespace string) {
	pods, err := s.tryKubectl(ctx, "get", "pods", "-n", namespace, "-o", "name")
	if err != nil {
		s.t.Logf("%v", err)
		return
	}
	for pod := range strings.FieldsSeq(pods) {
		name := namespace + "-" + strings.TrimPrefix(pod, "pod/")
		s.keep(ctx, dir, name+".log", "logs", "-n", namespace, pod, "--all-containers", "--tail=5000")
		s.keep(ctx, dir, name+".previous.log", "logs", "-n", namespace, pod, "--all-containers", "--previous", "--tail=5000")
	}
}

// keep writes what kubectl prints into a file, and why it printed nothing.
func (s *suite) keep(ctx context.Context, dir, file string, args ...string) {
	text, err := s.tryKubectl(ctx, args...)
	if err != nil {
		text += err.Error()
	}
	if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
		s.t.Logf("keeping diagnostics: %v", err)
	}
}
