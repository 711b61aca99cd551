//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// sinkName is the Deployment and the Service of the sink, which prints a line for each event that it takes.
const sinkName = "event-display"

// printed finds the ids of the suite's own events in a line of the sink's log.
var printed = regexp.MustCompile(`e2e-[a-z]+-[0-9a-z-]*[0-9]{6}`)

// sink is what the pods of the sink have printed so far.
type sink struct {
	mu    sync.Mutex
	ids   map[string]int // how often each came
	lines int
}

// watchSink reads the logs of all pods of the sink as they are written, until ctx ends. What a pod has printed is kept when the
// pod is gone.
func (s *suite) watchSink(ctx context.Context) *sink {
	w := &sink{ids: map[string]int{}}
	go func() {
		followed := map[types.UID]bool{}
		for ctx.Err() == nil {
			pods, err := s.clientset.CoreV1().Pods(trialNamespace).List(ctx, metav1.ListOptions{LabelSelector: sinkLabels})
			if err != nil {
				pods = &corev1.PodList{} // asked again in a moment
			}
			for i := range pods.Items {
				pod := &pods.Items[i]
				if pod.Status.Phase == corev1.PodRunning && !followed[pod.UID] {
					followed[pod.UID] = true
					go s.follow(ctx, pod.Name, w)
				}
			}
			select {
			case <-ctx.Done():
			case <-time.After(300 * time.Millisecond):
			}
		}
	}()
	return w
}

// follow reads one pod's log to its end. The pod of a sink is never restarted, only replaced.
func (s *suite) follow(ctx context.Context, pod string, into *sink) {
	stream, err := s.clientset.CoreV1().Pods(trialNamespace).GetLogs(pod, &corev1.PodLogOptions{Follow: true}).Stream(ctx)
	if err != nil {
		s.note("reading the log of %s: %v", pod, err)
		return
	}
	defer func() { _ = stream.Close() }()
	into.read(stream)
}

// read takes in a log.
func (w *sink) read(log io.Reader) {
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		w.mu.Lock()
		w.lines++
		if id := printed.FindString(lines.Text()); id != "" {
			w.ids[id]++
		}
		w.mu.Unlock()
	}
}

// has is nil once all ids have been printed.
func (w *sink) has(ids []string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	var missing []string
	for _, id := range ids {
		if w.ids[id] == 0 {
			missing = append(missing, id)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("%d of %d events have not reached the sink, the first of them %s", len(missing), len(ids), missing[0])
	}
	return nil
}

// count is how many ids with this prefix have been printed.
func (w *sink) count(prefix string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for id := range w.ids {
		if strings.HasPrefix(id, prefix) {
			n++
		}
	}
	return n
}
