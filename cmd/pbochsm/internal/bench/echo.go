package bench

import (
	"context"
	_ "embed"
	"fmt"
	"os/exec"
	"strconv"
)

// echoSource is a server that computes nothing.
//
//go:embed yardstick/echo.c
var echoSource []byte

// startEcho compiles and runs the server that answers requests of one size with
// as much of them as a reply has. What it reaches is what this machine has to
// give to any server, with the load generator beside it.
func startEcho(ctx context.Context, o *Options, request, reply int) (*process, error) {
	program, err := compile(ctx, o.Dir, "echo", echoSource)
	if err != nil {
		return nil, fmt.Errorf("needs cc: %w", err)
	}
	return startServer(exec.CommandContext(ctx, program, strconv.Itoa(request), strconv.Itoa(reply)), 1)
}

// echoScripts are scripts of depth requests each as an echo answers them.
func echoScripts(scripts []Script, depth int) []Script {
	echoed := make([]Script, len(scripts))
	for i, s := range scripts {
		request, reply := len(s.Requests)/depth, len(s.Replies)/depth
		echoed[i].Requests = s.Requests
		for at := 0; at < len(s.Requests); at += request {
			echoed[i].Replies = append(echoed[i].Replies, s.Requests[at:at+reply]...)
		}
	}
	return echoed
}
