package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A process is a server that was started to be measured.
type process struct {
	cmd   *exec.Cmd
	addrs []string
}

func (p *process) stop() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// startDaemon runs this program as a daemon with the published keys, and reads
// where it listens: once for each listener.
func startDaemon(ctx context.Context, program string, listeners int, flags ...string) (*process, error) {
	return startServer(exec.CommandContext(ctx, program, append([]string{"serve", "--dev", "--listen", "127.0.0.1:0", "--log-level", "error"}, flags...)...), listeners)
}

// startServer runs a program that prints a line for each of its listeners, of
// which the second word is the address.
func startServer(cmd *exec.Cmd, listeners int) (*process, error) {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd}
	lines := bufio.NewScanner(out)
	for range listeners {
		if !lines.Scan() {
			p.stop()
			return nil, fmt.Errorf("%s does not serve", filepath.Base(cmd.Path))
		}
		p.addrs = append(p.addrs, strings.Fields(lines.Text())[1])
	}
	return p, nil
}

// startRedis runs redis-server on a free port, without a disk.
func startRedis(ctx context.Context) (*process, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := l.Addr().String()
	_, port, _ := net.SplitHostPort(addr)
	_ = l.Close()
	cmd := exec.CommandContext(ctx, "redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("needs redis-server: %w", err)
	}
	p := &process{cmd: cmd, addrs: []string{addr}}
	for range 500 {
		if c, err := plainDial(addr)(ctx); err == nil {
			_ = c.Close()
			return p, nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	p.stop()
	return nil, errors.New("redis-server does not serve")
}

func plainDial(addr string) func(context.Context) (net.Conn, error) {
	return func(ctx context.Context) (net.Conn, error) { return new(net.Dialer).DialContext(ctx, "tcp", addr) }
}
