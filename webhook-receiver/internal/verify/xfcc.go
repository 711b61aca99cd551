package verify

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// maxForwardedHeader is what a header may hold at the most: a chain has three or four certificates of about 2 KiB each.
const maxForwardedHeader = 64 << 10

var errIncomplete = errors.New("holds only facts about the certificate, such as its hash; let the proxy send the certificate itself " +
	"(Envoy: set_current_client_cert_details with cert or chain)")

// parseForwarded returns the certificates in the value of a header, the client's first.
func parseForwarded(value string) ([]*x509.Certificate, error) {
	if len(value) > maxForwardedHeader {
		return nil, fmt.Errorf("has %d bytes, more than any chain needs", len(value))
	}
	value = strings.TrimSpace(value)
	if strings.HasPrefix(value, "-----BEGIN") {
		return parseEscaped(value)
	}
	// Envoy: one element per proxy, ours the last.
	elements := splitQuoted(value, ',')
	fields, err := parseElement(elements[len(elements)-1])
	switch {
	case err != nil:
		return nil, err
	case fields["cert"] != "" || fields["chain"] != "":
		return parseEscaped(fields["cert"] + "%0A" + fields["chain"])
	case fields["hash"] != "" || fields["subject"] != "" || fields["by"] != "":
		return nil, errIncomplete
	}
	return nil, errors.New("names no certificate: neither Cert= nor Chain= is in it")
}

var errForm = errors.New("is neither as Envoy writes X-Forwarded-Client-Cert, nor PEM encoded as in URLs")

// parseElement returns the pairs of an element, their names in lower case. It is strict about quotes and certificates:
// a proxy that appends puts its element behind whatever its client sent, a quote that is left open, say, and the
// names in a certificate are chosen by whoever asked for it.
func parseElement(element string) (map[string]string, error) {
	fields := make(map[string]string)
	for _, pair := range splitQuoted(element, ';') {
		name, value, ok := strings.Cut(pair, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		value, whole := unquote(value)
		_, again := fields[name]
		if !ok || !whole || again && (name == "cert" || name == "chain") {
			return nil, errForm
		}
		fields[name] = value
	}
	return fields, nil
}

// parseEscaped returns the certificates in PEM that is encoded as in URLs.
func parseEscaped(value string) ([]*x509.Certificate, error) {
	// Not QueryUnescape: a proxy may leave the plus signs of base64 as they are.
	text, err := url.PathUnescape(value)
	if err != nil {
		return nil, errors.New("has a broken percent encoding")
	}
	var chain []*x509.Certificate
	rest := []byte(text)
	for len(strings.TrimSpace(string(rest))) > 0 {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil || block.Type != "CERTIFICATE" || len(chain) == maxChain {
			return nil, errors.New("holds something else than a chain of certificates in PEM")
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, errors.New("holds a certificate that cannot be read")
		}
		chain = append(chain, c)
	}
	if len(chain) == 0 {
		return nil, errors.New("holds no certificate")
	}
	return chain, nil
}

// splitQuoted splits s at separators that are not inside double quotes. The result has at least one element.
func splitQuoted(s string, separator byte) []string {
	var parts []string
	start, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++ // whatever follows is part of the value
		case s[i] == '"':
			quoted = !quoted
		case s[i] == separator && !quoted:
			parts = append(parts, s[start:i])
			start = i + 1
		}
	}
	return append(parts, s[start:])
}

// unquote returns s without the quotes around it; not whole: there are quotes elsewhere.
func unquote(s string) (value string, whole bool) {
	s = strings.TrimSpace(s)
	if !strings.Contains(s, `"`) {
		return s, true
	}
	for i := 1; i < len(s) && s[0] == '"'; i++ {
		switch s[i] {
		case '\\':
			i++ // whatever follows is part of the value
		case '"':
			return strings.ReplaceAll(s[1:i], `\"`, `"`), i == len(s)-1
		}
	}
	return "", false
}
