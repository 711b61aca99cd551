package controlplane

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"

	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/ess-operator/ess-operator/test/loopback"
)

// auditPolicy records every request once, when its response has ended, so that a
// test may count what a controller read and wrote.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
`

// auditBodies is the rule that adds the bodies of writes; what is secret stays out.
const auditBodies = `- level: Metadata
  resources:
  - {group: "", resources: [secrets, serviceaccounts/token]}
  - {group: authentication.k8s.io}
- level: Request
  verbs: [create, update, patch, delete, deletecollection]
`

// auditAll is the rule for all that no rule before it is about.
const auditAll = `- level: Metadata
`

// auditLogMegabytes is beyond what any test writes: a rotated log would hide requests.
const auditLogMegabytes = "4096"

// prepare fills cp.env. The programs are started by way of the guard, which thereby
// learns their process ids.
func (cp *ControlPlane) prepare(opts Options) error {
	crds, err := fromRoot(opts.CRDDirs)
	if err != nil {
		return err
	}
	env := &envtest.Environment{
		CRDDirectoryPaths:        crds,
		ErrorIfCRDPathMissing:    true,
		ControlPlaneStartTimeout: startTimeout,
	}
	api := env.ControlPlane.GetAPIServer()
	env.ControlPlane.Etcd = &envtest.Etcd{}
	db := env.ControlPlane.Etcd

	if db.Path, db.Out, err = cp.guard.program(etcd, cp.AssetsDir); err != nil {
		return err
	}
	if api.Path, api.Out, err = cp.guard.program(apiServer, cp.AssetsDir); err != nil {
		return err
	}
	db.Err, api.Err = db.Out, api.Out
	if err := address(api, db); err != nil {
		return err
	}
	env.ControlPlane.KubectlPath = filepath.Join(cp.AssetsDir, kubectl)

	db.DataDir = filepath.Join(cp.Dir, etcd)
	api.CertDir = filepath.Join(cp.Dir, apiServer)
	for _, dir := range []string{db.DataDir, api.CertDir} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			return err
		}
	}
	cp.env = env
	if !opts.Audit {
		return nil
	}
	policy := auditPolicy
	if opts.AuditBodies {
		policy += auditBodies
	}
	return cp.audit(api, policy+auditAll)
}

// address says where the programs listen. Each may be away for a while, and has to find its port as it left it.
func address(api *envtest.APIServer, db *envtest.Etcd) error {
	var addresses [3]string
	for i := range addresses {
		var err error
		if addresses[i], err = loopback.Address(); err != nil {
			return err
		}
	}
	var err error
	if api.SecureServing.Address, api.SecureServing.Port, err = net.SplitHostPort(addresses[0]); err != nil {
		return err
	}
	db.URL = &url.URL{Scheme: "http", Host: addresses[1]}
	db.Configure().Set("listen-peer-urls", "http://"+addresses[2])
	return nil
}

// audit makes the API server log requests. In mode blocking, its default, a
// line is in the file before the client sees the end of the response.
func (cp *ControlPlane) audit(api *envtest.APIServer, rules string) error {
	policy := filepath.Join(cp.Dir, "audit-policy.yaml")
	if err := os.WriteFile(policy, []byte(rules), 0o600); err != nil {
		return err
	}
	cp.AuditLog = filepath.Join(cp.Dir, "audit.log")
	api.Configure().
		Set("audit-policy-file", policy).
		Set("audit-log-path", cp.AuditLog).
		Set("audit-log-maxsize", auditLogMegabytes)
	return nil
}

// fromRoot makes relative paths start at the root of the Go module.
func fromRoot(paths []string) ([]string, error) {
	var absolute []string
	for _, p := range paths {
		if !filepath.IsAbs(p) {
			root, err := moduleRoot()
			if err != nil {
				return nil, fmt.Errorf("resolving %s: %w", p, err)
			}
			p = filepath.Join(root, p)
		}
		absolute = append(absolute, p)
	}
	return absolute, nil
}
