package main

import (
	"bufio"
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"pbochsm/cmd/onecard/internal/config"
	"pbochsm/cmd/onecard/internal/ledger"
	"pbochsm/cmd/onecard/internal/recharge"
	"pbochsm/cmd/onecard/internal/sim"
	"pbochsm/mac"
	"pbochsm/mac/cardtest"
)

// moneyClients is how many terminals ask at once.
const moneyClients = 64

// BenchmarkMoney loads cards from a merchant's account over HTTP, each load
// with a card's MAC1 and a MAC2 that is durable before it is answered, by 64
// clients at once, and tells how that compares with what the disk, or
// PostgreSQL by itself, did in the same run.
func BenchmarkMoney(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) {
		dir := b.TempDir()
		before := syncsPerSecond(b, dir)
		rate := benchmarkLoads(b, "sqlite:"+filepath.Join(dir, "ledger.db"))
		syncs := (before + syncsPerSecond(b, dir)) / 2
		b.ReportMetric(syncs, "fdatasync/s")
		b.ReportMetric(rate/syncs, "x-fdatasync")
	})
	b.Run("postgres", func(b *testing.B) {
		server := postgresServer(b)
		dsn, err := server.NewDatabase(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		before := pgbench(b, server.DSN("postgres"))
		rate := benchmarkLoads(b, dsn)
		commits := (before + pgbench(b, server.DSN("postgres"))) / 2
		b.ReportMetric(commits, "pgbench-N/s")
		b.ReportMetric(rate/commits, "x-pgbench-N")
	})
}

// benchmarkLoads gives the loads in a second.
func benchmarkLoads(b *testing.B, dsn string) float64 {
	addr := moneySystem(b, dsn)
	tills, referee := make([]*till, moneyClients), newReferee(b)
	for i := range tills {
		tills[i] = newTill(b, addr, i, (b.N+moneyClients-1)/moneyClients, referee)
	}
	for _, t := range tills {
		t.dial(b, addr)
	}
	runtime.GC()
	var all sync.WaitGroup
	b.ResetTimer()
	begin, before := time.Now(), processorTime(b)
	for _, t := range tills {
		all.Go(func() {
			if err := t.sell(); err != nil {
				b.Error(err)
			}
		})
	}
	all.Wait()
	took, worked := time.Since(begin), processorTime(b)-before
	b.StopTimer()
	loads := float64(len(tills) * len(tills[0].sales))
	b.ReportMetric(loads/took.Seconds(), "loads/s")
	b.ReportMetric(float64(worked.Microseconds())/loads, "cpu-µs/load")
	return loads / took.Seconds()
}

// processorTime is what this process has had of the processors: service, SQLite
// and clients, but neither the daemon nor PostgreSQL.
func processorTime(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// unpaced takes back what pace sets.
func unpaced(b *testing.B) {
	threads, percent := runtime.GOMAXPROCS(0), debug.SetGCPercent(100)
	debug.SetGCPercent(percent)
	b.Cleanup(func() {
		runtime.GOMAXPROCS(threads)
		debug.SetGCPercent(percent)
	})
}

// moneySystem is a daemon of its own, ledger and API on TCP, with a merchant who
// is rich.
func moneySystem(b *testing.B, dsn string) (addr string) {
	hsm := launchProgram(b, pbochsmProgram(b), "serve", "--dev", "--listen", "127.0.0.1:0")
	cfg := servedConfig(b, hsm.line("listening "))
	cfg.Limits.PerDomain = config.Rate{}
	if file, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		cfg.Database.SQLite = file
	} else {
		cfg.Database.SQLite, cfg.Database.Postgres = "", config.NewSecret(dsn)
	}
	unpaced(b)
	pace(cfg)
	if err := ledger.Migrate(b.Context(), dsn); err != nil {
		b.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	ctx := context.Background()
	s, err := openSystem(ctx, cfg, parts{clock: time.Now, rand: randomness, log: log, fatal: func(err error) { b.Error(err) }})
	if err != nil {
		b.Fatal(err)
	}
	keys, err := serverKeys(cfg)
	if err != nil {
		b.Fatal(err)
	}
	o, err := recharge.NewOperator(recharge.OperatorOptions{Ledger: s.ledger, Keys: keys, Clock: time.Now, Rand: randomness})
	if err != nil {
		b.Fatal(err)
	}
	if err := o.CreateMerchant(ctx, "bench", sandboxMerchant, "rich"); err != nil {
		b.Fatal(err)
	}
	if _, err := o.TopUp(ctx, "bench", recharge.MerchantAccount, sandboxMerchant, "T", 1<<30); err != nil {
		b.Fatal(err)
	}
	l, err := listenAnywhere()
	if err != nil {
		b.Fatal(err)
	}
	f := &front{log: log, failed: make(chan error, 1)}
	addr = f.serve(s.api.Server(), l, nil)
	b.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := f.shut(ctx); err != nil {
			b.Error(err)
		}
		if err := s.close(); err != nil {
			b.Error(err)
		}
	})
	return addr
}

// A terminal is a connection with a card in its reader.
type terminal struct {
	n     int
	loads int
	host  string
	conn  net.Conn
	in    *bufio.Reader
	card  *sim.Card
	at    time.Time // of the last request
}

// kindsOnce reads the kinds of cards once: that takes longer than a server waits
// for the first request on a connection.
var kindsOnce = sync.OnceValues(sandboxKinds)

func newTerminal(t testing.TB, addr string, n int) *terminal {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return terminalOn(t, conn, addr, n)
}

func terminalOn(t testing.TB, conn net.Conn, addr string, n int) *terminal {
	t.Helper()
	t.Cleanup(func() { _ = conn.Close() })
	alone := newReader(t, addr, n)
	alone.conn, alone.in = conn, bufio.NewReader(conn)
	return alone
}

// newReader is a terminal that is not connected.
func newReader(t testing.TB, addr string, n int) *terminal {
	t.Helper()
	kinds, err := kindsOnce()
	if err != nil {
		t.Fatal(err)
	}
	card, err := sim.NewDeck(uint64(n), kinds...).Add(fmt.Sprintf("2150010133%06d", n), fmt.Sprintf("0000010133%06d", n), typePurse)
	if err != nil {
		t.Fatal(err)
	}
	return &terminal{n: n, host: addr, card: card}
}

// load is a load of one fen. The card counts without judging MAC2, which is
// what other tests are for, so that the time is the system's.
func (t *terminal) load() error {
	_, body, err := t.request()
	if err != nil {
		return err
	}
	answer, err := t.post("/prepay/accttranssupply", body)
	if err == nil && !strings.Contains(answer, `"0000"`) {
		err = fmt.Errorf("accttranssupply: %s", answer)
	}
	if err != nil {
		return err
	}
	return t.count()
}

// count lets the card count a load.
func (t *terminal) count() error {
	state := t.card.State()
	state.EP.Online++
	return t.card.Card.Restore(cardtest.State{EP: state.EP})
}

// request is the body of a load of one fen, and what the card said for it.
func (t *terminal) request() (i sim.Init, body string, err error) {
	i, err = t.card.Initialize(1, mac.TerminalID{1, 2, 3, 4, 5, 6}, false)
	if err != nil {
		return i, "", err
	}
	t.loads++
	t.at = time.Now().In(sandboxConfig("", "").Zone())
	fields := [][2]string{ // in the order of the token
		{"ARITHINDEX", i.ArithIndex}, {"ASN", i.ASN}, {"BALUNITNO", sandboxMerchant}, {"CARDNO", i.CardNo},
		{"CARDOLDBAL", i.CardOldBal}, {"CARDTRADENO", i.CardTradeNo}, {"CARDTYPE", i.CardType}, {"DEVICENO", "D-1"},
		{"HOSTDATE", t.at.Format("20060102")}, {"HOSTTIME", t.at.Format("150405")}, {"KEYVERSION", i.KeyVersion}, {"MAC1", i.Mac1},
		{"ORIGIONDOMAIN", "WEBM"}, {"RNDNUMBER2", i.RndNumber2}, {"TERMNO", i.TermNo},
		{"TRADEID", fmt.Sprintf("B-%d-%d", t.n, t.loads)}, {"TRADEMONEY", i.TradeMoney}, {"TRADETYPE", i.TradeType},
	}
	var signed, text strings.Builder
	text.WriteByte('{')
	for _, f := range fields {
		signed.WriteString(f[0] + "=" + strings.ToUpper(f[1]) + "&")
		text.WriteString(`"` + f[0] + `":"` + f[1] + `",`)
	}
	sum := md5.Sum([]byte(signed.String() + "CHANNELKEY=" + sandboxKeys["WEBM"]))
	text.WriteString(`"Token":"` + hex.EncodeToString(sum[:]) + `"}`)
	return i, text.String(), nil
}

// post sends a body and gives that of the answer.
func (t *terminal) post(path, body string) (string, error) {
	if _, err := io.WriteString(t.conn, t.head(path, body)+body); err != nil {
		return "", err
	}
	if t.in == nil {
		t.in = bufio.NewReader(t.conn)
	}
	r, err := http.ReadResponse(t.in, nil)
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	return string(text), err
}

// head is what stands before a body.
func (t *terminal) head(path, body string) string {
	return "POST " + path + " HTTP/1.1\r\nHost: " + t.host + "\r\nContent-Type: application/json\r\nContent-Length: " +
		strconv.Itoa(len(body)) + "\r\n\r\n"
}

// syncsPerSecond is how often the disk writes 4 KiB durably.
func syncsPerSecond(b *testing.B, dir string) float64 {
	f, err := os.Create(filepath.Join(dir, "sync"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 4096)
	n, begin := 0, time.Now()
	for ; time.Since(begin) < 2*time.Second; n++ {
		if _, err := f.WriteAt(block, int64(n%1000)*4096); err != nil {
			b.Fatal(err)
		}
		if err := unix.Fdatasync(int(f.Fd())); err != nil {
			b.Fatal(err)
		}
	}
	return float64(n) / time.Since(begin).Seconds()
}

var pgbenchRate = regexp.MustCompile(`tps = ([0-9.]+)`)

// pgbench is how many single-row transactions of pgbench -N the server commits
// in a second with as many clients.
func pgbench(b *testing.B, dsn string) float64 {
	run := func(args ...string) string {
		out, err := exec.Command("pgbench", append(args, dsn)...).CombinedOutput()
		if err != nil {
			b.Skipf("pgbench: %v\n%s", err, out)
		}
		return string(out)
	}
	run("-i", "-q", "-s", "10")
	found := pgbenchRate.FindStringSubmatch(run("-n", "-N", "-M", "prepared", "-c", strconv.Itoa(moneyClients), "-j", "2", "-T", "4"))
	if found == nil {
		b.Fatal("pgbench tells no rate")
	}
	rate, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		b.Fatal(err)
	}
	return rate
}
