package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// mirror is where packages come from unless PEERS_DEBIAN_MIRROR names another place.
const mirror = "https://deb.debian.org/debian"

// packages of Debian's that are unpacked, with all that they depend on.
var packages = []string{"llama.cpp-tools", "llama.cpp-tools-extra"}

// peer is an installation of llama.cpp.
type peer struct {
	version string
	command func(ctx context.Context, tool string, args ...string) *exec.Cmd
}

// peer is the folder of -llama, or what Debian's unstable distribution has: fetched once, and with -update again.
func (o *options) peer(ctx context.Context) (*peer, error) {
	if o.llama != "" {
		p := &peer{command: func(ctx context.Context, tool string, args ...string) *exec.Cmd {
			return exec.CommandContext(ctx, filepath.Join(o.llama, tool), args...)
		}}
		out, err := output(p.command(ctx, "llama-bench", "--version"))
		p.version = "llama.cpp of " + o.llama + ": " + firstLine(out)
		return p, err
	}
	root := filepath.Join(o.dir, "debian")
	stamp := filepath.Join(root, "version") // written last
	if data, err := os.ReadFile(stamp); err == nil && !o.update {
		return debianPeer(root, string(data))
	}
	d := debian{root: root, apt: filepath.Join(o.dir, "apt")}
	version, err := d.unpack(ctx)
	if err != nil {
		return nil, fmt.Errorf("llama.cpp from Debian: %w\nwithout a network or apt-get, -llama names a folder with your own build", err)
	}
	if err := os.WriteFile(stamp, []byte(version), 0o644); err != nil {
		return nil, err
	}
	return debianPeer(root, version)
}

// debianPeer runs tools of a tree of Debian's that is not this system's: with that tree's own dynamic linker and C library,
// which may be newer than this system's. llama.cpp looks for its kernels for different processors in the current directory
// too, and takes the best that run.
func debianPeer(root, version string) (*peer, error) {
	linker, err := one(filepath.Join(root, "usr/lib/*/ld-linux-*.so.*"))
	if err != nil {
		return nil, err
	}
	kernels, err := one(filepath.Join(root, "usr/lib/*/ggml/backends*"))
	if err != nil {
		return nil, err
	}
	lib := filepath.Dir(linker)
	return &peer{version: "llama.cpp " + version + " of Debian", command: func(ctx context.Context, tool string, args ...string) *exec.Cmd {
		path := strings.Join([]string{lib, filepath.Join(lib, "llama")}, string(filepath.ListSeparator))
		all := append([]string{"--library-path", path, filepath.Join(root, "usr/bin", tool)}, args...)
		cmd := exec.CommandContext(ctx, linker, all...)
		cmd.Dir = kernels
		return cmd
	}}, nil
}

// one is the one file that a pattern finds.
func one(pattern string) (string, error) {
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("%d files are %s, not one: remove the folder and start again", len(found), pattern)
	}
	return found[0], nil
}

// debian unpacks packages into a folder, as any user, with an apt of its own that sees an empty system. apt checks Debian's
// signature and each package's checksum. Of unstable only the newest version can be had: the version stands in the report.
type debian struct{ root, apt string }

func (d *debian) unpack(ctx context.Context) (version string, err error) {
	for _, tool := range []string{"apt-get", "apt-cache", "dpkg-deb"} {
		if _, err := exec.LookPath(tool); err != nil {
			return "", fmt.Errorf("%w: Debian and its descendants have it", err)
		}
	}
	if err := d.configure(); err != nil {
		return "", err
	}
	note("fetching llama.cpp from Debian's unstable distribution, 20 MB")
	if _, err := d.run(ctx, "apt-get", "-q", "update"); err != nil {
		return "", err
	}
	archives := filepath.Join(d.apt, "cache", "archives")
	if err := errors.Join(os.RemoveAll(archives), os.MkdirAll(filepath.Join(archives, "partial"), 0o755)); err != nil {
		return "", err
	}
	if _, err := d.run(ctx, "apt-get", append([]string{"-q", "-y", "--download-only", "install"}, packages...)...); err != nil {
		return "", err
	}
	shown, err := d.run(ctx, "apt-cache", "show", packages[0])
	if err != nil {
		return "", err
	}
	files, err := filepath.Glob(filepath.Join(archives, "*.deb"))
	if err != nil || len(files) == 0 {
		return "", fmt.Errorf("apt-get fetched no packages into %s", archives)
	}
	if err := errors.Join(os.RemoveAll(d.root), os.MkdirAll(d.root, 0o755)); err != nil {
		return "", err
	}
	for _, file := range files {
		if _, err := output(exec.CommandContext(ctx, "dpkg-deb", "-x", file, d.root)); err != nil {
			return "", err
		}
	}
	return field(shown, "Version"), os.RemoveAll(archives)
}

// configure lays out the folders of the apt.
func (d *debian) configure() error {
	place := os.Getenv("PEERS_DEBIAN_MIRROR")
	if place == "" {
		place = mirror
	}
	trust := ""
	const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg" // which Debian's descendants do not trust by themselves
	if _, err := os.Stat(keyring); err == nil {
		trust = "[signed-by=" + keyring + "] "
	}
	for _, dir := range []string{"lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(d.apt, dir), 0o755); err != nil {
			return err
		}
	}
	for name, text := range map[string]string{"sources.list": "deb " + trust + place + " sid main\n", "status": ""} {
		if err := os.WriteFile(filepath.Join(d.apt, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// run runs apt with the machine's settings, such as a proxy, and with folders of its own.
func (d *debian) run(ctx context.Context, tool string, args ...string) (string, error) {
	var all []string
	for _, setting := range []string{
		"Dir::Etc::sourcelist=" + filepath.Join(d.apt, "sources.list"), "Dir::Etc::sourceparts=-",
		"Dir::State=" + d.apt, "Dir::State::lists=" + filepath.Join(d.apt, "lists"), "Dir::State::status=" + filepath.Join(d.apt, "status"),
		"Dir::Cache=" + filepath.Join(d.apt, "cache"), "Dir::Cache::archives=" + filepath.Join(d.apt, "cache", "archives"),
		"APT::Install-Recommends=false", "APT::Update::Error-Mode=any", "APT::Sandbox::User=", "Debug::NoLocking=true", "Acquire::Languages=none",
	} {
		all = append(all, "-o", setting)
	}
	return output(exec.CommandContext(ctx, tool, append(all, args...)...))
}

// field is the first one of that name in a package's description.
func field(text, name string) string {
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, name+": "); ok {
			return strings.TrimSpace(value)
		}
	}
	return "of an unknown version"
}

// output runs a command and returns what it prints. An error has what it complained of last.
func output(cmd *exec.Cmd) (string, error) {
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		lines := strings.Split(strings.TrimSpace(complaint.String()), "\n")
		return "", fmt.Errorf("%s: %w: %s", called(cmd), err, strings.Join(lines[max(0, len(lines)-3):], "\n"))
	}
	return out.String(), nil
}

// called is the program and the first of its arguments that is no option nor a path: what it was to do.
func called(cmd *exec.Cmd) string {
	words := []string{filepath.Base(cmd.Args[0])}
	for i := 1; i < len(cmd.Args) && len(words) < 2; i++ {
		switch a := cmd.Args[i]; {
		case a == "-o" || a == "--library-path": // and its value
			i++
		case strings.Contains(a, "llama-"):
			words[0] = filepath.Base(a) // behind the dynamic linker
			return words[0]
		case !strings.HasPrefix(a, "-"):
			words = append(words, a)
		}
	}
	return strings.Join(words, " ")
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}

// machine names the processor.
func machine() string {
	data, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOOS + "/" + runtime.GOARCH
	}
	for line := range strings.Lines(string(data)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOOS + "/" + runtime.GOARCH
}
