package app

import (
	"log/slog"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/reload"
	"github.com/ess-operator/ess-operator/webhook-receiver/internal/strictyaml"
)

// Check reads both files, and every file that the configuration names, as a start would. It returns all
// that is wrong, one sentence each, and changes nothing. warn gets what a start would warn of.
func Check(configPath, routesPath string, warn *slog.Logger) []string {
	l := newLive(warn)
	w, err := reload.New(reload.Config{Logger: warn})
	if err != nil {
		return []string{err.Error()}
	}
	config, routes := l.watch(w, configPath, routesPath)
	return append(sentences(config), sentences(routes)...)
}

// sentences takes an error apart: into what it joins, and a bad file into its problems.
func sentences(err error) []string {
	var all []string
	//nolint:errorlint // what is wrapped is taken apart here, level by level
	switch e := err.(type) {
	case nil:
	case *within:
		for _, s := range sentences(e.err) {
			all = append(all, e.where+": "+s)
		}
	case *strictyaml.Error:
		for _, p := range e.Problems {
			all = append(all, p.String())
		}
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			all = append(all, sentences(one)...)
		}
	default:
		all = append(all, e.Error())
	}
	return all
}

// within says in which file, or below which key, an error is.
type within struct {
	where string
	err   error
}

func (e *within) Error() string { return e.where + ": " + e.err.Error() }

func (e *within) Unwrap() error { return e.err }
