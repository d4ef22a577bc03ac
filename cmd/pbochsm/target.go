package main

import (
	"github.com/urfave/cli/v2"

	"pbochsm/cmd/internal/cmdline"
	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/reference"
	"pbochsm/protocol"
)

// wireFlags reach a daemon.
func wireFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "addr", Usage: "daemon to ask, HOST:PORT", EnvVars: []string{"PBOCHSM_ADDR"}},
		&cli.IntFlag{Name: "header-length", Value: 4, Usage: "bytes before the command, as the daemon has it"},
		&cli.StringFlag{Name: "tls-ca", TakesFile: true, Usage: "use TLS: CA of the daemon, PEM"},
		&cli.StringFlag{Name: "tls-cert", TakesFile: true, Usage: "certificate of this client, PEM"},
		&cli.StringFlag{Name: "tls-key", TakesFile: true, Usage: "its private key, PEM"},
		&cli.StringFlag{Name: "tls-name", Usage: "name in the daemon's certificate, if it is not the host of --addr"},
	}
}

// targetFlags choose who answers: a daemon, or this process.
func targetFlags() []cli.Flag {
	return append(append(wireFlags(),
		&cli.BoolFlag{Name: "local", Usage: "compute in this process, with the keys of --data, or with the published test keys"}),
		storeFlags()...)
}

// openTarget gives the HSM that the flags choose, and what to call when done
// with it.
func openTarget(c *cli.Context) (mac.HSM, func(), error) {
	if c.Bool("local") == c.IsSet("addr") {
		return nil, nil, cmdline.Hint(cmdline.Usagef("want either --addr HOST:PORT or --local"),
			"a daemon with test keys is one command away: pbochsm serve --dev")
	}
	if !c.Bool("local") {
		client, err := dial(c)
		if err != nil {
			return nil, nil, err
		}
		return client, func() { _ = client.Close() }, nil
	}
	live, err := localKeys(c)
	if err != nil {
		return nil, nil, err
	}
	return mac.NewEngine(live, reference.Backend{}), func() {}, nil
}

// dial prepares a client of the daemon at --addr; the connection is made when
// there is something to ask.
func dial(c *cli.Context) (*protocol.Client, error) {
	if !c.IsSet("addr") {
		return nil, cmdline.Usagef("--addr is missing")
	}
	return dialTo(c, c.String("addr"))
}

// dialTo is dial for any address.
func dialTo(c *cli.Context, addr string) (*protocol.Client, error) {
	format := protocol.DefaultFormat()
	format.Header = c.Int("header-length")
	if format.Header < 0 || format.Header > 255 {
		return nil, cmdline.Usagef("header length %d is not within 0 to 255", format.Header)
	}
	client := &protocol.Client{Addr: addr, Format: format, Conns: 1}
	if !c.IsSet("tls-ca") {
		if c.IsSet("tls-cert") || c.IsSet("tls-key") {
			return nil, cmdline.Usagef("TLS needs --tls-ca")
		}
		return client, nil
	}
	if !c.IsSet("tls-cert") || !c.IsSet("tls-key") {
		return nil, cmdline.Usagef("TLS needs --tls-cert and --tls-key: the daemon asks its clients for a certificate")
	}
	own, err := protocol.OpenCredentials(c.String("tls-cert"), c.String("tls-key"), c.String("tls-ca"))
	if err != nil {
		return nil, err
	}
	client.TLS = own.Client()
	client.TLS.ServerName = c.String("tls-name")
	return client, nil
}

func localKeys(c *cli.Context) (*keystore.Live, error) {
	cfg, err := storeConfig(c)
	if err != nil {
		return nil, err
	}
	if cfg.Data == "" {
		return testKeys()
	}
	store, err := openStoreAt(c, cfg.Data, cfg.PassphraseFile, keystore.Options{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer store.Close()
	snapshot, err := store.Snapshot()
	if err != nil {
		return nil, err
	}
	return keystore.NewLive(snapshot), nil
}
