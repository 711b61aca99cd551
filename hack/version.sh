#!/usr/bin/env bash
# Prints what programs built from this tree call themselves: the content of VERSION
# when the tree is exactly what the tag of that name holds; otherwise that and the
# commit, such as v0.1.0+1a2b3c4d5e6f, with .dirty when files were changed or added.
# Without git, v0.1.0+unknown.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=$(cat VERSION)
# The tree has to be the top of its own clone: a copy of it may lie within somebody else's.
if [ ! -e .git ] || ! commit=$(git rev-parse --short=12 HEAD 2>/dev/null); then
  echo "$version+unknown"
elif [ -n "$(git status --porcelain)" ]; then
  echo "$version+$commit.dirty"
elif git tag --points-at HEAD | grep -Fxq "$version"; then
  echo "$version"
else
  echo "$version+$commit"
fi
