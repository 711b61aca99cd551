//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// mark is a namespace with nothing in it: while it is there, everything of the operator's in the cluster is this suite's.
const mark = "ess-operator-e2e"

// claim marks the cluster as the suite's, or ends the test if the operator is there and was not installed by it.
func (s *suite) claim(ctx context.Context) {
	s.t.Helper()
	_, err := s.clientset.CoreV1().Namespaces().Get(ctx, mark, metav1.GetOptions{})
	if err == nil {
		s.note("an earlier run was cut off; what it left is taken away")
		s.must(s.wipe(ctx))
		s.must(s.unmark(ctx))
	} else if !apierrors.IsNotFound(err) {
		s.t.Fatalf("asking the cluster: %v", err)
	}
	found, err := s.foreign(ctx)
	s.must(err)
	if len(found) > 0 {
		s.t.Fatalf("this cluster is in use: it has %s, which this suite did not make. Run it on a cluster that can be thrown away, "+
			"or remove these first", strings.Join(found, ", "))
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: mark}}
	_, err = s.clientset.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{})
	s.must(err)
	s.t.Cleanup(func() { s.release(context.WithoutCancel(ctx)) })
}

// unmark takes the mark away, and waits until it is gone.
func (c *cluster) unmark(ctx context.Context) error {
	namespaces := c.clientset.CoreV1().Namespaces()
	err := wait.PollUntilContextCancel(ctx, 300*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		err := namespaces.Delete(ctx, mark, metav1.DeleteOptions{})
		if apierrors.IsConflict(err) { // it is on its way
			err = nil
		}
		return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
	})
	if err != nil {
		return fmt.Errorf("taking the mark %s away: %w", mark, err)
	}
	return nil
}

// foreign lists what would be changed or taken away, and is there already.
func (c *cluster) foreign(ctx context.Context) ([]string, error) {
	var found []string
	for _, name := range namespaces() {
		_, err := c.clientset.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
		if err == nil {
			found = append(found, "the namespace "+name)
		} else if !apierrors.IsNotFound(err) {
			return nil, fmt.Errorf("looking for namespace %s: %w", name, err)
		}
	}
	objects, err := c.clusterObjects(ctx)
	for _, object := range objects {
		found = append(found, "the "+object.GetKind()+" "+object.GetName())
	}
	return found, err
}

// namespaces are all that the suite installs into.
func namespaces() []string {
	return []string{operatorNamespace, concurNamespace, trialNamespace, teamNamespace, networkNamespace}
}

// ours tells whether an object of the cluster has a name of the operator's.
func ours(name string) bool { return strings.HasPrefix(name, "ess-operator") }

// release gives the cluster back as it was.
func (s *suite) release(ctx context.Context) {
	if s.t.Failed() && keep() {
		s.note("E2E_KEEP is set: what there is stays; the next run takes it away")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, cleanupLimit)
	defer cancel()
	s.step(ctx, "give the cluster back", cleanupLimit, func(ctx context.Context) {
		s.must(s.wipe(ctx))
		s.must(s.unmark(ctx))
	})
}

// loadImages hands each archive to the command of E2E_LOAD, as the cluster's owner knows how to bring an image into it.
func (s *suite) loadImages(ctx context.Context) {
	s.t.Helper()
	command := strings.Fields(os.Getenv("E2E_LOAD"))
	if len(command) == 0 {
		s.note("E2E_LOAD is not set: the images have to be where the cluster finds them")
		return
	}
	var archives []string
	for _, pattern := range []string{"dist/images/*.tar", "bin/e2e/previous/*.tar"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		s.must(err)
		archives = append(archives, found...)
	}
	if len(archives) == 0 {
		s.t.Fatal("there are no images in dist/images: run `make image-archives`")
	}
	for _, archive := range archives {
		path, err := filepath.Abs(archive)
		s.must(err)
		_, _, err = run(ctx, nil, command[0], append(command[1:len(command):len(command)], path)...)
		s.must(err)
	}
}
