// Package login knows the user names and passwords of ApplicationConnectors: what
// somebody typed into SAP Concur's page Register Application Connector.
//
// They live in Secrets, and are read from the API server, each when its connector
// is looked at. What was read stays in memory, in a [Book], because some questions
// are about all connectors at once: whether two have one user name, and what the
// receiver's routes have to hold. Nothing of it goes to a status, a log or an event.
package login

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/failure"
)

// Login is a user name and a password; the zero value is none.
type Login struct{ Username, Password string }

// String hides both, should they be printed by accident.
func (Login) String() string { return "login.Login{}" }

// GoString is String, for the verb %#v.
func (l Login) GoString() string { return l.String() }

// What SAP Concur takes, in characters (SAP Concur, Callouts and Application Connectors).
const (
	minLength = 10
	maxLength = 50
)

// of reads a login out of a Secret.
func of(secret *corev1.Secret, ref v1alpha1.BasicCredentialsRef) (Login, error) {
	username, password := ref.EffectiveKeys()
	l := Login{Username: string(secret.Data[username]), Password: string(secret.Data[password])}
	if err := check(l.Username, "user name", username, ref.Name); err != nil {
		return Login{}, err
	}
	if err := check(l.Password, "password", password, ref.Name); err != nil {
		return Login{}, err
	}
	if strings.Contains(l.Username, ":") {
		return Login{}, failure.New(failure.ErrSecretInvalid,
			"the user name under the key %q of Secret %q holds a colon, which HTTP Basic cannot carry: choose another, here and at SAP Concur", username, ref.Name)
	}
	return l, nil
}

// check says what is wrong with a value, and nothing of the value itself.
func check(value, what, key, secret string) error {
	refuse := func(format string, args ...any) error {
		return failure.New(failure.ErrSecretInvalid, "the %s under the key %q of Secret %q %s", what, key, secret, fmt.Sprintf(format, args...))
	}
	switch length := utf8.RuneCountInString(value); {
	case value == "":
		return failure.New(failure.ErrSecretInvalid,
			"Secret %q has no value under the key %q: add the %s, or name another key in spec.credentialsSecretRef", secret, key, what)
	case strings.HasSuffix(value, "\n"):
		return refuse("ends with a line break, which editors and echo add: write it with printf, or with kubectl create secret --from-literal")
	case !utf8.ValidString(value) || strings.ContainsFunc(value, untypable):
		return refuse("holds characters that cannot be typed: use letters, digits and signs")
	case length < minLength || length > maxLength:
		return refuse("does not have %d to %d characters, as SAP Concur demands (Callouts and Application Connectors): choose another, here and on the page Register Application Connector", minLength, maxLength)
	default:
		return nil
	}
}

// untypable are characters that nobody types, and that YAML, and so the receiver's routes, cannot hold. One of them
// would cost all routes.
func untypable(r rune) bool { return unicode.IsControl(r) || r == 0xfffe || r == 0xffff }
