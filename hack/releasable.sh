#!/usr/bin/env bash
# Says what this tree still lacks to be released as the content of VERSION, and fails if
# there is anything. Given a tag, as by the workflow that releases, it also wants that tag
# to be the version, and the tree to be exactly what the tag holds.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=$(cat VERSION)
lacking=0
lacks() {
  echo "releasable: $*" >&2
  lacking=1
}

if ! [[ $version =~ ^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?$ ]]; then
  echo "releasable: VERSION has $version, which is no version: write one such as v0.2.0" >&2
  exit 1
fi
if [ $# -gt 0 ]; then
  is=$(hack/version.sh)
  [ "$is" = "$1" ] || lacks "the tag is $1 and this tree is $is: put the tag on a commit in which VERSION has it"
elif tagged=$(git rev-parse --quiet --verify "refs/tags/$version^{commit}") && [ "$tagged" != "$(git rev-parse HEAD)" ]; then
  lacks "$version was released from ${tagged:0:12}: raise VERSION"
fi

# The definitions, with which those of later releases are compared.
copy=config/crd/released/$version
if [ ! -d "$copy" ]; then
  lacks "$copy is missing: cp -r config/crd/bases $copy"
elif ! diff -rq config/crd/bases "$copy" >/dev/null; then
  lacks "$copy is not what config/crd/bases is: rm -r $copy && cp -r config/crd/bases $copy"
fi
newest=$({
  echo "$version"
  find config/crd/released -mindepth 1 -maxdepth 1 -printf '%f\n'
} | tr - '~' | sort -V | tail -n 1 | tr '~' -) # ~ is before nothing at all, as v0.2.0-rc.1 is before v0.2.0
[ "$newest" = "$version" ] || lacks "config/crd/released has $newest, which is newer than $version: raise VERSION"

# What users install, and read.
if others=$(grep -rnoE 'ghcr\.io/ess-operator/[a-z-]+:[^ "]+' config --include='*.yaml' | grep -v ":$version\$"); then
  lacks "images of another version, to be changed to $version: ${others//$'\n'/, }"
fi
grep -q "^## $version\( \|\$\)" CHANGELOG.md || lacks "CHANGELOG.md has no heading \"## $version\": give it to what is under Unreleased"

# What the proof of an upgrade starts from, once there is a release to start from.
before=$(git -c versionsort.suffix=- tag --merged HEAD --list 'v*' --sort=v:refname | grep -Fvx "$version" | tail -n 1 || true)
# shellcheck disable=SC2016 # what sed looks for, not a variable of ours
from=$(sed -n 's/^ref=${E2E_PREVIOUS:-\(.*\)}$/\1/p' hack/e2e/previous.sh)
[ -z "$before" ] || [ "$from" = "$before" ] ||
  lacks "hack/e2e/previous.sh upgrades from $from, and the release before is $before: docs/e2e.md says what to change"

[ "$lacking" = 0 ] || exit 1
echo "releasable: nothing is missing for $version"
