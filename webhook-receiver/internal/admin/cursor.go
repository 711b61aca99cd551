package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// A continue token is, in URL-safe base64, the digest of the list it belongs to, and the Seq after which the list
// goes on. It is opaque so that its form may change, and bound to its list so that it cannot skip events of another.
const digestSize = 8

func cursor(next uint64, f event.Filter, newest bool) string {
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint64(digest(f, newest), next))
}

func after(token string, f event.Filter, newest bool) (seq uint64, ok bool) {
	if len(token) > maxValue {
		return 0, false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) != digestSize+8 {
		return 0, false
	}
	if subtle.ConstantTimeCompare(raw[:digestSize], digest(f, newest)) != 1 {
		return 0, false
	}
	seq = binary.BigEndian.Uint64(raw[digestSize:])
	return seq, seq > 0
}

// digest tells lists apart. The first byte is the version of the token's form.
func digest(f event.Filter, newest bool) []byte {
	// Strings, times and a bool always encode.
	text, _ := json.Marshal(struct {
		Filter event.Filter
		Newest bool
	}{f, newest})
	sum := sha256.Sum256(text)
	return append([]byte{1}, sum[1:digestSize]...)
}
