package journal

import (
	"encoding/binary"
)

// The buckets. What is in the first five is sealed or small and cannot be computed from anything else; the others
// are indexes that salvage makes anew.
var (
	bucketMeta   = []byte("meta")   // format, clock, probe
	bucketEvents = []byte("events") // seq -> sealed event, never changed
	bucketState  = []byte("state")  // seq -> sealed status
	bucketIDLog  = []byte("idlog")  // seq -> sealed seen, in order of arrival
	bucketRoutes = []byte("routes") // number -> sealed route with its counts

	bucketIDs   = []byte("ids")   // identity -> seq, arrived
	bucketDue   = []byte("due")   // route, due, seq: what may be claimed; of an order key only the first
	bucketOrder = []byte("order") // route, order key, seq: pending events that wait for each other
	bucketIndex = []byte("index") // state, route, seq: pending, dead and quarantined events

	buckets = [][]byte{
		bucketMeta, bucketEvents, bucketState, bucketIDLog, bucketRoutes,
		bucketIDs, bucketDue, bucketOrder, bucketIndex,
	}
)

var (
	metaFormat = []byte("format")
	metaClock  = []byte("clock")
	metaProbe  = []byte("probe")
)

func seqKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

func routeKey(route uint32) []byte { return binary.BigEndian.AppendUint32(nil, route) }

// number reads the last 8 bytes of a key, which in every bucket but ids and routes are a seq; 0 when there are fewer.
func number(key []byte) uint64 {
	if len(key) < 8 {
		return 0
	}
	return binary.BigEndian.Uint64(key[len(key)-8:])
}

func dueKey(s *status) []byte {
	k := binary.BigEndian.AppendUint64(routeKey(s.route), uint64(s.due))
	return binary.BigEndian.AppendUint64(k, s.seq)
}

// dueTime reads the due time of a key of the bucket due.
func dueTime(key []byte) int64 {
	if len(key) != 20 {
		return 0
	}
	return int64(binary.BigEndian.Uint64(key[4:]))
}

func orderPrefix(s *status) []byte { return append(routeKey(s.route), s.key[:]...) }

func orderKey(s *status) []byte { return binary.BigEndian.AppendUint64(orderPrefix(s), s.seq) }

func indexPrefix(state byte, route uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{state}, route)
}

func indexKey(s *status) []byte {
	return binary.BigEndian.AppendUint64(indexPrefix(s.state, s.route), s.seq)
}

// idValue is what the bucket ids has of an identity.
func idValue(s seen) []byte {
	return binary.BigEndian.AppendUint64(seqKey(s.seq), uint64(s.arrived))
}

func readIDValue(v []byte) (seq uint64, arrived int64, ok bool) {
	if len(v) != 16 {
		return 0, 0, false
	}
	return binary.BigEndian.Uint64(v), int64(binary.BigEndian.Uint64(v[8:])), true
}
