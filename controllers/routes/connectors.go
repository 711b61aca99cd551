package routes

import (
	"cmp"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ess-operator/ess-operator/api/v1alpha1"
	"github.com/ess-operator/ess-operator/controllers/internal/age"
	"github.com/ess-operator/ess-operator/controllers/internal/login"
	"github.com/ess-operator/ess-operator/controllers/internal/sink"
)

type connector struct {
	Namespace   string       `json:"namespace"`
	Name        string       `json:"name"`
	Path        string       `json:"path"`
	Credentials []credential `json:"credentials"`
	way         `json:",inline"`
}

// credential is a pair that the receiver accepts. ValidUntil is there when the Secret does not hold it any more.
type credential struct {
	Username   string     `json:"username"`
	Password   string     `json:"password"`
	ValidUntil *time.Time `json:"validUntil,omitempty"`
}

func (c credential) login() login.Login {
	return login.Login{Username: c.Username, Password: c.Password}
}

// maxKept bounds how many former pairs of a connector are kept, should somebody change its Secret again and again.
const maxKept = 8

// entry is a connector on its way into the file.
type entry struct {
	conn    *v1alpha1.ApplicationConnector
	current []credential // of now
	former  []credential // that are still accepted, the last to end first
}

// connectors are the routes of ApplicationConnectors, those of them that may
// come with their present login, and when the first former pair has to go.
//
// The file itself is the only place that knows former pairs, and since when they
// are such. A user name leads to one connector only, or the receiver would
// refuse the file: present ones come before former ones, older objects before
// younger ones.
func (w World) connectors(old file) (all []connector, routed map[types.NamespacedName]login.Login, next time.Time) {
	entries := w.entries(old)
	all = w.keptConnectors(old)
	owners := owners(all, entries)
	routed = map[types.NamespacedName]login.Login{}
	for i := range entries {
		e := &entries[i]
		key := client.ObjectKeyFromObject(e.conn)
		owned := slices.DeleteFunc(slices.Concat(e.current, e.former), func(c credential) bool { return owners[c.Username] != key })
		if len(owned) == 0 {
			continue // the receiver takes no connector without
		}
		if present, ok := w.Logins[key]; ok && owned[0].ValidUntil == nil {
			routed[key] = present
		}
		for _, c := range owned {
			if c.ValidUntil != nil && (next.IsZero() || c.ValidUntil.Before(next)) {
				next = *c.ValidUntil
			}
		}
		all = append(all, w.connector(e.conn, owned))
	}
	slices.SortFunc(all, func(a, b connector) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return all, routed, next
}

// entries are the connectors with their pairs, older ones first.
func (w World) entries(old file) []entry {
	before := map[types.NamespacedName][]credential{}
	for _, c := range old.Connectors {
		before[types.NamespacedName{Namespace: c.Namespace, Name: c.Name}] = c.Credentials
	}
	entries := make([]entry, 0, len(w.Connectors))
	for i := range w.Connectors {
		conn := &w.Connectors[i]
		entries = append(entries, w.entry(conn, before[client.ObjectKeyFromObject(conn)]))
	}
	slices.SortFunc(entries, func(a, b entry) int { return age.Compare(a.conn, b.conn) })
	return entries
}

// entry sorts the pairs of a connector. Of one whose Secret could not be read, everything stays as it is.
func (w World) entry(conn *v1alpha1.ApplicationConnector, before []credential) entry {
	e := entry{conn: conn}
	present, known := w.Logins[client.ObjectKeyFromObject(conn)]
	if present != (login.Login{}) {
		e.current = []credential{{Username: present.Username, Password: present.Password}}
	}
	latest := w.Now.Add(conn.Spec.EffectiveCredentialOverlap()).UTC().Truncate(time.Second)
	for _, c := range before {
		switch {
		case !known && c.ValidUntil == nil:
			e.current = append(e.current, c)
		case c.login() == present:
		case c.ValidUntil == nil || latest.Before(*c.ValidUntil): // replaced just now, or the overlap was shortened
			e.former = append(e.former, credential{Username: c.Username, Password: c.Password, ValidUntil: &latest})
		default:
			e.former = append(e.former, c)
		}
	}
	e.former = slices.DeleteFunc(e.former, func(c credential) bool { return !c.ValidUntil.After(w.Now) })
	slices.SortStableFunc(e.former, func(a, b credential) int { return b.ValidUntil.Compare(*a.ValidUntil) })
	e.former = e.former[:min(len(e.former), maxKept)]
	return e
}

// owners are the connectors that user names lead to. Of connectors that are kept nothing else is known, so they come first.
func owners(kept []connector, entries []entry) map[string]types.NamespacedName {
	owners := map[string]types.NamespacedName{}
	for _, c := range kept {
		for _, pair := range c.Credentials {
			owners[pair.Username] = types.NamespacedName{Namespace: c.Namespace, Name: c.Name}
		}
	}
	claim := func(e *entry, pairs []credential) {
		for _, c := range pairs {
			if _, taken := owners[c.Username]; !taken {
				owners[c.Username] = client.ObjectKeyFromObject(e.conn)
			}
		}
	}
	for i := range entries {
		claim(&entries[i], entries[i].current)
	}
	for i := range entries {
		claim(&entries[i], entries[i].former)
	}
	return owners
}

// connector is the route of one object.
func (w World) connector(conn *v1alpha1.ApplicationConnector, pairs []credential) connector {
	return connector{
		Namespace: conn.Namespace, Name: conn.Name, Path: conn.Spec.EffectivePath(), Credentials: pairs,
		way: w.way(conn.Namespace, conn.Spec.Sink, &conn.Spec.Delivery, sink.OfConnector(&conn.Status)),
	}
}
