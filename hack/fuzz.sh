#!/usr/bin/env bash
# Runs every fuzz target of the packages given for FUZZTIME each, one after the
# other, since go test fuzzes one target at a time. FUZZ is a regular expression
# that chooses targets. What crashes a target is left in its package's testdata/fuzz.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

ran=0
while read -r package; do
  # Lists without running; lines that are no target are what go test says besides.
  targets=$(go test -list '^Fuzz' "$package" | grep '^Fuzz' || true)
  for target in $targets; do
    [[ $target =~ ${FUZZ:-.} ]] || continue
    echo "fuzz: $target in ${package#github.com/ess-operator/ess-operator/} for ${FUZZTIME:-10s}"
    go test -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-10s}" "$package"
    ran=$((ran + 1))
  done
done < <(go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}' "$@" | grep .)

if [ "$ran" -eq 0 ]; then
  echo "fuzz: no fuzz target matches ${FUZZ:-.} in $*" >&2
  exit 1
fi
echo "fuzz: $ran targets found nothing"
