package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
)

// admitted says whether one Authorization header shows one of the tokens, a line each. How long it takes depends on
// what the caller sent and on how many tokens there are, never on how much of a token was right: digests are
// compared, all of them, so that a wrong length costs what a wrong letter costs.
func admitted(headers []string, tokens string) bool {
	shown, ok := bearer(headers)
	digest := sha256.Sum256([]byte(shown))
	match := 0
	for line := range strings.Lines(tokens) {
		token := strings.TrimSpace(line)
		if token == "" {
			continue
		}
		want := sha256.Sum256([]byte(token))
		match |= subtle.ConstantTimeCompare(digest[:], want[:])
	}
	return ok && match == 1
}

// bearer reads the one header that there may be. The scheme is told without regard to case (RFC 9110, section 11.1).
func bearer(headers []string) (token string, ok bool) {
	if len(headers) != 1 {
		return "", false
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	token = strings.TrimSpace(token)
	return token, strings.EqualFold(scheme, "Bearer") && token != ""
}

func (h *Handler) refuse(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("WWW-Authenticate", `Bearer realm="webhook-receiver admin"`)
	return &problem{status: http.StatusUnauthorized,
		detail: `send the header "Authorization: Bearer" with a token of the file that admin.tokenFile of the configuration names`}
}
