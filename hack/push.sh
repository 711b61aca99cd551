#!/usr/bin/env bash
# Pushes image archives into the registries that their names say, all platforms at once,
# and prints what was pushed by digest. Logging in is done before: bin/tools/crane auth
# login, docker login and podman login all serve.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

for archive in "$@"; do
  if [ ! -f "$archive" ]; then
    echo "push: there is no $archive; make image-archives makes what is pushed" >&2
    exit 1
  fi
  mkdir "$tmp/layout"
  tar -xf "$archive" -C "$tmp/layout"
  name=$(sed -n 's/.*"io.containerd.image.name":"\([^"]*\)".*/\1/p' "$tmp/layout/index.json")
  if [ -z "$name" ]; then
    echo "push: $archive does not say what its image is called; make image-archives writes archives that do" >&2
    exit 1
  fi
  bin/tools/crane push "$tmp/layout" "$name"
  rm -rf "$tmp/layout"
done
