package main

import (
	"flag"
	"fmt"
	"strings"

	"github.com/ess-operator/ess-operator/internal/essemulator"
)

const intro = `ess-emulator is SAP Concur's Event Subscription Service (ESS) on your own machine.

It issues tokens, keeps subscriptions with Concur's rules, and posts signed events to your endpoint with
Concur's retries. Start it and follow the commands it prints:

  ess-emulator --echo-listen=127.0.0.1:8445

Your client trusts .ess-emulator/ca.crt, your endpoint can use .ess-emulator/endpoint.crt and endpoint.key,
and verifies Concur-Signature with .ess-emulator/signing-key.pem. Companies, events, faults and time are
under your control by the admin API: curl http://127.0.0.1:8444/

`

// help is the text of --help.
func help() string {
	var b strings.Builder
	b.WriteString(intro)
	general, assumptions := grouped()
	b.WriteString("Flags (switches that are on are turned off by --name=false):\n")
	describe(&b, general)
	b.WriteString("\nAssumptions, where Concur documents nothing or two things (also changed by the admin API):\n")
	describe(&b, assumptions)
	return b.String()
}

// grouped returns all flags, each group sorted by name.
func grouped() (general, assumptions []*flag.Flag) {
	settings := essemulator.DefaultAssumptions().Settings()
	fs, _ := newFlags()
	fs.VisitAll(func(f *flag.Flag) {
		if _, ok := settings[f.Name]; ok {
			assumptions = append(assumptions, f)
			return
		}
		general = append(general, f)
	})
	return general, assumptions
}

func describe(b *strings.Builder, flags []*flag.Flag) {
	for _, f := range flags {
		value, usage := flag.UnquoteUsage(f)
		fmt.Fprintf(b, "  --%s", f.Name)
		if value != "" {
			fmt.Fprintf(b, " %s", value)
		}
		fmt.Fprintf(b, "\n        %s", strings.TrimSuffix(usage, ": "+value))
		if f.DefValue != "" && f.DefValue != "false" {
			fmt.Fprintf(b, " (default %s)", f.DefValue)
		}
		b.WriteString("\n")
	}
}
