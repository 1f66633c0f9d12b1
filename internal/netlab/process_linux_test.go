package netlab

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"golang.org/x/sys/unix"

	"github.com/framegram/framegram/internal/testutil"
)

// helper in the environment makes the test binary another program.
const helper = "NETLAB_TEST_HELPER"

func TestMain(m *testing.M) {
	var err error
	code := 0
	switch os.Getenv(helper) {
	case "":
		os.Exit(m.Run())
	case "hold":
		err = hold(context.Background())
	case "user":
		err = becomeUser(os.Getenv("NETLAB_TEST_TUN"))
	case "bench":
		code, err = bench()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// hold has a link with a program on it until it is killed or ctx is done. It says which
// namespaces and processes there are.
func hold(ctx context.Context) error {
	l, err := Open(ctx, Params{})
	if err != nil {
		return err
	}
	defer l.Close()
	cmd := exec.Command("sleep", "1000")
	if err := l.B().Start(cmd); err != nil {
		return err
	}
	var names []string
	for _, h := range []*Host{l.A(), l.B()} {
		if err := h.Do(func() error {
			name, err := os.Readlink("/proc/thread-self/ns/net")
			names = append(names, name)
			return err
		}); err != nil {
			return err
		}
	}
	fmt.Println(os.Getuid(), os.Getpid(), cmd.Process.Pid, strings.Join(names, " "))
	cmd.Wait() // the link's end kills it
	return nil
}

// becomeUser makes an unprivileged process of a root one: /dev/net/tun becomes what tun
// says, for it alone.
func becomeUser(tun string) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	var err error
	switch tun {
	case "missing":
		err = unix.Mount("none", "/dev/net", "tmpfs", 0, "")
	case "as it is":
	default:
		err = unix.Mount(tun, "/dev/net/tun", "", unix.MS_BIND, "")
	}
	if err == nil && os.Getenv("NETLAB_TEST_FORBID") != "" {
		err = os.WriteFile("/proc/sys/user/max_user_namespaces", []byte("0"), 0)
	}
	if err == nil {
		err = errors.Join(syscall.Setgroups(nil), syscall.Setgid(65534), syscall.Setuid(65534))
	}
	if err == nil {
		os.Setenv(helper, "bench")
		err = syscall.Exec("/proc/self/exe", os.Args, os.Environ())
	}
	return err
}

// bench is what a command does that needs a link. Its exit code is 7 unless it is told
// otherwise.
func bench() (int, error) {
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGTERM)
	defer stop()
	if code, done, err := Reexec(ctx, os.Stdin, os.Stdout, os.Stderr); done || err != nil {
		return code, err
	}
	return 7, hold(ctx)
}

// program is a running helper.
type program struct {
	*exec.Cmd
	out    *bufio.Reader
	stderr bytes.Buffer
}

func startHelper(t *testing.T, name string, attributes *syscall.SysProcAttr, environment ...string) *program {
	t.Helper()
	testutil.NeedRoot(t)
	p := &program{Cmd: exec.Command("/proc/self/exe")}
	p.Env = append(append(os.Environ(), helper+"="+name), environment...)
	p.SysProcAttr = attributes
	p.Stderr = &p.stderr
	out, err := p.StdoutPipe()
	if err == nil {
		err = p.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewReader(out)
	t.Cleanup(func() {
		p.Process.Kill()
		p.Wait()
	})
	return p
}

// holding reads what hold says.
func (p *program) holding(t *testing.T) (uid, pid, child int, namespaces []string) {
	t.Helper()
	line, err := p.out.ReadString('\n')
	fields := strings.Fields(line)
	if err != nil || len(fields) != 5 {
		io.Copy(io.Discard, p.out)
		p.Wait()
		t.Fatalf("said %q, %v: %s", line, err, &p.stderr)
	}
	uid, _ = strconv.Atoi(fields[0])
	pid, _ = strconv.Atoi(fields[1])
	child, _ = strconv.Atoi(fields[2])
	return uid, pid, child, fields[3:]
}

func gone(pid int) bool { return unix.Kill(pid, 0) == unix.ESRCH }

// A process that is killed leaves no namespace, no mount, no program on the hosts.
func TestKillLeavesNothing(t *testing.T) {
	p := startHelper(t, "hold", nil)
	_, _, child, names := p.holding(t)
	if len(holders(t, names)) == 0 {
		t.Fatal("nobody holds the namespaces")
	}
	p.Process.Kill()
	await(t, "its program's end", func() bool { return gone(child) })
	await(t, "the namespaces' end", func() bool { return len(holders(t, names)) == 0 })
}

// tunFor makes a device file that a user may open, as distributions have it.
func tunFor(t *testing.T, mode uint32) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tun")
	if err := unix.Mknod(path, unix.S_IFCHR|mode, int(unix.Mkdev(10, 200))); err != nil {
		testutil.Skip(t, "mknod: %v", err)
	}
	if err := os.Chmod(path, fs.FileMode(mode)); err != nil {
		t.Fatal(err)
	}
	return path
}

// A user without any privilege gets a link; the exit code comes through.
func TestUserGetsALink(t *testing.T) {
	for _, end := range []string{"SIGTERM", "the program's end", "SIGKILL"} {
		t.Run(end, func(t *testing.T) {
			p := startHelper(t, "user", &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS}, "NETLAB_TEST_TUN="+tunFor(t, 0o666))
			uid, pid, child, names := p.holding(t)
			if status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid)); err != nil || !strings.Contains(string(status), "Uid:\t65534\t") || !strings.Contains(string(status), "CapEff:\t0000000000000000\n") {
				t.Fatalf("the process is privileged: %v\n%s", err, status)
			}
			if uid != 0 || pid == p.Process.Pid {
				t.Errorf("inside, the user is %d in process %d", uid, pid)
			}
			want := 7
			switch end {
			case "SIGTERM":
				p.Process.Signal(unix.SIGTERM)
			case "SIGKILL":
				p.Process.Kill()
				want = -1
			default:
				unix.Kill(child, unix.SIGTERM)
			}
			p.Wait()
			if code := p.ProcessState.ExitCode(); code != want {
				t.Errorf("exit code %d, want %d: %s", code, want, &p.stderr)
			}
			await(t, "the processes' end", func() bool { return gone(pid) && gone(child) })
			await(t, "the namespaces' end", func() bool { return len(holders(t, names)) == 0 })
		})
	}
}

// Root needs no second process.
func TestRootGoesOn(t *testing.T) {
	p := startHelper(t, "bench", nil)
	if _, pid, _, _ := p.holding(t); pid != p.Process.Pid {
		t.Errorf("process %d runs again as %d", p.Process.Pid, pid)
	}
}

// What is missing is said, with what to do about it.
func TestWhatIsMissingIsSaid(t *testing.T) {
	own := &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS}
	forbidden := &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWUSER, GidMappingsEnableSetgroups: true,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 65535}}, GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 65535}}}
	for name, c := range map[string]struct {
		attributes  *syscall.SysProcAttr
		environment []string
		want        string
	}{
		"no device":          {own, []string{"NETLAB_TEST_TUN=missing"}, "modprobe tun"},
		"not for users":      {own, []string{"NETLAB_TEST_TUN=" + tunFor(t, 0o600)}, "its mode is -rw-------"},
		"no user namespaces": {forbidden, []string{"NETLAB_TEST_TUN=" + tunFor(t, 0o666), "NETLAB_TEST_FORBID=1"}, "sysctl user.max_user_namespaces=10000"},
	} {
		t.Run(name, func(t *testing.T) {
			p := startHelper(t, "user", c.attributes, c.environment...)
			out, _ := io.ReadAll(p.out)
			p.Wait()
			if said := p.stderr.String(); p.ProcessState.ExitCode() != 1 || len(out) > 0 || !strings.Contains(said, c.want) || !strings.Contains(said, "plain loopback works") {
				t.Errorf("exit code %d, %q, said %s", p.ProcessState.ExitCode(), out, said)
			}
		})
	}
}

func TestExplainNamespace(t *testing.T) {
	for file, want := range map[string]string{
		"kernel/unprivileged_userns_clone=0\n":             "sysctl kernel.unprivileged_userns_clone=1",
		"user/max_user_namespaces=0\n":                     "sysctl user.max_user_namespaces=10000",
		"user/max_net_namespaces=0\n":                      "sysctl user.max_net_namespaces=10000",
		"kernel/apparmor_restrict_unprivileged_userns=1\n": "AppArmor",
		"kernel/unprivileged_userns_clone=1\n":             "CONFIG_USER_NS",
	} {
		name, value, _ := strings.Cut(file, "=")
		err := explainNamespace(fstest.MapFS{name: &fstest.MapFile{Data: []byte(value)}}, unix.EPERM)
		if !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "plain loopback works") || !errors.Is(err, unix.EPERM) {
			t.Errorf("%q: got %v", file, err)
		}
	}
}
