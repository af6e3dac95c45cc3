"""Addresses of a cluster and its link to the host.

Every cluster has a network namespace of its own, so that two of them do not fight over ports, iptables
or the CNI bridge. A veth pair joins it to the host; the host routes the cluster's pods and Services
there. The host's end of the link is how programs in the cluster reach a program on the host (loopback
addresses are refused in EndpointSlices).
"""

import dataclasses
import ipaddress
import json

from .base import Failure, run

SLOTS = range(40)
LAST_RESORT = 2**32 - 1  # metric of a route that any other beats: a pod that is not there is unreachable at once


@dataclasses.dataclass(frozen=True)
class Plan:
    """All addresses of the cluster in one slot: 10.(180+slot).0.0/16."""
    slot: int

    @property
    def _prefix(self):
        return f"10.{180 + self.slot}"

    @property
    def network(self):
        return f"{self._prefix}.0.0/16"

    @property
    def host_ip(self):
        return f"{self._prefix}.0.1"

    @property
    def node_ip(self):
        return f"{self._prefix}.0.2"

    @property
    def pod_cidr(self):
        return f"{self._prefix}.64.0/18"

    @property
    def service_cidr(self):
        return f"{self._prefix}.128.0/17"  # thousands of servers with Services of their own

    @property
    def kubernetes_ip(self):
        return f"{self._prefix}.128.1"

    @property
    def dns_ip(self):
        return f"{self._prefix}.128.10"

    @property
    def link(self):
        return f"mcpfleet{self.slot}"


def free_slot(taken):
    """The first slot that no other cluster of ours has and no address or route of the host touches."""
    used = _host_networks()
    for slot in SLOTS:
        mine = ipaddress.ip_network(Plan(slot).network)
        if slot not in taken and not any(mine.overlaps(other) for other in used):
            return slot
    raise Failure("no free address range: all of 10.180.0.0/16 … 10.219.0.0/16 are in use on this host")


def _host_networks():
    found = []
    for route in json.loads(run(["ip", "-json", "-4", "route", "show", "table", "all"])):
        if route.get("dst", "default") != "default" and route.get("type") != "broadcast":
            found.append(ipaddress.ip_network(route["dst"], strict=False))
    return found


def connect(plan, pid):
    """Joins the network namespace of process `pid` to the host."""
    disconnect(plan)
    run(["ip", "link", "add", plan.link, "type", "veth", "peer", "name", "eth0", "netns", pid])
    run(["ip", "address", "add", f"{plan.host_ip}/30", "dev", plan.link])
    run(["ip", "link", "set", plan.link, "up"])
    inside = f"""
        link set lo up
        address add {plan.node_ip}/30 dev eth0
        link set eth0 up
        route add default via {plan.host_ip}
        route add unreachable {plan.pod_cidr} metric {LAST_RESORT}
    """
    run(["nsenter", f"--net=/proc/{pid}/ns/net", "ip", "-batch", "-"], input=inside)
    for destination in (plan.pod_cidr, plan.service_cidr):
        run(["ip", "route", "replace", destination, "via", plan.node_ip, "src", plan.host_ip])


def disconnect(plan):
    """Removes the link and with it the routes. Nothing there is fine."""
    links = json.loads(run(["ip", "-json", "link", "show"]))
    if any(link["ifname"] == plan.link for link in links):
        run(["ip", "link", "delete", plan.link])
