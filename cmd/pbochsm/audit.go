package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"
	_ "time/tzdata" // the time zone of the day, on machines that have none

	"github.com/urfave/cli/v2"

	"pbochsm/cmd/internal/cmdline"
	"pbochsm/cmd/pbochsm/internal/audit"
	"pbochsm/keystore"
	"pbochsm/mac"
)

func auditCommand() *cli.Command {
	return &cli.Command{
		Name:  "audit",
		Usage: "the daemon's log of MACs that were made and of those that were wrong",
		Subcommands: []*cli.Command{{
			Name:      "verify",
			Usage:     "hold an audit log against its seals",
			ArgsUsage: "DIRECTORY",
			Description: "Finds every byte that was altered, added or removed and names the first line that is wrong.\n" +
				"That lines are missing at the end only a head can tell that was kept elsewhere: give it with --head.\n" +
				"Without --data the hashes are checked, and the tags, which need the keystore, are not.",
			Flags: append(storeFlags(),
				&cli.StringSliceFlag{Name: "head", Usage: "SEAL:HASH that must be in the log; repeat for several"},
				&cli.StringFlag{Name: "head-file", TakesFile: true, Usage: "file with a head that must be in the log"},
			),
			Action: auditVerify,
		}},
	}
}

func auditVerify(c *cli.Context) error {
	if c.NArg() != 1 {
		return cmdline.Usagef("want one DIRECTORY, the audit log's")
	}
	heads, err := readHeads(c)
	if err != nil {
		return err
	}
	key, err := auditKey(c)
	if err != nil {
		return err
	}
	report, err := audit.Verify(c.Args().First(), key, heads...)
	if err != nil {
		return err
	}
	if key == nil {
		warn(c, "tags were not checked: that takes --data, the keystore of the daemon")
	}
	_, err = fmt.Fprintf(c.App.Writer, "%d records: %d made, %d wrong, %d spent\nseals %d to %d in %d segments\nhead %s\n",
		report.Outcomes["made"]+report.Outcomes["wrong"]+report.Outcomes["spent"],
		report.Outcomes["made"], report.Outcomes["wrong"], report.Outcomes["spent"],
		report.From+1, report.Head.Seal, report.Segments, report.Head)
	return err
}

func readHeads(c *cli.Context) (heads []audit.Head, err error) {
	texts := c.StringSlice("head")
	if name := c.String("head-file"); name != "" {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		texts = append(texts, string(text))
	}
	for _, text := range texts {
		h, err := audit.ParseHead(text)
		if err != nil {
			return nil, cmdline.Usage(err)
		}
		heads = append(heads, h)
	}
	return heads, nil
}

// auditKey gives the key of the tags, nil without a keystore.
func auditKey(c *cli.Context) ([]byte, error) {
	cfg, err := storeConfig(c)
	if err != nil {
		return nil, err
	}
	if cfg.Data == "" {
		return nil, nil
	}
	store, err := openStoreAt(c, cfg.Data, cfg.PassphraseFile, keystore.Options{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer store.Close()
	return store.AuditKey()
}

// audited puts the audit log of cfg before hsm, if there is to be one. What it
// gives back closes the log.
func (k *served) audited(cfg *config, log *slog.Logger, hsm mac.HSM) (mac.HSM, func() error, error) {
	if cfg.Audit.Directory == "" {
		return hsm, func() error { return nil }, nil
	}
	key, err := k.store.AuditKey()
	if err != nil {
		return nil, nil, err
	}
	zone, err := time.LoadLocation(cfg.Audit.Zone)
	if err != nil {
		return nil, nil, err
	}
	snapshot := k.live.Acquire()
	defer snapshot.Release()
	h, err := audit.New(hsm, audit.Options{
		Directory: cfg.Audit.Directory, HeadFile: cfg.Audit.HeadFile, Segment: int64(cfg.Audit.Segment) << 20,
		Key: key, Store: snapshot.Check().String(), Logger: log,
	}, audit.Policy{Failures: cfg.Audit.Failures, Zone: zone, Now: time.Now})
	switch {
	case errors.Is(err, audit.ErrCut), errors.Is(err, audit.ErrDamaged):
		return nil, nil, cmdline.Hint(err, "keep this log as evidence, and give the daemon a new directory and head file")
	case errors.Is(err, fs.ErrPermission):
		return nil, nil, cmdline.Hint(err, "the daemon must be able to write in %s", cfg.Audit.Directory)
	case err != nil:
		return nil, nil, err
	}
	head := h.Head()
	log.Info("audit log open", "directory", cfg.Audit.Directory, "records", head.Records, "head", head.String())
	return h, func() error {
		head := h.Head()
		log.Info("audit log closed", "records", head.Records, "head", head.String())
		return h.Close()
	}, nil
}
