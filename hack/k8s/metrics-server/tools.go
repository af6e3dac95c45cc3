//go:build tools

// Package tools names metrics-server. It has a Go module of its own because it asks for newer libraries
// than the Kubernetes that ../go.mod pins.
package tools

import (
	_ "k8s.io/kubernetes/pkg/generated/openapi"
	_ "sigs.k8s.io/metrics-server/cmd/metrics-server"
)
