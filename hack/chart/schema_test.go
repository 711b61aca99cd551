package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBadValuesAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ reason, values, says string }{
		"WrongType":     {"a number in quotes is a mistake that would only show in the cluster", "{manager: {replicas: '2'}}", "/manager/replicas"},
		"WrongWord":     {"the program would not start", "{manager: {logging: {level: verbose}}}", "/manager/logging/level"},
		"HTTP":          {"Concur posts to https only", "{receiver: {publicURL: 'http://events.example.com'}}", "receiver.publicURL is \"http://events.example.com\": it must be https:// and the host"},
		"Path":          {"the receiver's paths are its own", "{receiver: {publicURL: 'https://example.com/events'}}", "without a path"},
		"HostWithPort":  {"hosts are compared without a port", "{manager: {allowedHosts: ['localhost:8443']}}", "manager.allowedHosts[0] is \"localhost:8443\": it must be one host"},
		"CommaInHost":   {"it would be two hosts", "{manager: {allowedHosts: ['a,b']}}", "manager.allowedHosts[0]"},
		"Digest":        {"a digest without its algorithm is none", "{receiver: {image: {digest: abc}}}", "receiver.image.digest is \"abc\": it must be sha256:"},
		"ManyWriters":   {"the journal has one writer", "{receiver: {persistence: {accessModes: [ReadWriteMany]}}}", "/receiver/persistence/accessModes"},
		"MountedPath":   {"where things are mounted is the chart's", "{receiver: {config: {journal: {bbolt: {path: x}}}}}", "'path'"},
		"ChartsListen":  {"as is what the ports are", "{receiver: {config: {events: {listen: ':1'}}}}", "'listen'"},
		"ReceiverTypo":  {"a key of the receiver's own file is checked before it is installed", "{receiver: {config: {proof: {requires: all}}}}", "'requires'"},
		"LongName":      {"a name that is cut might be another release's", "{fullnameOverride: " + strings.Repeat("a", 41) + "}", "/fullnameOverride"},
		"NoSection":     {"it is not how to do without the receiver", "{receiver: null}", "missing property 'receiver'"},
		"NoPort":        {"the manager would refuse it, and start again and again", "{receiver: {publicURL: 'https://e.example.com:65536'}}", "receiver.publicURL"},
		"PortZero":      {"likewise", "{receiver: {publicURL: 'https://e.example.com:0'}}", "receiver.publicURL"},
		"HostInWords":   {"likewise; certificates and DNS have it as xn--…", "{receiver: {publicURL: 'https://bücher.example'}}", "receiver.publicURL"},
		"PortOnly":      {"a host is needed", "{receiver: {publicURL: 'https://:8443'}}", "receiver.publicURL"},
		"Subnet":        {"the receiver would not start", "{receiver: {config: {sinks: {denyCIDRs: [10.0.0.1]}}}}", "receiver.config.sinks.denyCIDRs[0]"},
		"NoIssuer":      {"cert-manager would say so much later", "{receiver: {publicURL: 'https://e.example.com'}, certManager: {enabled: true}}", "certManager.issuerRef.name is empty"},
		"IngressNoHost": {"an Ingress without a host would take all that arrives", "{receiver: {ingress: {enabled: true}}}", "receiver.publicURL is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := helm(standard, c.values); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %s gives %v, want an error that says %q", c.reason, c.values, err, c.says)
			}
		})
	}
	t.Run("LongReleaseName", func(t *testing.T) {
		t.Parallel()
		if _, err := helm(where{name: strings.Repeat("r", 50), namespace: "n"}, "{}"); err == nil || !strings.Contains(err.Error(), "fullnameOverride") {
			t.Errorf("a release whose objects' names are too long gives %v, want an error that says what to set", err)
		}
	})
}

// TestTyposAreRefused puts an unknown key beside each known one.
func TestTyposAreRefused(t *testing.T) {
	t.Parallel()
	parents := map[string]bool{"": true}
	for _, r := range chartValues(t) {
		for at, c := range r.key {
			if c == '.' {
				parents[r.key[:at+1]] = true
			}
		}
	}
	for parent := range parents {
		t.Run("below_"+parent, func(t *testing.T) {
			t.Parallel()
			values := asJSON(t, with(t, map[string]any{}, parent+"misspelt", true))
			if _, err := helm(standard, values); err == nil || !strings.Contains(err.Error(), "misspelt") {
				t.Errorf("%s gives %v, want an error that names the key", values, err)
			}
		})
	}
}

// TestSchemaKnowsTheValues holds both against each other, the other way round.
func TestSchemaKnowsTheValues(t *testing.T) {
	t.Parallel()
	schema := chartSchema(t)
	want := map[string]bool{"global": true, "enabled": true} // of a chart around this one
	for _, r := range chartValues(t) {
		want[r.key] = true
	}
	got := map[string]bool{}
	schema.leaves(schema, "", want, got)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))); diff != "" {
		t.Errorf("values.schema.json and values.yaml (-values +schema):\n%s", diff)
	}
}

// leaves collects the keys below p, and stops at those that are values as a whole.
func (s property) leaves(p property, key string, values, into map[string]bool) {
	p = s.resolve(p)
	if values[key] || len(p.Properties) == 0 {
		into[key] = true
		return
	}
	for name, below := range p.Properties {
		s.leaves(below, strings.TrimPrefix(key+"."+name, "."), values, into)
	}
}

// chartsOwn are the settings of the receiver that the chart decides on.
var chartsOwn = []string{
	"publicURL", "events.listen", "events.tls.certFile", "events.tls.keyFile", "admin.listen", "admin.tls.certFile",
	"admin.tls.keyFile", "admin.tokenFile", "journal.bbolt.path", "journal.jetstream",
}

// TestSchemaKnowsTheReceiver holds the keys of receiver.config against the receiver's
// reference, which a test of the receiver holds against its code.
func TestSchemaKnowsTheReceiver(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(filepath.Join(root, "docs/reference/receiver.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(content), "\n## config.yaml\n")
	section, _, _ = strings.Cut(section, "\n## ")
	want := map[string]bool{}
	for line := range strings.Lines(section) {
		if key, ok := strings.CutPrefix(line, "| `"); ok {
			key, _, _ = strings.Cut(key, "`")
			want[key] = !slices.Contains(chartsOwn, key)
		}
	}
	for _, key := range chartsOwn {
		if want[key] = false; len(want) < len(chartsOwn) {
			t.Fatalf("the reference has %d keys; the table must have moved", len(want))
		}
		delete(want, key)
	}
	schema := chartSchema(t)
	got := map[string]bool{}
	schema.leaves(schema.Defs["config"], "", nil, got)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))); diff != "" {
		t.Errorf("receiver.config in the schema and docs/reference/receiver.md (-reference +schema):\n%s", diff)
	}
}

// TestFlagsExist looks up in the references of both programs every flag that the chart
// can give them.
func TestFlagsExist(t *testing.T) {
	t.Parallel()
	objects := rendered(t, standard, everything)
	for object, c := range map[string]struct{ field, reference string }{
		managerObject:  {managerArgs, "docs/reference/manager.md"},
		receiverObject: {receiverBox + "args", "docs/reference/receiver.md"},
	} {
		reference, err := os.ReadFile(filepath.Join(root, c.reference))
		if err != nil {
			t.Fatal(err)
		}
		args, _ := tidy(t, at(t, objects[object], c.field)).([]any)
		if len(args) < 4 {
			t.Errorf("%s has the flags %v only", object, args)
		}
		for _, arg := range args {
			flag, _, _ := strings.Cut(arg.(string), "=")
			if !strings.Contains(string(reference), "| `"+flag+"` |") {
				t.Errorf("%s has the flag %s, which %s does not know", object, flag, c.reference)
			}
		}
	}
}
