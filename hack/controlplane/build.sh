#!/usr/bin/env bash
# Builds the control plane that tests and the demo run on: etcd, kube-apiserver,
# kube-controller-manager and kubectl, from their Go modules, into
# bin/k8s/<Kubernetes version>. Two modules pin what is built, since etcd and
# Kubernetes disagree about their dependencies.
#
# Says nothing and does nothing when that directory is up to date, or when
# KUBEBUILDER_ASSETS names one. May run twice at the same time, and may be
# interrupted: Go keeps what it has compiled.
set -euo pipefail

[ -z "${KUBEBUILDER_ASSETS:-}" ] || exit 0

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
programs=(etcd kube-apiserver kube-controller-manager kubectl)

# required MODULE GO.MOD prints the version that GO.MOD requires of MODULE.
required() { awk -v m="$1" '{sub(/^require /, "")} $1 == m && $2 ~ /^v/ {print $2; exit}' "$2"; }
kubernetes=$(required k8s.io/kubernetes "$here/kubernetes/go.mod")
etcd=$(required go.etcd.io/etcd/server/v3 "$here/etcd/go.mod")
out=$root/bin/k8s/$kubernetes

# The stamp covers all that decides what the programs are.
stamp=$({
  cat "$here"/build.sh "$here"/{etcd,kubernetes}/go.{mod,sum}
  go env GOVERSION GOHOSTOS GOHOSTARCH
} | cksum)

up_to_date() {
  local p
  for p in "${programs[@]}"; do [ -x "$out/$p" ] || return 1; done
  [ "$(cat "$out/.stamp" 2>/dev/null)" = "$stamp" ]
}
up_to_date && exit 0

# One builder at a time. The lock goes with its holders, however they end.
mkdir -p "$out"
exec 9>"$root/bin/k8s/.lock"
if ! flock -n 9; then
  echo "controlplane: another build is running; waiting for it"
  flock 9
  up_to_date && exit 0
fi

rm -rf "$root"/bin/k8s/.build.* # of builders that were killed
tmp=$(mktemp -d "$root/bin/k8s/.build.XXXXXX")
trap 'rm -rf "$tmp"' EXIT

# compile MODULE ARGUMENTS... runs go build for this machine, whatever the
# caller's environment cross-compiles for, and shows its output only on failure.
compile() {
  local module=$1 log=$tmp/$1.log
  shift
  if ! (
    cd "$here/$module"
    export CGO_ENABLED=0 GOWORK=off GOOS='' GOARCH='' GOFLAGS=-mod=readonly
    nice -n 10 go build -trimpath -buildvcs=false "$@"
  ) >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    echo "controlplane: building $module did not succeed; the reason is above" >&2
    exit 1
  fi
}

# Without these the programs call themselves v0.0.0-master+$Format:%H$, which
# clients refuse as no semantic version.
ldflags="-s -w"
minor=${kubernetes#v1.}
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
  ldflags+=" -X $package.gitVersion=$kubernetes -X $package.gitMajor=1 -X $package.gitMinor=${minor%%.*}"
  ldflags+=" -X $package.gitTreeState=clean"
done

echo "controlplane: building Kubernetes $kubernetes and etcd $etcd from source; the first time takes about 10 minutes on two cores"
mkdir "$tmp/bin"
compile etcd -ldflags "-s -w" -o "$tmp/bin/etcd" go.etcd.io/etcd/server/v3
compile kubernetes -ldflags "$ldflags" -o "$tmp/bin/" tool

# Renames are atomic, and the stamp comes last: an interrupted install is seen as none.
rm -f "$out/.stamp"
for p in "${programs[@]}"; do mv -f "$tmp/bin/$p" "$out/$p"; done
echo "$stamp" >"$tmp/stamp"
mv -f "$tmp/stamp" "$out/.stamp"
echo "controlplane: built in $SECONDS s: ${out#"$root"/}"
