package serve

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// listen listens at the address that a flag gives. Its errors name both, and what would do.
func listen(flag, addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err == nil {
		return l, nil
	}
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err // without the address, which is known
	}
	var malformed *net.AddrError
	switch {
	case errors.As(err, &malformed):
		return nil, fmt.Errorf("%s %s: %s: wants HOST:PORT, or :PORT for all addresses of this machine", flag, addr, malformed.Err)
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s %s: %w: give another port, or end what listens there", flag, addr, err)
	}
	return nil, fmt.Errorf("%s %s: %w", flag, addr, err)
}
