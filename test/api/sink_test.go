package api_test

import (
	"fmt"
	"slices"
	"testing"
)

// aCertificate is base64 of something; the schema looks no further.
const aCertificate = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t"

// deliveryRules are about what becomes of events behind the companion receiver.
var deliveryRules = []validation{
	{
		rule: "spec rule 2", reason: "with an endpoint of one's own nobody would deliver to the sink",
		accepted: `spec: {endpoint: {url: null, receiver: {}}, sink: {uri: "http://bot.finance.svc"}}`,
		refused:  `spec: {sink: {uri: "http://bot.finance.svc"}}`,
		message:  `spec.sink: Invalid value: sink needs endpoint.receiver, because only the companion receiver delivers to a sink: use it, or leave sink out`,
	},
	{
		rule: "spec rule 3", reason: "a setting that does nothing must not look as if it did",
		accepted: `spec: {endpoint: {url: null, receiver: {}}, sink: {uri: "http://bot.finance.svc"}, delivery: {retry: 0}}`,
		refused:  `spec: {endpoint: {url: null, receiver: {}}, delivery: {retry: 0}}`,
		message:  `spec.delivery: Invalid value: delivery says how events get to a sink: add a sink, or leave delivery out`,
	},
}

// deliveredRules are about spec.delivery of an object that has a sink; format holds the delivery.
func deliveredRules(format string) []validation {
	delivered := func(rule, reason, accepted, refused, message string) validation {
		separator := ""
		if rule[0] != '.' {
			separator = " "
		}
		return validation{
			rule: "spec.delivery" + separator + rule, reason: reason, message: message,
			accepted: fmt.Sprintf(format, accepted), refused: fmt.Sprintf(format, refused),
		}
	}
	return []validation{
		delivered("minProperties", "an empty delivery is a template that was not filled",
			`{retry: 1}`, `{}`, `spec.delivery: Invalid value: 0: spec.delivery in body should have at least 1 properties`),
		delivered(".retry minimum", "nobody can try less than not at all",
			`{retry: 0}`, `{retry: -1}`, `spec.delivery.retry: Invalid value: -1: spec.delivery.retry in body should be greater than or equal to 0`),
		delivered(".retry maximum", "more must be a slip of the pen",
			`{retry: 100000}`, `{retry: 100001}`, `spec.delivery.retry: Invalid value: 100001: spec.delivery.retry in body should be less than or equal to 100000`),
		delivered(".backoffPolicy enum", "Knative writes it in lower case",
			`{backoffPolicy: linear}`, `{backoffPolicy: Linear}`, `spec.delivery.backoffPolicy: Unsupported value: "Linear": supported values: "linear", "exponential"`),
		delivered(".ordering enum", "a misspelt ordering must not act as none",
			`{ordering: PerKey}`, `{ordering: perKey}`, `spec.delivery.ordering: Unsupported value: "perKey": supported values: "None", "PerKey"`),
		delivered(".format enum", "Knative calls the structured mode json",
			`{format: json}`, `{format: structured}`, `spec.delivery.format: Unsupported value: "structured": supported values: "binary", "json"`),
		delivered(".backoffDelay minLength", "an empty duration is none; of what is too short the rule says how it should look",
			`{backoffDelay: PT1S}`, `{backoffDelay: ""}`, `spec.delivery.backoffDelay: Invalid value: "": spec.delivery.backoffDelay in body should be at least 1 chars long`),
		delivered(".backoffDelay maxLength", "what users write is bounded",
			`{backoffDelay: PT23H59M59.999S}`, `{backoffDelay: `+of(33, "PT1S")+`}`, `spec.delivery.backoffDelay: Too long: may not be more than 32 bytes`),
		delivered(".backoffDelay rule 1", "Go's way to write durations is another",
			`{backoffDelay: PT0.5S}`, `{backoffDelay: 1s}`, `backoffDelay must be an ISO 8601 duration in hours, minutes and seconds, such as PT1S or PT0.5S, more than zero and at most PT24H`),
		delivered(".backoffDelay rule 1", "no delay at all would be an attack on the sink",
			`{backoffDelay: PT24H}`, `{backoffDelay: PT0S}`, `more than zero and at most PT24H`),
		delivered(".timeout minLength", "as of backoffDelay",
			`{timeout: PT9S}`, `{timeout: ""}`, `spec.delivery.timeout: Invalid value: "": spec.delivery.timeout in body should be at least 1 chars long`),
		delivered(".timeout maxLength", "what users write is bounded",
			`{timeout: PT59M59.999S}`, `{timeout: `+of(33, "PT1S")+`}`, `spec.delivery.timeout: Too long: may not be more than 32 bytes`),
		delivered(".timeout rule 1", "an attempt that takes longer has failed",
			`{timeout: PT1H}`, `{timeout: PT1H1S}`, `timeout must be an ISO 8601 duration in hours, minutes and seconds, such as PT30S or PT1M30S, more than zero and at most PT1H`),
		delivered(".timeout rule 1", "an empty duration is none",
			`{timeout: PT1M30S}`, `{timeout: PT1}`, `timeout must be an ISO 8601 duration`),
	}
}

// sinkRules are the rules of one of the two places that hold a sink.
func sinkRules(path, format string) []validation {
	var all []validation
	rule := func(rule, reason, accepted, refused, message string) {
		all = append(all, validation{
			rule: path + rule, reason: reason, message: message,
			accepted: fmt.Sprintf(format, accepted), refused: fmt.Sprintf(format, refused),
		})
	}
	addressRules(path, rule)
	refRules(path, rule)
	return all
}

func addressRules(path string, rule func(rule, reason, accepted, refused, message string)) {
	const uriForm = `uri must be an absolute http or https URI without user or fragment, such as http://expense-bot.finance.svc/events`
	const pathForm = `path must begin with / and hold no query, fragment or space, such as /events`
	rule(" minProperties", "an empty sink is none", `{uri: "http://a.svc"}`, `{}`, path+`: Invalid value`)
	rule(" rule 1", "a sink is in one place", `{ref: {apiVersion: v1, kind: Service, name: bot}}`,
		`{uri: "http://a.svc", ref: {apiVersion: v1, kind: Service, name: bot}}`, `a sink must have exactly one of uri and ref`)
	rule(" rule 2", "a uri holds its own port", `{ref: {apiVersion: v1, kind: Service, name: bot}, port: 8080, path: /in}`,
		`{uri: "http://a.svc", port: 8080}`, `port and path go with a ref to a Service (apiVersion v1) only`)
	rule(" rule 2", "a Knative Service says itself where it is", `{ref: {apiVersion: serving.knative.dev/v1, kind: Service, name: bot}}`,
		`{ref: {apiVersion: serving.knative.dev/v1, kind: Service, name: bot}, path: /in}`, `any other object says itself where it is`)
	rule(".uri minLength", "an empty URI is a template that was not filled", `{uri: "http://a"}`, `{uri: ""}`, path+`.uri in body should be at least 1 chars long`)
	rule(".uri maxLength", "what users write is bounded", `{uri: "http://a/`+of(2039, "a")+`"}`, `{uri: "http://a/`+of(2040, "a")+`"}`, path+`.uri: Too long: may not be more than 2048 bytes`)
	rule(".uri rule 1", "events go over HTTP", `{uri: "https://bot.example.com:8443/in?tenant=acme"}`, `{uri: "ftp://bot.example.com"}`, uriForm)
	rule(".uri rule 1", "a password in a URI would be shown to everybody who may read the object", `{uri: "http://bot.finance.svc/@acme"}`, `{uri: "http://user:password@bot.finance.svc"}`, uriForm)
	rule(".uri rule 1", "a fragment never reaches a server", `{uri: "http://[fd00::1]:8080/in"}`, `{uri: "http://bot.finance.svc/#here"}`, uriForm)
	rule(".uri rule 1", "what cannot be read as a URI must not get into the receiver's file", `{uri: "http://bot.finance.svc/%20"}`, `{uri: "http://bot.finance.svc/%zz"}`, uriForm)
	rule(".port minimum", "no such port", `{ref: {apiVersion: v1, kind: Service, name: bot}, port: 1}`, `{ref: {apiVersion: v1, kind: Service, name: bot}, port: 0}`, path+`.port in body should be greater than or equal to 1`)
	rule(".port maximum", "no such port", `{ref: {apiVersion: v1, kind: Service, name: bot}, port: 65535}`, `{ref: {apiVersion: v1, kind: Service, name: bot}, port: 65536}`, path+`.port in body should be less than or equal to 65535`)
	rule(".path minLength", "an empty path is a template that was not filled", `{ref: {apiVersion: v1, kind: Service, name: bot}, path: /}`, `{ref: {apiVersion: v1, kind: Service, name: bot}, path: ""}`, path+`.path in body should be at least 1 chars long`)
	rule(".path maxLength", "what users write is bounded", `{ref: {apiVersion: v1, kind: Service, name: bot}, path: /`+of(1023, "a")+`}`, `{ref: {apiVersion: v1, kind: Service, name: bot}, path: /`+of(1024, "a")+`}`, path+`.path: Too long: may not be more than 1024 bytes`)
	rule(".path rule 1", "a path cannot lead to another host", `{ref: {apiVersion: v1, kind: Service, name: bot}, path: /a%20b/c}`, `{ref: {apiVersion: v1, kind: Service, name: bot}, path: "@evil.example.com"}`, pathForm)
	rule(".caBundle format", "certificates are bytes", `{uri: "https://a.svc", caBundle: `+aCertificate+`}`, `{uri: "https://a.svc", caBundle: "-----BEGIN CERTIFICATE-----"}`, path+`.caBundle in body must be of type byte`)
	rule(".caBundle minLength", "an empty bundle is a template that was not filled", `{uri: "https://a.svc", caBundle: `+aCertificate+`}`, `{uri: "https://a.svc", caBundle: ""}`, path+`.caBundle in body should be at least 1 chars long`)
	rule(".caBundle maxLength", "what users write is bounded", `{uri: "https://a.svc", caBundle: `+of(65536, "YWFh")+`}`, `{uri: "https://a.svc", caBundle: `+of(65540, "YWFh")+`}`, path+`.caBundle: Too long: may not be more than 65536 bytes`)
}

// refFields are the fields of a reference: the longest value of each, and what is said of one that cannot be.
var refFields = map[string]struct {
	longest, tooLong string
	message          string
}{
	"apiVersion": {of(314, "a") + "/v1", of(315, "a") + "/v1", `apiVersion must be a version, or a group and a version, such as v1 or messaging.knative.dev/v1`},
	"kind":       {of(63, "Aa"), of(64, "Aa"), `kind must be written as in a manifest, such as Service or Broker`},
	"name":       {of(253, "a"), of(254, "a"), `name may hold lowercase letters, digits, '.' and '-' only`},
	"namespace":  {of(63, "a"), of(64, "a"), `namespace may hold lowercase letters, digits and '-' only`},
}

func refRules(path string, rule func(rule, reason, accepted, refused, message string)) {
	const good = `{ref: {apiVersion: eventing.knative.dev/v1, kind: Broker, name: default, namespace: finance}}`
	rule(".ref rule 1", "a Pod has no address of its own", good, `{ref: {apiVersion: v1, kind: Pod, name: bot}}`,
		path+`.ref.kind: Invalid value: of apiVersion v1 only a Service can be a sink`)
	rule(".ref rule 2", "a dot would make it a name in another zone of DNS", good, `{ref: {apiVersion: v1, kind: Service, name: bot.sales}}`,
		path+`.ref.name: Invalid value: no Service can have this name`)
	for name, field := range refFields {
		at := ".ref." + name
		with := func(value string) string {
			return fmt.Sprintf(`{ref: {%s%s: %q}}`, without(name), name, value)
		}
		if name != "namespace" {
			rule(at+" required", "all of it names an object", good, `{ref: {`+without(name)+`}}`, path+at+`: Required value`)
		}
		rule(at+" minLength", "an empty one is a template that was not filled", good, with(""), path+at+` in body should be at least 1 chars long`)
		rule(at+" maxLength", "nothing in Kubernetes is longer", with(field.longest), with(field.tooLong),
			fmt.Sprintf("%s%s: Too long: may not be more than %d bytes", path, at, len(field.longest)))
		rule(at+" rule 1", "it becomes part of an address or of a path of the API", good, with("a/../B?#"), field.message)
	}
}

// without are the required fields of a reference but one.
func without(name string) string {
	text := ""
	for field, value := range map[string]string{"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "name": "default"} {
		if field != name {
			text += field + ": " + value + ", "
		}
	}
	return text
}

var (
	sinkFormat           = `spec: {endpoint: {url: null, receiver: {}}, sink: %s}`
	deliveryFormat       = `spec: {endpoint: {url: null, receiver: {}}, sink: {uri: "http://bot.finance.svc"}, delivery: %s}`
	deadLetterSinkFormat = `spec: {endpoint: {url: null, receiver: {}}, sink: {uri: "http://bot.finance.svc"}, delivery: {deadLetterSink: %s}}`

	allSinkRules = slices.Concat(deliveryRules, deliveredRules(deliveryFormat),
		sinkRules("spec.sink", sinkFormat), sinkRules("spec.delivery.deadLetterSink", deadLetterSinkFormat))
)

func TestSinkRules(t *testing.T) {
	t.Parallel()
	for _, v := range allSinkRules {
		t.Run(v.rule, func(t *testing.T) {
			t.Parallel()
			v.test(t, minimalSubscription)
		})
	}
}
