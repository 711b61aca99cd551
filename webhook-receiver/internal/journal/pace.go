package journal

import "time"

const (
	// maxPatience bounds how long a transaction waits for one more change, and minPatience is too short for a timer.
	maxPatience = 10 * time.Millisecond
	minPatience = 250 * time.Microsecond
	// fewSenders is how many are worth waiting for. Who is alone waits for nobody.
	fewSenders = 4
)

// pace is what the last transactions came to.
type pace struct {
	size int
	took time.Duration // on average of the last few
}

func (p *pace) note(size int, took time.Duration) {
	if p.took > 0 {
		took = (3*p.took + took) / 4
	}
	p.size, p.took = size, took
}

// patience is how long a transaction of that size waits for one more change, when so many waited for the last one to
// end. Those who were answered together come back together: the first of them would start a transaction alone, and all
// others would wait for its syncs. To go without the next one makes it wait for a whole transaction; to wait makes
// all that are there wait. So the more they are, the less.
func (p *pace) patience(size, waited int) time.Duration {
	senders := p.size + waited
	patience := min(p.took, maxPatience) / time.Duration(size)
	if senders < fewSenders || size >= senders || patience < minPatience {
		return 0
	}
	return patience
}

// gathering is a transaction to be.
type gathering struct {
	ops   []*op
	bytes int
}

func (g *gathering) add(o *op) { g.ops, g.bytes = append(g.ops, o), g.bytes+o.size }

func (g *gathering) full() bool { return len(g.ops) >= maxBatch || g.bytes >= maxBatchBytes }

// collect takes what waits, or else what comes first, and company for it; nil once the journal closes.
func (j *Journal) collect(p *pace) []*op {
	var g gathering
	j.drain(&g)
	waited := len(g.ops)
	if waited == 0 {
		select {
		case <-j.closing:
			return nil
		case o := <-j.ops:
			g.add(o)
		}
	}
	for j.drain(&g); !g.full(); j.drain(&g) {
		o := j.next(p.patience(len(g.ops), waited))
		if o == nil {
			break
		}
		g.add(o)
	}
	return g.ops
}

// drain takes what waits now.
func (j *Journal) drain(g *gathering) {
	for !g.full() && !j.closed() {
		select {
		case o := <-j.ops:
			g.add(o)
		default:
			return
		}
	}
}

// next returns a change that comes soon enough; nil when there is none.
func (j *Journal) next(patience time.Duration) *op {
	if patience == 0 {
		return nil
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case o := <-j.ops:
		return o
	case <-timer.C:
	case <-j.closing:
	}
	return nil
}
