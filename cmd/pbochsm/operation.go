package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"pbochsm/cmd/internal/cmdline"
	"pbochsm/mac"
)

// operationUsage is the one line of help of each operation.
var operationUsage = map[mac.Kind]string{
	mac.KindLoad:             "圈存: check MAC1 and answer MAC2",
	mac.KindLoadTAC:          "圈存: verify the card's TAC",
	mac.KindUnload:           "圈提: check MAC1 and answer MAC2",
	mac.KindUnloadMAC3:       "圈提: verify the card's MAC3",
	mac.KindPurchase:         "消费, 取现: answer MAC1, as a PSAM does",
	mac.KindPurchaseMAC2:     "消费, 取现: verify the card's MAC2",
	mac.KindPurchaseTAC:      "消费, 取现: verify the card's TAC",
	mac.KindOverdraft:        "修改透支限额: check MAC1 and answer MAC2",
	mac.KindOverdraftTAC:     "修改透支限额: verify the card's TAC",
	mac.KindLock:             "灰锁: answer MAC1, as a PSAM does",
	mac.KindLockMAC2:         "灰锁: verify the card's MAC2",
	mac.KindLockTAC:          "灰锁, 解扣: verify the card's TAC",
	mac.KindLockDebit:        "解扣: check MAC2 of the lock and answer GMAC",
	mac.KindUnlock:           "联机解扣: check MAC1 and answer MAC2",
	mac.KindUnlockMAC3:       "联机解扣: verify the card's MAC3",
	mac.KindPINUnblock:       "PIN解锁: answer the command",
	mac.KindPINReload:        "PIN重装: answer the command",
	mac.KindAppBlock:         "应用锁定: answer the command",
	mac.KindAppUnblock:       "应用解锁: answer the command",
	mac.KindCardBlock:        "卡片锁定: answer the command",
	mac.KindUpdateBinary:     "写二进制文件: answer the command",
	mac.KindUpdateRecord:     "写记录文件: answer the command",
	mac.KindExternalAuth:     "外部认证: answer the command",
	mac.KindInternalAuth:     "内部认证: verify how the card answered",
	mac.KindTerminalPurchase: "消费, 取现: answer the serial that the daemon keeps for the terminal, and MAC1",
	mac.KindTerminalLock:     "灰锁: answer the serial that the daemon keeps for the terminal, and MAC1",
	mac.KindWriteKey:         "写密钥: answer the command that writes a key of the set into the card",
}

// operationCommands makes one command of each operation; its flags are the
// operation's inputs.
func operationCommands() []*cli.Command {
	var commands []*cli.Command
	for _, kind := range append(mac.Kinds(), mac.KindTerminalPurchase, mac.KindTerminalLock) {
		commands = append(commands, &cli.Command{
			Name:     kind.String(),
			Category: "operations",
			Usage:    operationUsage[kind],
			Flags:    append(operationFlags(kind), targetFlags()...),
			Action:   func(c *cli.Context) error { return operate(c, kind) },
		})
	}
	return commands
}

func operationFlags(kind mac.Kind) []cli.Flag {
	flags := []cli.Flag{
		&cli.StringFlag{Name: "key", Usage: "set/version/algorithm, two hex digits each, as in 01/01/00"},
		&cli.StringSliceFlag{Name: "factor", Usage: "diversification factor, 16 hex digits; repeat, outermost authority first, the card last"},
	}
	for _, f := range kind.Inputs() {
		if f == mac.PIN {
			flags = append(flags, cardPINFlag())
			continue
		}
		if f == mac.NewUsage {
			flags = append(flags, &cli.StringFlag{Name: f.String(), Usage: f.Chinese() + ", as in \"load\""})
			continue
		}
		usage := fmt.Sprintf("%s, %d hex digits", f.Chinese(), 2*f.Width())
		if f.Counted() && f.Least() != f.Width() {
			usage = fmt.Sprintf("%s, %d to %d hex digits", f.Chinese(), 2*f.Least(), 2*f.Width())
		}
		if isMoney(f) {
			usage += `, or as in "4096fen", "40.96yuan"`
		}
		flags = append(flags, &cli.StringFlag{Name: f.String(), Usage: usage})
	}
	flags = append(flags, fromAPDUFlags()...)
	return append(flags, &cli.BoolFlag{Name: "json", Usage: "answer in JSON"})
}

// operate asks one operation and prints its answer: the MAC that was made, or
// nothing where there was only something to verify.
func operate(c *cli.Context, kind mac.Kind) error {
	op, err := readOp(c, kind)
	if err != nil {
		return cmdline.Usage(err)
	}
	hsm, done, err := openTarget(c)
	if err != nil {
		return err
	}
	defer done()
	ops := []mac.Op{op}
	if err := hsm.Do(c.Context, ops); err != nil {
		return err
	}
	return errors.Join(printAnswer(c, &ops[0]), ops[0].Err)
}

func readOp(c *cli.Context, kind mac.Kind) (mac.Op, error) {
	op := mac.Op{Kind: kind}
	from, err := readSaid(c)
	if err == nil {
		err = from.read(&op)
	}
	return op, err
}

// read fills in op.
func (s said) read(op *mac.Op) (err error) {
	if op.Key, err = s.key(); err != nil {
		return err
	}
	factors, err := s.factors()
	if err != nil {
		return err
	}
	if len(factors) > len(op.Factors) {
		return fmt.Errorf("--factor: at most %d levels", len(op.Factors))
	}
	op.Levels = uint8(copy(op.Factors[:], factors))
	for _, f := range op.Kind.Inputs() {
		if f == mac.PIN {
			err = readCardPIN(s.c, op)
		} else {
			err = s.fill(op, f)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// printAnswer prints what was made, if anything was; in JSON also that nothing
// was, and why.
func printAnswer(c *cli.Context, op *mac.Op) error {
	answer, makes := op.Kind.Answers()
	made := makes && op.Err == nil
	if c.Bool("json") {
		out := map[string]string{"operation": op.Kind.String()}
		if _, serial := op.Kind.WithSerial(); made && serial {
			out[mac.TerminalSerial.String()] = fmt.Sprintf("%X", mac.TerminalSerial.Bytes(op))
		}
		if made {
			out[answer.String()] = fmt.Sprintf("%X", op.Answer)
		}
		if command := op.Command(); command != nil {
			out["command"] = fmt.Sprintf("%X", command)
		}
		if op.Err != nil {
			out["error"] = op.Err.Error()
		}
		return json.NewEncoder(c.App.Writer).Encode(out)
	}
	if _, serial := op.Kind.WithSerial(); made && serial {
		fmt.Fprintf(c.App.Writer, "%X ", mac.TerminalSerial.Bytes(op))
	}
	if made {
		fmt.Fprintf(c.App.Writer, "%X\n", op.Answer)
	}
	if command := op.Command(); command != nil {
		fmt.Fprintf(c.App.Writer, "%X\n", command)
	}
	return nil
}
