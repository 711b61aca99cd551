#!/usr/bin/env bash
# Makes what an upgrade starts from: images and manifests of the commit that E2E_PREVIOUS
# names, in bin/e2e/previous. A release would be the natural choice; none is published
# yet. Says so and leaves nothing when the commit is not in this clone.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

ref=${E2E_PREVIOUS:-a18d69f}
out=bin/e2e/previous

if ! commit=$(git rev-parse --quiet --verify "$ref^{commit}" 2>/dev/null); then
  rm -rf "$out"
  echo "e2e: there is no commit $ref here, so the upgrade is not tried; E2E_PREVIOUS names another one"
  exit 0
fi
stamp="$commit ${PLATFORMS:-} $(cksum <hack/e2e/previous.sh)"
if [ "$(cat "$out/.stamp" 2>/dev/null)" = "$stamp" ]; then exit 0; fi

source=$(mktemp -d)
trap 'rm -rf "$source"' EXIT
rm -rf "$out"
mkdir -p "$out"
git archive "$commit" | tar -x -C "$source"
cp -r hack/images "$source/hack/" # it takes the certificate authorities from there

echo "e2e: building images of $ref"
for program in cmd/manager webhook-receiver; do
  bin/images archives -root "$source" -programs "$(basename "$program")" -platforms "${PLATFORMS:-linux/amd64}" \
    -repository ghcr.io/ess-operator -version "previous+${commit:0:12}" -tag previous -revision "$commit" \
    -created "$(git log -1 --format=%ct "$commit")" -out "$out"
done

# Before config/default had the receiver, it was a component that came on top.
overlay=$source/config/e2e
mkdir "$overlay"
echo "resources: [../default]" >"$overlay/kustomization.yaml"
if ! bin/tools/kustomize build "$overlay" | grep -q '^  name: ess-operator-receiver$'; then
  echo "components: [../receiver]" >>"$overlay/kustomization.yaml"
fi
bin/tools/kustomize build "$overlay" >"$out/release.yaml"
echo "resources: [release.yaml]" >"$out/kustomization.yaml"
echo "$stamp" >"$out/.stamp"
