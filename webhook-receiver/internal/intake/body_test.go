package intake

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/ess-operator/ess-operator/webhook-receiver/internal/event"
)

// inAHurry waits for bodies as long as a test can.
var inAHurry = pacing{whole: 300 * time.Millisecond, grace: 100 * time.Millisecond, rate: 1 << 20}

// A sender that stops in the middle, or trickles, is told to try again, over either protocol; and nothing of the
// budget stays with them.
func TestSlowBody(t *testing.T) {
	t.Parallel()
	for name, h2 := range map[string]bool{"HTTP1": false, "HTTP2": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, registry := newHandler(t, Config{})
			h.pacing = inAHurry
			s := start(t, ServerConfig{Handler: h}, false)
			in, out := io.Pipe()
			t.Cleanup(func() { _ = out.Close() })
			go func() { _, _ = io.WriteString(out, goodBody[:20]) }()
			answer, err := client(t, h2, nil).Do(post("https://"+s.addr+path, in))
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if answer.StatusCode != http.StatusServiceUnavailable {
				t.Errorf("status %d", answer.StatusCode)
			}
			got := counts(t, registry)
			if got["ess_receiver_received_total kind=subscription name=reports namespace=finance result=timeout"] != 1 ||
				got["ess_receiver_in_flight_bytes"] != 0 {
				t.Errorf("counted %v", got)
			}
		})
	}
}

// The rate counts, however long a whole body may take. This one would take eight minutes,
// and the test gives up after one.
func TestTricklingBody(t *testing.T) {
	t.Parallel()
	h, _ := newHandler(t, Config{})
	h.pacing = inAHurry
	h.pacing.whole = time.Hour
	s := start(t, ServerConfig{Handler: h}, true)
	c := dial(t, s)
	write(t, c, "%sContent-Length: 100000\r\n\r\n", head)
	go func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for range tick.C {
			if _, err := io.WriteString(c, "a"); err != nil {
				return
			}
		}
	}()
	if got := status(t, bufio.NewReader(c)); got != http.StatusServiceUnavailable {
		t.Errorf("status %d", got)
	}
}

// Who sends slowly takes no place from who does not.
func TestSlowSendersDoNotHoldUpOthers(t *testing.T) {
	t.Parallel()
	h, registry := newHandler(t, Config{MaxInFlight: 1, Store: storeWith(event.Accepted, nil)})
	s := start(t, ServerConfig{Handler: h}, true)
	for range 10 {
		write(t, dial(t, s), "%sContent-Length: 2\r\n\r\n{", head)
	}
	for tries := 0; counts(t, registry)["ess_receiver_in_flight_bytes"] < 10*firstRead; tries++ {
		if tries == 10000 {
			t.Fatal("the slow senders have not come in")
		}
		<-time.After(5 * time.Millisecond)
	}
	c := dial(t, s)
	write(t, c, "%sContent-Length: 2\r\n\r\n{}", head)
	if got := status(t, bufio.NewReader(c)); got != http.StatusOK {
		t.Errorf("status %d", got)
	}
}

// Once the body is there, its deadline is over: a slow disk must not look like a sender who has gone.
func TestSlowStoreOutlivesTheBodysDeadline(t *testing.T) {
	t.Parallel()
	h, _ := newHandler(t, Config{Store: storeFunc(func(ctx context.Context, _ event.Entry) (event.Outcome, error) {
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(3 * inAHurry.whole):
			return event.Accepted, nil
		}
	})})
	h.pacing = inAHurry
	s := start(t, ServerConfig{Handler: h}, true)
	c := dial(t, s)
	write(t, c, "%sContent-Length: %d\r\n\r\n%s", head, len(goodBody), goodBody)
	if got := status(t, bufio.NewReader(c)); got != http.StatusOK {
		t.Errorf("status %d", got)
	}
}

// A sender who goes while the store works is noticed, and the store is told.
func TestSenderGoesWhileTheStoreWorks(t *testing.T) {
	t.Parallel()
	entered, result := make(chan struct{}), make(chan error, 1)
	h, registry := newHandler(t, Config{Store: storeFunc(func(ctx context.Context, _ event.Entry) (event.Outcome, error) {
		close(entered)
		<-ctx.Done()
		result <- context.Cause(ctx)
		return "", ctx.Err()
	})})
	s := start(t, ServerConfig{Handler: h}, true)
	c := dial(t, s)
	write(t, c, "%sContent-Length: 2\r\n\r\n{}", head)
	<-entered
	c.Close()
	if err := <-result; err != context.Canceled { //nolint:errorlint // the cause itself
		t.Errorf("the store was told %v", err)
	}
	if err := s.server.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if n := counts(t, registry)["ess_receiver_received_total kind=subscription name=reports namespace=finance result=aborted"]; n != 1 {
		t.Errorf("%v counted as aborted", n)
	}
}

// Connections that wait give way to new ones, and requests in progress do not.
func TestConnectionCap(t *testing.T) {
	t.Parallel()
	for _, plain := range []bool{true, false} {
		h, _ := newHandler(t, Config{})
		entered := make(chan struct{})
		s := start(t, ServerConfig{MaxConnections: 4, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			close(entered)
			h.ServeHTTP(w, r)
		})}, plain)
		busy := client(t, false, nil)
		url := "https://"
		if plain {
			url = "http://"
		}
		in, out := io.Pipe()
		answered := make(chan int, 1)
		go func() {
			answer, err := busy.Do(post(url+s.addr+path, in))
			if err != nil {
				answered <- 0
				return
			}
			answer.Body.Close()
			answered <- answer.StatusCode
		}()
		if _, err := io.WriteString(out, goodBody); err != nil {
			t.Fatal(err)
		}
		<-entered
		first := dial(t, s)
		for range 20 {
			dial(t, s)
		}
		ended(t, first)
		if err := out.Close(); err != nil {
			t.Fatal(err)
		}
		if got := <-answered; got != http.StatusOK {
			t.Errorf("plain %t: the request in progress was answered with %d", plain, got)
		}
	}
}
