package ess

import (
	"errors"
	"strings"
	"testing"
)

func TestNewRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	good := Config{BaseURL: "https://us2.api.concursolutions.com", ClientID: testID, ClientSecret: testSecret}
	tests := map[string]struct {
		reason string
		edit   func(*Config)
		bad    bool
	}{
		"Good":         {"The base configuration.", func(*Config) {}, false},
		"LoopbackHTTP": {"A demo needs no certificates.", func(c *Config) { c.BaseURL = "http://127.0.0.1:8080" }, false},
		"LoopbackIPv6": {"Likewise.", func(c *Config) { c.BaseURL = "http://[::1]:8080" }, false},
		"Localhost":    {"Likewise.", func(c *Config) { c.BaseURL = "http://localhost:8080/" }, false},
		"PlainHTTP":    {"Secrets in the clear.", func(c *Config) { c.BaseURL = "http://us2.api.concursolutions.com" }, true},
		"NotLoopback":  {"A name is not an address.", func(c *Config) { c.BaseURL = "http://127.0.0.1.evil.example" }, true},
		"NoScheme":     {"A host is no URL.", func(c *Config) { c.BaseURL = "us2.api.concursolutions.com" }, true},
		"NoHost":       {"Nowhere to go.", func(c *Config) { c.BaseURL = "https:///x" }, true},
		"NoBase":       {"Required.", func(c *Config) { c.BaseURL = "" }, true},
		"User":         {"Credentials do not belong into URLs.", func(c *Config) { c.BaseURL = "https://me:hunter2@us.example" }, true},
		"Query":        {"A base has no query.", func(c *Config) { c.BaseURL = "https://us.example/?x=hunter2" }, true},
		"Unreadable":   {"Not a URL.", func(c *Config) { c.BaseURL = "https://me:hunter2@us .example" }, true},
		"BadAPIURL":    {"Likewise for the API.", func(c *Config) { c.APIURL = "ftp://us.example" }, true},
		"BadPrefix":    {"A prefix is a path.", func(c *Config) { c.PathPrefix = "/v4?x" }, true},
		"NoID":         {"Required.", func(c *Config) { c.ClientID = "" }, true},
		"NoSecret":     {"Required.", func(c *Config) { c.ClientSecret = "" }, true},
	}
	for name, tc := range tests {
		cfg := good
		tc.edit(&cfg)
		client, err := New(cfg)
		if (err != nil) != tc.bad || errors.Is(err, ErrConfig) != tc.bad || (client == nil) != tc.bad {
			t.Errorf("%s: %s\ngot %v", name, tc.reason, err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: a password shows in %v", name, err)
		}
	}
}
