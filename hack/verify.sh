#!/usr/bin/env bash
# Fails if the make targets given would change any file. They run in a copy of the
# working tree, with its changes and new files, so that neither a dirty tree nor the
# targets' own work gets in the way.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/before" "$tmp/after"

# Files of the index that the working tree has deleted are none of the copy.
git ls-files -z --cached --others --exclude-standard |
  while IFS= read -r -d '' f; do [ ! -e "$f" ] || printf '%s\0' "$f"; done |
  tar --null -T - -cf "$tmp/tree.tar"
for copy in before after; do tar -xf "$tmp/tree.tar" -C "$tmp/$copy"; done
mkdir -p bin
ln -s "$root/bin" "$tmp/after/bin" # the tools are those already built

if ! make -C "$tmp/after" --no-print-directory "$@" >"$tmp/log" 2>&1; then
  cat "$tmp/log" >&2
  echo "verify: make $* did not succeed; the reason is above" >&2
  exit 1
fi
rm "$tmp/after/bin"
if ! (cd "$tmp" && diff -ruN before after) >&2; then
  echo "verify: make $* would change the files above; run it and commit what it writes" >&2
  exit 1
fi
echo "verify: make $* would change nothing"
