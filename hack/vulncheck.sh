#!/usr/bin/env bash
# Looks for known vulnerabilities in what the packages given call, Go's own library
# included. It reads a database from the network, unless VULNDB names a copy, and is
# therefore no part of make test: what passed yesterday may not pass today.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
db=${VULNDB:-https://vuln.go.dev}

status=0
bin/tools/govulncheck -db "$db" "$@" || status=$?
case $status in
  0) ;;
  3)
    echo "vulncheck: known vulnerabilities are called, see above; take the versions that fix them (go get MODULE@VERSION, or a newer Go)" >&2
    exit 1
    ;;
  *)
    echo "vulncheck: nothing was checked, see above. Where the database $db cannot be had, mirror it from a machine that" >&2
    echo "vulncheck: can reach it, and run: make vulncheck VULNDB=file:///path/of/the/copy" >&2
    exit "$status"
    ;;
esac
