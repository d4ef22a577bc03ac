package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"pbochsm/cmd/internal/cmdline"
	"pbochsm/cmd/onecard/internal/config"
	"pbochsm/cmd/onecard/internal/ledger"
)

func configFlag() cli.Flag {
	return &cli.StringFlag{Name: "config", TakesFile: true, Usage: "YAML file, as docs/onecard.yaml shows it", EnvVars: []string{"ONECARD_CONFIG"}}
}

// readConfig reads the file of --config.
func readConfig(c *cli.Context) (*config.Config, error) {
	name := c.String("config")
	if name == "" {
		return nil, cmdline.Hint(cmdline.Usagef("--config is missing"), "docs/onecard.yaml is a commented sample; \"onecard dev\" needs none")
	}
	cfg, err := config.Read(name)
	if err != nil {
		return nil, cmdline.Usage(err)
	}
	return cfg, nil
}

func configCommand() *cli.Command {
	return &cli.Command{
		Name:  "config",
		Usage: "look at a configuration file",
		Subcommands: []*cli.Command{
			{
				Name:   "check",
				Usage:  "read the file and say what is wrong with it; silent if nothing is",
				Flags:  []cli.Flag{configFlag()},
				Action: checkConfig,
			},
			{
				Name:        "print",
				Usage:       "print every setting as it is in force, defaults included",
				Description: "Secrets are printed as \"" + config.Hidden + "\". There is no way to print them: they stand in the file.",
				Flags: []cli.Flag{
					configFlag(),
					&cli.BoolFlag{Name: "redact", Value: true, Usage: "hide secrets; cannot be turned off"},
				},
				Action: printConfig,
			},
		},
	}
}

// checkConfig reads the file, and the address of the database in it as the
// ledger will.
func checkConfig(c *cli.Context) error {
	cfg, err := readConfig(c)
	if err != nil {
		return err
	}
	if err := ledger.CheckAddress(dsn(cfg)); err != nil {
		return cmdline.Usage(err)
	}
	return nil
}

func printConfig(c *cli.Context) error {
	if !c.Bool("redact") {
		return cmdline.Usagef("secrets are not printed: they stand in the file")
	}
	cfg, err := readConfig(c)
	if err != nil {
		return err
	}
	if err := cfg.Print(c.App.Writer); err != nil {
		return fmt.Errorf("config: %w", err)
	}
	return nil
}
