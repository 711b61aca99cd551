package operator_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	systemNamespace = "ess-operator-system"
	// statisticsInterval is how often the manager under test asks the receiver.
	statisticsInterval = 200 * time.Millisecond
)

// What the manager under test writes for the receiver.
var (
	routesSecret = types.NamespacedName{Namespace: systemNamespace, Name: "ess-operator-receiver-routes"}
	adminSecret  = types.NamespacedName{Namespace: systemNamespace, Name: "ess-operator-receiver-admin"}
)

// installRoles installs what config/ lets the manager do.
func installRoles(ctx context.Context) error {
	for _, args := range [][]string{{"create", "namespace", systemNamespace}, {"apply", "-k", "../../config/rbac"}} {
		if _, err := suite.plane.Kubectl(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

// installSecrets installs the Secrets for the receiver once the manager has said that it misses them.
func installSecrets(ctx context.Context) error {
	for name, missing := range map[types.NamespacedName]struct{ event, file string }{
		routesSecret: {"RoutesSecretMissing", "routes.yaml"},
		adminSecret:  {"AdminSecretMissing", "admin.yaml"},
	} {
		missed := func(ctx context.Context) (bool, error) {
			var list eventsv1.EventList
			err := suite.client.List(ctx, &list, client.InNamespace(systemNamespace))
			return slices.ContainsFunc(list.Items, func(e eventsv1.Event) bool {
				return e.Reason == missing.event && e.Regarding.Name == name.Name
			}), err
		}
		if err := wait.PollUntilContextTimeout(ctx, glance, patience, true, missed); err != nil {
			return fmt.Errorf("waiting for an event %s: %w", missing.event, err)
		}
		if _, err := suite.plane.Kubectl(ctx, "apply", "-f", "../../config/receiver/"+missing.file); err != nil {
			return err
		}
	}
	return nil
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

// receiver is the admin port of a receiver, as the manager sees it. Its token and its
// certificate are those that the manager wrote. What it tells is what the tests put there.
type receiver struct {
	*httptest.Server

	mu     sync.Mutex
	routes map[types.NamespacedName]map[string]any
	asked  int
	fault  http.HandlerFunc
}

func startReceiver() *receiver {
	r := &receiver{routes: map[types.NamespacedName]map[string]any{}}
	r.Server = httptest.NewUnstartedServer(http.HandlerFunc(r.serve))
	r.TLS = &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		data, err := mounted(hello.Context())
		if err != nil {
			return nil, err
		}
		pair, err := tls.X509KeyPair(data["tls.crt"], data["tls.key"])
		return &tls.Config{Certificates: []tls.Certificate{pair}}, err
	}}
	r.StartTLS()
	return r
}

// mounted is what the kubelet would mount into the receiver.
func mounted(ctx context.Context) (map[string][]byte, error) {
	var secret corev1.Secret
	err := suite.client.Get(ctx, adminSecret, &secret)
	return secret.Data, err
}

func (r *receiver) serve(w http.ResponseWriter, request *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked++
	data, err := mounted(request.Context())
	switch {
	case r.fault != nil:
		r.fault(w, request)
	case err != nil || len(data["token"]) != 64 || request.Header.Get("Authorization") != "Bearer "+string(data["token"]):
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
