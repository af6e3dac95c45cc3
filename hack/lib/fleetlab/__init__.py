"""What the demo, the end-to-end tests and the benchmarks share: a cluster with mcpfleet in it, and MCP traffic."""
