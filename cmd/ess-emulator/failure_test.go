package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ess-operator/ess-operator/internal/essemulator"
)

func TestWhatCannotStartSaysWhy(t *testing.T) {
	t.Parallel()
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() })
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	for flag, want := range map[string]string{
		"--listen=" + taken.Addr().String():       "address already in use",
		"--admin-listen=" + taken.Addr().String(): "address already in use",
		"--echo-listen=nowhere":                   "listening for HTTPS",
		"--sink-listen=nowhere":                   "listening for CloudEvents",
		"--issue-cert=localhost":                  "want host[,host]:file-prefix",
		"--delivery-ca-file=" + empty:             "holds no certificate",
		"--delivery-ca-file=" + empty + ".not":    "no such file",
		"--workers=0":                             "must be at least 1",
		"--state-dir=" + empty:                    "making the state directory",
	} {
		t.Run(flag, func(t *testing.T) {
			t.Parallel()
			// One that starts after all must not run for ever; it then ends with 0. Making keys takes long.
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			var logs bytes.Buffer
			args := []string{"--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0", "--state-dir=" + t.TempDir(), flag}
			if code := run(ctx, args, io.Discard, &logs); code != 1 {
				t.Errorf("ended with %d, want 1", code)
			}
			if !strings.Contains(logs.String(), want) {
				t.Errorf("message %q does not say %q", &logs, want)
			}
		})
	}
}

func TestEndpointsOfAnotherAuthorityMayBeTrusted(t *testing.T) {
	t.Parallel()
	keys, err := essemulator.NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "private-ca.crt")
	if err := os.WriteFile(file, keys.CAPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	other, err := essemulator.NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	without, err := deliveryRoots(other, "")
	if err != nil {
		t.Fatal(err)
	}
	with, err := deliveryRoots(other, file)
	if err != nil {
		t.Fatal(err)
	}
	without.AddCert(keys.CA)
	if !with.Equal(without) {
		t.Error("the file adds its authority to the usual ones")
	}
}

func TestBuiltInEndpointRefusesWhatIsNotSigned(t *testing.T) {
	t.Parallel()
	emu, err := essemulator.New()
	if err != nil {
		t.Fatal(err)
	}
	for _, signature := range []string{"", "no base64", "AAAA"} {
		var out bytes.Buffer
		r := httptest.NewRequest(http.MethodPost, "/hook", strings.NewReader(`{}`))
		r.Header.Set("Concur-Signature", signature)
		w := httptest.NewRecorder()
		(&echo{emu: emu, out: &out}).ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized || out.Len() > 0 {
			t.Errorf("with signature %q: %d, printed %q", signature, w.Code, &out)
		}
	}
}

func TestDamagedStateIsNamed(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"ca.crt", "ca.key", "token.key"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := stateDir(t.TempDir())
			if _, err := dir.keys(); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(dir.path(name), []byte("damaged"), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := dir.keys(); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("the error does not name the file: %v", err)
			}
		})
	}
}
