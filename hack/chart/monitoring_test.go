package main

import (
	"strings"
	"testing"
)

// TestMonitorsFindTheirServices holds what Prometheus reads to the objects of the same
// release that it is about, whatever the release is called.
func TestMonitorsFindTheirServices(t *testing.T) {
	t.Parallel()
	for _, w := range []where{standard, {"prod", "concur"}} {
		objects := rendered(t, w, "{monitoring: {serviceMonitor: {enabled: true}, prometheusRule: {enabled: true}}}")
		fullname := strings.TrimSuffix(w.name, "-ess-operator") + "-ess-operator"
		if w == standard {
			fullname = w.name
		}
		for _, program := range []string{"manager", "receiver"} {
			monitor := objects["ServiceMonitor/"+fullname+"-"+program]
			name, _ := tidy(t, at(t, monitor, "spec endpoints [port=https] relabelings [action=keep] regex")).(string)
			service := objects["Service/"+name]
			if at(t, service, "spec ports [name=https]") == "" {
				t.Errorf("%s: the %s is scraped at the port https of the Service %q, which is not there", w.name, program, name)
			}
			const label = "app.kubernetes.io/name"
			if want, got := at(t, service, "metadata labels "+label), at(t, monitor, "spec selector matchLabels "+label); got != want || got == "" {
				t.Errorf("%s: the ServiceMonitor %s looks for the name %s, and the Service has %s", w.name, program, got, want)
			}
			if alerts := at(t, objects["PrometheusRule/"+fullname+"-"+program], "spec groups"); !strings.Contains(alerts, `{job=\"`+name+`\"}`) {
				t.Errorf("%s: no alert misses the job %s", w.name, name)
			}
		}
		host, _ := tidy(t, at(t, objects["ServiceMonitor/"+fullname+"-receiver"], "spec endpoints [port=https] tlsConfig serverName")).(string)
		args := strings.ReplaceAll(at(t, objects["Deployment/"+fullname+"-manager"], managerArgs), "$(NAMESPACE)", w.namespace)
		if !strings.Contains(args, "--receiver-admin-url=https://"+host+":9443") {
			t.Errorf("%s: Prometheus expects the certificate of %s, and the manager makes one by %s", w.name, host, args)
		}
	}
}
