#!/usr/bin/env bash
# Runs the suite of test/e2e against the cluster of KUBECONFIG: makes the images for its
# nodes, the keys of the trial and what an upgrade starts from, and then runs the tests
# with the arguments given. docs/e2e.md has the variables.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

if [ -z "${KUBECONFIG:-}" ]; then
  echo "e2e: KUBECONFIG is not set: name the cluster that may be changed, such as one of \`kind create cluster\`" >&2
  exit 2
fi
if [ -f "$KUBECONFIG" ]; then KUBECONFIG=$(realpath "$KUBECONFIG"); fi
export KUBECONFIG

kubectl=kubectl
for built in bin/k8s/*/kubectl; do
  if [ -x "$built" ]; then kubectl=$built; fi
done
kubectl=${E2E_KUBECTL:-$kubectl}
if ! nodes=$("$kubectl" get nodes -o jsonpath='{range .items[*]}linux/{.status.nodeInfo.architecture}{"\n"}{end}'); then
  echo "e2e: $kubectl cannot list the nodes of the cluster of KUBECONFIG, $KUBECONFIG: see that the file is there and the cluster answers" >&2
  exit 2
fi
PLATFORMS=$(sort -u <<<"$nodes" | paste -sd, -)
export PLATFORMS

start=$SECONDS
hack/tools/build.sh kustomize helm
if [ -n "${E2E_LOAD:-}" ]; then
  make --no-print-directory image-archives
  hack/e2e/previous.sh
else
  rm -rf bin/e2e/previous # its images could not be brought to the cluster
fi
make --no-print-directory trial-keys
go test -c -tags e2e -o bin/e2e/e2e.test ./test/e2e
echo "e2e: prepared in $((SECONDS - start)) s"

cd test/e2e
exec ../../bin/e2e/e2e.test -test.timeout 20m "$@"
