package main

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/ess-operator/ess-operator/controllers/statistics"
)

// validate refuses what would only fail later, or silently; rest are the arguments that are no flags.
func (o *options) validate(rest []string) error {
	if len(rest) > 0 {
		return fmt.Errorf("unexpected argument %q: every setting is a flag, see --help", rest[0])
	}
	return errors.Join(
		o.validateNamespaces(),
		o.validateProcess(),
		validateAddress("--metrics-bind-address", o.metricsAddress),
		validateAddress("--health-probe-bind-address", o.probeAddress),
		o.validateReceiver(),
		o.controllers.Validate(),
	)
}

// validateNamespaces reads the list of namespaces.
func (o *options) validateNamespaces() error {
	o.controllers.Namespaces = o.namespaces()
	if o.watchNamespaces != "" && len(o.controllers.Namespaces) == 0 {
		return fmt.Errorf("--watch-namespaces is %q and names no namespace: name some, or leave it out to watch all", o.watchNamespaces)
	}
	for _, name := range o.controllers.Namespaces {
		if len(validation.IsDNS1123Label(name)) > 0 {
			return fmt.Errorf("--watch-namespaces has %q, which no namespace can be called: use names, separated by commas", name)
		}
	}
	return nil
}

// validateProcess looks at what is about the process itself.
func (o *options) validateProcess() error {
	switch {
	case o.logFormat != "json" && o.logFormat != "text":
		return fmt.Errorf("--log-format is %q: use json or text", o.logFormat)
	case o.leaderElectID == "":
		return errors.New("--leader-election-id is empty: name a Lease, or leave it out")
	case len(validation.IsDNS1123Subdomain(o.leaderElectID)) > 0:
		return fmt.Errorf("--leader-election-id is %q, which no Lease can be called: use small letters, digits, points and hyphens", o.leaderElectID)
	case o.controllers.Concurrency < 1:
		return fmt.Errorf("--max-concurrent-reconciles is %d: use 1 or more", o.controllers.Concurrency)
	default:
		return nil
	}
}

// validateAddress refuses what cannot be listened on. Empty and 0 say that nothing is.
func validateAddress(flagName, value string) error {
	if value == "" || value == "0" {
		return nil
	}
	_, port, err := net.SplitHostPort(value)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("%s is %q: use host:port or :port, such as :8443, or 0 for none", flagName, value)
	}
	return nil
}

// validateReceiver reads the flags about the receiver.
func (o *options) validateReceiver() error {
	var routesErr, adminErr error
	o.controllers.RoutesSecret, routesErr = secretName("--receiver-routes-secret", o.routesSecret)
	o.controllers.AdminSecret, adminErr = secretName("--receiver-admin-secret", o.adminSecret)
	switch admin := o.controllers.ReceiverAdmin; {
	case routesErr != nil || adminErr != nil:
		return errors.Join(routesErr, adminErr)
	case admin.URL == "" && admin != (statistics.Receiver{}):
		return errors.New("--receiver-admin-token-file and --receiver-admin-ca-file do nothing without --receiver-admin-url: add it")
	case admin.URL == "" && o.adminSecret != "":
		return errors.New("--receiver-admin-secret needs --receiver-admin-url, whose host the certificate is made for: add it")
	default:
		return nil
	}
}

// secretName reads the value of a flag that names a Secret; empty: none.
func secretName(flagName, value string) (types.NamespacedName, error) {
	namespace, name, ok := strings.Cut(value, "/")
	if value != "" && (!ok || len(validation.IsDNS1123Label(namespace)) > 0 || len(validation.IsDNS1123Subdomain(name)) > 0) {
		return types.NamespacedName{}, fmt.Errorf("%s is %q: use namespace/name", flagName, value)
	}
	return types.NamespacedName{Namespace: namespace, Name: name}, nil
}
