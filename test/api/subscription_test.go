package api_test

import (
	"testing"
)

const minimalSubscription = `
apiVersion: concur.ess-operator.io/v1alpha1
kind: EventSubscription
metadata: {name: reports}
spec:
  connectionRef: {name: acme-us}
  topic: public.concur.expense.report
  endpoint: {url: "https://events.example.com/concur"}
`

var subscriptionRules = []validation{
	{
		rule: "spec required", reason: "without a spec there is nothing to do",
		accepted: `{}`, refused: `{spec: null}`,
		message: `spec: Required value`,
	},
	{
		rule: "spec rule 1", reason: "ESS knows a subscription only by its id",
		stored:   `spec: {subscriptionID: acme.reports}`,
		accepted: `spec: {subscriptionID: acme.reports, topic: public.concur.request}`,
		refused:  `spec: {subscriptionID: acme.reports2}`,
		message:  `spec.subscriptionID: Invalid value: subscriptionID cannot change, because ESS knows a subscription only by its id: make a new EventSubscription instead`,
	},
	{
		rule: "spec rule 1", reason: "an id that was derived is as fixed as one that was written",
		stored:   `{}`,
		accepted: `spec: {filter: reportCreated}`,
		refused:  `spec: {subscriptionID: acme.reports}`,
		message:  `subscriptionID cannot change, because ESS knows a subscription only by its id: make a new EventSubscription instead`,
	},
	{
		rule: "spec rule 1", reason: "taking the id away would change it to the derived one",
		stored:   `spec: {subscriptionID: acme.reports}`,
		accepted: `spec: {subscriptionID: acme.reports, suspend: true}`,
		refused:  `spec: {suspend: true}`,
		message:  `subscriptionID cannot change, because ESS knows a subscription only by its id: make a new EventSubscription instead`,
	},
	{
		rule: "spec.connectionRef required", reason: "a subscription is made through a connection",
		accepted: `{}`, refused: `spec: {connectionRef: null}`,
		message: `spec.connectionRef: Required value`,
	},
	{
		rule: "spec.connectionRef.name required", reason: "a namespace alone names no connection",
		accepted: `spec: {connectionRef: {namespace: shared}}`, refused: `spec: {connectionRef: {name: null, namespace: shared}}`,
		message: `spec.connectionRef.name: Required value`,
	},
	{
		rule: "spec.connectionRef.name minLength", reason: "an empty name is a template that was not filled",
		accepted: `spec: {connectionRef: {name: a}}`, refused: `spec: {connectionRef: {name: ""}}`,
		message: `spec.connectionRef.name: Invalid value: "": spec.connectionRef.name in body should be at least 1 chars long`,
	},
	{
		rule: "spec.connectionRef.name maxLength", reason: "no object has a longer name",
		accepted: `spec: {connectionRef: {name: ` + of(253, "a") + `}}`, refused: `spec: {connectionRef: {name: ` + of(254, "a") + `}}`,
		message: `spec.connectionRef.name: Too long: may not be more than 253 bytes`,
	},
	{
		rule: "spec.connectionRef.namespace minLength", reason: "an empty namespace is a template that was not filled",
		accepted: `spec: {connectionRef: {namespace: a}}`, refused: `spec: {connectionRef: {namespace: ""}}`,
		message: `spec.connectionRef.namespace: Invalid value: "": spec.connectionRef.namespace in body should be at least 1 chars long`,
	},
	{
		rule: "spec.connectionRef.namespace maxLength", reason: "no namespace has a longer name",
		accepted: `spec: {connectionRef: {namespace: ` + of(63, "a") + `}}`, refused: `spec: {connectionRef: {namespace: ` + of(64, "a") + `}}`,
		message: `spec.connectionRef.namespace: Too long: may not be more than 63 bytes`,
	},
	{
		rule: "spec.subscriptionID minLength", reason: "an empty id is a template that was not filled",
		accepted: `spec: {subscriptionID: a}`, refused: `spec: {subscriptionID: ""}`,
		message: `spec.subscriptionID: Invalid value: "": spec.subscriptionID in body should be at least 1 chars long`,
	},
	{
		rule: "spec.subscriptionID maxLength", reason: "the longest derived id is a namespace, a dot and a name",
		accepted: `spec: {subscriptionID: ` + of(317, "a") + `}`, refused: `spec: {subscriptionID: ` + of(318, "a") + `}`,
		message: `spec.subscriptionID: Too long: may not be more than 317 bytes`,
	},
	{
		rule: "spec.subscriptionID rule 1", reason: "ESS takes nothing else in an id",
		accepted: `spec: {subscriptionID: acme-1.reports}`, refused: `spec: {subscriptionID: Acme/reports}`,
		message: `spec.subscriptionID: Invalid value: "Acme/reports": subscriptionID may hold lowercase letters, digits, '.' and '-' only`,
	},
	{
		rule: "spec.subscriptionID rule 2", reason: "it is a path of the ESS API",
		accepted: `spec: {subscriptionID: webhooks}`, refused: `spec: {subscriptionID: webhook}`,
		message: `spec.subscriptionID: Invalid value: "webhook": subscriptionID 'webhook' is a path of the ESS API: choose another`,
	},
	{
		rule: "spec.topic required", reason: "ESS has no stream of everything",
		accepted: `spec: {topic: public.concur.request}`, refused: `spec: {topic: null}`,
		message: `spec.topic: Required value`,
	},
	{
		rule: "spec.topic minLength", reason: "an empty topic is a template that was not filled",
		accepted: `spec: {topic: a}`, refused: `spec: {topic: ""}`,
		message: `spec.topic: Invalid value: "": spec.topic in body should be at least 1 chars long`,
	},
	{
		rule: "spec.topic maxLength", reason: "what users write is bounded",
		accepted: `spec: {topic: ` + of(256, "a") + `}`, refused: `spec: {topic: ` + of(257, "a") + `}`,
		message: `spec.topic: Too long: may not be more than 256 bytes`,
	},
	{
		rule: "spec.filter minLength", reason: "an empty filter is not one that matches everything; an absent one is",
		accepted: `spec: {filter: "("}`, refused: `spec: {filter: ""}`,
		message: `spec.filter: Invalid value: "": spec.filter in body should be at least 1 chars long`,
	},
	{
		rule: "spec.filter maxLength", reason: "what users write is bounded",
		accepted: `spec: {filter: ` + of(1024, "a") + `}`, refused: `spec: {filter: ` + of(1025, "a") + `}`,
		message: `spec.filter: Too long: may not be more than 1024 bytes`,
	},
	{
		rule: "spec.endpoint required", reason: "ESS has to deliver somewhere",
		accepted: `{}`, refused: `spec: {endpoint: null}`,
		message: `spec.endpoint: Required value`,
	},
	{
		rule: "spec.endpoint rule 1", reason: "one subscription has one endpoint",
		accepted: `spec: {endpoint: {url: null, receiver: {}}}`, refused: `spec: {endpoint: {receiver: {}}}`,
		message: `spec.endpoint: Invalid value: endpoint must have exactly one of url and receiver`,
	},
	{
		rule: "spec.endpoint minProperties", reason: "an empty endpoint is none",
		accepted: `{}`, refused: `spec: {endpoint: {url: null}}`,
		message: `spec.endpoint: Invalid value: endpoint must have exactly one of url and receiver`,
	},
	{
		rule: "spec.endpoint.url minLength", reason: "an empty URL is a template that was not filled",
		accepted: `{}`, refused: `spec: {endpoint: {url: ""}}`,
		message: `spec.endpoint.url: Invalid value: "": spec.endpoint.url in body should be at least 1 chars long`,
	},
	{
		rule: "spec.endpoint.url maxLength", reason: "what users write is bounded",
		accepted: `spec: {endpoint: {url: "https://` + of(2040, "a") + `"}}`, refused: `spec: {endpoint: {url: "https://` + of(2041, "a") + `"}}`,
		message: `spec.endpoint.url: Too long: may not be more than 2048 bytes`,
	},
	{
		rule: "spec.endpoint.url rule 1", reason: "ESS delivers over https only",
		accepted: `spec: {endpoint: {url: "https://events.example.com:8443/in?tenant=acme"}}`, refused: `spec: {endpoint: {url: "http://events.example.com/concur"}}`,
		message: `spec.endpoint.url: Invalid value: "http://events.example.com/concur": endpoint.url must be an https URL without user or fragment, such as https://events.example.com/concur`,
	},
	{
		rule: "spec.endpoint.url rule 1", reason: "a password in a URL would be shown to everybody who may read the object",
		accepted: `spec: {endpoint: {url: "https://events.example.com/@acme"}}`, refused: `spec: {endpoint: {url: "https://user:password@events.example.com/concur"}}`,
		message: `spec.endpoint.url: Invalid value: "https://user:password@events.example.com/concur": endpoint.url must be an https URL without user or fragment, such as https://events.example.com/concur`,
	},
	{
		rule: "spec.endpoint.url rule 1", reason: "a fragment never reaches a server",
		accepted: `spec: {endpoint: {url: "https://events.example.com"}}`, refused: `spec: {endpoint: {url: "https://events.example.com/concur#here"}}`,
		message: `spec.endpoint.url: Invalid value: "https://events.example.com/concur#here": endpoint.url must be an https URL without user or fragment, such as https://events.example.com/concur`,
	},
	{
		rule: "spec.adoptionPolicy enum", reason: "a misspelt policy must not act as the default",
		accepted: `spec: {adoptionPolicy: Always}`, refused: `spec: {adoptionPolicy: always}`,
		message: `spec.adoptionPolicy: Unsupported value: "always": supported values: "IfIdentical", "Always", "Never"`,
	},
	{
		rule: "spec.deletionPolicy enum", reason: "a misspelt policy must not delete",
		accepted: `spec: {deletionPolicy: Retain}`, refused: `spec: {deletionPolicy: Orphan}`,
		message: `spec.deletionPolicy: Unsupported value: "Orphan": supported values: "Delete", "Retain"`,
	},
}

func TestEventSubscriptionRules(t *testing.T) {
	t.Parallel()
	for _, v := range subscriptionRules {
		t.Run(v.rule, func(t *testing.T) {
			t.Parallel()
			v.test(t, minimalSubscription)
		})
	}
}
