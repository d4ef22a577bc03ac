package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pbochsm/keystore"
	"pbochsm/mac/reference"
	"pbochsm/protocol"
	"pbochsm/vectors"
)

// payShieldMessage is what the clients have MACed: not whole blocks.
const payShieldMessage = "a message of twenty-eight by"

// TestPayShieldClients has clients that know nothing of this program, written as
// public ones for a payShield are, ask the commands that the two have in common.
// Each prints what it got, and all must have got the same.
func TestPayShieldClients(t *testing.T) {
	port := readmeDaemon(t)
	load, macKey := keyAt(t, keystore.UsageLoad), keyAt(t, keystore.UsageMAC)
	want := payShieldAnswers(t, load, macKey)
	args := []string{"127.0.0.1", port, fmt.Sprintf("%03X", load.Index), fmt.Sprintf("%03X", macKey.Index)}
	t.Run("go", func(t *testing.T) {
		sameAnswers(t, payShieldInGo(t, args), want)
	})
	for _, c := range []struct{ program, file, required string }{
		{"python3", "client.py", "REQUIRE_PYTHON"},
		{"node", "client.js", "REQUIRE_NODE"},
		{"java", "Client.java", "REQUIRE_JAVA"},
	} {
		t.Run(c.program, func(t *testing.T) {
			program, err := exec.LookPath(c.program)
			if err != nil {
				if os.Getenv(c.required) != "" {
					t.Fatal(err)
				}
				t.Skipf("%v; %s=1 makes this a failure", err, c.required)
			}
			cmd := exec.CommandContext(t.Context(), program, append([]string{filepath.Join("testdata/payshield", c.file)}, args...)...)
			cmd.Stderr = os.Stderr
			got, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v after\n%s", err, got)
			}
			sameAnswers(t, string(got), want)
		})
	}
}

// keyAt is the first key of a usage that a payShield command can name.
func keyAt(t *testing.T, u keystore.Usage) keystore.Entry {
	t.Helper()
	for _, e := range vectors.Keys() {
		if e.Usage == u && e.State == keystore.StateActive && e.Cipher == keystore.Cipher3DES {
			return e
		}
	}
	t.Fatalf("the test keys have none of usage %s", u)
	return keystore.Entry{}
}

// payShieldAnswers is what the manual of a payShield lets a client expect, with
// MACs by the arithmetic that is written for reading.
func payShieldAnswers(t *testing.T, load, macKey keystore.Entry) string {
	t.Helper()
	key := reference.Key(macKey.Secret)
	padded := reference.Pad([]byte(payShieldMessage))
	retail := key.Retail([16]byte{}, padded)
	triple := key.Triple([8]byte{}, padded)
	return strings.Join([]string{
		"NC 00 0000000000000000 " + protocol.DefaultFirmware,
		"NO 00 2 1 99 " + protocol.DefaultFirmware,
		"B2 00 001925FF70696E67",
		"N0 00 16",
		fmt.Sprintf("BU 00 %s", load.KCV),
		fmt.Sprintf("BU 00 %s0000000000", load.KCV),
		fmt.Sprintf("M6 00 %X", retail[len(retail)-1]),
		"M8 00 ",
		"M8 01 ",
		fmt.Sprintf("M6 00 %X", triple[len(triple)-1]),
		"ZZ 68 ",
	}, "\n")
}

func sameAnswers(t *testing.T, got, want string) {
	t.Helper()
	trimmed := func(s string) string {
		lines := strings.Split(strings.TrimSpace(s), "\n")
		for i := range lines {
			lines[i] = strings.TrimSpace(lines[i])
		}
		return strings.Join(lines, "\n")
	}
	if trimmed(got) != trimmed(want) {
		t.Errorf("the client got\n%s\nwant\n%s", trimmed(got), trimmed(want))
	}
}

// payShieldInGo is such a client in Go: a header of its own, a frame a write, and
// whole frames read.
func payShieldInGo(t *testing.T, args []string) string {
	t.Helper()
	conn, err := net.Dial("tcp", net.JoinHostPort(args[0], args[1]))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	header := []byte{0x00, 0x19, 0xFE, 0x25} // a header may be anything
	var out strings.Builder
	transact := func(command string) (status string, body []byte) {
		frame := binary.BigEndian.AppendUint16(nil, uint16(len(header)+len(command)))
		frame = append(append(frame, header...), command...)
		if _, err := conn.Write(frame); err != nil {
			t.Fatal(err)
		}
		var length [2]byte
		if _, err := io.ReadFull(conn, length[:]); err != nil {
			t.Fatal(err)
		}
		reply := make([]byte, binary.BigEndian.Uint16(length[:]))
		if _, err := io.ReadFull(conn, reply); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(reply[:4], header) || reply[4] != command[0] || reply[5] != command[1]+1 {
			t.Fatalf("%X answers %s", reply, command[:2])
		}
		return string(reply[6:8]), reply[8:]
	}
	say := func(command string) string {
		status, body := transact(command)
		fmt.Fprintf(&out, "%s %s %s\n", command[:2], status, body)
		return string(body)
	}
	load, macKey := args[2], args[3]
	status, body := transact("NC")
	fmt.Fprintf(&out, "NC %s %s %s\n", status, body[:16], body[16:])
	status, body = transact("NO00")
	fmt.Fprintf(&out, "NO %s %s %s %s %s\n", status, body[:1], body[1:2], body[2:4], body[4:13])
	status, body = transact("B20008\x00\x19\x25\xFFping")
	fmt.Fprintf(&out, "B2 %s %X\n", status, body)
	status, body = transact("N0016")
	fmt.Fprintf(&out, "N0 %s %d\n", status, len(body))
	say("BU021K" + load)
	say("BUFF1K" + load + ";FFF;000")
	message := fmt.Sprintf("%04X%s", len(payShieldMessage), payShieldMessage)
	made := say("M600132003K" + macKey + message)
	say("M800132003K" + macKey + message + made)
	say("M800132003K" + macKey + message + "0000000000000000")
	say("M600112FFFK" + macKey + message)
	say("ZZ")
	return out.String()
}
