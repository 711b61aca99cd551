package verify

import (
	"errors"
	"fmt"
	"strings"
)

// Why a check proved nothing; test with errors.Is.
var (
	// ErrAbsent: the request carries nothing of the kind.
	ErrAbsent = errors.New("absent")
	// ErrUntrustedProxy: the request carries the header of a proxy, but does not come from a listed one.
	ErrUntrustedProxy = errors.New("not from a trusted proxy")
	// ErrIncomplete: the proxy forwards facts about the certificate, but not the certificate.
	ErrIncomplete = errors.New("no certificate in the header")
	// ErrMalformed: the proof cannot be read.
	ErrMalformed = errors.New("malformed")
	// ErrWrongName: the certificate is made out to somebody else.
	ErrWrongName = errors.New("wrong name")
	// ErrUnknownAuthority: the certificate leads to none of the authorities that are trusted.
	ErrUnknownAuthority = errors.New("unknown authority")
	// ErrExpired: the certificate, or one that it depends on, is past its time.
	ErrExpired = errors.New("expired")
	// ErrNotYetValid: the certificate, or one that it depends on, is before its time.
	ErrNotYetValid = errors.New("not yet valid")
	// ErrKeyUsage: the certificate is not for TLS clients.
	ErrKeyUsage = errors.New("wrong key usage")
	// ErrBadCertificate: something else is wrong with the certificate.
	ErrBadCertificate = errors.New("bad certificate")
	// ErrBadSignature: the signature is of another key, another algorithm or another body.
	ErrBadSignature = errors.New("bad signature")
)

// results are how the metrics call the outcomes of checks.
var results = map[error]string{
	nil:                 "proved",
	ErrAbsent:           "absent",
	ErrUntrustedProxy:   "untrusted_proxy",
	ErrIncomplete:       "incomplete",
	ErrMalformed:        "malformed",
	ErrWrongName:        "wrong_name",
	ErrUnknownAuthority: "unknown_authority",
	ErrExpired:          "expired",
	ErrNotYetValid:      "not_yet_valid",
	ErrKeyUsage:         "key_usage",
	ErrBadCertificate:   "bad_certificate",
	ErrBadSignature:     "bad_signature",
}

// CheckError is why one check proved nothing.
type CheckError struct {
	// Method is "certificate", "forwarded" or "signature".
	Method string
	// Kind is one of the Err values of this package.
	Kind error
	// Detail says more, and what to do.
	Detail string
}

// Error returns a sentence without its period.
func (f *CheckError) Error() string { return fmt.Sprintf("%s: %v: %s", f.Method, f.Kind, f.Detail) }

// Unwrap returns the kind.
func (f *CheckError) Unwrap() error { return f.Kind }

// Error is why a request is not proved to come from Concur.
type Error struct{ Failures []*CheckError }

// Error names every check that failed, and why.
func (e *Error) Error() string {
	texts := make([]string, 0, len(e.Failures))
	for _, f := range e.Failures {
		texts = append(texts, f.Error())
	}
	return "proving that the request comes from Concur: " + strings.Join(texts, "; ")
}

// Unwrap returns the failures.
func (e *Error) Unwrap() []error {
	all := make([]error, 0, len(e.Failures))
	for _, f := range e.Failures {
		all = append(all, f)
	}
	return all
}

func fail(method string, kind error, format string, args ...any) *CheckError {
	return &CheckError{Method: method, Kind: kind, Detail: fmt.Sprintf(format, args...)}
}
