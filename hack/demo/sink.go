package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// sink is a user's service that takes CloudEvents. It can go away and come back.
type sink struct {
	address address

	mu     sync.Mutex
	server *http.Server
	got    []string // one line for each event, in the order of arrival
	shown  int
}

// open makes the sink reachable.
func (k *sink) open(ctx context.Context) error {
	var listening net.ListenConfig
	listener, err := listening.Listen(ctx, "tcp", string(k.address))
	if err != nil {
		return fmt.Errorf("opening the sink: %w", err)
	}
	server := &http.Server{Handler: k, ReadHeaderTimeout: 5 * time.Second}
	k.mu.Lock()
	k.server = server
	k.mu.Unlock()
	go func() { _ = server.Serve(listener) }() // until it is closed
	return nil
}

// close makes it unreachable.
func (k *sink) close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.server == nil {
		return nil
	}
	err := k.server.Close()
	k.server = nil
	return err
}

// ServeHTTP takes one CloudEvent in binary mode.
func (k *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 8<<20))
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	k.mu.Lock()
	k.got = append(k.got, fmt.Sprintf("%s  subject %s  id %s  %d bytes", r.Header.Get("Ce-Type"), r.Header.Get("Ce-Subject"), r.Header.Get("Ce-Id"), len(body)))
	k.mu.Unlock()
	w.WriteHeader(http.StatusAccepted)
}

// count is how many events came.
func (k *sink) count() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.got)
}

// show prints what came since it was last called.
func (k *sink) show() {
	k.mu.Lock()
	defer k.mu.Unlock()
	fmt.Println("  The sink got:")
	for _, line := range k.got[k.shown:] {
		fmt.Println("    " + line)
	}
	k.shown = len(k.got)
}
