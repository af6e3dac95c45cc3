"""A real Kubernetes on one machine, for hack/cluster. Standard library only."""
