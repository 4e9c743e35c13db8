package serve

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// Keys are those who may use a server. They are kept as hashes. Keys of a file follow the file as it changes.
type Keys struct {
	given []key
	files []*keyFile
}

type key struct {
	name string // in logs
	hash [sha256.Size]byte
}

// Bounds of keys, and of files with them.
const (
	minKey     = 8
	maxKey     = 512
	maxKeyFile = 1 << 20
)

// NewKeys takes keys as they are, and the names of files that hold one on each line, behind a name for it where there are two
// words. Lines that begin with # are comments. It returns nil where there are none of both.
func NewKeys(keys, files []string) (*Keys, error) {
	if len(keys) == 0 && len(files) == 0 {
		return nil, nil
	}
	k := &Keys{}
	for i, text := range keys {
		parsed, err := newKey("", text)
		if err != nil {
			return nil, fmt.Errorf("--api-key: key %d: %w", i+1, err)
		}
		k.given = append(k.given, parsed)
	}
	for _, name := range files {
		f := &keyFile{watched: watched{names: []string{name}}}
		if err := f.read(); err != nil {
			return nil, fmt.Errorf("--api-key-file: %w", err)
		}
		k.files = append(k.files, f)
	}
	return k, nil
}

// newKey hashes a key. Its name, where it has none, is the beginning of the hash: enough to tell keys apart, and nothing that
// helps to guess one.
func newKey(name, text string) (key, error) {
	switch {
	case len(text) < minKey:
		return key{}, fmt.Errorf("it has %d characters: wants %d at the least (openssl rand -hex 32 makes a good one)", len(text), minKey)
	case len(text) > maxKey:
		return key{}, fmt.Errorf("it has %d characters: wants %d at most", len(text), maxKey)
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }):
		return key{}, errors.New("it has a character that HTTP headers cannot carry: wants printable ASCII without spaces")
	}
	k := key{name: name, hash: sha256.Sum256([]byte(text))}
	if name == "" {
		k.name = hex.EncodeToString(k.hash[:4])
	}
	return k, nil
}

// find returns the name of the key of a request. It takes the same time whichever key it is, and for those that are none.
func (k *Keys) find(r *http.Request) (name string, ok bool) {
	hash := sha256.Sum256([]byte(credential(r)))
	found := 0
	look := func(list []key) {
		for i := range list {
			same := subtle.ConstantTimeCompare(hash[:], list[i].hash[:])
			if same == 1 {
				name = list[i].name
			}
			found |= same
		}
	}
	look(k.given)
	for _, f := range k.files {
		look(f.current())
	}
	return name, found == 1
}

// credential is what a request gives as its key: OpenAI's clients send a bearer token, Anthropic's that or x-api-key.
func credential(r *http.Request) string {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	return r.Header.Get("X-Api-Key")
}

// keyFile is a file with keys.
type keyFile struct {
	watched
	keys []key
}

// read reads the file.
func (f *keyFile) read() error {
	name := f.names[0]
	f.changed() // what is read now is known
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxKeyFile+1))
	if err != nil {
		return err
	}
	if len(data) > maxKeyFile {
		return fmt.Errorf("%s has more than %d bytes: is it a file with keys?", name, maxKeyFile)
	}
	keys, err := parseKeys(name, data)
	if err != nil {
		return err
	}
	f.keys = keys
	return nil
}

func parseKeys(name string, data []byte) ([]key, error) {
	var keys []key
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; lines.Scan(); n++ {
		words := strings.Fields(lines.Text())
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if len(words) > 2 {
			return nil, fmt.Errorf("%s:%d: wants KEY or NAME KEY, not %d words", name, n, len(words))
		}
		who := ""
		if len(words) == 2 {
			who = words[0]
		}
		k, err := newKey(who, words[len(words)-1])
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, n, err)
		}
		keys = append(keys, k)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%s holds no keys: wants one on a line", name)
	}
	return keys, nil
}

// current are the keys that the file holds now. A file that cannot be read, or makes no sense, leaves them as they were: who
// takes a key away has to leave the others.
func (f *keyFile) current() []key {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.changed() {
		f.report(f.read())
	}
	return f.keys
}

// watched are files that may change while the server runs. They are looked at when they are used, once a second at most.
type watched struct {
	names []string

	mu     sync.Mutex
	looked time.Time
	stamps []stamp
	failed func(error) // is told why they could not be read again; nil: nobody
}

// report tells why files could not be read again.
func (w *watched) report(err error) {
	if err != nil && w.failed != nil {
		w.failed(err)
	}
}

type stamp struct {
	size int64
	time time.Time
}

// changed reports whether the files are others than when it was called last. The lock is the caller's.
func (w *watched) changed() bool {
	const every = time.Second
	if time.Since(w.looked) < every {
		return false
	}
	w.looked = time.Now()
	stamps := make([]stamp, len(w.names))
	for i, name := range w.names {
		if info, err := os.Stat(name); err == nil {
			stamps[i] = stamp{info.Size(), info.ModTime()}
		}
	}
	same := len(stamps) == len(w.stamps)
	for i := range w.stamps {
		same = same && stamps[i] == w.stamps[i]
	}
	w.stamps = stamps
	return !same
}
