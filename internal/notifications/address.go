package notifications

import (
	"net"
	"net/url"
	"regexp"
)

// maxURI bounds the URI of a notification. Those seen have about a hundred characters.
const maxURI = 2048

// form tells scheme and host from the rest, which begins with one slash and holds visible ASCII characters.
var form = regexp.MustCompile(`^((?i:https?)://[^/?#\\\s]+)(/(?:[!"$-.0-~][!"$-~]*)?)$`)

// address reads an absolute URI without reading its path: SAP Concur's ids hold
// characters such as "$", and the URIs of its samples even "%" that escapes
// nothing. What stands behind the host is sent as it is.
func address(uri string) (*url.URL, bool) {
	parts := form.FindStringSubmatch(uri)
	if len(uri) > maxURI || parts == nil {
		return nil, false
	}
	bare, err := url.Parse(parts[1])
	if err != nil || bare.Hostname() == "" || bare.User != nil {
		return nil, false
	}
	return &url.URL{Scheme: bare.Scheme, Host: bare.Host, Opaque: parts[2]}, true
}

// insecure reports whether a request to u would carry the token in the clear over a network.
func insecure(u *url.URL) bool {
	if u.Scheme == "https" {
		return false
	}
	host := u.Hostname()
	return host != "localhost" && !net.ParseIP(host).IsLoopback()
}
