package cli

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/tokenwright/tokenwright/config"
)

type healthcheckCmd struct {
	Listen string `placeholder:"HOST:PORT" help:"Where the server listens; goes before LISTEN."`
}

func (healthcheckCmd) Help() string {
	return "Exits with 0 if the server is ready to answer, else with 1.\n\n" +
		"Example:\n\n\ttokenwright healthcheck || echo not ready\n"
}

const healthTimeout = 3 * time.Second

func (cmd healthcheckCmd) Run(ctx context.Context, con *console) error {
	cfg, err := con.settings(serveCmd{Listen: cmd.Listen}.flags(), false)
	if err != nil {
		return err
	}
	url, client, err := readyClient(cfg.HTTP)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("build request: %w", err)
	}
	res, err := client.Do(req)
	if err != nil {
		return &plainError{fmt.Sprintf("nothing answers at %s: start it with tokenwright serve, or set LISTEN to where it listens", url), err}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 4<<10))
	if err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	if res.StatusCode == http.StatusOK {
		fmt.Fprintln(con.out, "ready")
		return nil
	}
	var fault struct {
		Detail string `json:"detail"`
	}
	if json.Unmarshal(body, &fault) != nil || fault.Detail == "" {
		return fmt.Errorf("%s answered %s: is that tokenwright?", url, res.Status)
	}
	return errors.New(fault.Detail)
}

// readyClient is the address to ask on this machine, and what to ask with.
func readyClient(cfg config.HTTP) (string, *http.Client, error) {
	host, port, err := net.SplitHostPort(cfg.Listen)
	if err != nil || port == "0" {
		return "", nil, errors.New("LISTEN does not say which port to ask: give it with --listen")
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	client := &http.Client{Timeout: healthTimeout}
	if !cfg.TLS() {
		return "http://" + net.JoinHostPort(host, port) + "/readyz", client, nil
	}
	pair, err := tls.LoadX509KeyPair(cfg.TLSCertFile, cfg.TLSKeyFile)
	if err != nil {
		return "", nil, fmt.Errorf("read TLS_CERT_FILE: %w", err)
	}
	client.Transport = &http.Transport{TLSClientConfig: &tls.Config{
		// The certificate is for another name than this address: it has to be
		// the very one that the settings name instead.
		InsecureSkipVerify: true,
		VerifyConnection: func(s tls.ConnectionState) error {
			if !bytes.Equal(s.PeerCertificates[0].Raw, pair.Certificate[0]) {
				return errors.New("another certificate than TLS_CERT_FILE's")
			}
			return nil
		},
	}}
	return "https://" + net.JoinHostPort(host, port) + "/readyz", client, nil
}
