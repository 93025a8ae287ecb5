// Bare-runc is runc for a runc that is built without libseccomp, which not every machine has: it
// takes the filter of system calls out of a container's settings, since runc would refuse them. A
// kubelet asks for that filter for each sandbox and leaves nobody a choice (kubernetes
// pkg/kubelet/kuberuntime/kuberuntime_sandbox.go). For containers of tests alone.
package main

import (
	"encoding/json"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
)

func main() {
	if at := slices.Index(os.Args, "--bundle"); at > 0 && at+1 < len(os.Args) {
		if err := removeFilter(filepath.Join(os.Args[at+1], "config.json")); err != nil {
			log.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		log.Fatal(err)
	}
	runc := filepath.Join(filepath.Dir(self), "runc")
	if _, err := os.Stat(runc); err != nil {
		// The machine's own, where ours could not be built.
		if runc, err = exec.LookPath("runc"); err != nil {
			log.Fatal(err)
		}
	}
	log.Fatal(syscall.Exec(runc, append([]string{runc}, os.Args[1:]...), os.Environ()))
}

func removeFilter(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var settings, linux map[string]json.RawMessage
	if err := json.Unmarshal(text, &settings); err != nil {
		return err
	}
	if err := json.Unmarshal(settings["linux"], &linux); err != nil {
		return err
	}
	delete(linux, "seccomp")
	if settings["linux"], err = json.Marshal(linux); err != nil {
		return err
	}
	if text, err = json.Marshal(settings); err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}
