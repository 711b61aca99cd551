package app

import (
	"bytes"
	"cmp"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/config"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/reload"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/verify"
)

// proofs is what proves events. Its files and its settings make one policy, so they are taken together.
func (l *live) proofs() reload.Source {
	settings := func() config.Proof { return l.config.Load().Proof }
	return reload.Source{
		Name:     proofSource,
		Settings: func() any { return settings() },
		Files: func() []string {
			var files []string
			if c := settings().ClientCertificate; c != nil {
				files = append(files, paths(c.CAFile)...)
			}
			if s := settings().Signature; s != nil {
				files = append(files, s.PublicKeyFiles...)
			}
			return files
		},
		Apply: func(files reload.Files) error {
			if c := settings().ClientCertificate; c != nil && c.CAFile != "" && len(bytes.TrimSpace(files[c.CAFile])) == 0 {
				return fmt.Errorf("%s is empty, which would trust the system's authorities: write those to trust there", c.CAFile)
			}
			policy, err := verify.New(verify.Config{
				Require:     verify.Requirement(settings().Require),
				Certificate: certificateCheck(settings().ClientCertificate, files),
				Signature:   signatureCheck(settings().Signature, files),
				Registerer:  l.registerer,
			})
			if err != nil {
				return err
			}
			l.proof.Store(policy)
			return nil
		},
	}
}

func certificateCheck(c *config.ClientCertificate, files reload.Files) *verify.Certificate {
	if c == nil {
		return nil
	}
	check := &verify.Certificate{
		CAs: files[c.CAFile], Names: c.Names, IgnoreExpiry: c.IgnoreExpiry, IgnoreKeyUsage: c.IgnoreKeyUsage,
	}
	if f := c.Forwarded; f != nil {
		check.Forwarded = &verify.Forwarded{Header: f.Header, TrustedProxies: f.TrustedProxies}
	}
	return check
}

func signatureCheck(s *config.Signature, files reload.Files) *verify.Signature {
	if s == nil {
		return nil
	}
	check := &verify.Signature{}
	for _, a := range s.Algorithms {
		check.Algorithms = append(check.Algorithms, verify.Algorithm(a))
	}
	used := map[string]int{}
	for _, path := range s.PublicKeyFiles {
		// The name shows in metrics and beside each event, so it is that of the file alone.
		name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		used[name]++
		if n := used[name]; n > 1 {
			name += "-" + strconv.Itoa(n)
		}
		check.Keys = append(check.Keys, verify.Key{Name: cmp.Or(name, "key"), PEM: files[path]})
	}
	return check
}
