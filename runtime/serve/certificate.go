package serve

import (
	"crypto/tls"
	"fmt"
)

// Certificate is a server's certificate and its private key, in files that are read again when they change.
type Certificate struct {
	watched
	pair *tls.Certificate
}

// NewCertificate reads them, in PEM.
func NewCertificate(cert, key string) (*Certificate, error) {
	c := &Certificate{watched: watched{names: []string{cert, key}}}
	if err := c.read(); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *Certificate) read() error {
	c.changed() // what is read now is known
	pair, err := tls.LoadX509KeyPair(c.names[0], c.names[1])
	if err != nil {
		return fmt.Errorf("certificate %s with key %s: %w", c.names[0], c.names[1], err)
	}
	c.pair = &pair
	return nil
}

// current is the certificate of the files as they are now. While one of two was replaced and the other was not yet, they do not
// fit each other; then it is the one before.
func (c *Certificate) current(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changed() {
		if err := c.read(); err != nil {
			c.stamps = nil // look again
			c.report(err)
		}
	}
	return c.pair, nil
}

// config is how the server speaks TLS. Below 1.2 no client of these interfaces is left.
func (c *Certificate) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.current}
}
