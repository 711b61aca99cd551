package essemulator

// ErrorShape is the shape of the body that a refusal carries.
type ErrorShape string

// The shapes of refusals. Two are used by neighbouring services of Concur (List v4, Detokenizer v5).
const (
	ErrorSibling ErrorShape = "sibling" // {"timestamp","httpStatus","error":{"id","message"},"path"}
	ErrorFlat    ErrorShape = "flat"    // {"timestamp","httpStatus","errorMessage","errorId","path"}
	ErrorText    ErrorShape = "text"    // the message as text/plain
	ErrorEmpty   ErrorShape = "empty"   // no body
)

// GetShape is the shape of the answer to GET of one subscription.
type GetShape string

// The two shapes that Concur's pages show.
const (
	GetArray  GetShape = "array"
	GetObject GetShape = "object"
)

// ExpiresIn is the JSON type of expires_in in a token response.
type ExpiresIn string

// The two types that Concur's pages show.
const (
	ExpiresInString ExpiresIn = "string"
	ExpiresInNumber ExpiresIn = "number"
)

// PutMarked is what a PUT does to a subscription that is marked for deletion.
type PutMarked string

// What a PUT may do to a marked subscription.
const (
	PutRevives PutMarked = "revive" // the mark is taken away
	PutDoomed  PutMarked = "doomed" // the PUT succeeds, the deletion follows all the same
	PutRefused PutMarked = "refuse" // the PUT is refused until the id is free
)

// FilterMatch is how a filter has to match an event type.
type FilterMatch string

// A filter matches the whole event type or any part of it.
const (
	MatchFull    FilterMatch = "full"
	MatchPartial FilterMatch = "partial"
)

// ReadOnlyFields is what PUT does with fields that only ESS may write.
type ReadOnlyFields string

// Read-only fields in a PUT are dropped silently or make it fail.
const (
	IgnoreReadOnly ReadOnlyFields = "ignore"
	RejectReadOnly ReadOnlyFields = "reject"
)

// FailedAuth is which schemes of Authorization the Failed Notifications API takes.
type FailedAuth string

// The schemes.
const (
	FailedAnyScheme FailedAuth = "any" // the two below
	FailedOAuth     FailedAuth = "oauth"
	FailedBearer    FailedAuth = "bearer"
)

// FailedForm is the form of the list of failed notifications.
type FailedForm string

// The forms that Concur documents.
const (
	FailedXML  FailedForm = "xml"
	FailedJSON FailedForm = "json"
)

// Padding is the RSA signature scheme of Concur-Signature; the hash is SHA-256 in both.
type Padding string

// The paddings seen in public receivers of Concur's events.
const (
	PKCS1v15 Padding = "pkcs1v15"
	PSS      Padding = "pss" // MGF1 with SHA-256, salt as long as the key (or FIPS 186-5) allows
)
