package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// vpcdMissing tells what the test of the virtual reader lacks.
func vpcdMissing() string {
	for _, program := range []string{"pcscd", "opensc-tool", "scriptor"} {
		if _, err := exec.LookPath(program); err != nil {
			return program
		}
	}
	if os.Getuid() != 0 {
		return "the rights of root, for pcscd"
	}
	if _, err := os.Stat(vpcdDriver); err != nil {
		return "vsmartcard-vpcd"
	}
	if conn, err := net.Dial("unix", "/run/pcscd/pcscd.comm"); err == nil {
		_ = conn.Close()
		return "a machine where no pcscd is running"
	}
	return ""
}

const vpcdDriver = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so"

// Real PC/SC programs find the card in the virtual reader, and it answers them
// as it answers on the command line.
func TestPCSCProgramsReadTheCard(t *testing.T) {
	if missing := vpcdMissing(); missing != "" {
		if os.Getenv("REQUIRE_VPCD") != "" {
			t.Fatalf("missing: %s", missing)
		}
		t.Skipf("missing: %s", missing)
	}
	port := freePort(t)
	startReader(t, port)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	card := exec.CommandContext(ctx, "pbochsm", "card", "vpcd", "--addr", fmt.Sprintf("127.0.0.1:%d", port), "--seed", "1", "--balance", "100")
	if err := card.Start(); err != nil {
		t.Fatal(err)
	}
	defer card.Wait()
	defer stop()

	if atr := untilAnswered(t, "3b:69:", "opensc-tool", "-r", "0", "-a"); !strings.Contains(atr, "3b:69:00:00:50:42:4f:43:2d:45:44:45:50") {
		t.Errorf("ATR %s", atr)
	}
	balance := untilAnswered(t, "SW1=0x90", "opensc-tool", "-r", "0",
		"-s", "00:A4:04:00:09:A0:00:00:00:03:86:98:07:01:00", "-s", "80:5C:00:02:04")
	if !strings.Contains(balance, "00 00 00 64") {
		t.Errorf("GET BALANCE: %s", balance)
	}
	script := filepath.Join(t.TempDir(), "script")
	text := "00 A4 04 00 09 A0 00 00 00 03 86 98 07 01 00\n80 50 00 02 0B 01 00 00 10 00 00 11 22 33 44 55 10\n"
	if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	initialized := untilAnswered(t, "90 00 : Normal", "scriptor", "-r", "Virtual PCD 00 00", script)
	if !strings.Contains(initialized, "< 00 00 00 64 00 00 01 00 6A E6 78 3F 5F B2 B0 B7") {
		t.Errorf("INITIALIZE FOR LOAD: %s", initialized)
	}
}

// freePort finds a port below those that the system gives to connections: on
// a busy machine one of those would be taken again at once.
func freePort(t *testing.T) int {
	t.Helper()
	for port := 20000 + os.Getpid()%8000; port < 30000; port++ {
		l, err := net.Listen("tcp", fmt.Sprintf(":%d", port))
		if err != nil {
			continue
		}
		_ = l.Close()
		return port
	}
	t.Fatal("no port is free")
	return 0
}

// startReader runs pcscd with one virtual reader.
func startReader(t *testing.T, port int) {
	t.Helper()
	dir := t.TempDir()
	reader := fmt.Sprintf("FRIENDLYNAME \"Virtual PCD\"\nDEVICENAME /dev/null:0x%04X\nLIBPATH %s\nCHANNELID 0x%04X\n", port, vpcdDriver, port)
	if err := os.WriteFile(filepath.Join(dir, "vpcd"), []byte(reader), 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	cmd := exec.Command("pcscd", "--foreground", "--config", dir)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("pcscd: %s", log.String())
		}
	})
}

// untilAnswered repeats a program until its output has the text: reader and
// card take a moment to find each other.
func untilAnswered(t *testing.T, text, program string, args ...string) string {
	t.Helper()
	var out []byte
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		out, _ = exec.CommandContext(ctx, program, args...).CombinedOutput()
		cancel()
		if strings.Contains(string(out), text) {
			return string(out)
		}
	}
	t.Fatalf("%s says: %s", program, out)
	return ""
}
