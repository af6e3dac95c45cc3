// Command etcd is the server of go.etcd.io/etcd, whose own main package is in a module that cannot be
// built from outside its repository.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() { etcdmain.Main(os.Args) }
