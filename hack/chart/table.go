package main

import "slices"

// condition is a row of the table of what decides whether an object is there. An
// object with several rows needs all of them.
type condition struct {
	object string // as in edit
	when   string // an expression of the template
	each   string // instead: a list; there is one object for each item, which is $each
}

const (
	withReceiver    = "$.Values.receiver.enabled"
	managerObject   = "Deployment/ess-operator-manager"
	receiverObject  = "Deployment/ess-operator-receiver"
	receiverVolumes = "spec template spec volumes"
	withMetrics     = "and $.Values.metrics.enabled (or $.Values.rbac.clusterReads (not $.Values.manager.watchNamespaces))"
	managerEnv      = "spec template spec containers [name=manager] env"
)

var conditions = []condition{
	{object: "CustomResourceDefinition/*", when: "$.Values.crds.install"},
	{object: "*/ess-operator-receiver*", when: withReceiver},
	{object: "PersistentVolumeClaim/*", when: "and $.Values.receiver.persistence.enabled (not $.Values.receiver.persistence.existingClaim)"},
	{object: "Certificate/*", when: "and $.Values.certManager.enabled (or $.Values.receiver.tls.enabled $.Values.receiver.ingress.enabled)"},
	{object: "PodDisruptionBudget/*", when: "$.Values.podDisruptionBudget.enabled"},
	{object: "NetworkPolicy/*", when: "$.Values.networkPolicy.enabled"},
	{object: "Service/ess-operator-metrics", when: "$.Values.metrics.enabled"},
	{object: "ClusterRole/ess-operator-metrics-reader", when: "$.Values.metrics.enabled"},
	{object: "ServiceMonitor/*", when: "$.Values.monitoring.serviceMonitor.enabled"},
	{object: "ServiceMonitor/ess-operator-manager", when: withMetrics},
	{object: "PrometheusRule/*", when: "$.Values.monitoring.prometheusRule.enabled"},
	{object: "PrometheusRule/ess-operator-manager", when: withMetrics}, // that nobody tells would be an alert
	{object: "*RoleBinding/ess-operator-addressable-resolver", when: "$.Values.manager.knativeSinks"},
	{object: "ClusterRole/ess-operator-*-admin", when: "$.Values.rbac.userRoles"},
	{object: "ClusterRole/ess-operator-*-editor", when: "$.Values.rbac.userRoles"},
	{object: "ClusterRole/ess-operator-*-viewer", when: "$.Values.rbac.userRoles"},
	// One ClusterRole, or Roles in the namespaces that are watched.
	{object: "ClusterRole*/ess-operator-manager", when: "not $.Values.manager.watchNamespaces"},
	{object: "Role*/ess-operator-manager", each: "$.Values.manager.watchNamespaces"},
	{object: "ClusterRoleBinding/ess-operator-addressable-resolver", when: "not $.Values.manager.watchNamespaces"},
	{object: "RoleBinding/ess-operator-addressable-resolver", each: "$.Values.manager.watchNamespaces"},
	{object: "Role*/ess-operator-events", when: "$.Values.manager.watchNamespaces"},
	{object: "ClusterRole*/ess-operator-cluster-reads", when: "and $.Values.manager.watchNamespaces $.Values.rbac.clusterReads"},
	{object: "ClusterRole*/ess-operator-namespace-deletion", when: "and $.Values.manager.watchNamespaces $.Values.rbac.namespaceDeletion"},
}

// edits returns the table of what can be set.
func edits() []edit {
	return slices.Concat(
		[]edit{
			{object: "*/*", field: "metadata labels app.kubernetes.io/managed-by", text: `{{- include "ess-operator.labels" $ | nindent @0 }}`},
			{object: "CustomResourceDefinition/*", field: "metadata annotations +", text: "{{- if $.Values.crds.keep }}\nhelm.sh/resource-policy: keep\n{{- end }}"},
		},
		pod(managerObject, "manager"), pod(receiverObject, "receiver"),
		managerEdits, receiverEdits, wayIn, monitoring,
	)
}

// pod is what both programs' pods have in common.
func pod(object, program string) []edit {
	const spec = "spec template spec "
	container := spec + "containers [name=" + program + "] "
	values := "$.Values." + program
	with := func(value, text string) string {
		return "{{- with " + values + "." + value + " }}\n" + text + "\n{{- end }}"
	}
	return []edit{
		{object: object, field: "spec template metadata annotations +", text: with("podAnnotations", "{{- toYaml . | nindent @0 }}")},
		{object: object, field: "spec template metadata labels +", text: with("podLabels", "{{- toYaml . | nindent @0 }}")},
		{object: object, field: container + "image", text: `image: {{ include "ess-operator.image" (dict "root" $ "image" ` + values + `.image) | quote }}`},
		{object: object, field: container + "imagePullPolicy", value: program + ".image.pullPolicy"},
		{object: object, field: container + "resources", value: program + ".resources"},
		{object: object, field: spec + "nodeSelector", value: program + ".nodeSelector"},
		{object: object, field: spec + "imagePullSecrets", text: with("image.pullSecrets", "imagePullSecrets:\n  {{- toYaml . | nindent @2 }}")},
		{object: object, field: spec + "tolerations", text: with("tolerations", "tolerations:\n  {{- toYaml . | nindent @2 }}")},
		{object: object, field: spec + "affinity", text: with("affinity", "affinity:\n  {{- toYaml . | nindent @2 }}")},
		{object: object, field: spec + "priorityClassName", text: with("priorityClassName", "priorityClassName: {{ . | quote }}")},
		{object: object, field: container + "args +", text: "{{- with include \"ess-operator." + program + "Args\" $ }}\n{{- . | trim | nindent @0 }}\n{{- end }}"},
	}
}

// when keeps what the manifest has under a condition.
func when(object, field, condition string) edit {
	return edit{object: object, field: field, text: "{{- if " + condition + " }}\n@field\n{{- end }}"}
}

var managerEdits = []edit{
	{object: managerObject, field: "spec replicas", value: "manager.replicas"},
	{
		object: managerObject, field: "spec template metadata annotations +",
		text: "{{- if and $.Values.receiver.enabled $.Values.receiver.publicURL }}\n" +
			"concur.ess-operator.io/receiver-url: {{ $.Values.receiver.publicURL | quote }} # read at the start only\n{{- end }}",
	},
	{
		// Without a ClusterRole nobody can be asked who calls.
		object: managerObject, field: "spec template spec containers [name=manager] args [^--metrics-bind-address]",
		text: "{{- if " + withMetrics + " }}\n@field\n" +
			"{{- else }}\n- --metrics-bind-address=0\n{{- end }}",
	},
	{object: "Role*/ess-operator-manager", field: "metadata namespace", text: "namespace: {{ $each | quote }}"},
	{object: "RoleBinding/ess-operator-addressable-resolver", field: "metadata namespace", text: "namespace: {{ $each | quote }}"},
	when(managerObject, "spec template spec containers [name=manager] args [^--receiver-]", withReceiver),
	when(managerObject, managerEnv+" [name=NAMESPACE]", withReceiver), // for the receiver's flags
	when(managerObject, managerEnv+" [name=RECEIVER_URL]", withReceiver),
	{object: managerObject, field: managerEnv + " +", text: "{{- with $.Values.manager.extraEnv }}\n{{- toYaml . | nindent @0 }}\n{{- end }}"},
	when(managerObject, managerEnv, "or $.Values.receiver.enabled $.Values.manager.extraEnv"),
	{
		object: "NetworkPolicy/ess-operator-manager", field: "spec egress +",
		text: "{{- with $.Values.networkPolicy.managerEgress }}\n{{- toYaml . | nindent @0 }}\n{{- end }}",
	},
}

var receiverEdits = []edit{
	{
		object: receiverObject, field: "spec template metadata annotations +",
		text: "{{- with include \"ess-operator.receiverRestart\" $ }}\n" +
			"concur.ess-operator.io/restart-for: {{ sha256sum . }} # settings that are read at the start only\n{{- end }}",
	},
	{
		object: receiverObject, field: "spec template spec containers [name=receiver] env",
		text: "{{- with $.Values.receiver.extraEnv }}\nenv:\n  {{- toYaml . | nindent @2 }}\n{{- end }}",
	},
	{
		object: receiverObject, field: receiverVolumes + " [name=journal]",
		text: "- name: journal\n" +
			"{{- if $.Values.receiver.persistence.enabled }}\n" +
			"  persistentVolumeClaim:\n" +
			"    claimName: {{ $.Values.receiver.persistence.existingClaim | default (printf \"%s-receiver\" (include \"ess-operator.fullname\" $)) | quote }}\n" +
			"{{- else }}\n" +
			"  emptyDir:\n" +
			"    sizeLimit: {{ $.Values.receiver.persistence.size | quote }}\n" +
			"{{- end }}",
	},
	{
		object: receiverObject, field: receiverVolumes + " [name=tls] secret secretName",
		text: `secretName: {{ include "ess-operator.receiverTLSSecret" $ | quote }}`,
	},
	{
		object: receiverObject, field: receiverVolumes + " [name=proof] secret secretName",
		text: "{{- with $.Values.receiver.proofSecretName }}\nsecretName: {{ . | quote }}\n{{- else }}\n@field\n{{- end }}",
	},
	{ // what is named is needed, and the pod waits for it
		object: receiverObject, field: receiverVolumes + " [name=proof] secret optional",
		text: "{{- if not $.Values.receiver.proofSecretName }}\n@field\n{{- end }}",
	},
	when(receiverObject, receiverVolumes+" [name=tls]", "$.Values.receiver.tls.enabled"),
	when(receiverObject, "spec template spec containers [name=receiver] volumeMounts [name=tls]", "$.Values.receiver.tls.enabled"),
	{object: "ConfigMap/ess-operator-receiver", field: "data publicURL", value: "receiver.publicURL"},
	{
		object: "ConfigMap/ess-operator-receiver", field: "data config.yaml",
		text: "config.yaml: |-\n  {{- include \"ess-operator.receiverConfig\" $ | nindent @2 }}",
	},
	{object: "PersistentVolumeClaim/ess-operator-receiver", field: "metadata annotations", text: "{{- if $.Values.receiver.persistence.keep }}\nannotations:\n  helm.sh/resource-policy: keep\n{{- end }}"},
	{object: "PersistentVolumeClaim/ess-operator-receiver", field: "spec resources requests storage", value: "receiver.persistence.size"},
	{object: "PersistentVolumeClaim/ess-operator-receiver", field: "spec accessModes", value: "receiver.persistence.accessModes"},
	{
		object: "PersistentVolumeClaim/ess-operator-receiver", field: "spec storageClassName",
		text: "{{- with $.Values.receiver.persistence.storageClass }}\nstorageClassName: {{ . | quote }}\n{{- end }}",
	},
}

// wayIn is what stands between Concur and the receiver.
var wayIn = []edit{
	{object: "Certificate/*", field: "spec secretName", text: `secretName: {{ include "ess-operator.receiverTLSSecret" $ | quote }}`},
	{object: "Certificate/*", field: "spec dnsNames", text: "dnsNames:\n- {{ include \"ess-operator.certificateHost\" $ | quote }}"},
	{object: "Certificate/*", field: "spec issuerRef name", text: `name: {{ required "certManager.issuerRef.name is empty: set it to an authority that SAP Concur knows" $.Values.certManager.issuerRef.name | quote }}`},
	{object: "Certificate/*", field: "spec issuerRef kind", value: "certManager.issuerRef.kind"},
	{object: "Certificate/*", field: "spec issuerRef group", value: "certManager.issuerRef.group"},
	{
		object: "Service/ess-operator-receiver", field: "metadata annotations",
		text: "{{- with $.Values.receiver.service.annotations }}\nannotations:\n  {{- toYaml . | nindent @2 }}\n{{- end }}",
	},
	{
		object: "Service/ess-operator-receiver", field: "spec +",
		text: "{{- if ne $.Values.receiver.service.type \"ClusterIP\" }}\ntype: {{ $.Values.receiver.service.type }}\n{{- end }}",
	},
	{
		object: "Service/ess-operator-receiver", field: "spec ports [name=https]",
		text: "{{- if $.Values.receiver.tls.enabled }}\n@field\n{{- else }}\n- name: http\n  port: 80\n  targetPort: events\n{{- end }}",
	},
}

// monitoring is for Prometheus and its operator.
var monitoring = []edit{
	{object: "NetworkPolicy/*", field: "spec ingress [from] from +", text: "{{- with $.Values.networkPolicy.metricsFrom }}\n{{- toYaml . | nindent @0 }}\n{{- end }}"},
	{object: "ServiceMonitor/*", field: "metadata labels +", text: "{{- with $.Values.monitoring.serviceMonitor.labels }}\n{{- toYaml . | nindent @0 }}\n{{- end }}"},
	{object: "ServiceMonitor/*", field: "spec endpoints [port=https] interval", value: "monitoring.serviceMonitor.interval"},
	{
		object: "ServiceMonitor/ess-operator-manager", field: "spec endpoints [port=https] bearerTokenFile",
		text: "{{- with $.Values.monitoring.serviceMonitor.managerTokenSecret }}\nauthorization:\n  credentials:\n    name: {{ . | quote }}\n    key: token\n" +
			"{{- else }}\n@field\n{{- end }}",
	},
	{object: "PrometheusRule/*", field: "metadata labels +", text: "{{- with $.Values.monitoring.prometheusRule.labels }}\n{{- toYaml . | nindent @0 }}\n{{- end }}"},
}
