package main

import (
	"slices"

	"github.com/urfave/cli/v2"

	"pbochsm/cmd/internal/cmdline"
	"pbochsm/mac"
)

// tacKinds are the operations that verify a TAC.
var tacKinds = []mac.Kind{mac.KindLoadTAC, mac.KindPurchaseTAC, mac.KindOverdraftTAC, mac.KindLockTAC}

// explainTACCommand explains a TAC whatever it is of: its type says.
func explainTACCommand() *cli.Command {
	var flags []cli.Flag
	named := map[string]bool{}
	for _, kind := range tacKinds {
		for _, f := range explainFlags(kind) {
			if name := f.Names()[0]; !named[name] {
				named[name] = true
				flags = append(flags, f)
			}
		}
	}
	return &cli.Command{
		Name:   "tac",
		Usage:  "交易验证码: verify a TAC, of the operation that --type or --from-apdu says",
		Flags:  flags,
		Action: explainTAC,
	}
}

func explainTAC(c *cli.Context) error {
	from, err := readSaid(c)
	if err != nil {
		return cmdline.Usage(err)
	}
	kind, err := from.tacKind()
	if err != nil {
		return cmdline.Usage(err)
	}
	for _, other := range tacKinds {
		for _, f := range other.Inputs() {
			if c.IsSet(f.String()) && f != mac.Type && !slices.Contains(kind.Inputs(), f) {
				return cmdline.Usagef("--%s is no input of %s, which --type says it is", f, kind)
			}
		}
	}
	return from.explain(kind)
}

// tacKind is the operation whose transactions have the type that is said.
func (s said) tacKind() (mac.Kind, error) {
	var op mac.Op
	if err := s.fill(&op, mac.Type); err != nil {
		return 0, err
	}
	t := mac.TransactionType(mac.Type.Bytes(&op)[0])
	for _, kind := range tacKinds {
		if slices.Contains(kind.Types(), t) {
			return kind, nil
		}
	}
	return 0, cmdline.Usagef("--type: no transaction of type %02X has a TAC", byte(t))
}
