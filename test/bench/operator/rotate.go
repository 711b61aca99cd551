package main

import (
	"context"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/internal/essemulator"
)

// rotate measures how soon a rotated Secret is in use: from its change to the
// first LIST with a token that the new credentials got.
func (b *bench) rotate(ctx context.Context) error {
	var took times
	failed, puts := 0, 0
	for i := range b.sizes.rotations {
		b.concur.ResetRequests()
		d, err := b.rotateOne(ctx, &b.serial[i])
		if err != nil {
			return err
		}
		took = append(took, d)
		calls := b.calls()
		failed, puts = failed+len(calls.failed), puts+calls.operations[essemulator.OpPut]
	}
	b.results.add("Secret rotated → new token in use", "p99 5 s", "%s", took)
	b.results.add("Secret rotated: failed calls, PUTs", "0, 0", "%d, %d", failed, puts)
	return nil
}

// rotateOne lets both secrets work while the Secret changes, as an
// administrator does, and then only the new one.
func (b *bench) rotateOne(ctx context.Context, c *connection) (time.Duration, error) {
	former := c.application.Secrets[0]
	c.application.Secrets = []string{former, former + "-new"}
	b.concur.PutApplication(c.application)
	start := time.Now()
	secret := c.secret()
	if err := b.client.Patch(ctx, secret, client.Merge); err != nil {
		return 0, err
	}
	var at time.Time
	err := until(ctx, "the new token to be used", func() (bool, error) {
		at = b.firstUse(c.application.ID)
		return !at.IsZero(), nil
	})
	c.application.Secrets = c.application.Secrets[1:]
	b.concur.PutApplication(c.application)
	return at.Sub(start), err
}

// firstUse is when an application listed after it got a token; zero when it has not.
func (b *bench) firstUse(application string) time.Time {
	renewed := false
	for _, r := range b.concur.Requests() {
		switch {
		case r.ApplicationID != application || r.Status != 200:
		case r.Operation == essemulator.OpToken:
			renewed = true
		case r.Operation == essemulator.OpList && renewed:
			return r.Time
		}
	}
	return time.Time{}
}
