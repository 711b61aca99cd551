package journal

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestPatience is how long a transaction waits for one more change.
func TestPatience(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason       string
		pace         pace
		size, waited int
		want         time.Duration
	}{
		"First":    {"Nobody has sent yet.", pace{}, 1, 1, 0},
		"Alone":    {"Who was alone last time is alone.", pace{size: 1, took: 8 * time.Millisecond}, 1, 0, 0},
		"Few":      {"Of so few, nobody knows whether another comes.", pace{size: 2, took: 8 * time.Millisecond}, 1, 1, 0},
		"Back":     {"The first of those who were answered waits for the next.", pace{size: 64, took: 8 * time.Millisecond}, 1, 0, 8 * time.Millisecond},
		"Many":     {"The more wait, the less they do.", pace{size: 64, took: 8 * time.Millisecond}, 16, 0, 500 * time.Microsecond},
		"Enough":   {"A wait that is too short for a timer is none.", pace{size: 64, took: 8 * time.Millisecond}, 33, 0, 0},
		"All":      {"All have come.", pace{size: 4, took: 8 * time.Millisecond}, 6, 2, 0},
		"SomeLeft": {"One has not.", pace{size: 4, took: 10 * time.Millisecond}, 5, 2, 2 * time.Millisecond},
		"Slow":     {"A slow disk makes nobody wait for long.", pace{size: 64, took: time.Second}, 1, 0, maxPatience},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := test.pace.patience(test.size, test.waited); got != test.want {
				t.Errorf("%s Patience is %s, want %s", test.reason, got, test.want)
			}
		})
	}
}

// TestPaceIsAnAverage: one slow sync does not make the next transaction wait as long.
func TestPaceIsAnAverage(t *testing.T) {
	t.Parallel()
	var p pace
	p.note(10, 4*time.Millisecond)
	p.note(20, 8*time.Millisecond)
	if want := (pace{size: 20, took: 5 * time.Millisecond}); p != want {
		t.Errorf("the pace is %+v, want %+v", p, want)
	}
}

// TestCollect has senders come one after another.
func TestCollect(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason string
		pace   pace
		apart  time.Duration // from one sender to the next
		want   int           // of 8
		after  time.Duration // since the first
	}{
		"Together":  {"Who came together last time comes together.", pace{size: 8, took: 8 * time.Millisecond}, 500 * time.Microsecond, 8, 3500 * time.Microsecond},
		"Straggler": {"Those who came wait no longer for the others than that is worth.", pace{size: 8, took: 8 * time.Millisecond}, 3 * time.Millisecond, 3, 6*time.Millisecond + 8*time.Millisecond/3},
		"Alone":     {"Who was alone last time waits for nobody.", pace{size: 1, took: 8 * time.Millisecond}, time.Millisecond, 1, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				j := &Journal{ops: make(chan *op), closing: make(chan struct{})}
				start := time.Now()
				for i := range 8 {
					time.AfterFunc(time.Duration(i)*test.apart, func() {
						select {
						case j.ops <- &op{}:
						case <-j.closing:
						}
					})
				}
				got := len(j.collect(&test.pace))
				if after := time.Since(start); got != test.want || after != test.after {
					t.Errorf("%s %d were collected after %s, want %d after %s", test.reason, got, after, test.want, test.after)
				}
				close(j.closing)
				synctest.Wait()
				if rest := j.collect(&test.pace); rest != nil {
					t.Errorf("%d were collected while it closed", len(rest))
				}
			})
		})
	}
}
