package login

import (
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/failure"
)

// What a routes file cannot hold would cost the routes of everybody.
func TestLoginsFitIntoRoutes(t *testing.T) {
	t.Parallel()
	for r := rune(0); r < 0x10010; r++ {
		if r == 0x2100 {
			r = 0xfdd0 // letters of all the world lie between
		}
		text := "ten-letters" + string(r) + "."
		for _, l := range []Login{{Username: text, Password: "password-1"}, {Username: "user-name-1", Password: text}} {
			secret := &corev1.Secret{Data: map[string][]byte{"username": []byte(l.Username), "password": []byte(l.Password)}}
			got, err := of(secret, v1alpha1.BasicCredentialsRef{})
			if err != nil {
				if !errors.Is(err, failure.ErrSecretInvalid) || strings.Contains(err.Error(), text) {
					t.Errorf("%U: %v", r, err)
				}
				continue
			}
			checkHeld(t, r, got)
		}
	}
}

// checkHeld writes a login as the routes are written, and reads it.
func checkHeld(t *testing.T, r rune, want Login) {
	t.Helper()
	var got Login
	file, err := yaml.Marshal(want)
	if err == nil {
		err = yaml.Unmarshal(file, &got)
	}
	if err != nil || got != want {
		t.Errorf("%U: a routes file does not hold it: %v", r, err)
	}
}
