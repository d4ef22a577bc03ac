//go:build unix

// Package pgtest starts a PostgreSQL server of its own for tests, with the
// settings that the ledger insists on, in a temporary folder, reached through a
// socket there and by nobody else.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// A Server is a running PostgreSQL.
type Server struct {
	dir       string
	process   *exec.Cmd
	databases atomic.Int64
}

// ErrMissing is a machine without PostgreSQL.
var ErrMissing = errors.New("pgtest: no PostgreSQL server is installed")

// binary finds a program of PostgreSQL, which Debian keeps out of the PATH.
func binary(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if err != nil || len(found) == 0 {
		return "", ErrMissing
	}
	return found[len(found)-1], nil
}

// Start starts a server with further settings, such as "fsync=off".
func Start(ctx context.Context, settings ...string) (*Server, error) {
	initdb, err := binary("initdb")
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "pg")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir}
	as, err := owner(dir)
	if err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	data := filepath.Join(dir, "data")
	make := exec.CommandContext(ctx, initdb, "-D", data, "-A", "trust", "-U", "onecard", "-E", "UTF8", "--no-sync") //nolint:gosec // the program that was found
	make.SysProcAttr, make.Dir = as, dir
	if out, err := make.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("pgtest: initdb: %w: %s", err, out), s.Stop())
	}
	return s, s.run(ctx, as, settings...)
}

// run starts the server on the data that its folder has.
func (s *Server) run(ctx context.Context, as *syscall.SysProcAttr, settings ...string) error {
	postgres, err := binary("postgres")
	if err != nil {
		return errors.Join(err, s.Stop())
	}
	args := []string{"-D", filepath.Join(s.dir, "data"), "-k", s.dir, "-c", "listen_addresses=", "-c", "max_connections=200", "-c", "shared_buffers=64MB"}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	s.process = exec.Command(postgres, args...) //nolint:gosec,noctx // the program that was found; Stop ends it
	s.process.SysProcAttr, s.process.Dir = as, s.dir
	log, err := os.Create(filepath.Join(s.dir, "log"))
	if err != nil {
		return errors.Join(err, s.Stop())
	}
	defer log.Close()
	s.process.Stdout, s.process.Stderr = log, log
	if err := s.process.Start(); err != nil {
		s.process = nil
		return errors.Join(err, s.Stop())
	}
	if err := s.wait(ctx); err != nil {
		text, _ := os.ReadFile(log.Name())
		return errors.Join(fmt.Errorf("%w: %s", err, text), s.Stop())
	}
	return nil
}

// owner gives dir to the user postgres where this process is root: the server
// refuses to run as root.
func owner(dir string) (*syscall.SysProcAttr, error) {
	if os.Getuid() != 0 {
		return nil, nil //nolint:nilnil // nothing to change about the process
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	as := &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	return as, os.Chown(dir, int(uid), int(gid))
}

// patience is how long a server may take to start on a busy machine.
const patience = time.Minute

func (s *Server) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		c, err := pgx.Connect(ctx, s.DSN("postgres"))
		if err == nil {
			return c.Close(ctx)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("pgtest: the server does not answer: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// DSN is the address of a database of the server.
func (s *Server) DSN(database string) string {
	q := url.Values{"host": {s.dir}, "user": {"onecard"}}
	return "postgres:///" + database + "?" + q.Encode()
}

// Socket is the path of the socket that the server listens on.
func (s *Server) Socket() string { return filepath.Join(s.dir, ".s.PGSQL.5432") }

// NewDatabase makes an empty database and gives its address.
func (s *Server) NewDatabase(ctx context.Context) (string, error) {
	c, err := pgx.Connect(ctx, s.DSN("postgres"))
	if err != nil {
		return "", err
	}
	name := fmt.Sprintf("ledger%d", s.databases.Add(1))
	_, err = c.Exec(ctx, "CREATE DATABASE "+name)
	return s.DSN(name), errors.Join(err, c.Close(ctx))
}

// Standby starts a server that follows s, answers whoever reads, and is stopped
// like any other.
func (s *Server) Standby(ctx context.Context) (*Server, error) {
	program, err := binary("pg_basebackup")
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "pg")
	if err != nil {
		return nil, err
	}
	standby := &Server{dir: dir}
	as, err := owner(dir)
	if err != nil {
		return nil, errors.Join(err, standby.Stop())
	}
	backup := exec.CommandContext(ctx, program, "-D", filepath.Join(dir, "data"), "-h", s.dir, "-U", "onecard", "-R", "-c", "fast", "--no-sync") //nolint:gosec // the program that was found
	backup.SysProcAttr, backup.Dir = as, dir
	if out, err := backup.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("pgtest: pg_basebackup: %w: %s", err, out), standby.Stop())
	}
	return standby, standby.run(ctx, as)
}

// Stop ends the server and removes what it left.
func (s *Server) Stop() error {
	if s.process != nil {
		_ = s.process.Process.Signal(syscall.SIGQUIT) // at once; the folder is removed anyway
		_ = s.process.Wait()
	}
	return os.RemoveAll(s.dir)
}

// A Shared server is started by the first test that needs one.
type Shared struct {
	once   sync.Once
	server *Server
	err    error
}

// Server starts the server if need be. It skips the test where PostgreSQL is
// missing, or fails it where REQUIRE_POSTGRES is set.
func (s *Shared) Server(t testing.TB) *Server {
	t.Helper()
	s.once.Do(func() { s.server, s.err = Start(context.Background()) })
	switch {
	case s.err == nil:
		return s.server
	case errors.Is(s.err, ErrMissing) && os.Getenv("REQUIRE_POSTGRES") == "":
		t.Skipf("%v; REQUIRE_POSTGRES=1 makes this a failure", s.err)
	}
	t.Fatal(s.err)
	return nil
}

// Stop ends the server if it was started.
func (s *Shared) Stop() {
	if s.server != nil {
		_ = s.server.Stop()
	}
}
