package recovery

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/ess-operator/ess-operator/controllers/internal/login"
	"github.com/ess-operator/ess-operator/internal/notifications"
)

// Receiver says how notifications get to the companion receiver.
type Receiver struct {
	// URL is its public base URL, without a slash at its end. Its host is what
	// the certificate has to be for, also when ConnectTo says where to go.
	URL string
	// ConnectTo is host:port to connect to instead of that of URL; empty: that of URL.
	ConnectTo string
	// CAFile holds PEM roots to trust there instead of the system's; empty: the system's. It is read at each run.
	CAFile string
}

const (
	postTimeout = 30 * time.Second
	maxCAFile   = 1 << 20
	maxAnswer   = 4 << 10
	maxPause    = time.Hour
)

// errReceiver is a receiver that did not take a notification: a failure that the next one would meet as well.
var errReceiver = errors.New("the receiver did not take a notification")

// refused is such a failure, told to a person.
type refused struct {
	text       string
	retryAfter time.Duration
}

func (e *refused) Error() string { return e.text }
func (e *refused) Unwrap() error { return errReceiver }

// open returns a client for one run, and what closes it.
func (r Receiver) open() (client *http.Client, done func(), err error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if r.CAFile != "" {
		if config.RootCAs, err = roots(r.CAFile); err != nil {
			return nil, nil, err
		}
	}
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	transport := &http.Transport{TLSClientConfig: config, DialContext: dialer.DialContext, Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: 10 * time.Second}
	if r.ConnectTo != "" {
		transport.Proxy = nil
		transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, r.ConnectTo)
		}
	}
	return &http.Client{
		Transport:     transport,
		Timeout:       postTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // it would take the password along
	}, transport.CloseIdleConnections, nil
}

func roots(path string) (*x509.CertPool, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, &refused{text: "reading --receiver-ca-file: " + err.Error()}
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxCAFile))
	pool := x509.NewCertPool()
	if err != nil || !pool.AppendCertsFromPEM(text) {
		return nil, &refused{text: fmt.Sprintf("--receiver-ca-file: %s holds no PEM certificate", path)}
	}
	return pool, nil
}

// post posts a notification as SAP Concur would. Without an error the receiver has stored it.
func (r Receiver) post(ctx context.Context, client *http.Client, path string, as login.Login, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL+path, bytes.NewReader(body))
	if err != nil {
		return &refused{text: "making the request to the receiver: " + err.Error()}
	}
	req.SetBasicAuth(as.Username, as.Password)
	req.Header.Set("Content-Type", "application/xml")
	req.Header.Set("User-Agent", "ess-operator")
	resp, err := client.Do(req)
	if err != nil {
		if inner, ok := errors.AsType[*url.Error](err); ok && !inner.Timeout() {
			err = inner.Err
		}
		return &refused{text: "the receiver cannot be reached at --receiver-url (" + notifications.Reason(err) + "): if only the way from inside the cluster is closed, have the manager started with --receiver-connect-to"}
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer)) // so that the connection can be used again
	switch resp.StatusCode {
	case http.StatusOK:
		return nil
	case http.StatusUnauthorized:
		return &refused{text: "the receiver does not accept the connector's credentials (HTTP 401): its routes are not up to date yet, or --receiver-url is not the receiver that has them"}
	default:
		return &refused{
			text:       fmt.Sprintf("the receiver did not store a notification (HTTP %d): its log and metrics say why", resp.StatusCode),
			retryAfter: pause(resp.Header.Get("Retry-After")),
		}
	}
}

// pause reads a Retry-After in seconds, which is the form that the receiver uses.
func pause(value string) time.Duration {
	seconds, err := strconv.ParseUint(strings.TrimSpace(value), 10, 32)
	if err != nil {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, maxPause)
}
