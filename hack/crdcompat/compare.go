package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/crdify/pkg/config"
	"sigs.k8s.io/crdify/pkg/runner"
)

// policy is what crdify takes for a break. Whatever it does not know is one.
var policy = config.Config{
	UnhandledEnforcement: config.EnforcementPolicyError,
	Conversion:           config.ConversionPolicyIgnore,
	Validations: []config.ValidationConfig{
		{Name: "description", Enforcement: config.EnforcementPolicyNone},
		// Clients are told to expect values that they do not know.
		{Name: "enum", Enforcement: config.EnforcementPolicyError, Configuration: map[string]any{"additionPolicy": "Allow"}},
	},
}

// compareDirectories returns what breaks users of the definitions in oldDir when those in newDir replace them.
func compareDirectories(oldDir, newDir string) ([]string, error) {
	before, err := load(oldDir)
	if err != nil {
		return nil, err
	}
	after, err := load(newDir)
	if err != nil {
		return nil, err
	}
	var broken []string
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if after[name] == nil {
			broken = append(broken, name+": the definition is gone, and with it every object")
			continue
		}
		lines, err := compare(before[name], after[name])
		if err != nil {
			return nil, err
		}
		for _, line := range lines {
			broken = append(broken, name+": "+line)
		}
	}
	return broken, nil
}

// compare returns what breaks users of one definition.
func compare(before, after *definition) ([]string, error) {
	checks, err := runner.New(&policy, runner.DefaultRegistry())
	if err != nil {
		return nil, fmt.Errorf("setting crdify up: %w", err)
	}
	broken := append(compareNames(before, after), compareVersions(before, after)...)
	before, after = before.DeepCopy(), after.DeepCopy()
	broken = append(broken, takeRules(before, after)...)
	broken = append(broken, told(checks.Run(before, after))...)
	slices.Sort(broken)
	return slices.Compact(broken), nil
}

// told are the errors that crdify found.
func told(results *runner.Results) []string {
	var lines []string
	for _, r := range results.CRDValidation {
		for _, text := range r.Errors {
			lines = append(lines, r.Name+": "+oneLine(text))
		}
	}
	for _, v := range slices.Concat(results.SameVersionValidation, results.ServedVersionValidation) {
		for _, p := range v.PropertyComparisons {
			for _, r := range p.ComparisonResults {
				for _, text := range r.Errors {
					lines = append(lines, fmt.Sprintf("%s %s: %s: %s", v.Version, p.Property, r.Name, oneLine(text)))
				}
			}
		}
	}
	return lines
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
