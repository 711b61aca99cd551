package main

import (
	"errors"
	"flag"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/config"
)

// registering guards the variable that controller-runtime binds --kubeconfig to.
var registering sync.Mutex

// newFlags are flags as main has them before it adds its own.
func newFlags() *flag.FlagSet {
	registering.Lock()
	defer registering.Unlock()
	flags := flag.NewFlagSet("manager", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	config.RegisterFlags(flags) // --kubeconfig
	return flags
}

// parsed parses args as main does, in a flag set of its own.
func parsed(args ...string) (options, error) { return parse(newFlags(), args) }

// refusal is a command line, and what is said when it is refused.
type refusal struct {
	reason string
	args   []string
	want   string // empty: accepted
}

func refusesFlags(t *testing.T, tests map[string]refusal) {
	t.Helper()
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := parsed(tt.args...)
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("refused though %s: %v", tt.reason, err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("the error is %v, want %q: %s", err, tt.want, tt.reason)
			}
		})
	}
}

func TestFlagsAreRefusedAtOnce(t *testing.T) {
	t.Parallel()
	refusesFlags(t, map[string]refusal{
		"None":          {reason: "the defaults are usable"},
		"NoNamespaces":  {reason: "a list of nothing is a slip, and watching everything is not what was asked", args: []string{"--watch-namespaces=,"}, want: `--watch-namespaces is "," and names no namespace`},
		"NamespaceCase": {reason: "it would watch what can never be there, and say nothing", args: []string{"--watch-namespaces=finance,Travel"}, want: `--watch-namespaces has "Travel", which no namespace can be called`},
		"NamespaceGap":  {reason: "a space for a comma is a slip", args: []string{"--watch-namespaces=finance travel"}, want: `--watch-namespaces has "finance travel"`},
		"Argument":      {reason: "a flag after a forgotten dash would do nothing", args: []string{"leader-elect"}, want: `unexpected argument "leader-elect": every setting is a flag, see --help`},
		"UnknownFlag":   {reason: "a misspelt flag would do nothing", args: []string{"--leader-election"}, want: "flag provided but not defined: -leader-election"},
		"NoLease":       {reason: "without a name there is none to hold", args: []string{"--leader-election-id="}, want: "--leader-election-id is empty: name a Lease, or leave it out"},
		"LeaseName":     {reason: "no Lease can be called so, and the manager would wait for it for ever", args: []string{"--leader-election-id=My Lease"}, want: `--leader-election-id is "My Lease", which no Lease can be called`},
		"MetricsWord":   {reason: "nothing can listen there", args: []string{"--metrics-bind-address=on"}, want: `--metrics-bind-address is "on": use host:port or :port`},
		"MetricsPort":   {reason: "there are 65535 ports", args: []string{"--metrics-bind-address=:99999"}, want: `--metrics-bind-address is ":99999"`},
		"ProbePort":     {reason: "a port alone is no address", args: []string{"--health-probe-bind-address=8081"}, want: `--health-probe-bind-address is "8081"`},
		"NoAddresses":   {reason: "0 turns both off", args: []string{"--metrics-bind-address=0", "--health-probe-bind-address=0"}},
		"SomeAddresses": {reason: "any port, any host", args: []string{"--metrics-bind-address=127.0.0.1:0", "--health-probe-bind-address=[::1]:8081"}},
		"Several":       {reason: "who has made two mistakes learns of both", args: []string{"--metrics-bind-address=on", "--log-format=yaml"}, want: "--log-format is \"yaml\": use json or text\n--metrics-bind-address is \"on\""},
		"LogFormat":     {reason: "logs are read by machines that expect one of two", args: []string{"--log-format=yaml"}, want: `--log-format is "yaml": use json or text`},
		"LogFormatText": {reason: "people read logs too", args: []string{"--log-format=text"}},
		"LogLevel":      {reason: "there are four levels", args: []string{"--log-level=loud"}, want: `invalid value "loud" for flag -log-level`},
		"LogLevelLower": {reason: "the help writes levels in lower case", args: []string{"--log-level=debug"}},
		"NoWorkers":     {reason: "nothing would ever be reconciled", args: []string{"--max-concurrent-reconciles=0"}, want: "--max-concurrent-reconciles is 0: use 1 or more"},
		"HostIsURL":     {reason: "a list that matches nothing stalls every connection", args: []string{"--allowed-hosts=https://us2.api.concursolutions.com"}, want: "reading allowed hosts"},
		"HostsLoopback": {reason: "for the emulator", args: []string{"--allowed-hosts=*.concursolutions.com,localhost"}},
	})
}

func TestFlagsAboutTheReceiverAreRefusedAtOnce(t *testing.T) {
	t.Parallel()
	refusesFlags(t, map[string]refusal{
		"ReceiverHTTP":   {reason: "ESS delivers over https only", args: []string{"--receiver-url=http://events.example.com"}, want: `reading the receiver URL "http://events.example.com": it must be like https://events.example.com`},
		"ReceiverLocal":  {reason: "for an emulator that accepts plain endpoints", args: []string{"--receiver-url=http://127.0.0.1:8443"}},
		"ReceiverHTTPS":  {reason: "a receiver may be below a path", args: []string{"--receiver-url=https://events.example.com/ess/"}},
		"ReceiverNoHost": {reason: "ESS would be asked to deliver nowhere", args: []string{"--receiver-url=https://:8443"}, want: `reading the receiver URL "https://:8443"`},
		"ReceiverPort":   {reason: "ESS would be asked to deliver nowhere", args: []string{"--receiver-url=https://events.example.com:99999"}, want: "reading the receiver URL"},
		"ReceiverSpace":  {reason: "it would be in every endpoint at ESS", args: []string{"--receiver-url=https://events.example.com/a b"}, want: "reading the receiver URL"},
		"ReceiverQuery":  {reason: "what follows would be a query", args: []string{"--receiver-url=https://events.example.com?"}, want: "reading the receiver URL"},
		"ReceiverHash":   {reason: "what follows would be a fragment", args: []string{"--receiver-url=https://events.example.com#"}, want: "reading the receiver URL"},
		"ReceiverIPv6":   {reason: "an address is a host", args: []string{"--receiver-url=https://[2001:db8::1]:8443"}},
		"AdminHTTP":      {reason: "the token must not travel in the clear", args: []string{"--receiver-admin-url=http://receiver.svc:9443"}, want: `reading the receiver's admin URL "http://receiver.svc:9443"`},
		"AdminHTTPS":     {reason: "as in config/receiver", args: []string{"--receiver-admin-url=https://receiver.svc:9443", "--receiver-admin-token-file=token", "--receiver-admin-ca-file=ca.pem"}},
		"AdminNoURL":     {reason: "a token for nobody is a slip", args: []string{"--receiver-admin-token-file=token"}, want: "do nothing without --receiver-admin-url"},
		"SecretNoURL":    {reason: "nobody knows what name the certificate is for", args: []string{"--receiver-admin-secret=a/b"}, want: "--receiver-admin-secret needs --receiver-admin-url"},
		"SecretName":     {reason: "a name alone says no namespace", args: []string{"--receiver-admin-url=https://receiver.svc:9443", "--receiver-admin-secret=admin"}, want: `--receiver-admin-secret is "admin": use namespace/name`},
		"SecretSlashes":  {reason: "no Secret has such a name", args: []string{"--receiver-admin-url=https://receiver.svc:9443", "--receiver-admin-secret=a/b/c"}, want: "use namespace/name"},
		"SecretNoSpace":  {reason: "no Secret is in no namespace", args: []string{"--receiver-admin-url=https://receiver.svc:9443", "--receiver-admin-secret=/b"}, want: "use namespace/name"},
		"SecretGood":     {reason: "as in config/receiver", args: []string{"--receiver-admin-url=https://receiver.svc:9443", "--receiver-admin-secret=ess-operator-system/ess-operator-receiver-admin"}},
		"SecretAndFile":  {reason: "files win, for what the Secret does not have", args: []string{"--receiver-admin-url=https://receiver.svc:9443", "--receiver-admin-secret=a/b", "--receiver-admin-token-file=token"}},
		"RoutesName":     {reason: "a name alone says no namespace", args: []string{"--receiver-routes-secret=routes"}, want: `--receiver-routes-secret is "routes": use namespace/name`},
		"RoutesSlashes":  {reason: "no Secret has such a name", args: []string{"--receiver-routes-secret=a/b/c"}, want: "use namespace/name"},
		"RoutesCase":     {reason: "no namespace and no Secret has capitals", args: []string{"--receiver-routes-secret=System/Routes"}, want: `--receiver-routes-secret is "System/Routes": use namespace/name`},
		"RoutesGood":     {reason: "as in config/receiver", args: []string{"--receiver-routes-secret=ess-operator-system/ess-operator-receiver-routes"}},
	})
}

func TestHelpIsNoFailure(t *testing.T) {
	t.Parallel()
	if _, err := parsed("--help"); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("the error is %v, want one that main knows for a request for help", err)
	}
}

func TestWatchedNamespaces(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason string
		args   []string
		want   []string
	}{
		"All":    {reason: "no list is no limit"},
		"Some":   {reason: "spaces and empty items are slips, not namespaces", args: []string{"--watch-namespaces=finance, travel,"}, want: []string{"finance", "travel"}},
		"Spaced": {reason: "a list of nothing must not become one empty namespace", args: []string{"--watch-namespaces="}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, err := parsed(tt.args...)
			if err != nil {
				t.Fatal(err)
			}
			watched := o.manager(runtime.NewScheme()).Cache.DefaultNamespaces
			if len(watched) != len(tt.want) {
				t.Errorf("watches %v, want %v: %s", watched, tt.want, tt.reason)
			}
			for _, namespace := range tt.want {
				if _, ok := watched[namespace]; !ok {
					t.Errorf("does not watch %s: %s", namespace, tt.reason)
				}
			}
			if diff := cmp.Diff(slices.Sorted(slices.Values(tt.want)), o.controllers.Namespaces); diff != "" {
				t.Errorf("the controllers are told of other namespaces (-want +got): %s\n%s", tt.reason, diff)
			}
		})
	}
}

func TestMetricsAreForAuthorisedCallers(t *testing.T) {
	t.Parallel()
	o, err := parsed("--metrics-bind-address=:8443")
	if err != nil {
		t.Fatal(err)
	}
	if m := o.manager(runtime.NewScheme()).Metrics; !m.SecureServing || m.FilterProvider == nil {
		t.Error("metrics are served to everybody unless asked otherwise")
	}
	if o, err = parsed("--metrics-secure=false"); err != nil {
		t.Fatal(err)
	}
	if m := o.manager(runtime.NewScheme()).Metrics; m.SecureServing || m.FilterProvider != nil {
		t.Error("--metrics-secure=false still asks who is calling")
	}
}
