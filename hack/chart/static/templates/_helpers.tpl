{{/* What names begin with. The longest suffix has 23 characters, and a Service may have 63. */}}
{{- define "ess-operator.fullname" -}}
{{- $name := .Values.fullnameOverride | default (ternary .Release.Name (printf "%s-ess-operator" .Release.Name) (contains "ess-operator" .Release.Name)) -}}
{{- if gt (len $name) 40 -}}
{{- fail (printf "the objects would be called %s-…, which is too long: set fullnameOverride to at most 40 characters" $name) -}}
{{- end -}}
{{- $name -}}
{{- end }}

{{/* The same for objects of the cluster, which releases of one name in several namespaces must not share. */}}
{{- define "ess-operator.clusterName" -}}
{{- $name := include "ess-operator.fullname" . -}}
{{- if eq .Release.Namespace (printf "%s-system" $name) }}{{ $name }}{{ else }}{{ $name }}-{{ .Release.Namespace }}{{ end -}}
{{- end }}

{{/* What the manager holds while it works: releases in one namespace must not share it. */}}
{{- define "ess-operator.lease" -}}
{{- $name := include "ess-operator.fullname" . -}}
{{- if ne $name "ess-operator" }}{{ $name }}.{{ end }}manager.concur.ess-operator.io
{{- end }}

{{/* Labels that every object has beside those of the manifests. */}}
{{- define "ess-operator.labels" -}}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{/* Reference of an image. */}}
{{- define "ess-operator.image" -}}
{{- printf "%s/%s:%s" .image.registry .image.repository (.image.tag | default .root.Chart.AppVersion) -}}
{{- with .image.digest }}@{{ . }}{{ end -}}
{{- end }}

{{/* Flags of the manager beside those of the manifest. */}}
{{- define "ess-operator.managerArgs" -}}
{{- with .Values.manager.allowedHosts }}
- {{ printf "--allowed-hosts=%s" (join "," .) | quote }}
{{- end }}
{{- with .Values.manager.watchNamespaces }}
- {{ printf "--watch-namespaces=%s" (join "," .) | quote }}
{{- end }}
{{- if .Values.manager.crossNamespaceSinks }}
- --cross-namespace-sinks
{{- end }}
{{- if ne (include "ess-operator.fullname" .) "ess-operator" }}
- --leader-election-id={{ include "ess-operator.lease" . }}
{{- end }}
{{- include "ess-operator.logArgs" .Values.manager.logging }}
{{- range .Values.manager.extraArgs }}
- {{ . | quote }}
{{- end }}
{{- end }}

{{/* Flags of the receiver beside those of the manifest. */}}
{{- define "ess-operator.receiverArgs" -}}
{{- include "ess-operator.logArgs" .Values.receiver.logging }}
{{- range .Values.receiver.extraArgs }}
- {{ . | quote }}
{{- end }}
{{- end }}

{{/* Flags of both for logging, where they differ from the programs' defaults. */}}
{{- define "ess-operator.logArgs" -}}
{{- if ne .level "info" }}
- --log-level={{ .level }}
{{- end }}
{{- if ne .format "json" }}
- --log-format={{ .format }}
{{- end }}
{{- end }}

{{/* The receiver's config.yaml: that of the manifest, and over it what the values say. */}}
{{- define "ess-operator.receiverConfig" -}}
{{- $config := .Files.Get "files/receiver-config.yaml" | fromYaml -}}
{{- with .Values.receiver.publicURL }}{{ $_ := set $config "publicURL" . }}{{ end -}}
{{- if not .Values.receiver.tls.enabled }}{{ $_ := unset $config.events "tls" }}{{ end -}}
{{- mergeOverwrite $config (deepCopy (.Values.receiver.config | default dict)) | toYaml -}}
{{- end }}

{{/* Those of its settings that need a restart; nothing when there are none. */}}
{{- define "ess-operator.receiverRestart" -}}
{{- $config := .Values.receiver.config | default dict -}}
{{- with merge (pick $config "journal") (pick ($config.events | default dict) "maxConnections" "maxInFlight") }}{{ toJson . }}{{ end -}}
{{- end }}

{{/* The Secret with the receiver's certificate. */}}
{{- define "ess-operator.receiverTLSSecret" -}}
{{- .Values.receiver.tls.secretName | default (printf "%s-receiver-tls" (include "ess-operator.fullname" .)) -}}
{{- end }}

{{/* The host of the receiver's public URL. */}}
{{- define "ess-operator.publicHost" -}}
{{- (urlParse (required "receiver.publicURL is empty, and it names the host: set it, such as https://events.example.com" .Values.receiver.publicURL)).hostname | lower -}}
{{- end }}

{{/* The host of the certificate that cert-manager writes. */}}
{{- define "ess-operator.certificateHost" -}}
{{- with .Values.certManager.host }}{{ . }}{{ else }}{{ include "ess-operator.publicHost" $ }}{{ end -}}
{{- end }}

{{/* A line on a value that does not have its form. */}}
{{- define "ess-operator.form" -}}
{{- if not (or (kindIs "invalid" .value) (regexMatch .form (toString .value))) }}
- {{ .key }} is {{ .value | toString | quote }}: it must {{ .says }}
{{- end }}
{{- end }}

{{/* A line on each key of a map, or name in a list, that is not the user's. */}}
{{- define "ess-operator.reserved" -}}
{{- $keys := list }}
{{- if kindIs "map" .value }}{{ $keys = keys .value | sortAlpha }}{{ end }}
{{- if kindIs "slice" .value }}{{ range .value }}{{ $keys = append $keys .name }}{{ end }}{{ end }}
{{- range $key := $keys }}
{{- if has $key $.reserved }}
- {{ $.key }} has {{ $key }}: take it out, since {{ $.because }}
{{- end }}
{{- end }}
{{- end }}

{{/* A line when the journal may grow beyond its volume. Sizes that have not their form are told elsewhere. */}}
{{- define "ess-operator.journalFits" -}}
{{- $journal := dig "journal" "bbolt" "maxSize" "" (include "ess-operator.receiverConfig" . | fromYaml) | toString }}
{{- $persistence := .Values.receiver.persistence }}
{{- $max := include "ess-operator.bytes" $journal | float64 }}
{{- $size := include "ess-operator.bytes" ($persistence.size | toString) | float64 }}
{{- if and .Values.receiver.enabled (not (and $persistence.enabled $persistence.existingClaim)) $size (gt $max $size) }}
- receiver.config.journal.bbolt.maxSize is {{ $journal | quote }}: it must not be more than receiver.persistence.size, which is {{ $persistence.size | quote }}; give the volume a quarter more than the journal
{{- end }}
{{- end }}

{{/* How many bytes a size such as 1.5Gi is; nothing for what is none. */}}
{{- define "ess-operator.bytes" -}}
{{- $units := dict "" 1 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "E" 1e18 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "Pi" 1125899906842624 "Ei" 1152921504606846976 -}}
{{- $unit := regexReplaceAll "^[0-9.]+" . "" -}}
{{- if hasKey $units $unit }}{{ mulf (regexFind "^[0-9.]+" .) (get $units $unit) }}{{ end -}}
{{- end }}
