package serve

import (
	"net"
	"regexp"
	"testing"
)

// TestListenErrors: what is wrong with an address is told with the flag that gave it, and with what would do.
func TestListenErrors(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	for addr, want := range map[string]string{
		taken.Addr().String(): `^--addr 127\.0\.0\.1:\d+: .*in use: give another port, or end what listens there$`,
		"8000":                `^--addr 8000: missing port in address: wants HOST:PORT, or :PORT for all addresses of this machine$`,
		"127.0.0.1:99999":     `^--addr 127\.0\.0\.1:99999: invalid port: wants HOST:PORT`,
	} {
		if l, err := listen("--addr", addr); err == nil || !regexp.MustCompile(want).MatchString(err.Error()) {
			t.Errorf("%s: %v, %v; want %s", addr, l, err, want)
		}
	}
}
