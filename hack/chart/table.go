package main

import "slices"

// condition is a row of the table of what decides whether an object is there. An
// object with several rows needs all of them.
type condition struct {
	object string // as in edit
	when   string // an expression of the template
}

const (
	withReceiver    = "$.Values.receiver.enabled"
	managerObject   = "Deployment/ess-operator-manager"
	receiverObject  = "Deployment/ess-operator-receiver"
	receiverVolumes = "spec template spec volumes"
	managerEnv      = "spec template spec containers [name=manager] env"
)

var conditions = []condition{
	{"CustomResourceDefinition/*", "$.Values.crds.install"},
	{"*/ess-operator-receiver*", withReceiver},
	{"PersistentVolumeClaim/*", "and $.Values.receiver.persistence.enabled (not $.Values.receiver.persistence.existingClaim)"},
	{"PodDisruptionBudget/*", "$.Values.podDisruptionBudget.enabled"},
	{"NetworkPolicy/*", "$.Values.networkPolicy.enabled"},
	{"Service/ess-operator-metrics", "$.Values.metrics.enabled"},
	{"ClusterRole/ess-operator-metrics-reader", "$.Values.metrics.enabled"},
	{"ClusterRoleBinding/ess-operator-addressable-resolver", "$.Values.manager.knativeSinks"},
}

// edits returns the table of what can be set.
func edits() []edit {
	return slices.Concat(
		[]edit{
			{object: "*/*", field: "metadata labels app.kubernetes.io/managed-by", text: `{{- include "ess-operator.labels" $ | nindent @0 }}`},
			{object: "CustomResourceDefinition/*", field: "metadata annotations +", text: "{{- if $.Values.crds.keep }}\nhelm.sh/resource-policy: keep\n{{- end }}"},
		},
		pod(managerObject, "manager"), pod(receiverObject, "receiver"),
		managerEdits, receiverEdits, serviceEdits,
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
	when(managerObject, "spec template spec containers [name=manager] args [^--metrics-bind-address]", "$.Values.metrics.enabled"),
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
			"    claimName: {{ $.Values.receiver.persistence.existingClaim | default (printf \"%s-receiver\" (include \"ess-operator.fullname\" $)) }}\n" +
			"{{- else }}\n" +
			"  emptyDir:\n" +
			"    sizeLimit: {{ $.Values.receiver.persistence.size | quote }}\n" +
			"{{- end }}",
	},
	{
		object: receiverObject, field: receiverVolumes + " [name=tls] secret secretName",
		text: `secretName: {{ include "ess-operator.receiverTLSSecret" $ }}`,
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

var serviceEdits = []edit{
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
