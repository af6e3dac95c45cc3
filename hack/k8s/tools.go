//go:build tools

// Package tools names the upstream commands that hack/cluster builds, so that go.mod and go.sum cover
// all they import. One module for all of them: what they share is then compiled once. (Kubernetes and
// etcd could not be `go install`ed anyway, because of their replace directives.) After a change, run
// `go mod tidy -e`: -e because a test of a dependency has an ambiguous import.
package tools

import (
	_ "helm.sh/helm/v4/cmd/helm"
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kube-controller-manager"
	_ "k8s.io/kubernetes/cmd/kube-proxy"
	_ "k8s.io/kubernetes/cmd/kube-scheduler"
	_ "k8s.io/kubernetes/cmd/kubectl"
	_ "k8s.io/kubernetes/cmd/kubelet"

	// What metrics-server needs beyond the above; metrics-server/version has its own pin.
	_ "github.com/prometheus/prometheus/model/textparse"
	_ "github.com/prometheus/prometheus/model/timestamp"
)
