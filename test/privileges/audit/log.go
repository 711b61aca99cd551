// Package audit compares what an account may do with what it did: the rules of
// RBAC that are bound to it with the audit log of a real API server. A rule that
// nobody used is one too many, and a request that was refused is a rule too few.
//
//	requests, err := audit.Read(plane.AuditLog, audit.Account(namespace, name))
//	grants := bound.Grants(namespace, name)
//	findings := audit.Compare(grants, requests)
//
// The log must hold all the account did (controlplane.Options.Audit), and the
// scenario before must have had it do all it is for: what is found unused is
// either superfluous or not tried.
package audit

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
)

// Request is one request of an account that the API server has answered.
type Request struct {
	// Verb is that of RBAC, such as list or patch.
	Verb string
	// Group, Resource, Namespace and Name are what it was about, Resource with
	// its subresource as in a rule: "eventsubscriptions/status". All but Resource
	// may be empty. Without Resource it was about Path.
	Group, Resource, Namespace, Name string
	// Path is that of the URL.
	Path string
	// Code is the HTTP status of the answer.
	Code int
	// Allowed says that the authorizer let it pass. What is wrong with it
	// otherwise, such as a conflict, is not about permissions.
	Allowed bool
	// Body is what was sent, where the audit policy has it.
	Body json.RawMessage
}

// Write reports whether the request changes something.
func (r Request) Write() bool {
	switch r.Verb {
	case "get", "list", "watch", "head", "options":
		return false
	default:
		return true
	}
}

// String is the request as a person would tell it.
func (r Request) String() string {
	if r.Resource == "" {
		return r.Verb + " " + r.Path
	}
	return describe(r.Verb, r.Group, r.Resource, r.Name) + in(r.Namespace)
}

// Account is the name by which the API server knows a service account.
func Account(namespace, name string) string {
	return "system:serviceaccount:" + namespace + ":" + name
}

// Read returns the requests of one user from the audit log at path, in the order
// of their answers. A request counts once, when its answer began or ended.
func Read(path, user string) ([]Request, error) {
	log, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the audit log: %w", err)
	}
	return decode(log, user)
}

// decode reads one event from each line. What follows the last line is being written.
func decode(log []byte, user string) ([]Request, error) {
	var requests []Request
	for n := 1; ; n++ {
		line, rest, ended := bytes.Cut(log, []byte("\n"))
		if !ended {
			return requests, nil
		}
		log = rest
		var e event
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("reading line %d of the audit log: %w", n, err)
		}
		if e.actor() == user && e.counts() {
			requests = append(requests, e.request())
		}
	}
}

// event is what matters of one event of the API audit.k8s.io/v1.
type event struct {
	Stage            string `json:"stage"`
	RequestURI       string `json:"requestURI"`
	Verb             string `json:"verb"`
	User             user   `json:"user"`
	ImpersonatedUser user   `json:"impersonatedUser"`
	ObjectRef        struct {
		APIGroup    string `json:"apiGroup"`
		Resource    string `json:"resource"`
		Subresource string `json:"subresource"`
		Namespace   string `json:"namespace"`
		Name        string `json:"name"`
	} `json:"objectRef"`
	ResponseStatus struct {
		Code int `json:"code"`
	} `json:"responseStatus"`
	RequestObject json.RawMessage   `json:"requestObject"`
	Annotations   map[string]string `json:"annotations"`
}

type user struct {
	Username string `json:"username"`
}

// actor is the user whose permissions count.
func (e *event) actor() string {
	return cmp.Or(e.ImpersonatedUser.Username, e.User.Username)
}

// counts passes one event for each request: a watch that is refused never starts, and
// one that starts may end after the log is read.
func (e *event) counts() bool {
	switch e.Stage {
	case "ResponseStarted":
		return true
	case "ResponseComplete", "Panic":
		return e.Verb != "watch" || e.ResponseStatus.Code != http.StatusOK
	default:
		return false
	}
}

func (e *event) request() Request {
	path, _, _ := strings.Cut(e.RequestURI, "?")
	resource := e.ObjectRef.Resource
	if e.ObjectRef.Subresource != "" {
		resource += "/" + e.ObjectRef.Subresource
	}
	name := e.ObjectRef.Name
	if e.Verb == "create" && e.ObjectRef.Subresource == "" {
		name = "" // RBAC does not look into the body, where it stands
	}
	return Request{
		Verb: e.Verb, Group: e.ObjectRef.APIGroup, Resource: resource, Namespace: e.ObjectRef.Namespace, Name: name,
		Path: path, Code: e.ResponseStatus.Code, Allowed: e.Annotations["authorization.k8s.io/decision"] == "allow",
		Body: e.RequestObject,
	}
}
