package trial

import (
	"os/exec"
	"syscall"
)

// dieWithUs has the kernel end cmd when we are killed (PR_SET_PDEATHSIG in prctl(2)).
func dieWithUs(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
