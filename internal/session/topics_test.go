package session

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ess-operator/ess-operator/internal/essemulator"
)

func TestTopicsAreReadAgain(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		before func(*testing.T, *concur, *Session)
		want   int // calls of GET topics by the next refresh
	}{
		"Unchanged": {"one LIST is the whole cost of a resync",
			func(*testing.T, *concur, *Session) {}, 0},
		"Allowed": {"a topic that is known is no reason to ask",
			func(_ *testing.T, _ *concur, s *Session) { s.AllowsTopic(reports) }, 0},
		"Missed": {"a topic that somebody wants may have been granted",
			func(_ *testing.T, _ *concur, s *Session) { s.AllowsTopic("public.concur.request") }, 1},
		"FirstRequest": {"the first look of a process read everything anyway",
			func(_ *testing.T, _ *concur, s *Session) { s.Request("noon") }, 0},
		"SameRequest": {"a value counts once",
			func(_ *testing.T, _ *concur, s *Session) { s.Request("noon"); s.Request("noon") }, 0},
		"NewRequest": {"whoever asks for a look means all of it",
			func(_ *testing.T, _ *concur, s *Session) { s.Request("noon"); s.Request("one") }, 1},
		"NewScopes": {"scopes decide about topics",
			func(_ *testing.T, c *concur, _ *Session) {
				c.grant(appA, "events.topic.read", "travelrequest.write")
				c.RevokeTokens(appA) // scopes come with the next token
			}, 1},
		"NewToken": {"a token with the same scopes opens the same topics",
			func(_ *testing.T, c *concur, _ *Session) { c.RevokeTokens(appA) }, 0},
		"NewClient": {"what is configured anew is looked at anew",
			func(t *testing.T, c *concur, s *Session) {
				cfg := c.config(appA, 5)
				cfg.Fingerprint = "rotated"
				configure(t, s, cfg)
			}, 1},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConcur(t)
			s := c.ready(t, 5)
			tc.before(t, c, s)
			c.ResetRequests()
			refresh(t, s)
			if got := c.calls(essemulator.OpTopics); got != tc.want {
				t.Errorf("topics were read %d times, want %d: %s", got, tc.want, tc.reason)
			}
			refresh(t, s)
			if got := c.calls(essemulator.OpTopics); got != tc.want {
				t.Errorf("topics are read at every refresh: %d times", got)
			}
		})
	}
}

func TestTopicsAsRead(t *testing.T) {
	t.Parallel()
	c := newConcur(t)
	c.grant(appA, "events.topic.read", "travelrequest.write", "expense.report.read")
	s := c.ready(t, 5)
	want := []string{"concur.travel.search", reports, "public.concur.request", "public.concur.travel.search"}
	if diff := cmp.Diff(want, s.Snapshot().Topics); diff != "" {
		t.Errorf("topics (-want +got):\n%s", diff)
	}
	c.InjectFault(essemulator.Fault{Operation: essemulator.OpTopics, Body: `[]`})
	s.AllowsTopic("public.test")
	refresh(t, s)
	if s.AllowsTopic(reports) || len(s.Snapshot().Topics) != 0 {
		t.Errorf("a withdrawn topic is still allowed: %v", s.Snapshot().Topics)
	}
}

func TestRequestCountsOnce(t *testing.T) {
	t.Parallel()
	s := newConcur(t).ready(t, 5)
	for _, step := range []struct {
		value string
		want  bool
	}{{"", false}, {"noon", true}, {"noon", false}, {"one", true}, {"noon", true}} {
		if got := s.Request(step.value); got != step.want {
			t.Errorf("request %q is new: %v, want %v", step.value, got, step.want)
		}
	}
}
