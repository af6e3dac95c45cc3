// Package openapi takes the place of metrics-server's package of this name, which was generated from
// newer libraries than the Kubernetes of our go.mod: hack/cluster builds metrics-server with those of our
// go.mod, so that nearly all of it is compiled already.
package openapi

import "k8s.io/kubernetes/pkg/generated/openapi"

// GetOpenAPIDefinitions has the definitions of all of Kubernetes, among them those of metrics.k8s.io.
var GetOpenAPIDefinitions = openapi.GetOpenAPIDefinitions
