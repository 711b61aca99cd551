package adminsecret_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

func TestSecretIsMissedFilledAndRenewed(t *testing.T) {
	t.Parallel()
	d := newDesk(t, suite.plane.Config, interceptor.Funcs{})
	for range 2 {
		if after := d.reconcile(); after > time.Minute || after == 0 {
			t.Errorf("a missing Secret is looked for again after %s", after)
		}
	}
	d.expectEvents("while it is missing", "AdminSecretMissing")
	if _, _, err := d.Read(t.Context()); !apierrors.IsNotFound(err) {
		t.Errorf("callers are told %v", err)
	}

	d.create(func(s *corev1.Secret) { s.Data = map[string][]byte{"other": []byte("kept")} })
	d.reconcile()
	if keys := slices.Sorted(maps.Keys(d.read().Data)); !slices.Equal(keys, []string{"ca.crt", "ca.key", "other", "tls.crt", "tls.key", "token"}) {
		t.Fatalf("the Secret has %v", keys)
	}
	d.expectKnown()
	d.expectEvents("when all is well")
}

func TestCertificateIsRenewed(t *testing.T) {
	t.Parallel()
	d := newDesk(t, suite.plane.Config, interceptor.Funcs{})
	d.create(func(*corev1.Secret) {})
	d.reconcile()
	first, expired := d.read(), d.expires()
	for range 59 {
		d.clock.SetTime(d.clock.Now().Add(day))
		if after := d.reconcile(); after == 0 || after > time.Hour {
			t.Fatalf("it is looked at again after %s", after)
		}
	}
	if d.read().ResourceVersion != first.ResourceVersion {
		t.Error("a Secret that was complete was written")
	}
	d.clock.SetTime(d.clock.Now().Add(day))
	d.reconcile()
	if now := d.expires(); now.Sub(expired) < 59*day {
		t.Errorf("the certificate expires at %s, and did at %s", now, expired)
	}
	renewed := d.read().Data
	for _, key := range []string{"token", "ca.crt", "ca.key"} {
		if string(renewed[key]) != string(first.Data[key]) {
			t.Errorf("%s was written with the certificate", key)
		}
	}
	d.expectKnown()
	d.expectEvents("when all is well")
}

func TestSecretThatMayNotBeRead(t *testing.T) {
	t.Parallel()
	stranger := rest.CopyConfig(suite.plane.Config)
	stranger.Impersonate = rest.ImpersonationConfig{UserName: "stranger", Groups: []string{"system:authenticated"}}
	d := newDesk(t, stranger, interceptor.Funcs{})
	d.create(func(*corev1.Secret) {})
	if after := d.reconcile(); after > time.Minute || after == 0 {
		t.Errorf("it is tried again after %s", after)
	}
	d.expectEvents("without the Role", "AdminSecretForbidden")
}

func TestSecretThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	d := newDesk(t, suite.plane.Config, interceptor.Funcs{})
	d.create(func(s *corev1.Secret) {
		s.Immutable, s.Data = new(true), map[string][]byte{"token": []byte("somebody's")}
	})
	for range 2 {
		if _, err := d.Reconcile(t.Context(), ctrl.Request{}); !apierrors.IsInvalid(err) {
			t.Errorf("writing an immutable Secret: %v", err)
		}
	}
	if tokens, _, err := d.Read(t.Context()); err != nil || string(tokens) != "somebody's" {
		t.Errorf("callers get %q, %v, though it can be read", tokens, err)
	}
	d.expectEvents("for a Secret that nobody can change", "AdminSecretNotWritten")
}

// TestSomebodyIsFaster has a person write between the Keeper's read and its write.
func TestSomebodyIsFaster(t *testing.T) {
	t.Parallel()
	var d *desk
	var faster func()
	d = newDesk(t, suite.plane.Config, interceptor.Funcs{
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, options ...client.PatchOption) error {
			if faster != nil {
				faster()
				faster = nil
			}
			return c.Patch(ctx, o, p, options...)
		},
	})
	d.create(func(*corev1.Secret) {})
	faster = func() { d.write(map[string][]byte{"token": []byte("a person's")}) }
	if after := d.reconcile(); after > 10*time.Second {
		t.Errorf("it is looked at again after %s", after)
	}
	d.reconcile()
	if data := d.read().Data; string(data["token"]) != "a person's" || len(data["tls.crt"]) == 0 {
		t.Errorf("the token is %d bytes, the certificate %d", len(data["token"]), len(data["tls.crt"]))
	}
	d.expectEvents("for a race that is lost")
}

func TestSomebodyElsesCertificate(t *testing.T) {
	t.Parallel()
	d := newDesk(t, suite.plane.Config, interceptor.Funcs{})
	d.create(func(s *corev1.Secret) { s.Data = map[string][]byte{"tls.crt": []byte("somebody's")} })
	for range 2 {
		d.reconcile()
	}
	if data := d.read().Data; string(data["tls.crt"]) != "somebody's" || len(data["token"]) == 0 || len(data) != 2 {
		t.Errorf("the Secret holds %v", slices.Collect(maps.Keys(data)))
	}
	d.expectEvents("for half a certificate", "AdminSecretIncomplete")
	d.write(map[string][]byte{"tls.crt": []byte("somebody's"), "tls.key": []byte("somebody's"), "token": []byte("t")})
	for range 2 {
		d.reconcile()
	}
	d.expectEvents("for what is no certificate", "AdminCertificateInvalid")
	d.write(nil)
	d.reconcile()
	d.expectKnown()
	d.expectEvents("once it is ours")
}

func TestCallersWaitForTheFirstLook(t *testing.T) {
	t.Parallel()
	d := newDesk(t, suite.plane.Config, interceptor.Funcs{})
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := d.Read(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller who gives up is told %v", err)
	}
	d.create(func(*corev1.Secret) {})
	told := make(chan error, 1)
	go func() {
		tokens, _, err := d.Read(t.Context())
		if len(tokens) == 0 && err == nil {
			err = errors.New("nothing")
		}
		told <- err
	}()
	d.reconcile()
	if err := <-told; err != nil {
		t.Errorf("a caller who waited is told %v", err)
	}
}
