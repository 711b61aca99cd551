#!/usr/bin/env bash
# Writes argocd/argocd-cm.yaml: the scripts of argocd/resource_customizations as keys
# of the ConfigMap argocd-cm, for people whose Argo CD does not ship them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../argocd"

group=concur.ess-operator.io

# indented N FILE prints a file so many spaces to the right; empty lines stay empty.
indented() { sed "s/^\(.\)/$(printf '%*s' "$1" '')\1/" "$2"; }

{
  cat <<'HEAD'
# Written by "make generate" from resource_customizations/. Health and actions of our kinds, for Argo CD:
#
#   kubectl patch configmap argocd-cm -n argocd --patch-file argocd-cm.yaml
#
# It is a patch for kustomize, too: "patches: [{path: argocd-cm.yaml}]" where Argo CD's own manifests are the resources.
apiVersion: v1
kind: ConfigMap
metadata:
  name: argocd-cm
data:
HEAD
  for kind in resource_customizations/"$group"/*; do
    key=${group}_${kind##*/}
    echo "  resource.customizations.health.$key: |"
    indented 4 "$kind/health.lua"
    echo "  resource.customizations.actions.$key: |"
    echo "    discovery.lua: |"
    indented 6 "$kind/actions/discovery.lua"
    echo "    definitions:"
    for action in "$kind"/actions/*/action.lua; do
      action=${action%/action.lua}
      echo "    - name: ${action##*/}"
      echo "      action.lua: |"
      indented 8 "$action/action.lua"
    done
  done
} >argocd-cm.yaml
