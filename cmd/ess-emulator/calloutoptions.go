package main

import (
	"errors"
	"flag"
	"fmt"
	"strings"

	"github.com/ess-operator/ess-operator/internal/essemulator"
	"github.com/ess-operator/ess-operator/internal/essemulator/callout"
)

// userToken is an access token and what it allows.
type userToken struct {
	token string
	essemulator.UserToken
}

// bindCallouts adds the flags about callouts that are not assumptions.
func (o *options) bindCallouts(fs *flag.FlagSet) {
	fs.Var(&o.connectorFlags, "connector",
		"an application connector of the Event Notification callout, repeatable: "+
			"`name=NAME,host=URL,user=NAME,password=SECRET[,path=PATH][,company=ID]`")
	fs.Var(&o.userTokenFlags, "user-token",
		"an access token of a user for failed notifications, repeatable; roles default to Web Services Administrator: "+
			"`token=TOKEN,user=NAME[,roles=A+B][,company=ID]`")
}

// readCallouts decodes the --connector and --user-token flags; see readApplications.
func (o *options) readCallouts() error {
	for i, text := range o.connectorFlags {
		c, err := readConnector(text)
		if err != nil {
			return fmt.Errorf("reading --connector number %d: %w", i+1, err)
		}
		o.connectors = append(o.connectors, c)
	}
	for i, text := range o.userTokenFlags {
		t, err := readUserToken(text)
		if err != nil {
			return fmt.Errorf("reading --user-token number %d: %w", i+1, err)
		}
		o.userTokens = append(o.userTokens, t)
	}
	return nil
}

// The forms of the two flags, said when a value cannot be understood.
var (
	errConnector = errors.New("want name=NAME,host=URL,user=NAME,password=SECRET[,path=PATH][,company=ID]")
	errUserToken = errors.New("want token=TOKEN,user=NAME[,roles=A+B][,company=ID]")
)

// readConnector decodes one --connector. It is enabled, and like any other has to be tested before it is used.
func readConnector(text string) (callout.Connector, error) {
	c := callout.Connector{Enabled: true}
	ok := readPairs(text, map[string]func(string){
		"name": func(v string) { c.Name = v }, "host": func(v string) { c.Host = v },
		"user": func(v string) { c.UserName = v }, "password": func(v string) { c.Password = v },
		"path": func(v string) { c.Path = v }, "company": func(v string) { c.CompanyID = v },
	})
	if !ok || c.Name == "" || c.Host == "" || c.UserName == "" || c.Password == "" {
		return c, errConnector
	}
	return c, nil
}

// readUserToken decodes one --user-token.
func readUserToken(text string) (userToken, error) {
	t := userToken{UserToken: essemulator.UserToken{Roles: []string{essemulator.RoleWebServicesAdministrator}}}
	ok := readPairs(text, map[string]func(string){
		"token": func(v string) { t.token = v }, "user": func(v string) { t.User = v },
		"roles": func(v string) { t.Roles = strings.Split(v, "+") }, "company": func(v string) { t.CompanyID = v },
	})
	if !ok || t.token == "" || t.User == "" {
		return t, errUserToken
	}
	return t, nil
}

// readPairs gives each name=value of a comma-separated text to the function of that name, and tells whether
// all had one and a value.
func readPairs(text string, set map[string]func(string)) bool {
	for part := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(part, "=")
		if set[name] == nil || value == "" {
			return false
		}
		set[name](value)
	}
	return true
}
