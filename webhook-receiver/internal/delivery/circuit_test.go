package delivery

import (
	"testing"
	"time"
)

// testCircuit is a circuit without chance: a pause is as long as it can be.
func testCircuit() (c *circuit, changes *[]bool) {
	changes = new([]bool)
	return &circuit{jitter: all, told: func(down bool, _ failure) { *changes = append(*changes, down) }}, changes
}

func down() *failure { return &failure{down: true} }

// breakIt reports failures until a circuit opens.
func breakIt(c *circuit) {
	for range failuresToOpen {
		c.report(free, down(), now)
	}
}

func TestCircuitOpensAfterFailuresInARow(t *testing.T) {
	t.Parallel()
	c, changes := testCircuit()
	for range failuresToOpen - 1 {
		c.report(free, down(), now)
	}
	c.report(free, nil, now)
	for range failuresToOpen - 1 {
		c.report(free, down(), now)
	}
	if p, _ := c.ask(now); p != free {
		t.Errorf("got %v: a success in between must begin the count anew", p)
	}
	c.report(free, down(), now)
	if p, again := c.ask(now); p != wait || !again.Equal(now.Add(firstPause)) || len(*changes) != 1 || !(*changes)[0] {
		t.Errorf("got %v until %v, changes %v", p, again, *changes)
	}
}

func TestCircuitLetsOneProbeThroughAtATime(t *testing.T) {
	t.Parallel()
	c, changes := testCircuit()
	breakIt(c)
	at := now
	for _, seconds := range []int{1, 2, 4, 8, 16, 30, 30, 30, 30, 30, 30, 30} {
		at = at.Add(time.Duration(seconds) * time.Second)
		before, then := c.take(at.Add(-1)), c.take(at)
		if during, again := c.ask(at.Add(time.Hour)); before != wait || then != probe || during != wait || !again.IsZero() {
			t.Fatalf("pause of %d s: got %v before its end, %v then, %v until %v during the probe", seconds, before, then, during, again)
		}
		c.report(probe, down(), at)
	}
	if p := c.take(at.Add(longestPause)); p != probe {
		t.Fatalf("got %v", p)
	}
	c.report(probe, &failure{final: true}, at)
	if p := c.take(at); p != free || len(*changes) != 2 || (*changes)[1] {
		t.Errorf("got %v: a sink that refuses an event is up; changes %v", p, *changes)
	}
}

func TestCircuitHeedsRetryAfter(t *testing.T) {
	t.Parallel()
	c, _ := testCircuit()
	for range failuresToOpen {
		c.report(free, &failure{down: true, wait: 10 * time.Minute}, now)
	}
	if _, again := c.ask(now); !again.Equal(now.Add(10 * time.Minute)) {
		t.Errorf("got a probe at %v", again)
	}
}

func TestCircuitSurvivesAProbeThatFindsOutNothing(t *testing.T) {
	t.Parallel()
	c, _ := testCircuit()
	breakIt(c)
	at := now.Add(firstPause)
	p := c.take(at)
	c.giveUp(p)
	if p := c.take(at); p != probe {
		t.Errorf("got %v, want the next probe at once", p)
	}
}

func TestCircuitIgnoresThoseThatWereUnderWay(t *testing.T) {
	t.Parallel()
	c, _ := testCircuit()
	breakIt(c)
	c.report(free, down(), now.Add(time.Minute))
	if p := c.take(now.Add(firstPause)); p != probe {
		t.Errorf("got %v: the failure of an older attempt must not put off the probe", p)
	}
	c.report(free, nil, now)
	if p := c.take(now); p != free {
		t.Errorf("got %v: an older attempt that succeeds shows that the sink is up", p)
	}
}
