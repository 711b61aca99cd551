package jitter_test

import (
	"bufio"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/rest"

	"github.com/ess-operator/ess-operator/test/jitter"
)

// watch opens a stream of what source says.
func watch(ctx context.Context, t *testing.T, j *jitter.Jitter, source io.ReadCloser) io.ReadCloser {
	t.Helper()
	answer, err := j.Wrap(says(source)).RoundTrip(get(ctx, t, "https://example.com/?watch=1"))
	if err != nil {
		t.Fatal(err)
	}
	return answer.Body
}

// tell writes the time of now so often, with a break after each.
func tell(w *io.PipeWriter, times int, after time.Duration) {
	for n := range times {
		_ = json.NewEncoder(w).Encode([]int64{int64(n), time.Now().UnixNano()}) // who does not read is not told
		time.Sleep(after)                                                       // of the bubble
	}
	_ = w.Close() // it cannot fail
}

func TestAStreamIsLateAndInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const events = 500
		source, w := io.Pipe()
		body := watch(t.Context(), t, jitter.New(longest, 1), source)
		defer body.Close()
		go tell(w, events, 10*time.Millisecond)

		lags := map[time.Duration]int{}
		lines := bufio.NewScanner(body)
		for n := 0; lines.Scan(); n++ {
			var event [2]int64
			if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
				t.Fatal(err)
			}
			if event[0] != int64(n) {
				t.Fatalf("event %d came as the %dth", event[0], n)
			}
			lag := time.Since(time.Unix(0, event[1]))
			if lag > longest {
				t.Errorf("event %d is late by %s, which is more than %s", n, lag, longest)
			}
			lags[lag.Round(longest/10)]++
		}
		if err := lines.Err(); err != nil {
			t.Fatal(err)
		}
		if len(lags) < 3 {
			t.Errorf("the stream is always late by about the same: %v", lags)
		}
	})
}

func TestStreamsAreBehindEachOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := jitter.New(longest, 1)
		var came [2]time.Duration
		for n := range came {
			source, w := io.Pipe()
			body := watch(t.Context(), t, j, source)
			defer body.Close()
			start := time.Now()
			go tell(w, 1, 0)
			if _, err := io.ReadAll(body); err != nil {
				t.Fatal(err)
			}
			came[n] = time.Since(start)
		}
		if came[0] == came[1] {
			t.Errorf("two streams are late by the same: %s", came[0])
		}
	})
}

func TestAStreamEndsAtOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		end    func(cancel func(), body io.Closer)
		want   error
		reason string
	}{
		"with its request": {end: func(cancel func(), _ io.Closer) { cancel() }, want: context.Canceled, reason: "a manager that stops must not hang"},
		"when closed":      {end: func(_ func(), body io.Closer) { _ = body.Close() }, want: io.ErrClosedPipe, reason: "a reflector closes a watch that it gives up"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				source, w := io.Pipe()
				body := watch(ctx, t, jitter.New(longest, 1), source)
				defer body.Close()
				go func() { _, _ = w.Write([]byte("an event\n")) }() // and nothing else
				if _, err := bufio.NewReader(body).ReadString('\n'); err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				time.AfterFunc(time.Second, func() { c.end(cancel, body) })
				if _, err := body.Read(make([]byte, 1)); !errors.Is(err, c.want) || time.Since(start) != time.Second {
					t.Errorf("after %s: %v, want %v after a second, because %s", time.Since(start), err, c.want, c.reason)
				}
			})
		})
	}
}

// Programs of their own are late, too, and reach the server with what they have: a token.
func TestInFrontPassesOnAWatch(t *testing.T) {
	t.Parallel()
	told := make(chan string)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintln(w, r.Header.Get("Authorization"))
		_ = http.NewResponseController(w).Flush()
		select {
		case text := <-told:
			_, _ = fmt.Fprintln(w, text)
		case <-r.Context().Done():
		}
	}))
	defer server.Close()
	config := &rest.Config{Host: server.URL, TLSClientConfig: rest.TLSClientConfig{
		CAData: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
	}}
	host, authority, stop, err := jitter.New(time.Millisecond, 1).InFront(config)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	client, err := rest.HTTPClientFor(&rest.Config{Host: host, BearerToken: "a-token", TLSClientConfig: rest.TLSClientConfig{CAData: authority}})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Do(get(t.Context(), t, host+"/api/v1/secrets?watch=true"))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	if !lines.Scan() || lines.Text() != "Bearer a-token" {
		t.Fatalf("the server saw %q, want the token of the program: %v", lines.Text(), lines.Err())
	}
	told <- "an event" // only now, so that what came before was not held until the end
	if !lines.Scan() || lines.Text() != "an event" {
		t.Errorf("the program was told %q: %v", lines.Text(), lines.Err())
	}
}
