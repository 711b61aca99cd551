#!/usr/bin/env bash
# Builds the tools it is asked for (all, when asked for none) into bin/tools/.
# Each tool is a module of its own beside this script, so that none changes what
# another is built from. Says and does nothing for a tool that is up to date;
# may run twice at the same time, and may be interrupted.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
out=$root/bin/tools
go_env=$(go env GOVERSION GOHOSTOS GOHOSTARCH)

# stamp TOOL prints what decides what the tool is.
stamp() {
  {
    cat "$here/build.sh" "$here/$1"/*
    echo "$go_env"
  } | cksum
}

up_to_date() { [ -x "$out/$1" ] && [ "$(cat "$out/.$1.stamp" 2>/dev/null)" = "$(stamp "$1")" ]; }

# package TOOL prints what to build: the module's tool directive, or its own main package.
package() {
  local named
  named=$(awk '$1 == "tool" {print $2}' "$here/$1/go.mod")
  echo "${named:-.}"
}

build() {
  local tool=$1 start=$SECONDS
  if ! flock -n 9; then
    echo "tools: another build is running; waiting for it"
    flock 9
  fi
  if up_to_date "$tool"; then return; fi
  echo "tools: building $tool"
  rm -rf "$out/.new"
  mkdir "$out/.new"
  if ! (
    cd "$here/$tool"
    export CGO_ENABLED=0 GOWORK=off GOOS='' GOARCH='' GOFLAGS=-mod=readonly
    nice -n 5 go build -trimpath -buildvcs=false -ldflags "-s -w" -o "$out/.new/$tool" "$(package "$tool")"
  ) >"$out/.new/log" 2>&1; then
    tail -n 40 "$out/.new/log" >&2
    echo "tools: building $tool did not succeed; the reason is above" >&2
    exit 1
  fi
  stamp "$tool" >"$out/.new/stamp"
  rm -f "$out/.$tool.stamp" # an interrupted install is seen as none
  mv -f "$out/.new/$tool" "$out/$tool"
  mv -f "$out/.new/stamp" "$out/.$tool.stamp"
  rm -rf "$out/.new"
  echo "tools: built $tool in $((SECONDS - start)) s"
}

if [ $# -eq 0 ]; then
  for module in "$here"/*/go.mod; do set -- "$@" "$(basename "$(dirname "$module")")"; done
fi
mkdir -p "$out"
exec 9>"$out/.lock" # goes with its holders, however they end
for tool in "$@"; do
  if ! [ -f "$here/$tool/go.mod" ]; then
    echo "tools: no tool is called $tool; those there are: $(cd "$here" && ls -d -- */ | tr -d '/' | xargs)" >&2
    exit 2
  fi
  up_to_date "$tool" || build "$tool"
done
