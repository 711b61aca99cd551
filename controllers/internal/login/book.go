package login

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/age"
	"github.com/ess-operator/ess-operator/controllers/internal/failure"
)

// Book holds the logins of all connectors, and which of them the receiver's
// routes hold. It may be used by many goroutines at once.
type Book struct {
	live client.Reader

	mu     sync.Mutex
	pages  map[types.NamespacedName]page
	routed map[types.NamespacedName]Login
	known  bool // what is routed is known
}

// page is what is known of one connector.
type page struct {
	connector client.Object // for its age
	login     Login         // none, when its Secret holds none that is good
}

// NewBook returns an empty book. It reads Secrets with live, the API server.
func NewBook(live client.Reader) *Book {
	return &Book{live: live, pages: map[types.NamespacedName]page{}}
}

// Read reads the login of a connector anew. The names are those of other
// connectors with a user name that it has or had, if that changed. An error
// that is [Unread] changes nothing.
func (b *Book) Read(ctx context.Context, conn *v1alpha1.ApplicationConnector) (l Login, changed bool, affected []types.NamespacedName, err error) {
	l, err = b.fetch(ctx, conn)
	if Unread(err) {
		return Login{}, false, nil, err
	}
	key := client.ObjectKeyFromObject(conn)
	b.mu.Lock()
	defer b.mu.Unlock()
	before, was := b.pages[key]
	b.pages[key] = page{connector: conn.DeepCopy(), login: l}
	if changed = !was || before.login != l; changed {
		affected = append(b.namesakes(key, before.login), b.namesakes(key, l)...)
	}
	return l, changed, affected, err
}

// Complete reads the logins of those connectors of which nothing is known yet,
// and forgets those that are not among them. Its error is about those that could
// not be read; the others are known all the same.
func (b *Book) Complete(ctx context.Context, all []v1alpha1.ApplicationConnector) error {
	var failed []error
	present := map[types.NamespacedName]bool{}
	for i := range all {
		key := client.ObjectKeyFromObject(&all[i])
		present[key] = true
		if err := b.complete(ctx, key, &all[i]); err != nil {
			failed = append(failed, err)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for key := range b.pages {
		if !present[key] {
			delete(b.pages, key)
		}
	}
	return errors.Join(failed...)
}

// complete reads the login of a connector, unless it is known already.
func (b *Book) complete(ctx context.Context, key types.NamespacedName, conn *v1alpha1.ApplicationConnector) error {
	if b.has(key) {
		return nil
	}
	l, err := b.fetch(ctx, conn)
	if Unread(err) {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.pages[key]; !ok { // or somebody read it later than we did
		b.pages[key] = page{connector: conn.DeepCopy(), login: l}
	}
	return nil
}

func (b *Book) has(key types.NamespacedName) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, ok := b.pages[key]
	return ok
}

// Unread reports whether an error says that a Secret could not be read, and so nothing about what is in it.
func Unread(err error) bool {
	return err != nil && !errors.Is(err, failure.ErrSecretNotFound) && !errors.Is(err, failure.ErrSecretInvalid)
}

// Forget forgets a connector that is gone, and returns those that have its user name.
func (b *Book) Forget(key types.NamespacedName) []types.NamespacedName {
	b.mu.Lock()
	defer b.mu.Unlock()
	affected := b.namesakes(key, b.pages[key].login)
	delete(b.pages, key)
	return affected
}

// All are the logins known. A connector whose Secret holds none that is good has the zero Login.
func (b *Book) All() map[types.NamespacedName]Login {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := make(map[types.NamespacedName]Login, len(b.pages))
	for key, p := range b.pages {
		all[key] = p.login
	}
	return all
}

// Senior is the oldest other connector that has conn's user name and is older than conn; ok is false when there is none.
func (b *Book) Senior(conn *v1alpha1.ApplicationConnector) (senior types.NamespacedName, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := client.ObjectKeyFromObject(conn)
	others := b.namesakes(key, b.pages[key].login)
	others = slices.DeleteFunc(others, func(other types.NamespacedName) bool { return !age.Older(b.pages[other].connector, conn) })
	if len(others) == 0 {
		return types.NamespacedName{}, false
	}
	return slices.MinFunc(others, func(x, y types.NamespacedName) int {
		return age.Compare(b.pages[x].connector, b.pages[y].connector)
	}), true
}

// namesakes are the other connectors with a login's user name. The caller holds the lock.
func (b *Book) namesakes(key types.NamespacedName, l Login) []types.NamespacedName {
	var names []types.NamespacedName
	for other, p := range b.pages {
		if other != key && l.Username != "" && p.login.Username == l.Username {
			names = append(names, other)
		}
	}
	return names
}

// SetRouted notes which logins the receiver's routes hold, and returns the
// connectors to which that is news; at the first time those are all.
func (b *Book) SetRouted(routed map[types.NamespacedName]Login) []types.NamespacedName {
	b.mu.Lock()
	defer b.mu.Unlock()
	var news []types.NamespacedName
	for key := range b.pages {
		was, now := b.routed[key], routed[key]
		if !b.known || was != now {
			news = append(news, key)
		}
	}
	b.routed, b.known = routed, true
	return news
}

// Routed reports whether the receiver's routes hold a connector with its present login; known is
// false as long as nobody has looked since the operator started.
func (b *Book) Routed(key types.NamespacedName) (l Login, routed, known bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l = b.pages[key].login
	return l, l != Login{} && b.routed[key] == l, b.known
}

// fetch reads the Secret of a connector from the API server.
func (b *Book) fetch(ctx context.Context, conn *v1alpha1.ApplicationConnector) (Login, error) {
	ref := conn.Spec.CredentialsSecretRef
	var secret corev1.Secret
	switch err := b.live.Get(ctx, types.NamespacedName{Namespace: conn.Namespace, Name: ref.Name}, &secret); {
	case apierrors.IsNotFound(err):
		return Login{}, failure.New(failure.ErrSecretNotFound,
			"Secret %q does not exist in namespace %q: create it, or correct spec.credentialsSecretRef.name", ref.Name, conn.Namespace)
	case err != nil:
		return Login{}, fmt.Errorf("reading secret %s/%s: %w", conn.Namespace, ref.Name, err)
	}
	return of(&secret, ref)
}
