package statistics

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// Credentials know how to get into the admin port, as it is now.
type Credentials interface {
	// Read returns bearer tokens, one per line, and PEM roots to trust, or none for the system's.
	Read(ctx context.Context) (tokens, roots []byte, err error)
}

// Receiver says where the receiver's admin port is, and how to get in. Files and
// Credentials are read anew each time, so that they can be replaced at any time.
type Receiver struct {
	// URL is the base URL of the admin port, without a slash at its end.
	URL string
	// TokenFile holds bearer tokens, one per line, which are tried in this order: the
	// receiver may not have the first yet, or no longer; empty: those of Credentials.
	TokenFile string
	// CAFile holds PEM roots to trust there instead of the system's; empty: those of Credentials.
	CAFile string
	// Credentials stand in for files that are not named; nil: no token is sent, and the system's roots are trusted.
	Credentials Credentials
}

// access is what gets in.
type access struct {
	tokens     []byte // one per line
	tokensFrom string // for people; empty: there are none, and none is sent
	roots      []byte
	rootsFrom  string // for people; empty: the system's
}

// Kinds of failures to get statistics. Each is a value of the label result of
// the metric that counts attempts.
var (
	errFiles       = errors.New("files")
	errUnreachable = errors.New("unreachable")
	errRefused     = errors.New("refused")
	errInvalid     = errors.New("invalid")
)

// failed is a failure of one of the kinds, told to a person.
type failed struct {
	kind error
	text string
}

func (f *failed) Error() string { return f.text }
func (f *failed) Unwrap() error { return f.kind }

const (
	askTimeout = 30 * time.Second
	maxAnswer  = 32 << 20 // of 5,000 routes, an answer has two
	maxFile    = 1 << 20
)

// route is what the receiver tells about one route. Fields that it adds later are ignored.
type route struct {
	Route struct {
		Kind      string `json:"kind"`
		Namespace string `json:"namespace"`
		Name      string `json:"name"`
	} `json:"route"`
	Received      uint64    `json:"received"`
	Pending       uint64    `json:"pending"`
	DeadLettered  uint64    `json:"deadLettered"`
	LastEventTime time.Time `json:"lastEventTime"`
	OldestPending time.Time `json:"oldestPending"`
	LastError     string    `json:"lastError"`
	// LastTestConnection is there of connectors only.
	LastTestConnection time.Time `json:"lastTestConnection"`
	Refusals           *refusals `json:"refusals"`
}

// refusals are deliveries that the receiver did not take, since it last took one.
type refusals struct {
	Since  time.Time `json:"since"`
	Reason string    `json:"reason"`
}

// ask gets the statistics of all routes.
func (r Receiver) ask(ctx context.Context) ([]route, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	way, err := r.access(ctx)
	if err != nil {
		return nil, err
	}
	tokens, err := way.list()
	if err != nil {
		return nil, err
	}
	client, err := way.client()
	if err != nil {
		return nil, err
	}
	var routes []route
	for _, token := range tokens {
		routes, err = r.askWith(ctx, client, token)
		if !errors.Is(err, errRefused) {
			break
		}
	}
	return routes, err
}

// askWith asks once, with one token; empty: with none.
func (r Receiver) askWith(ctx context.Context, client *http.Client, token string) ([]route, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.URL+"/v1/statistics", nil)
	if err != nil {
		return nil, &failed{errFiles, "making the request: " + err.Error()}
	}
	request.Header.Set("Accept", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, &failed{errUnreachable, err.Error()}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case response.StatusCode == http.StatusUnauthorized || response.StatusCode == http.StatusForbidden:
		return nil, &failed{errRefused, "the receiver does not accept the token: --receiver-admin-token-file, or token in --receiver-admin-secret, must hold a line of its admin.tokenFile"}
	case response.StatusCode != http.StatusOK:
		return nil, &failed{errInvalid, fmt.Sprintf("the receiver answered with HTTP %d", response.StatusCode)}
	case err != nil:
		return nil, &failed{errUnreachable, "reading the receiver's answer: " + err.Error()}
	case len(body) > maxAnswer:
		return nil, &failed{errInvalid, fmt.Sprintf("the receiver's answer is larger than %d bytes", maxAnswer)}
	}
	return decode(body)
}

// decode reads an answer.
func decode(body []byte) ([]route, error) {
	var answer struct {
		Routes []route `json:"routes"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Routes == nil {
		return nil, &failed{errInvalid, "what answered is not the receiver, or one of another version: see whether --receiver-admin-url is its admin port"}
	}
	return answer.Routes, nil
}

// access reads what gets in. Files win over Credentials.
func (r Receiver) access(ctx context.Context) (a access, err error) {
	if r.Credentials != nil && (r.TokenFile == "" || r.CAFile == "") {
		if a.tokens, a.roots, err = r.Credentials.Read(ctx); err != nil {
			return access{}, &failed{errFiles, err.Error()}
		}
		a.tokensFrom = "the Secret of --receiver-admin-secret"
		if len(a.roots) > 0 {
			a.rootsFrom = "ca.crt of " + a.tokensFrom
		}
	}
	if r.TokenFile != "" {
		if a.tokens, err = read(r.TokenFile); err != nil {
			return access{}, err
		}
		a.tokensFrom = r.TokenFile
	}
	if r.CAFile != "" {
		if a.roots, err = read(r.CAFile); err != nil {
			return access{}, err
		}
		a.rootsFrom = r.CAFile
	}
	return a, nil
}

// list returns the tokens to try, and "" for none.
func (a access) list() ([]string, error) {
	if a.tokensFrom == "" {
		return []string{""}, nil
	}
	var tokens []string
	for line := range strings.Lines(string(a.tokens)) {
		token := strings.TrimSpace(line)
		if token == "" {
			continue
		}
		if strings.ContainsFunc(token, func(c rune) bool { return c <= ' ' || c > '~' }) {
			return nil, &failed{errFiles, fmt.Sprintf("%s holds something else than tokens: a token is a line of visible ASCII characters without spaces", a.tokensFrom)}
		}
		tokens = append(tokens, token)
	}
	if len(tokens) == 0 {
		return nil, &failed{errFiles, fmt.Sprintf("%s holds no token: write one, or one per line", a.tokensFrom)}
	}
	return tokens, nil
}

// client is a client for one question: neither proxies nor redirects may learn the token.
func (a access) client() (*http.Client, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if a.rootsFrom != "" {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(a.roots) {
			return nil, &failed{errFiles, fmt.Sprintf("%s holds no PEM certificate", a.rootsFrom)}
		}
	}
	return &http.Client{
		Transport:     &http.Transport{TLSClientConfig: config, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// read reads a file that a flag names.
func read(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, &failed{errFiles, err.Error()}
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxFile))
	if err != nil {
		return nil, &failed{errFiles, err.Error()}
	}
	return content, nil
}
