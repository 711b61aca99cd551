package operator_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/controllers/statistics"
)

const (
	systemNamespace = "ess-operator-system"
	// statisticsInterval is how often the manager under test asks the receiver.
	statisticsInterval = 200 * time.Millisecond
)

// routesSecret is where the manager under test writes routes.
var routesSecret = types.NamespacedName{Namespace: systemNamespace, Name: "ess-operator-receiver-routes"}

// installRoles installs what config/ lets the manager do.
func installRoles(ctx context.Context) error {
	for _, args := range [][]string{{"create", "namespace", systemNamespace}, {"apply", "-k", "../../config/rbac"}} {
		if _, err := suite.plane.Kubectl(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

// installRoutes installs the Secret for routes once the manager has said that it misses it.
func installRoutes(ctx context.Context) error {
	missed := func(ctx context.Context) (bool, error) {
		var list eventsv1.EventList
		err := suite.client.List(ctx, &list, client.InNamespace(systemNamespace))
		return slices.ContainsFunc(list.Items, func(e eventsv1.Event) bool {
			return e.Reason == "RoutesSecretMissing" && e.Regarding.Name == routesSecret.Name
		}), err
	}
	if err := wait.PollUntilContextTimeout(ctx, glance, patience, true, missed); err != nil {
		return fmt.Errorf("waiting for an event that says that the Secret for routes is missing: %w", err)
	}
	_, err := suite.plane.Kubectl(ctx, "apply", "-f", "../../config/receiver/routes.yaml")
	return err
}

// routesWrites counts writes of the Secret for routes that changed nothing.
type routesWrites struct {
	versions watch.Interface
	done     chan struct{}
	count    int
}

// watchRoutes begins to count.
func watchRoutes(ctx context.Context) (*routesWrites, error) {
	versions, err := suite.client.Watch(ctx, &corev1.SecretList{}, client.InNamespace(systemNamespace))
	if err != nil {
		return nil, err
	}
	w := &routesWrites{versions: versions, done: make(chan struct{})}
	go w.run()
	return w, nil
}

func (w *routesWrites) run() {
	defer close(w.done)
	var last *corev1.Secret
	for e := range w.versions.ResultChan() {
		secret, ok := e.Object.(*corev1.Secret)
		if !ok || secret.Name != routesSecret.Name {
			continue
		}
		if last != nil && last.ResourceVersion != secret.ResourceVersion && bytes.Equal(last.Data["routes.yaml"], secret.Data["routes.yaml"]) {
			w.count++
		}
		last = secret
	}
}

// needless ends the counting.
func (w *routesWrites) needless() int {
	w.versions.Stop()
	<-w.done
	return w.count
}

// receiver is the admin port of a receiver, as the manager sees it. What it
// tells is what the tests put there.
type receiver struct {
	*httptest.Server
	access statistics.Receiver

	mu     sync.Mutex
	routes map[types.NamespacedName]map[string]any
	asked  int
	fault  http.HandlerFunc
}

func startReceiver() *receiver {
	r := &receiver{routes: map[types.NamespacedName]map[string]any{}}
	r.Server = httptest.NewTLSServer(http.HandlerFunc(r.serve))
	dir, err := os.MkdirTemp("", "receiver-")
	if err != nil {
		panic(err)
	}
	r.access = statistics.Receiver{URL: r.URL, TokenFile: filepath.Join(dir, "token"), CAFile: filepath.Join(dir, "ca.crt")}
	for path, content := range map[string][]byte{
		r.access.TokenFile: []byte("token-of-the-suite\n"),
		r.access.CAFile:    pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.Certificate().Raw}),
	} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			panic(err)
		}
	}
	return r
}

func (r *receiver) serve(w http.ResponseWriter, request *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked++
	switch {
	case r.fault != nil:
		r.fault(w, request)
	case request.Header.Get("Authorization") != "Bearer token-of-the-suite":
		w.WriteHeader(http.StatusUnauthorized)
	default:
		all := []map[string]any{}
		for name, route := range r.routes {
			route["route"] = map[string]string{"kind": "subscription", "namespace": name.Namespace, "name": name.Name}
			all = append(all, route)
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"time": time.Now(), "version": "test", "store": map[string]any{}, "routes": all})
	}
}

// tell has the receiver tell something about a route.
func (r *receiver) tell(name types.NamespacedName, fields map[string]any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.routes[name] = fields
}

// breakDown has the receiver answer otherwise; nil mends it.
func (r *receiver) breakDown(fault http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fault = fault
}

// questions is how often it was asked.
func (r *receiver) questions() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked
}
