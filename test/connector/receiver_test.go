package connector_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// receiver stores what is posted with a login that the routes Secret holds. That
// the real receiver's parser takes what is in it is for the tests of that parser.
type receiver struct {
	*httptest.Server
	admin  *httptest.Server
	mu     sync.Mutex
	stored map[string][]string // bodies, by user name
	down   map[string]int      // status to answer instead, by user name
	lost   map[string]bool     // store, and then break off the answer
	told   []any               // routes of the statistics
}

func newReceiver() *receiver {
	r := &receiver{stored: map[string][]string{}, down: map[string]int{}, lost: map[string]bool{}}
	r.Server = httptest.NewTLSServer(http.HandlerFunc(r.serve))
	r.admin = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		r.mu.Lock()
		defer r.mu.Unlock()
		_ = json.NewEncoder(w).Encode(map[string]any{"routes": append([]any{}, r.told...)})
	}))
	return r
}

func (r *receiver) serve(w http.ResponseWriter, req *http.Request) {
	user, password, _ := req.BasicAuth()
	connector, ok := loginOf(req.Context(), user, password)
	r.mu.Lock()
	defer r.mu.Unlock()
	body, err := io.ReadAll(req.Body)
	switch {
	case !ok || err != nil || req.Host != "example.com" || req.Method != http.MethodPost || req.URL.Path != connector.Path:
		w.WriteHeader(http.StatusUnauthorized)
	case r.down[user] != 0:
		w.WriteHeader(r.down[user])
	default:
		r.stored[user] = append(r.stored[user], string(body))
		if r.lost[user] {
			panic(http.ErrAbortHandler)
		}
	}
}

// connector is one of the routes Secret.
type connector struct {
	Namespace, Name, Path string
	Credentials           []struct {
		Username, Password string
		ValidUntil         time.Time
	}
}

// routed are the connectors of the routes Secret as it is.
func routed(ctx context.Context) []connector {
	var secret corev1.Secret
	var file struct{ Connectors []connector }
	if suite.client.Get(ctx, routesSecret, &secret) != nil || yaml.Unmarshal(secret.Data["routes.yaml"], &file) != nil {
		return nil
	}
	return file.Connectors
}

// loginOf is the connector of a login.
func loginOf(ctx context.Context, user, password string) (connector, bool) {
	for _, c := range routed(ctx) {
		for _, pair := range c.Credentials {
			if pair.Username == user && pair.Password == password {
				return c, true
			}
		}
	}
	return connector{}, false
}

// bodies are what was stored for a user name.
func (r *receiver) bodies(user string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string{}, r.stored[user]...)
}

func (r *receiver) set(change func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change()
}
