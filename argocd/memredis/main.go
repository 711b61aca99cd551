// Command memredis is the redis of an Argo CD that lives for one test. Argo CD keeps
// nothing there but copies of what it can compute again, so that a server in memory does.
//
//	REDIS_PASSWORD=... memredis --listen 127.0.0.1:6379
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// tick is how often keys grow older: the server leaves the passing of time to its owner.
const tick = time.Second

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address to listen on")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx, *listen, os.Getenv("REDIS_PASSWORD")); err != nil {
		log.Fatal(err)
	}
}

// serve serves until ctx ends. An empty password lets everybody in.
func serve(ctx context.Context, listen, password string) error {
	server := miniredis.NewMiniRedis()
	if password != "" {
		server.RequireAuth(password)
	}
	if err := server.StartAddr(listen); err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	defer server.Close()
	log.Printf("serving on %s", server.Addr())
	for clock := time.NewTicker(tick); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-clock.C:
			server.FastForward(tick)
		}
	}
}
