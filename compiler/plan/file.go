package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"google.golang.org/protobuf/proto"

	"github.com/glmc/glmc/compiler/plan/planpb"
)

// A plan file is a header of 56 bytes, all little-endian, and a body:
//
//	0   8  magic "GLMPLAN\n"
//	8   4  format version
//	12  4  zero
//	16  8  length of the body in bytes
//	24 32  SHA-256 of the body
//	56     body: planpb.Plan
const (
	magic      = "GLMPLAN\n"
	headerSize = 56

	// FormatVersion is the version that Encode writes and the newest that Decode reads. Fields may be added
	// to the body without a new version; a change of meaning takes one.
	FormatVersion = 1

	// MaxFileSize bounds what Decode looks at.
	MaxFileSize = 1 << 28
)

// ErrNotPlan says that a file is no plan at all.
var ErrNotPlan = errors.New("not a glmc plan")

// IsPlan reports whether data begins as a plan file does.
func IsPlan(data []byte) bool { return bytes.HasPrefix(data, []byte(magic)) }

// Encode returns the plan's file. The same plan gives the same bytes.
func (p *Plan) Encode() ([]byte, error) {
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(toProto(p))
	if err != nil {
		return nil, fmt.Errorf("encode plan: %w", err)
	}
	if len(body) > MaxFileSize-headerSize {
		return nil, fmt.Errorf("the plan takes %d bytes, more than the %d that a plan file holds", len(body), MaxFileSize)
	}
	out := make([]byte, headerSize, headerSize+len(body))
	copy(out, magic)
	binary.LittleEndian.PutUint32(out[8:], FormatVersion)
	binary.LittleEndian.PutUint64(out[16:], uint64(len(body)))
	sum := sha256.Sum256(body)
	copy(out[24:], sum[:])
	return append(out, body...), nil
}

// Digest is the SHA-256 of an encoded plan's body in hexadecimal, as its header has it.
func Digest(file []byte) string {
	if len(file) < headerSize {
		return ""
	}
	return hex.EncodeToString(file[24:headerSize])
}

// Decode reads a plan file and checks all of it: header, digest, every index, every shape by the operator
// table, every layout. What it returns can be executed without further checks of bounds.
func Decode(file []byte) (*Plan, error) {
	body, err := checkHeader(file)
	if err != nil {
		return nil, err
	}
	var pb planpb.Plan
	if err := checkWire(body, pb.ProtoReflect().Descriptor()); err != nil {
		return nil, fmt.Errorf("damaged plan: %w", err)
	}
	if err := (proto.UnmarshalOptions{RecursionLimit: maxNesting, DiscardUnknown: true}).Unmarshal(body, &pb); err != nil {
		return nil, fmt.Errorf("damaged plan: %w", err)
	}
	p, err := fromProto(&pb)
	if err != nil {
		return nil, fmt.Errorf("invalid plan: %w", err)
	}
	return p, nil
}

func checkHeader(file []byte) ([]byte, error) {
	if !IsPlan(file) {
		return nil, ErrNotPlan
	}
	if len(file) > MaxFileSize {
		return nil, errTooLarge(int64(len(file)))
	}
	if len(file) < headerSize {
		return nil, fmt.Errorf("damaged plan: %d bytes, the header alone takes %d", len(file), headerSize)
	}
	if v := binary.LittleEndian.Uint32(file[8:]); v != FormatVersion {
		return nil, fmt.Errorf("the plan has format version %d and this glmc reads version %d: compile it again, or use the glmc that wrote it", v, FormatVersion)
	}
	if z := binary.LittleEndian.Uint32(file[12:]); z != 0 {
		return nil, fmt.Errorf("damaged plan: reserved header bytes are %#x", z)
	}
	body := file[headerSize:]
	if n := binary.LittleEndian.Uint64(file[16:]); n > uint64(len(body)) {
		return nil, fmt.Errorf("damaged plan: the header speaks of %d bytes, the file holds %d: it was cut off", n, len(body))
	} else if n < uint64(len(body)) {
		return nil, fmt.Errorf("damaged plan: the header speaks of %d bytes, the file holds %d: something was put behind it", n, len(body))
	}
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:], file[24:headerSize]) {
		return nil, errors.New("damaged plan: its bytes do not match the digest in its header")
	}
	return body, nil
}

func errTooLarge(size int64) error {
	return fmt.Errorf("damaged plan: %d bytes, a plan has at most %d", size, MaxFileSize)
}

// ReadFile decodes the plan at path.
func ReadFile(path string) (*Plan, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > MaxFileSize {
		return nil, fmt.Errorf("%s: %w", path, errTooLarge(info.Size()))
	}
	data, err := io.ReadAll(io.LimitReader(f, MaxFileSize+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	p, err := Decode(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}

// WriteFile puts an encoded plan at path in one step: on any error, a full disk included, what was there
// before is still there.
func WriteFile(path string, file []byte) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			tmp.Close()
			os.Remove(tmp.Name())
			err = fmt.Errorf("write %s: %w", path, err)
		}
	}()
	if _, err = tmp.Write(file); err != nil {
		return err
	}
	if err = tmp.Chmod(0o644); err != nil {
		return err
	}
	if err = tmp.Sync(); err != nil {
		return err
	}
	if err = tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
