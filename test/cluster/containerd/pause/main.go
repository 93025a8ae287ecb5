// Pause does nothing until it is told to end. It is the process of each pod's sandbox, and of the
// pods whose volumes the tests back up.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM, syscall.SIGINT)
	<-end
}
