// Package samples keeps real objects in the states that users meet, for checks of
// what others make of them: Argo CD's health scripts in argocd/, above all.
//
// A [Collection] is shown every version of every object that a suite makes. A
// version belongs to a state, such as "quota-exceeded" or "deleting-in-use", and
// the file of that name is the sample. With SAMPLES=write in the environment the
// suite writes samples that are missing; otherwise it says which of those there
// are it did not see, so that no sample outlives what it shows. Of states that an
// object only passes through, such as "deleting-stale-connected", it is a matter of
// luck which ones a run sees, and none is missed.
package samples

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/ess-operator/ess-operator/test/invariants"
)

// Collection is what one suite saw.
type Collection struct {
	dir  string
	mine func(kind, state string) bool

	mu   sync.Mutex
	seen map[string]map[string]any // by path below dir
	errs []error
}

// New returns an empty collection. The samples are the files dir/<kind>/testdata/<state>.yaml,
// and mine says for which of them the suite has to answer.
func New(dir string, mine func(kind, state string) bool) *Collection {
	return &Collection{dir: dir, mine: mine, seen: map[string]map[string]any{}}
}

// OfSubscriptions says which states the suite of EventSubscriptions and ConcurConnections leads to.
func OfSubscriptions(kind, state string) bool {
	return kind != "ApplicationConnector" && !AwayFromOthers(kind, state)
}

// OfConnectors says which states the suite of ApplicationConnectors leads to.
func OfConnectors(kind, state string) bool {
	return kind == "ApplicationConnector" && !AwayFromOthers(kind, state)
}

// AwayFromOthers says of which states a manager is needed that has no receiver, or another clock.
func AwayFromOthers(_, state string) bool {
	return strings.Contains(state, "receiver-not-configured") || strings.Contains(state, "expired")
}

// Add takes one version of an object. It may be called from many goroutines.
func (c *Collection) Add(o invariants.Object) {
	kind, state, ok := describe(o)
	if !ok || !c.mine(kind, state) {
		return
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.errs = append(c.errs, fmt.Errorf("converting a %s: %w", kind, err))
		return
	}
	path := filepath.Join(kind, "testdata", state+".yaml")
	if c.seen[path] == nil {
		c.seen[path] = neutral(content, kind)
	}
}

// Check is for the end of a suite, and returns its exit code. Once all tests have passed it writes
// the samples that are missing if that is asked for, and fails when there are some that were not
// seen, unless only a part of the tests was to run.
func (c *Collection) Check(code int) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if code != 0 {
		return code, nil
	}
	switch err := errors.Join(c.errs...); {
	case err != nil:
		return 1, err
	case os.Getenv("SAMPLES") == "write":
		return 0, c.write()
	case partial():
		return 0, nil
	}
	return 0, c.checkSeen()
}

// partial reports whether flags chose among the tests.
func partial() bool {
	for _, name := range []string{"test.run", "test.skip"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != "" {
			return true
		}
	}
	return false
}

func (c *Collection) checkSeen() error {
	files, err := filepath.Glob(filepath.Join(c.dir, "*", "testdata", "*.yaml"))
	if err != nil {
		return err
	}
	mine := 0
	var errs []error
	for _, file := range files {
		kind, state := filepath.Base(filepath.Dir(filepath.Dir(file))), strings.TrimSuffix(filepath.Base(file), ".yaml")
		if !c.mine(kind, state) {
			continue
		}
		mine++
		if inPassing(state) {
			continue
		}
		if path := filepath.Join(kind, "testdata", state+".yaml"); c.seen[path] == nil {
			errs = append(errs, fmt.Errorf("no test leads to %s: remove it, or correct its name", path))
		}
	}
	if mine == 0 {
		errs = append(errs, fmt.Errorf("there is no sample in %s", c.dir))
	}
	return errors.Join(errs...)
}

// inPassing says of which states the next write of the operator makes another one, however
// the object was doing when its user changed it.
func inPassing(state string) bool { return slices.Contains(strings.Split(state, "-"), "stale") }

func (c *Collection) write() error {
	for _, path := range slices.Sorted(maps.Keys(c.seen)) {
		text, err := yaml.Marshal(c.seen[path])
		if err != nil {
			return err
		}
		if err := writeNew(filepath.Join(c.dir, path), text); err != nil {
			return fmt.Errorf("writing a sample: %w", err)
		}
	}
	return nil
}

// writeNew leaves a file alone that is there.
func writeNew(path string, text []byte) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

// wordEnd is where a word of a reason ends. A run of capitals is one word: IDTaken, DNSError.
var wordEnd = regexp.MustCompile(`([a-z])([A-Z])|([A-Z])([A-Z][a-z])`)

// kebab writes a reason as a part of a file name: "quota-exceeded" for QuotaExceeded.
func kebab(reason string) string {
	return strings.ToLower(wordEnd.ReplaceAllString(reason, "$1$3-$2$4"))
}
