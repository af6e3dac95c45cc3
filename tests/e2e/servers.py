"""Manifests of the two real MCP servers, as MCPServers."""

from fleetlab.cluster import SERVER_IMAGES


def everything(namespace, name="everything", **spec):
    """npm's server-everything: Streamable HTTP, sessions in memory."""
    return _server(namespace, name, {
        "source": {"type": "ContainerImage", "containerImage": {"ref": SERVER_IMAGES["everything"], "pullPolicy": "Never"}},
        "transport": {"type": "streamable-http"},
        "config": {"port": 3001, "env": [{"name": "PORT", "value": "3001"}]},
    }, spec)


def time(namespace, name="time", **spec):
    """PyPI's mcp-server-time: stdio, a process per session."""
    return _server(namespace, name, {
        "source": {"type": "ContainerImage", "containerImage": {"ref": SERVER_IMAGES["time"], "pullPolicy": "Never"}},
        "transport": {"type": "stdio"},
        "config": {"command": ["mcp-server-time"], "arguments": ["--local-timezone", "UTC"]},
    }, spec)


def _server(namespace, name, base, spec):
    return {"apiVersion": "mcpfleet.dev/v1alpha1", "kind": "MCPServer", "metadata": {"name": name, "namespace": namespace},
            "spec": {**base, **spec}}


def quick(minimum, maximum, **more):
    """Autoscaling with short windows, so that a test sees up and down."""
    return {"minReplicas": minimum, "maxReplicas": maximum,
            "behavior": {"scaleUp": {"stabilizationWindowSeconds": 0,
                                     "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}]},
                         "scaleDown": {"stabilizationWindowSeconds": 5,
                                       "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}]}}, **more}
