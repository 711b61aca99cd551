package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/ess-operator/ess-operator/controllers"
)

// auditEvent is what matters of one line of the audit log.
type auditEvent struct {
	Verb      string `json:"verb"`
	UserAgent string `json:"userAgent"`
	ObjectRef struct {
		Resource    string `json:"resource"`
		Subresource string `json:"subresource"`
		Namespace   string `json:"namespace"`
		Name        string `json:"name"`
	} `json:"objectRef"`
}

// ours reports whether the operator made the request for its work. Leases of
// leader election, and looking for what kinds there are, are no part of it.
func (e auditEvent) ours() bool {
	return strings.HasPrefix(e.UserAgent, controllers.Name+"/") &&
		e.ObjectRef.Resource != "leases" && e.ObjectRef.Resource != ""
}

// writes reports whether the request changes something.
func (e auditEvent) writes() bool {
	switch e.Verb {
	case "create", "update", "patch", "delete", "deletecollection":
		return true
	default:
		return false
	}
}

// auditEnd is where the audit log ends now.
func (b *bench) auditEnd() (int64, error) {
	info, err := os.Stat(b.plane.AuditLog)
	if err != nil {
		return 0, fmt.Errorf("finding the end of the audit log: %w", err)
	}
	return info.Size(), nil
}

// audited are the manager's requests since a position of the audit log that
// have ended. Writes in the namespace except, if any, are left out: the
// benchmark changes objects there meanwhile.
func (b *bench) audited(since int64, except string) (reads, writes map[string]int, err error) {
	file, err := os.Open(b.plane.AuditLog)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the audit log: %w", err)
	}
	defer file.Close()
	if _, err := file.Seek(since, io.SeekStart); err != nil {
		return nil, nil, fmt.Errorf("reading the audit log: %w", err)
	}
	reads, writes = map[string]int{}, map[string]int{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e auditEvent
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, nil, fmt.Errorf("reading the audit log: %w", err)
		}
		if !e.ours() {
			continue
		}
		what := e.Verb + " " + e.ObjectRef.Resource
		switch {
		case !e.writes():
			reads[what]++
		case except == "" || e.ObjectRef.Namespace != except:
			writes[what]++
		}
	}
	return reads, writes, lines.Err()
}

// total adds up counts.
func total(counts map[string]int) int {
	sum := 0
	for _, n := range counts {
		sum += n
	}
	return sum
}
