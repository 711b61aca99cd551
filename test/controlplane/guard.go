package controlplane

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// killTimeout is how long killed processes may take to be gone: the kernel frees
// their memory first, on a busy machine.
const killTimeout = 30 * time.Second

// launcher stands in for a program: it leaves a file named after its process id,
// which the program keeps, before there is a program to lose sight of. Asking
// for --help starts nothing that stays.
const launcher = `#!/bin/sh
case " $* " in
*" --help "*) ;;
*) : >'%s'/$$ || exit 1 ;;
esac
exec '%s' "$@"
`

// watchdog waits until its standard input ends, which happens when the process that
// holds the other end is gone, and then kills the process groups that are still noted.
// $1: directory of the notes; $2: directory to remove, if any.
const watchdog = `trap '' INT TERM HUP
cat >/dev/null
for f in "$1"/*; do
	[ -e "$f" ] && kill -s KILL -- "-${f##*/}" 2>/dev/null
done
[ -z "$2" ] || rm -rf "$2" || { sleep 1; rm -rf "$2"; }
`

// guard starts programs in such a way that none of them outlives this process.
type guard struct {
	pids, launchers, logs string

	watchdog *exec.Cmd
	alive    io.Closer // the watchdog acts when this closes, by us or by our end
}

// newGuard keeps its notes below dir, and removes dir when the process ends without
// release, if told so.
func newGuard(dir string, removeDir bool) (*guard, error) {
	g := &guard{
		pids:      filepath.Join(dir, "pids"),
		launchers: filepath.Join(dir, "launchers"),
		logs:      filepath.Join(dir, "logs"),
	}
	for _, d := range []string{g.pids, g.launchers, g.logs} {
		if err := os.Mkdir(d, 0o700); err != nil {
			return nil, err
		}
	}
	remove := ""
	if removeDir {
		remove = dir
	}
	g.watchdog = exec.Command("/bin/sh", "-c", watchdog, "watchdog", g.pids, remove)
	g.watchdog.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C is not for it
	alive, err := g.watchdog.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := g.watchdog.Start(); err != nil {
		return nil, fmt.Errorf("starting the watchdog: %w", err)
	}
	g.alive = alive
	return g, nil
}

// program returns what to start instead of the program called name in assets, and
// the file for its output. What is started must lead a process group of its own.
func (g *guard) program(name, assets string) (path string, log *os.File, err error) {
	path = filepath.Join(g.launchers, name)
	script := fmt.Sprintf(launcher, g.pids, filepath.Join(assets, name))
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		return "", nil, err
	}
	log, err = os.OpenFile(g.logPath(name), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	return path, log, err
}

// killAll kills all programs and waits until they are gone. No program can be
// started afterwards.
func (g *guard) killAll() error {
	if err := os.RemoveAll(g.launchers); err != nil {
		return fmt.Errorf("removing the launchers: %w", err)
	}
	pids, err := g.running()
	if err != nil {
		return err
	}
	for _, pid := range pids {
		// The group may be gone already, which is all that is wanted.
		_ = syscall.Kill(-pid, syscall.SIGKILL)
	}
	for deadline := time.Now().Add(killTimeout); ; time.Sleep(10 * time.Millisecond) {
		if pids, err = g.running(); err != nil || len(pids) == 0 {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("killing processes %v: still there after %s", pids, killTimeout)
		}
	}
}

// running returns the ids of the noted processes that exist.
func (g *guard) running() ([]int, error) {
	entries, err := os.ReadDir(g.pids)
	if err != nil {
		return nil, fmt.Errorf("reading the process ids of the control plane: %w", err)
	}
	var pids []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			return nil, fmt.Errorf("reading the process ids of the control plane: %w", err)
		}
		if !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// release ends the watchdog; call it when all programs are gone.
func (g *guard) release() error {
	if err := os.RemoveAll(g.pids); err != nil {
		return err
	}
	err := g.alive.Close()
	return errors.Join(err, g.watchdog.Wait())
}

func (g *guard) logPath(name string) string { return filepath.Join(g.logs, name+".log") }

// logTails returns the end of what programs have logged, for an error message.
func (g *guard) logTails(names ...string) string {
	const lines = 15
	var text strings.Builder
	for _, name := range names {
		log, err := os.ReadFile(g.logPath(name))
		if err != nil || len(log) == 0 {
			continue
		}
		all := strings.Split(strings.TrimSpace(string(log)), "\n")
		all = all[max(0, len(all)-lines):]
		fmt.Fprintf(&text, "end of the log of %s:\n\t%s\n", name, strings.Join(all, "\n\t"))
	}
	return text.String()
}
