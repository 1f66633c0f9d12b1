package udp

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/framegram/framegram/internal/testutil"
)

// inNamespace runs the calling test once more, in a process with a network namespace
// of its own that ends with it, and passes its outcome on. There it returns true, with
// lo up and IPv6 addresses usable at once.
func inNamespace(t *testing.T) bool {
	t.Helper()
	const mark = "FRAMEGRAM_TEST_NAMESPACE"
	if os.Getenv(mark) == "" {
		testutil.NeedRoot(t)
		testutil.Need(t, "ip")
		t.Parallel()
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+regexp.QuoteMeta(t.Name())+"$", "-test.v", "-test.timeout=60s")
		cmd.Env = append(os.Environ(), mark+"=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
		out, err := cmd.CombinedOutput()
		if err != nil || !bytes.Contains(out, []byte("--- PASS: "+t.Name())) {
			t.Errorf("in a namespace: %v\n%s", err, out)
		}
		return false
	}
	ipCommand(t, "link set lo up")
	sysctlSet(t, "ipv6/conf/default/accept_dad", "0")
	return true
}

func ipCommand(t *testing.T, args string) {
	t.Helper()
	if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v: %s", args, err, out)
	}
}

func sysctlSet(t *testing.T, name, value string) {
	t.Helper()
	if err := os.WriteFile("/proc/sys/net/"+name, []byte(value), 0); err != nil {
		t.Fatal(err)
	}
}

// addLAN makes an interface with the addresses 10.N.0.1/24 and fd77:N::1/64, whose
// other end nobody listens on.
func addLAN(t *testing.T, name string, n int) {
	t.Helper()
	far := "far-" + name
	ipCommand(t, fmt.Sprintf("link add %s type veth peer name %s", name, far))
	sysctlSet(t, "ipv6/conf/"+far+"/disable_ipv6", "1")
	ipCommand(t, "link set "+far+" up")
	raise(t, name, n)
}

// raise brings an interface up as addLAN does.
func raise(t *testing.T, name string, n int) {
	t.Helper()
	ipCommand(t, "link set "+name+" up")
	ipCommand(t, fmt.Sprintf("addr replace 10.%d.0.1/24 broadcast 10.%d.0.255 dev %s", n, n, name))
	ipCommand(t, fmt.Sprintf("addr replace fd77:%d::1/64 dev %s nodad", n, name))
}
