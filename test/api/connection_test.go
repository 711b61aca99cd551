package api_test

import (
	"slices"
	"testing"
)

const minimalConnection = `
apiVersion: concur.ess-operator.io/v1alpha1
kind: ConcurConnection
metadata: {name: acme-us}
spec:
  baseURL: https://us2.api.concursolutions.com
  credentialsSecretRef: {name: acme-us}
`

var connectionRules = []validation{
	{
		rule: "spec required", reason: "without a spec there is nothing to connect to",
		accepted: `{}`, refused: `{spec: null}`,
		message: `spec: Required value`,
	},
	{
		rule: "spec rule 1", reason: "a listing each second would spend the budget of calls on nothing",
		accepted: `spec: {resyncInterval: 1m}`, refused: `spec: {resyncInterval: 59s}`,
		message: `spec.resyncInterval: Invalid value: resyncInterval must be at least 1m (10s when baseURL is a loopback host): every resync lists ESS once`,
	},
	{
		rule: "spec rule 1", reason: "an emulator on this machine may be listed more often, with a limit too",
		accepted: `spec: {baseURL: "https://localhost:8443/concur", resyncInterval: 10s}`,
		refused:  `spec: {baseURL: "https://localhost:8443/concur", resyncInterval: 9s}`,
		message:  `spec.resyncInterval: Invalid value: resyncInterval must be at least 1m (10s when baseURL is a loopback host): every resync lists ESS once`,
	},
	{
		rule: "spec rule 1", reason: "localhost in a name does not make a loopback host",
		accepted: `spec: {baseURL: "http://127.0.0.1:8080", resyncInterval: 10s}`,
		refused:  `spec: {baseURL: "https://localhost.example.com", resyncInterval: 10s}`,
		message:  `spec.resyncInterval: Invalid value: resyncInterval must be at least 1m (10s when baseURL is a loopback host): every resync lists ESS once`,
	},
	{
		rule: "spec.resyncInterval rule 1", reason: "a stored duration that Go cannot read would blind the operator to every connection",
		accepted: `spec: {resyncInterval: 999999h999999h9h}`, refused: `spec: {resyncInterval: 9999999999h}`,
		message: `spec.resyncInterval: Invalid value: "9999999999h": resyncInterval must be a duration such as 10m or 1h30m, with units h, m, s or ms`,
	},
	{
		rule: "spec.resyncInterval rule 1", reason: "a number alone has no unit",
		accepted: `spec: {resyncInterval: 90.5s}`, refused: `spec: {resyncInterval: "600"}`,
		message: `spec.resyncInterval: Invalid value: "600": resyncInterval must be a duration such as 10m or 1h30m, with units h, m, s or ms`,
	},
	{
		rule: "spec.resyncInterval rule 1", reason: "a negative time cannot be waited",
		accepted: `spec: {resyncInterval: 60000ms}`, refused: `spec: {resyncInterval: -10m}`,
		message: `spec.resyncInterval: Invalid value: "-10m": resyncInterval must be a duration such as 10m or 1h30m, with units h, m, s or ms`,
	},
	{
		rule: "spec.resyncInterval maxLength", reason: "what users write is bounded",
		accepted: `spec: {resyncInterval: 000010m000010.5s}`, refused: `spec: {resyncInterval: 000010m000010.55s}`,
		message: `spec.resyncInterval: Too long: may not be more than 16 bytes`,
	},
	{
		rule: "spec.baseURL required", reason: "a connection is to one data center",
		accepted: `{}`, refused: `spec: {baseURL: null}`,
		message: `spec.baseURL: Required value`,
	},
	{
		rule: "spec.baseURL minLength", reason: "an empty URL is a template that was not filled",
		accepted: `{}`, refused: `spec: {baseURL: ""}`,
		message: `spec.baseURL: Invalid value: "": spec.baseURL in body should be at least 1 chars long`,
	},
	{
		rule: "spec.baseURL maxLength", reason: "what users write is bounded",
		accepted: `spec: {baseURL: "https://` + of(504, "a") + `"}`, refused: `spec: {baseURL: "https://` + of(505, "a") + `"}`,
		message: `spec.baseURL: Too long: may not be more than 512 bytes`,
	},
	{
		rule: "spec.baseURL rule 1", reason: "a client secret must not cross a network in the clear",
		accepted: `spec: {baseURL: "http://localhost:8080"}`, refused: `spec: {baseURL: "http://us2.api.concursolutions.com"}`,
		message: `spec.baseURL: Invalid value: "http://us2.api.concursolutions.com": baseURL must be an https URL without user, query or fragment, such as https://us2.api.concursolutions.com (http only for loopback hosts)`,
	},
	{
		rule: "spec.baseURL rule 1", reason: "a host without a scheme is the likeliest slip",
		accepted: `spec: {baseURL: "http://[::1]:8080/concur"}`, refused: `spec: {baseURL: us2.api.concursolutions.com}`,
		message: `spec.baseURL: Invalid value: "us2.api.concursolutions.com": baseURL must be an https URL without user, query or fragment, such as https://us2.api.concursolutions.com (http only for loopback hosts)`,
	},
	{
		rule: "spec.baseURL rule 1", reason: "what looks like a loopback host may be the user of another",
		accepted: `spec: {baseURL: "http://127.0.0.1"}`, refused: `spec: {baseURL: "http://localhost@example.com"}`,
		message: `spec.baseURL: Invalid value: "http://localhost@example.com": baseURL must be an https URL without user, query or fragment, such as https://us2.api.concursolutions.com (http only for loopback hosts)`,
	},
	{
		rule: "spec.apiURL minLength", reason: "an empty URL is a template that was not filled",
		accepted: `spec: {apiURL: "https://a"}`, refused: `spec: {apiURL: ""}`,
		message: `spec.apiURL: Invalid value: "": spec.apiURL in body should be at least 1 chars long`,
	},
	{
		rule: "spec.apiURL maxLength", reason: "what users write is bounded",
		accepted: `spec: {apiURL: "https://` + of(504, "a") + `"}`, refused: `spec: {apiURL: "https://` + of(505, "a") + `"}`,
		message: `spec.apiURL: Too long: may not be more than 512 bytes`,
	},
	{
		rule: "spec.apiURL rule 1", reason: "a path is put behind it, which a query would swallow",
		accepted: `spec: {apiURL: "https://eu1.api.concursolutions.com/base"}`, refused: `spec: {apiURL: "https://eu1.api.concursolutions.com/?a=b"}`,
		message: `spec.apiURL: Invalid value: "https://eu1.api.concursolutions.com/?a=b": apiURL must be an https URL without user, query or fragment, such as https://us2.api.concursolutions.com (http only for loopback hosts)`,
	},
	{
		rule: "spec.credentialsSecretRef required", reason: "there is no token without credentials",
		accepted: `{}`, refused: `spec: {credentialsSecretRef: null}`,
		message: `spec.credentialsSecretRef: Required value`,
	},
	{
		rule: "spec.credentialsSecretRef.name required", reason: "keys alone name no Secret",
		accepted: `{}`, refused: `spec: {credentialsSecretRef: {name: null, clientIDKey: id}}`,
		message: `spec.credentialsSecretRef.name: Required value`,
	},
	{
		rule: "spec.credentialsSecretRef.name minLength", reason: "an empty name is a template that was not filled",
		accepted: `spec: {credentialsSecretRef: {name: a}}`, refused: `spec: {credentialsSecretRef: {name: ""}}`,
		message: `spec.credentialsSecretRef.name: Invalid value: "": spec.credentialsSecretRef.name in body should be at least 1 chars long`,
	},
	{
		rule: "spec.credentialsSecretRef.name maxLength", reason: "no Secret has a longer name",
		accepted: `spec: {credentialsSecretRef: {name: ` + of(253, "a") + `}}`, refused: `spec: {credentialsSecretRef: {name: ` + of(254, "a") + `}}`,
		message: `spec.credentialsSecretRef.name: Too long: may not be more than 253 bytes`,
	},
	{
		rule: "spec.credentialsSecretRef.clientIDKey minLength", reason: "an empty key is a template that was not filled",
		accepted: `spec: {credentialsSecretRef: {clientIDKey: a}}`, refused: `spec: {credentialsSecretRef: {clientIDKey: ""}}`,
		message: `spec.credentialsSecretRef.clientIDKey: Invalid value: "": spec.credentialsSecretRef.clientIDKey in body should be at least 1 chars long`,
	},
	{
		rule: "spec.credentialsSecretRef.clientIDKey maxLength", reason: "no Secret has a longer key",
		accepted: `spec: {credentialsSecretRef: {clientIDKey: ` + of(253, "a") + `}}`, refused: `spec: {credentialsSecretRef: {clientIDKey: ` + of(254, "a") + `}}`,
		message: `spec.credentialsSecretRef.clientIDKey: Too long: may not be more than 253 bytes`,
	},
	{
		rule: "spec.credentialsSecretRef.clientIDKey pattern", reason: "no Secret has such a key",
		accepted: `spec: {credentialsSecretRef: {clientIDKey: client-id.v2_new}}`, refused: `spec: {credentialsSecretRef: {clientIDKey: client id}}`,
		message: `spec.credentialsSecretRef.clientIDKey: Invalid value: "client id": spec.credentialsSecretRef.clientIDKey in body should match '^[-._a-zA-Z0-9]+$'`,
	},
	{
		rule: "spec.credentialsSecretRef.clientSecretKey minLength", reason: "an empty key is a template that was not filled",
		accepted: `spec: {credentialsSecretRef: {clientSecretKey: a}}`, refused: `spec: {credentialsSecretRef: {clientSecretKey: ""}}`,
		message: `spec.credentialsSecretRef.clientSecretKey: Invalid value: "": spec.credentialsSecretRef.clientSecretKey in body should be at least 1 chars long`,
	},
	{
		rule: "spec.credentialsSecretRef.clientSecretKey maxLength", reason: "no Secret has a longer key",
		accepted: `spec: {credentialsSecretRef: {clientSecretKey: ` + of(253, "a") + `}}`, refused: `spec: {credentialsSecretRef: {clientSecretKey: ` + of(254, "a") + `}}`,
		message: `spec.credentialsSecretRef.clientSecretKey: Too long: may not be more than 253 bytes`,
	},
	{
		rule: "spec.credentialsSecretRef.clientSecretKey pattern", reason: "no Secret has such a key",
		accepted: `spec: {credentialsSecretRef: {clientSecretKey: SECRET}}`, refused: `spec: {credentialsSecretRef: {clientSecretKey: a/b}}`,
		message: `spec.credentialsSecretRef.clientSecretKey: Invalid value: "a/b": spec.credentialsSecretRef.clientSecretKey in body should match '^[-._a-zA-Z0-9]+$'`,
	},
}

func TestConcurConnectionRules(t *testing.T) {
	t.Parallel()
	for _, v := range slices.Concat(connectionRules, connectionLimits) {
		t.Run(v.rule, func(t *testing.T) {
			t.Parallel()
			v.test(t, minimalConnection)
		})
	}
}
