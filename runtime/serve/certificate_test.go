package serve

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// certificate writes a certificate for 127.0.0.1 and its key, and returns its serial number.
func certificate(t *testing.T, dir string, serial int64) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "localhost"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// TestTLS: HTTP/2 and HTTP/1.1 over TLS from 1.2 on; a certificate that is replaced is taken without a restart.
func TestTLS(t *testing.T) {
	dir := t.TempDir()
	cert, key := certificate(t, dir, 1)
	c, err := NewCertificate(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	loading := make(chan struct{})
	close(loading)
	x := startLoading(t, Options{Certificate: c}, loading)
	// The test's certificate is nobody's.
	x.client.Transport = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	x.await("/ready", 200)
	a := x.ask("POST", "/v1/say", "@text \"a\"\nwait 50ms\ntext \"z\"\ndone stop")
	if a.status != 200 || a.body != "az" {
		t.Errorf("%+v", a)
	}
	if conn, err := tls.Dial("tcp", x.addr, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11}); err == nil {
		_ = conn.Close()
		t.Error("TLS 1.1 is spoken")
	}
	serial := func() int64 {
		conn, err := tls.Dial("tcp", x.addr, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if p := conn.ConnectionState().NegotiatedProtocol; p != "h2" {
			t.Errorf("protocol %q", p)
		}
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	if got := serial(); got != 1 {
		t.Errorf("serial %d", got)
	}
	certificate(t, dir, 2)
	for range 50 {
		if serial() == 2 {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if got := serial(); got != 2 {
		t.Errorf("after it was replaced: serial %d", got)
	}
	if err := os.WriteFile(cert, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 30 {
		serial()
		if strings.Contains(x.log.String(), "left out") {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	x.logged("left out")
	if got := serial(); got != 2 {
		t.Errorf("after it was damaged: serial %d", got)
	}
}
