package routes

import "slices"

// keptSubscriptions are the routes of EventSubscriptions in namespaces that are left out, as the file has them.
func (w World) keptSubscriptions(old file) []subscription {
	kept := []subscription{}
	for _, s := range old.Subscriptions {
		if slices.Contains(w.LeftOut, s.Namespace) {
			kept = append(kept, s)
		}
	}
	return kept
}

// keptConnectors are the routes of ApplicationConnectors in namespaces that are left out, as the file has them.
func (w World) keptConnectors(old file) []connector {
	var kept []connector
	for _, c := range old.Connectors {
		if slices.Contains(w.LeftOut, c.Namespace) {
			kept = append(kept, c)
		}
	}
	return kept
}
