package command_test

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/framegram/framegram/command"
)

// The scripts run the whole command in a process of its own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"framegram": func() { os.Exit(command.Main(os.Args, os.Stdin, os.Stdout, os.Stderr)) },
	})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			// What is refused wrongly late would run for ever.
			env.Setenv("FRAMEGRAM_DURATION", "5s")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"fails": fails},
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "opencv":
				return hasOpenCV, nil
			case "race":
				return raceDetector, nil
			}
			return false, errors.New("unknown condition " + cond)
		},
	})
}

// fails CODE ARGUMENT... runs framegram and checks how it failed: with that exit
// code, nothing on standard output, and one line on standard error that ends with
// what to do, which the script then looks at.
func fails(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: fails CODE ARGUMENT...")
	}
	code, err := strconv.Atoi(args[0])
	ts.Check(err)
	var exit *exec.ExitError
	if err = ts.Exec("framegram", args[1:]...); !errors.As(err, &exit) {
		ts.Fatalf("framegram ended with %v, want exit code %d", err, code)
	}
	if got := exit.ExitCode(); got != code {
		ts.Fatalf("exit code %d, want %d", got, code)
	}
	if out := ts.ReadFile("stdout"); out != "" {
		ts.Fatalf("it failed, and wrote to standard output: %s", out)
	}
	said := strings.TrimSuffix(ts.ReadFile("stderr"), "\n")
	if !strings.HasPrefix(said, "framegram: ") || strings.Contains(said, "\n") {
		ts.Fatalf("want one line that begins with framegram:, got:\n%s", said)
	}
}
