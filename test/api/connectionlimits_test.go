package api_test

// connectionLimits are the rules about trust, consent and numbers.
var connectionLimits = []validation{
	{
		rule: "spec.caBundle minLength", reason: "an empty bundle is a template that was not filled",
		accepted: `spec: {caBundle: YQ==}`, refused: `spec: {caBundle: ""}`,
		message: `spec.caBundle: Invalid value: "": spec.caBundle in body should be at least 1 chars long`,
	},
	{
		rule: "spec.caBundle maxLength", reason: "what users write is bounded",
		accepted: `spec: {caBundle: ` + of(262144, "YWFh") + `}`, refused: `spec: {caBundle: ` + of(262148, "YWFh") + `}`,
		message: `spec.caBundle: Too long: may not be more than 262144 bytes`,
	},
	{
		rule: "spec.caBundle format", reason: "PEM that was not encoded could be stored, and would blind the operator to every connection",
		accepted: `spec: {caBundle: LS0tLS1CRUdJTg==}`, refused: `spec: {caBundle: "-----BEGIN CERTIFICATE-----"}`,
		message: `spec.caBundle: Invalid value: "-----BEGIN CERTIFICATE-----": spec.caBundle in body must be of type byte: "-----BEGIN CERTIFICATE-----"`,
	},
	{
		rule: "spec.allowedNamespaces rule 1", reason: "a selector beside All would say less than All does",
		accepted: `spec: {allowedNamespaces: {from: Selector, selector: {matchLabels: {concur: allowed}}}}`,
		refused:  `spec: {allowedNamespaces: {from: All, selector: {matchLabels: {concur: allowed}}}}`,
		message:  `spec.allowedNamespaces: Invalid value: selector is required when from is Selector, and allowed only then`,
	},
	{
		rule: "spec.allowedNamespaces rule 1", reason: "a selector that nobody wrote must not select everything",
		accepted: `spec: {allowedNamespaces: {}}`, refused: `spec: {allowedNamespaces: {from: Selector}}`,
		message: `spec.allowedNamespaces: Invalid value: selector is required when from is Selector, and allowed only then`,
	},
	{
		rule: "spec.allowedNamespaces.from enum", reason: "a misspelt consent must not be one",
		accepted: `spec: {allowedNamespaces: {from: All}}`, refused: `spec: {allowedNamespaces: {from: Any}}`,
		message: `spec.allowedNamespaces.from: Unsupported value: "Any": supported values: "Same", "All", "Selector"`,
	},
	{
		rule: "spec.allowedNamespaces.selector.matchExpressions[].key required", reason: "an expression is about a label",
		accepted: `spec: {allowedNamespaces: {from: Selector, selector: {matchExpressions: [{key: concur, operator: Exists}]}}}`,
		refused:  `spec: {allowedNamespaces: {from: Selector, selector: {matchExpressions: [{operator: Exists}]}}}`,
		message:  `spec.allowedNamespaces.selector.matchExpressions[0].key: Required value`,
	},
	{
		rule: "spec.allowedNamespaces.selector.matchExpressions[].operator required", reason: "a label alone demands nothing",
		accepted: `spec: {allowedNamespaces: {from: Selector, selector: {matchExpressions: [{key: concur, operator: In, values: [allowed]}]}}}`,
		refused:  `spec: {allowedNamespaces: {from: Selector, selector: {matchExpressions: [{key: concur}]}}}`,
		message:  `spec.allowedNamespaces.selector.matchExpressions[0].operator: Required value`,
	},
	{
		rule: "spec.rateLimit minProperties", reason: "an empty limit looks like one, and is none",
		accepted: `spec: {rateLimit: {burst: 1}}`, refused: `spec: {rateLimit: {}}`,
		message: `spec.rateLimit: Invalid value: 0: spec.rateLimit in body should have at least 1 properties`,
	},
	{
		rule: "spec.rateLimit.requestsPerSecond minimum", reason: "at none a second nothing ever happens",
		accepted: `spec: {rateLimit: {requestsPerSecond: 1}}`, refused: `spec: {rateLimit: {requestsPerSecond: 0}}`,
		message: `spec.rateLimit.requestsPerSecond: Invalid value: 0: spec.rateLimit.requestsPerSecond in body should be greater than or equal to 1`,
	},
	{
		rule: "spec.rateLimit.requestsPerSecond maximum", reason: "beyond it a limit is none",
		accepted: `spec: {rateLimit: {requestsPerSecond: 1000}}`, refused: `spec: {rateLimit: {requestsPerSecond: 1001}}`,
		message: `spec.rateLimit.requestsPerSecond: Invalid value: 1001: spec.rateLimit.requestsPerSecond in body should be less than or equal to 1000`,
	},
	{
		rule: "spec.rateLimit.burst minimum", reason: "a bucket without room lets nothing through",
		accepted: `spec: {rateLimit: {burst: 1}}`, refused: `spec: {rateLimit: {burst: 0}}`,
		message: `spec.rateLimit.burst: Invalid value: 0: spec.rateLimit.burst in body should be greater than or equal to 1`,
	},
	{
		rule: "spec.rateLimit.burst maximum", reason: "beyond it a limit is none",
		accepted: `spec: {rateLimit: {burst: 1000}}`, refused: `spec: {rateLimit: {burst: 1001}}`,
		message: `spec.rateLimit.burst: Invalid value: 1001: spec.rateLimit.burst in body should be less than or equal to 1000`,
	},
	{
		rule: "spec.maxSubscriptions minimum", reason: "an application without subscriptions needs no connection",
		accepted: `spec: {maxSubscriptions: 1}`, refused: `spec: {maxSubscriptions: 0}`,
		message: `spec.maxSubscriptions: Invalid value: 0: spec.maxSubscriptions in body should be greater than or equal to 1`,
	},
	{
		rule: "spec.maxSubscriptions maximum", reason: "status lists the unmanaged ones, and is bounded",
		accepted: `spec: {maxSubscriptions: 1000}`, refused: `spec: {maxSubscriptions: 1001}`,
		message: `spec.maxSubscriptions: Invalid value: 1001: spec.maxSubscriptions in body should be less than or equal to 1000`,
	},
}
