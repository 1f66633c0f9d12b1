package display

import (
	"os/exec"
	"syscall"
)

// ownGroup makes cmd the leader of a process group, so that killGroup ends its
// children with it, and lets it not outlive a test that crashes.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

func killGroup(cmd *exec.Cmd) { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
