package api_test

import (
	"fmt"
	"slices"
	"testing"
)

const minimalConnector = `
apiVersion: concur.ess-operator.io/v1alpha1
kind: ApplicationConnector
metadata: {name: callouts}
spec:
  credentialsSecretRef: {name: callouts}
`

// connectorRules are about credentials and paths.
var connectorRules = []validation{
	{
		rule: "spec required", reason: "without credentials nobody could prove anything",
		accepted: `{}`, refused: `{spec: null}`, message: `spec: Required value`,
	},
	{
		rule: "spec rule 1", reason: "a setting that does nothing must not look as if it did",
		accepted: `spec: {sink: {uri: "http://bot.finance.svc"}, delivery: {retry: 0}}`,
		refused:  `spec: {delivery: {retry: 0}}`,
		message:  `spec.delivery: Invalid value: delivery says how events get to a sink: add a sink, or leave delivery out`,
	},
	{
		rule: "spec.credentialsSecretRef required", reason: "without credentials nobody could prove anything",
		accepted: `{}`, refused: `spec: {credentialsSecretRef: null, path: /a}`, message: `spec.credentialsSecretRef: Required value`,
	},
	pathRule("minLength", "the root is where everything else lies", "/a", "/", `spec.path in body should be at least 2 chars long`),
	pathRule("maxLength", "what users write is bounded", "/"+of(255, "a"), "/"+of(256, "a"), `spec.path: Too long: may not be more than 256 bytes`),
	pathRule("rule 1", "a path begins with a slash", "/concur/v1.0/notify", "concur/v1.0/notify", plainPath),
	pathRule("rule 1", "dots would climb", "/a/..b", "/a/../events/x", plainPath),
	pathRule("rule 1", "dots would stay", "/a/.b", "/a/./b", plainPath),
	pathRule("rule 1", "proxies make one slash of two", "/a/b", "/a//b", plainPath),
	pathRule("rule 1", "proxies take a last slash away, or add one", "/a~_-$*+,;=:@b", "/a/", plainPath),
	pathRule("rule 1", "an escape has more than one spelling", "/a.b", "/a%2Fb", plainPath),
	pathRule("rule 1", "a query is no path", "/a", "/a?b", plainPath),
	pathRule("rule 2", "ESS delivers there", "/eventsx", "/events/finance/reports", `path must lie outside /events and /system`),
	pathRule("rule 2", "Test Connection is there, and is not to be stored", "/a/system/b", "/system/v1.0/testconnection", `path must lie outside /events and /system`),
	overlapRule("maxLength", "what users write is bounded", "000001h000001m1s", "000001h000001m01s", `spec.credentialOverlap: Too long: may not be more than 16 bytes`),
	overlapRule("rule 1", "0s ends the old pair at once", "0s", "-1h", `credentialOverlap must be a duration of at most 720h`),
	overlapRule("rule 1", "old credentials have to end some day", "720h", "721h", `credentialOverlap must be a duration of at most 720h`),
	overlapRule("rule 1", "days have no length", "36h30m", "1d", `credentialOverlap must be a duration of at most 720h`),
}

const plainPath = `path must be an absolute path such as /concur/v1.0/notify`

func pathRule(rule, reason, accepted, refused, message string) validation {
	return validation{
		rule: "spec.path " + rule, reason: reason, message: message,
		accepted: fmt.Sprintf(`spec: {path: %q}`, accepted), refused: fmt.Sprintf(`spec: {path: %q}`, refused),
	}
}

func overlapRule(rule, reason, accepted, refused, message string) validation {
	return validation{
		rule: "spec.credentialOverlap " + rule, reason: reason, message: message,
		accepted: fmt.Sprintf(`spec: {credentialOverlap: %q}`, accepted), refused: fmt.Sprintf(`spec: {credentialOverlap: %q}`, refused),
	}
}

// secretRules are the rules of a reference to a Secret; format holds the reference.
func secretRules(path, format string, keys ...string) []validation {
	var all []validation
	rule := func(rule, reason, accepted, refused, message string) {
		all = append(all, validation{
			rule: path + rule, reason: reason, message: message,
			accepted: fmt.Sprintf(format, accepted), refused: fmt.Sprintf(format, refused),
		})
	}
	rule(".name required", "keys alone name no Secret", `{name: a, `+keys[0]+`: b}`, `{name: null, `+keys[0]+`: b}`, path+`.name: Required value`)
	rule(".name minLength", "an empty name is a template that was not filled", `{name: a}`, `{name: ""}`, path+`.name in body should be at least 1 chars long`)
	rule(".name maxLength", "no object has a longer name", `{name: `+of(253, "a")+`}`, `{name: `+of(254, "a")+`}`, path+`.name: Too long: may not be more than 253 bytes`)
	rule(".name rule 1", "no Secret has such a name, and a slash cannot even be asked for", `{name: a.b-1}`, `{name: a/b}`, path+`.name: Invalid value: "a/b": name may hold lowercase letters, digits, '.' and '-' only`)
	for _, key := range keys {
		with := func(value string) string { return fmt.Sprintf(`{name: a, %s: %q}`, key, value) }
		rule("."+key+" minLength", "an empty key is a template that was not filled", with("k"), with(""), path+"."+key+` in body should be at least 1 chars long`)
		rule("."+key+" maxLength", "no key of a Secret is longer", with(of(253, "k")), with(of(254, "k")), path+"."+key+`: Too long: may not be more than 253 bytes`)
		rule("."+key+" pattern", "no Secret has such a key", with("a-b_c.D1"), with("a b"), path+"."+key+` in body should match '^[-._a-zA-Z0-9]+$'`)
	}
	return all
}

const (
	recoveryFormat     = `spec: {recovery: {baseURL: "https://www.concursolutions.com", tokenSecretRef: {name: token}, %s}}`
	recoveryURLFormat  = `spec: {recovery: {tokenSecretRef: {name: token}, baseURL: %q}}`
	recoveryEach       = `spec: {recovery: {tokenSecretRef: {name: token}, baseURL: %q, interval: %q}}`
	httpsRecovery      = `baseURL must be an https URL without user, query or fragment`
	boundedInterval    = `spec.recovery.interval: Invalid value: interval must be at least 1m (10s when baseURL is a loopback host) and at most 24h`
	recoveryTokenRefOf = `spec: {recovery: {baseURL: "https://www.concursolutions.com", tokenSecretRef: %s}}`
)

// recoveryRules are about the fetching of failed notifications.
var recoveryRules = []validation{
	recoveryRule(" rule 1", "every run lists once", fmt.Sprintf(recoveryEach, "https://a.concursolutions.com", "1m"), fmt.Sprintf(recoveryEach, "https://a.concursolutions.com", "59s"), boundedInterval),
	recoveryRule(" rule 1", "whoever tries it out wants to see it", fmt.Sprintf(recoveryEach, "http://127.0.0.1:8080", "10s"), fmt.Sprintf(recoveryEach, "http://localhost:8080/", "9s"), boundedInterval),
	recoveryRule(" rule 1", "nobody waits for longer", fmt.Sprintf(recoveryEach, "https://a.concursolutions.com", "24h"), fmt.Sprintf(recoveryEach, "https://a.concursolutions.com", "25h"), boundedInterval),
	recoveryRule(".baseURL required", "there is no default that is right for everybody", `{}`, `spec: {recovery: {tokenSecretRef: {name: a}}}`, `spec.recovery.baseURL: Required value`),
	recoveryRule(".tokenSecretRef required", "nobody lists without a token", `{}`, `spec: {recovery: {baseURL: "https://a.concursolutions.com"}}`, `spec.recovery.tokenSecretRef: Required value`),
	recoveryRule(".baseURL minLength", "an empty URL is a template that was not filled", fmt.Sprintf(recoveryURLFormat, "https://a"), fmt.Sprintf(recoveryURLFormat, ""), `spec.recovery.baseURL in body should be at least 1 chars long`),
	recoveryRule(".baseURL maxLength", "what users write is bounded", fmt.Sprintf(recoveryURLFormat, "https://a/"+of(502, "a")), fmt.Sprintf(recoveryURLFormat, "https://a/"+of(503, "a")), `spec.recovery.baseURL: Too long: may not be more than 512 bytes`),
	recoveryRule(".baseURL rule 1", "the token must not be sent in the clear", fmt.Sprintf(recoveryURLFormat, "http://[::1]:8080"), fmt.Sprintf(recoveryURLFormat, "http://www.concursolutions.com"), httpsRecovery),
	recoveryRule(".baseURL rule 1", "a password in a URL would be shown to everybody who may read the object", fmt.Sprintf(recoveryURLFormat, "https://a.concursolutions.com/b/"), fmt.Sprintf(recoveryURLFormat, "https://u:p@a.concursolutions.com"), httpsRecovery),
	recoveryField(".authScheme enum", "a header has one spelling", `authScheme: Bearer`, `authScheme: bearer`, `spec.recovery.authScheme: Unsupported value: "bearer": supported values: "OAuth", "Bearer"`),
	recoveryField(".interval maxLength", "what users write is bounded", `interval: 000001h000001m1s`, `interval: 000001h000001m01s`, `spec.recovery.interval: Too long: may not be more than 16 bytes`),
	recoveryField(".interval rule 1", "days have no length", `interval: 1h30m`, `interval: 1d`, `interval must be a duration such as 10m or 1h30m, with units h, m, s or ms`),
	recoveryField(".caBundle format", "certificates are bytes", `caBundle: `+aCertificate, `caBundle: "-----BEGIN CERTIFICATE-----"`, `spec.recovery.caBundle in body must be of type byte`),
	recoveryField(".caBundle minLength", "an empty bundle is a template that was not filled", `caBundle: `+aCertificate, `caBundle: ""`, `spec.recovery.caBundle in body should be at least 1 chars long`),
	recoveryField(".caBundle maxLength", "what users write is bounded", `caBundle: `+of(262144, "YWFh"), `caBundle: `+of(262148, "YWFh"), `spec.recovery.caBundle: Too long: may not be more than 262144 bytes`),
}

func recoveryRule(rule, reason, accepted, refused, message string) validation {
	return validation{rule: "spec.recovery" + rule, reason: reason, accepted: accepted, refused: refused, message: message}
}

func recoveryField(rule, reason, accepted, refused, message string) validation {
	return recoveryRule(rule, reason, fmt.Sprintf(recoveryFormat, accepted), fmt.Sprintf(recoveryFormat, refused), message)
}

var allConnectorRules = slices.Concat(connectorRules, recoveryRules,
	secretRules("spec.credentialsSecretRef", `spec: {credentialsSecretRef: %s}`, "usernameKey", "passwordKey"),
	secretRules("spec.recovery.tokenSecretRef", recoveryTokenRefOf, "key"),
	deliveredRules(`spec: {sink: {uri: "http://bot.finance.svc"}, delivery: %s}`),
	sinkRules("spec.sink", `spec: {sink: %s}`),
	sinkRules("spec.delivery.deadLetterSink", `spec: {sink: {uri: "http://bot.finance.svc"}, delivery: {deadLetterSink: %s}}`))

func TestConnectorRules(t *testing.T) {
	t.Parallel()
	for _, v := range allConnectorRules {
		t.Run(v.rule, func(t *testing.T) {
			t.Parallel()
			v.test(t, minimalConnector)
		})
	}
}
