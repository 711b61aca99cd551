#!/usr/bin/env bash
# Tells what this tree is:
#
#   hack/version.sh          what programs built from it call themselves: the content of
#                            VERSION when the tree is exactly what the tag of that name
#                            holds; otherwise that and the commit, such as
#                            v0.1.0+1a2b3c4d5e6f, with .dirty when files were changed or
#                            added. Without git, v0.1.0+unknown.
#   hack/version.sh commit   the commit, in full
#   hack/version.sh time     its time, in seconds since 1970
#
# Without git the last two print nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=$(cat VERSION)
# The tree has to be the top of its own clone: a copy of it may lie within somebody else's.
# Of a clone that git does not read, such as one of another owner, git says why.
if [ ! -e .git ] || ! commit=$(git rev-parse HEAD); then
  if [ $# -eq 0 ]; then echo "$version+unknown"; fi
  exit 0
fi
case ${1:-} in
  commit)
    echo "$commit"
    exit 0
    ;;
  time) exec git log -1 --format=%ct ;;
esac
if [ -n "$(git status --porcelain)" ]; then
  echo "$version+${commit:0:12}.dirty"
elif git tag --points-at HEAD | grep -Fxq "$version"; then
  echo "$version"
else
  echo "$version+${commit:0:12}"
fi
