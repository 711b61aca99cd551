#!/usr/bin/env bash
# Writes what is made from Go types and their markers: deepcopy functions, the
# CRDs, and the role that the manager needs; what is made from the manifests:
# the Helm chart; and the ConfigMap for Argo CD's users from its scripts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

hack/tools/build.sh controller-gen kustomize
generate() { bin/tools/controller-gen "$@"; }

generate object:headerFile=hack/boilerplate.go.txt paths=./api/...

# Written anew, so that a kind that is gone leaves no file behind.
rm -rf config/crd/bases
generate crd paths=./api/... output:crd:artifacts:config=config/crd/bases

generate rbac:roleName=ess-operator-manager paths=./controllers/... paths=./cmd/manager/... \
  output:rbac:artifacts:config=config/rbac

# kustomize puts namespaces and definitions first, so that it can be applied in one go.
mkdir -p dist
{
  echo '# The operator and the receiver: what "kustomize build config/default" prints.'
  bin/tools/kustomize build config/default
} >dist/install.yaml

GOWORK=off go run -C hack/chart . --root ../..

hack/argocd/fragment.sh
