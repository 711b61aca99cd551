#!/usr/bin/env bash
# Writes the keys of config/emulator into the directory that it is given
# (config/emulator/keys, when given none): of the emulated SAP Concur, and the
# certificate under which it knows the receiver. What is there already stays, so
# that a cluster that has them goes on to work.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

dir=${1:-config/emulator/keys}
go run ./cmd/ess-emulator --init --state-dir "$dir" \
  --server-name ess-emulator.concur-emulator.svc \
  --issue-cert "ess-operator-receiver.ess-operator-system.svc:$dir/receiver"

# The authority once more, in the form of a connection's caBundle: base64 in one
# line. kustomize folds that of a Secret, which the API server then refuses.
echo "caBundle=$(base64 <"$dir/ca.crt" | tr -d '\n')" >"$dir/ca-bundle.env"
