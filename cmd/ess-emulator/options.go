package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/ess-operator/ess-operator/internal/essemulator"
	"github.com/ess-operator/ess-operator/internal/essemulator/callout"
)

// The demo application, used when no --application is given. It is public and good for nothing else.
const (
	demoID     = "5e55e55e-0000-4000-8000-000000000001"
	demoSecret = "5e55e55e-0000-4000-8000-0000000000aa"
)

// options are the program's flags.
type options struct {
	listen, adminListen, echoListen string
	sinkListen                      string
	stateDir                        string
	initialize                      bool
	sampleInterval                  time.Duration
	baseURL                         string
	serverNames                     list
	issue                           list
	deliveryCAFile                  string
	applicationFlags                list
	applications                    []essemulator.Application
	connectorFlags, userTokenFlags  list
	connectors                      []callout.Connector
	userTokens                      []userToken
	clock                           string
	clockOffset                     time.Duration
	logFormat                       string
	logLevel                        slog.Level
	version                         bool
	assume                          essemulator.Assumptions
}

// newFlags returns the flags bound to fresh options with their defaults.
func newFlags() (*flag.FlagSet, *options) {
	o := &options{assume: essemulator.DefaultAssumptions()}
	fs := flag.NewFlagSet("ess-emulator", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // run prints errors and help itself
	o.bind(fs)
	o.assume.Bind(fs)
	return fs, o
}

// bind adds the flags that are not assumptions.
func (o *options) bind(fs *flag.FlagSet) {
	fs.StringVar(&o.listen, "listen", "127.0.0.1:8443", "`address` of Concur's face, HTTPS")
	fs.StringVar(&o.adminListen, "admin-listen", "127.0.0.1:8444",
		"`address` of the admin API, plain HTTP without authentication: keep it on loopback")
	fs.StringVar(&o.echoListen, "echo-listen", "",
		"`address` of a built-in HTTPS endpoint that checks and prints events and callouts; none if empty")
	fs.StringVar(&o.sinkListen, "sink-listen", "",
		"`address` of an event display, plain HTTP: prints the CloudEvents posted to it; then the program is nothing else")
	fs.StringVar(&o.stateDir, "state-dir", ".ess-emulator",
		"`directory` for keys and certificates, kept over restarts; may be read-only once it is complete")
	fs.BoolVar(&o.initialize, "init", false, "write all that is missing in the state directory, and the certificates of --issue-cert, and stop")
	fs.DurationVar(&o.sampleInterval, "sample-interval", 0,
		"`time` between built-in events, one after the other for every topic and company with a subscription; 0 none")
	fs.StringVar(&o.baseURL, "base-url", "",
		"`URL` that tokens name as geolocation and issuer; if empty the one a client called")
	fs.Var(&o.serverNames, "server-name",
		"further `host` for the server certificate besides localhost, 127.0.0.1 and ::1; repeatable")
	fs.Var(&o.issue, "issue-cert", "write a server certificate for an endpoint of yours, repeatable: `host[,host]:file-prefix`")
	fs.StringVar(&o.deliveryCAFile, "delivery-ca-file", "",
		"PEM `file` of further authorities trusted for endpoints, besides the system's and the emulator's own")
	fs.Var(&o.applicationFlags, "application",
		"an OAuth2 client, repeatable; scopes default to all; if none is given there is a demo client: "+
			"`id=ID,secret=SECRET[,scopes=A+B][,principal=UUID]`")
	o.bindCallouts(fs)
	fs.StringVar(&o.clock, "clock", "real", "follow the system clock, or move only by the admin API: `real|manual`")
	fs.DurationVar(&o.clockOffset, "clock-offset", 0, "`time` by which the clock starts ahead of the system's")
	fs.StringVar(&o.logFormat, "log-format", "text", "form of the log on standard error: `text|json`")
	fs.TextVar(&o.logLevel, "log-level", slog.LevelInfo, "least level that is logged: `DEBUG|INFO|WARN|ERROR`")
	fs.BoolVar(&o.version, "version", false, "print the version and stop")
}

// parse reads the command line. The error is flag.ErrHelp when help was asked for.
func parse(args []string) (*options, error) {
	fs, o := newFlags()
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	if err := o.validate(fs.Args()); err != nil {
		return nil, err
	}
	if err := o.readApplications(); err != nil {
		return nil, err
	}
	return o, o.readCallouts()
}

// validate refuses flags that cannot be, alone or together, and arguments that are none.
func (o *options) validate(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("unexpected argument %q: there are only flags", rest[0])
	case o.clock != "real" && o.clock != "manual":
		return fmt.Errorf("--clock=%s: want real or manual", o.clock)
	case o.logFormat != "text" && o.logFormat != "json":
		return fmt.Errorf("--log-format=%s: want text or json", o.logFormat)
	case o.initialize && o.sinkListen != "":
		return errors.New("--init and --sink-listen: the event display has no keys; give one of them")
	case o.sampleInterval < 0:
		return fmt.Errorf("--sample-interval=%v: want 0 or more", o.sampleInterval)
	default:
		return nil
	}
}

// readApplications decodes the --application flags. It is done here and not by package flag, whose errors
// repeat the value, and with it a secret.
func (o *options) readApplications() error {
	for i, text := range o.applicationFlags {
		app, err := readApplication(text)
		if err != nil {
			return fmt.Errorf("reading --application number %d: %w", i+1, err)
		}
		o.applications = append(o.applications, app)
	}
	if len(o.applications) == 0 {
		o.applications = []essemulator.Application{{
			ID: demoID, Secrets: []string{demoSecret}, Scopes: essemulator.AllScopes(),
		}}
	}
	return nil
}

// list is a repeatable flag.
type list []string

func (l *list) String() string { return strings.Join(*l, " ") }

// Set implements [flag.Value].
func (l *list) Set(s string) error {
	*l = append(*l, s)
	return nil
}

// errApplication is an --application that cannot be understood.
var errApplication = errors.New("want id=ID,secret=SECRET[,scopes=A+B][,principal=UUID]")

// readApplication decodes one --application. Several secrets may be given.
func readApplication(text string) (essemulator.Application, error) {
	app := essemulator.Application{Scopes: essemulator.AllScopes()}
	ok := readPairs(text, map[string]func(string){
		"id":        func(v string) { app.ID = v },
		"secret":    func(v string) { app.Secrets = append(app.Secrets, v) },
		"scopes":    func(v string) { app.Scopes = strings.FieldsFunc(v, func(r rune) bool { return r == '+' || r == ' ' }) },
		"principal": func(v string) { app.AllowedPrincipal = v },
	})
	if !ok || app.ID == "" || len(app.Secrets) == 0 {
		return app, errApplication
	}
	return app, nil
}
