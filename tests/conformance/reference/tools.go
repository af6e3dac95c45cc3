//go:build tools

// Package tools names the reference server, so that go.mod and go.sum cover what it is built of.
package tools

import _ "github.com/modelcontextprotocol/go-sdk/conformance/everything-server"
