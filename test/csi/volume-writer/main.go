// Volume-writer writes so many bytes that depend on nothing but their place into a file or a device,
// and syncs it: volume-writer PATH BYTES.
package main

import (
	"encoding/binary"
	"log"
	"os"
	"strconv"
)

func main() {
	if err := write(os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
}

func write(path, size string) error {
	count, err := strconv.Atoi(size)
	if err != nil {
		return err
	}
	bytes := make([]byte, count)
	for at := 0; at+4 <= count; at += 4 {
		binary.LittleEndian.PutUint32(bytes[at:], uint32(at))
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	if _, err := file.Write(bytes); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	return file.Close()
}
