#!/usr/bin/env bash
# Runs the tests of the packages given, with one line for each package that has
# any: how many ran, how many were skipped, how long it took. A package that fails
# shows all it printed. ARGS holds more arguments for go test. With ./... alone the
# modules of hack/ that have tests follow, which ./... does not enter.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# A package that hangs ends here, with the stacks of all its goroutines. The slowest
# one is far below, on two busy cores too.
timeout=15m

flags=(-v -timeout "$timeout")
if [ -n "${GOFIPS140:-}" ]; then
  : # the race detector has been over the same code without it
elif [ "$(go env CGO_ENABLED)" = 1 ] && command -v "$(go env CC)" >/dev/null; then
  flags+=(-race)
else
  echo "test: without the race detector, which needs a C compiler (install gcc, or set CC)" >&2
fi
read -ra more <<<"${ARGS:-}"

# No result of those modules is taken from the cache, since what they read is the rest of
# the tree, which go test does not look at; and they go without the race detector, which
# makes compressing an image slow and one thread no safer.
run() {
  local failed=0 module
  go test "${flags[@]}" "${more[@]}" "$@" || failed=1
  # What programs in hack/ do has nothing to do with the cryptography that GOFIPS140 chooses.
  if [ "$*" != ./... ] || [ -n "${GOFIPS140:-}" ]; then return "$failed"; fi
  for module in hack/*/go.mod; do
    module=$(dirname "$module")
    [ -n "$(find "$module" -name '*_test.go' -print -quit)" ] || continue
    GOWORK=off go test -C "$module" -v -timeout "$timeout" -count=1 "${more[@]}" ./... || failed=1
  done
  return "$failed"
}

run "$@" 2>&1 | awk -f hack/test.awk
