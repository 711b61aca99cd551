package connection

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Hosts are the hosts that a connection may name, so that nobody can make the
// operator call what they could not call themselves.
type Hosts []string

// ParseHosts reads a list such as "*.concursolutions.com,localhost". A leading
// "*." stands for one or more labels; ports are not part of it.
func ParseHosts(list string) (Hosts, error) {
	var hosts Hosts
	for item := range strings.SplitSeq(list, ",") {
		host := strings.ToLower(strings.TrimSpace(item))
		name := strings.TrimPrefix(host, "*.")
		if name == "" || strings.ContainsAny(name, "*/ @?#") {
			return nil, fmt.Errorf("reading allowed hosts: %q is neither a host name nor *.domain", item)
		}
		hosts = append(hosts, host)
	}
	return hosts, nil
}

// Allow returns an error that names the host when it is not in the list.
func (h Hosts) Allow(u *url.URL) error {
	name := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if name == "" {
		return errors.New("the URL names no host")
	}
	for _, host := range h {
		domain, wild := strings.CutPrefix(host, "*.")
		if name == domain && !wild || wild && strings.HasSuffix(name, "."+domain) {
			return nil
		}
	}
	return fmt.Errorf("host %q is not among those that a connection may name (%s)", name, strings.Join(h, ", "))
}
