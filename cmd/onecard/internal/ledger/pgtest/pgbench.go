//go:build unix

package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/jackc/pgx/v5"
)

var perSecond = regexp.MustCompile(`tps = ([0-9.]+)`)

// PGBench gives the transactions per second that pgbench reaches with so many
// clients, each of which changes one row and adds one to another table: what
// one sale is at least, committed one by one.
func (s *Server) PGBench(ctx context.Context, dsn string, clients int) (float64, error) {
	program, err := binary("pgbench")
	if err != nil {
		return 0, err
	}
	c, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return 0, err
	}
	_, err = c.Exec(ctx, "CREATE TABLE single (id INT PRIMARY KEY, n INT); INSERT INTO single SELECT i, 0 FROM generate_series(1, 100000) i; "+
		"CREATE TABLE history (id INT, n INT)")
	if err := errors.Join(err, c.Close(ctx)); err != nil {
		return 0, err
	}
	script := filepath.Join(s.dir, "single.sql")
	const text = "\\set id random(1, 100000)\nBEGIN;\nUPDATE single SET n = n + 1 WHERE id = :id;\n" +
		"INSERT INTO history VALUES (:id, 1);\nEND;\n"
	if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
		return 0, err
	}
	out, err := exec.CommandContext(ctx, program, "-n", "-M", "prepared", "-c", strconv.Itoa(clients), "-j", "2", "-T", "5", "-f", script, dsn).CombinedOutput() //nolint:gosec // the program that was found
	if err != nil {
		return 0, fmt.Errorf("pgtest: pgbench: %w: %s", err, out)
	}
	found := perSecond.FindSubmatch(out)
	if found == nil {
		return 0, fmt.Errorf("pgtest: pgbench says %s", out)
	}
	return strconv.ParseFloat(string(found[1]), 64)
}
