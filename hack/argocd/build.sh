#!/usr/bin/env bash
# Builds the Argo CD that test/argocd runs, from its Go module, into bin/argocd:
#
#   argocd      every program of Argo CD; its name tells it which one to be
#   memredis    the redis that they want
#   manifests/  the definitions and the configuration that an installation starts with
#   kustomize, helm, git-verify-wrapper.sh: what the repo-server calls
#
# The module in argocd/ pins the version. Says and does nothing when bin/argocd is
# up to date; may run twice at the same time, and may be interrupted.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
module=$root/argocd
out=$root/bin/argocd
programs=(argocd memredis)
components=(argocd-server argocd-repo-server argocd-application-controller)
tools=(kustomize helm)

# The stamp covers all that decides what the programs are.
stamp=$({
  cat "$here/build.sh" "$module"/go.{mod,sum} "$module"/memredis/*.go
  go env GOVERSION GOHOSTOS GOHOSTARCH
} | cksum)

up_to_date() {
  local p
  for p in "${programs[@]}"; do [ -x "$out/$p" ] || return 1; done
  [ "$(cat "$out/.stamp" 2>/dev/null)" = "$stamp" ]
}

"$root/hack/tools/build.sh" "${tools[@]}"
up_to_date && exit 0

# One builder at a time. The lock goes with its holders, however they end.
mkdir -p "$out"
exec 9>"$out/.lock"
if ! flock -n 9; then
  echo "argocd: another build is running; waiting for it"
  flock 9
  up_to_date && exit 0
fi

rm -rf "$out"/.build.* # of builders that were killed
tmp=$(mktemp -d "$out/.build.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
cd "$module"
export CGO_ENABLED=0 GOWORK=off GOOS='' GOARCH='' GOFLAGS=-mod=readonly

argocd=github.com/argoproj/argo-cd/v3
version=$(go list -m -f '{{.Version}}' "$argocd")
echo "argocd: building Argo CD $version from source; the first time takes about 10 minutes on two cores"
# A module has no commit, and the programs want one; the API server tells it to whoever asks.
ldflags="-s -w -X $argocd/common.version=${version#v} -X $argocd/common.gitCommit=module -X $argocd/common.gitTreeState=clean"
mkdir "$tmp/new"
if ! {
  nice -n 10 go build -trimpath -buildvcs=false -ldflags "$ldflags" -o "$tmp/new/argocd" "$argocd/cmd"
  nice -n 10 go build -trimpath -buildvcs=false -ldflags "-s -w" -o "$tmp/new/memredis" ./memredis
} >"$tmp/log" 2>&1; then
  tail -n 40 "$tmp/log" >&2
  echo "argocd: building did not succeed; the reason is above" >&2
  exit 1
fi
for c in "${components[@]}"; do ln -s argocd "$tmp/new/$c"; done
for t in "${tools[@]}"; do ln -s "../tools/$t" "$tmp/new/$t"; done

# What is in the module beside the code. The script is run for every revision, signed or not.
source=$(go list -m -f '{{.Dir}}' "$argocd")
install -m 755 "$source/hack/git-verify-wrapper.sh" "$tmp/new/"
mkdir "$tmp/new/manifests"
cp -r "$source/manifests/crds" "$source/manifests/base/config" "$tmp/new/manifests/"
chmod -R u+w "$tmp/new/manifests"

# The stamp comes last: an interrupted install is seen as none.
rm -rf "$out/.stamp" "${out:?}"/*
mv "$tmp"/new/* "$out/"
echo "$stamp" >"$out/.stamp"
echo "argocd: built in $SECONDS s: ${out#"$root"/}"
