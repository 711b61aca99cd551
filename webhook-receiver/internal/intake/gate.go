package intake

import (
	"container/list"
	"crypto/tls"
	"net"
	"net/http"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// gate keeps the number of connections within a limit: the next one takes the place of the one that has waited for
// longest without a request in progress. So who opens many and does nothing shuts out nobody but themselves.
type gate struct {
	limit   int
	evicted prometheus.Counter

	mu      sync.Mutex
	waiting *list.List                 // of net.Conn, the longest waiting first
	places  map[net.Conn]*list.Element // of all connections; nil: not waiting
}

func newGate(limit int, r prometheus.Registerer) *gate {
	g := &gate{limit: limit, waiting: list.New(), places: make(map[net.Conn]*list.Element)}
	f := promauto.With(r)
	g.evicted = f.NewCounter(prometheus.CounterOpts{
		Name: "ess_receiver_connections_evicted_total",
		Help: "Connections to the events port that were closed while idle, to make room for new ones.",
	})
	f.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "ess_receiver_connections",
		Help: "Open connections to the events port.",
	}, func() float64 {
		g.mu.Lock()
		defer g.mu.Unlock()
		return float64(len(g.places))
	})
	return g
}

// track follows the states of connections, as http.Server reports them.
func (g *gate) track(c net.Conn, state http.ConnState) {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if e := g.places[c]; e != nil {
		g.waiting.Remove(e)
	}
	switch state {
	case http.StateNew:
		g.places[c] = g.waiting.PushBack(c)
		g.makeRoom()
	case http.StateIdle:
		g.places[c] = g.waiting.PushBack(c)
	case http.StateActive:
		g.places[c] = nil
	case http.StateClosed, http.StateHijacked:
		delete(g.places, c)
	}
}

// makeRoom closes the connection that has waited for longest, if there are too many. It must not wait for it.
func (g *gate) makeRoom() {
	if len(g.places) <= g.limit {
		return
	}
	if e := g.waiting.Front(); e != nil {
		c := g.waiting.Remove(e).(net.Conn)
		g.places[c] = nil
		g.evicted.Inc()
		_ = c.Close() // the server finds out, and reports it closed
	}
}
