package adminsecret

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/ess-operator/ess-operator/controllers/internal/record"
	"github.com/ess-operator/ess-operator/controllers/internal/telemetry"
)

const (
	// lookAgain is how often the Secret is read though no change was seen: a manager that watches
	// some namespaces only sees none.
	lookAgain = time.Minute
	// tryAgain is how soon a Secret that was missing is looked for.
	tryAgain = 5 * time.Second
)

// Config is what a Keeper needs. All fields are required.
type Config struct {
	// Client reads and patches the Secret at the API server.
	Client client.Client
	// Events records trouble with the Secret, for people.
	Events *record.Recorder
	// Secret is the name of the Secret, which has to exist.
	Secret types.NamespacedName
	// Host is the DNS name or address under which the admin port is called.
	Host string
	// Clock tells when a certificate is due.
	Clock clock.PassiveClock
}

// Keeper keeps the Secret complete. It works on one key at a time; Read may be called from anywhere.
type Keeper struct {
	cfg     Config
	trouble *record.Trouble

	looked func() // ends the wait for the first look
	first  <-chan struct{}

	mu      sync.Mutex
	content map[string][]byte
	err     error
}

// New returns a Keeper that has not looked yet.
func New(cfg Config) *Keeper {
	first := make(chan struct{})
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: cfg.Secret.Namespace, Name: cfg.Secret.Name}}
	return &Keeper{
		cfg: cfg, trouble: record.NewTrouble(cfg.Events, secret, "Complete"),
		first: first, looked: sync.OnceFunc(func() { close(first) }),
	}
}

// Read returns the tokens, one per line, and the PEM certificates to trust, as they were last seen, at
// most about a minute ago. Roots are nil when the Secret names none. It waits for the first look at the Secret.
func (k *Keeper) Read(ctx context.Context) (tokens, roots []byte, err error) {
	select {
	case <-k.first:
	case <-ctx.Done():
		return nil, nil, fmt.Errorf("waiting for Secret %s: %w", k.cfg.Secret, ctx.Err())
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.content[tokenKey], k.content[authoritiesKey], k.err
}

// learn notes what the Secret holds, or why that is not known.
func (k *Keeper) learn(content map[string][]byte, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.content, k.err = content, err
	k.looked()
}

// Reconcile writes to the Secret what is missing or due.
func (k *Keeper) Reconcile(ctx context.Context, _ reconcile.Request) (ctrl.Result, error) {
	var found corev1.Secret
	// This read is from the API server, and where the Secret is in a namespace that is not watched, our own writes never
	// come to the cache that a read would otherwise wait for.
	if err := k.cfg.Client.Get(ctx, k.cfg.Secret, &found, client.DisableReadYourWritesConsistency); err != nil {
		return k.unreadable(ctx, err)
	}
	s, err := complete(found.Data, k.cfg.Host, k.cfg.Clock.Now())
	if err != nil {
		return ctrl.Result{}, fmt.Errorf("completing Secret %s: %w", k.cfg.Secret, err)
	}
	if len(s.changes) > 0 {
		if err := k.write(ctx, &found, s.changes); err != nil {
			k.learn(found.Data, nil) // it may do for the callers nevertheless
			return k.unwritten(ctx, err)
		}
	}
	k.learn(found.Data, nil)
	telemetry.SetAdminCertificate(s.notAfter)
	if s.wrong == nil {
		k.trouble.Over()
	} else {
		k.trouble.Tell(ctx, s.wrong.reason, fmt.Sprintf("Secret %s: %s", k.cfg.Secret, s.wrong.text))
	}
	return ctrl.Result{RequeueAfter: lookAgain}, nil
}

// write writes changes into found, unless somebody was faster.
func (k *Keeper) write(ctx context.Context, found *corev1.Secret, changes map[string][]byte) error {
	after := found.DeepCopy()
	if after.Data == nil {
		after.Data = map[string][]byte{}
	}
	maps.Copy(after.Data, changes)
	if err := k.cfg.Client.Patch(ctx, after, client.MergeFromWithOptions(found, client.MergeFromWithOptimisticLock{})); err != nil {
		return err
	}
	found.Data = after.Data
	telemetry.CountAdminSecretWrite("written")
	ctrl.LoggerFrom(ctx).Info("wrote the secret of the receiver's admin port",
		"secret", k.cfg.Secret.String(), "keys", slices.Sorted(maps.Keys(changes)))
	return nil
}

// unwritten says what to do about a Secret that cannot be written.
func (k *Keeper) unwritten(ctx context.Context, err error) (ctrl.Result, error) {
	if apierrors.IsConflict(err) {
		return ctrl.Result{RequeueAfter: time.Second}, nil // somebody wrote; look at what
	}
	telemetry.CountAdminSecretWrite("failed")
	if apierrors.IsForbidden(err) || apierrors.IsInvalid(err) {
		k.trouble.Tell(ctx, "AdminSecretNotWritten", fmt.Sprintf(
			"Secret %s cannot be written: %v; the manager needs the Role of config/receiver, and the Secret must not be immutable", k.cfg.Secret, err))
	}
	return ctrl.Result{}, fmt.Errorf("writing Secret %s: %w", k.cfg.Secret, err)
}

// unreadable says what to do about a Secret that cannot be read.
func (k *Keeper) unreadable(ctx context.Context, err error) (ctrl.Result, error) {
	err = fmt.Errorf("reading Secret %s: %w", k.cfg.Secret, err)
	k.learn(nil, err)
	switch {
	case apierrors.IsNotFound(err):
		k.trouble.Tell(ctx, "AdminSecretMissing", fmt.Sprintf(
			"Secret %s does not exist, so that the receiver's admin port has neither token nor certificate: apply config/receiver, or correct --receiver-admin-secret", k.cfg.Secret))
	case apierrors.IsForbidden(err):
		k.trouble.Tell(ctx, "AdminSecretForbidden", fmt.Sprintf(
			"the manager may not read Secret %s, with the token and the certificate of the receiver's admin port: apply the Role of config/receiver, or correct --receiver-admin-secret", k.cfg.Secret))
	default:
		return ctrl.Result{}, err
	}
	telemetry.CountAdminSecretWrite("missing")
	return ctrl.Result{RequeueAfter: tryAgain}, nil
}
