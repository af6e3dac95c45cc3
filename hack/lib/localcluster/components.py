"""The programs of a cluster: command lines, configuration files, objects that stand for them."""

import base64
import json
import os
import pathlib

CONTAINERD_SOCKET = "/run/containerd/containerd.sock"
PAUSE_IMAGE = "localhost/mcpfleet-pause:1"
DNS_PORT, METRICS_SERVER_PORT = 53, 4443
CNI_PLUGINS = "/usr/lib/cni"
FAKE_NODE_LABEL = "type=kwok"


def fake_node(number):
    return f"kwok-{number}"


class Components:
    """Writes the files under the state folder and lists what the supervisor is to run."""

    def __init__(self, cluster, programs):
        self.cluster = cluster
        self.plan = cluster.plan
        self.pki = cluster.pki
        self.state = cluster.state
        self.programs = programs

    def write(self):
        for folder in ("logs", "var-log", "sysctl", "etcd", "config"):
            (self.state / folder).mkdir(parents=True, exist_ok=True)
        components = self._control_plane()
        level = self.cluster.settings["level"]
        if level == "kwok":
            components += [self._scheduler(), self._kwok()]
        if level == "full":
            components += self._node() + self._addons()
        text = json.dumps(components, indent=1)
        temporary = self.state / "components.json.new"
        temporary.write_text(text)
        temporary.rename(self.state / "components.json")

    # -- helpers

    def _component(self, name, flags, after=()):
        """`flags`: a name maps to a value, or to None for a flag that has none."""
        program = self.programs.get(name, name)
        argv = [str(program)] + [flag if value is None else f"{flag}={value}" for flag, value in flags.items()]
        return {"name": name, "argv": argv, "after": list(after)}

    @property
    def _api_ready(self):
        return f"https://{self.plan.node_ip}:6443/readyz {self.pki.path('ca.crt')}"

    def _kubeconfig(self, user):
        text = self.pki.kubeconfig(f"https://{self.plan.node_ip}:6443", user)
        return self._file(f"{user}.kubeconfig", text)

    def _file(self, name, text):
        """Leaves a file alone that says the same already: some programs restart when theirs is written."""
        path = self.state / "config" / name
        if not path.exists() or path.read_text() != text:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
            path.chmod(0o600)
        return path

    # -- control plane

    def _control_plane(self):
        return [self._etcd(), self._apiserver(), self._controller_manager()]

    def _etcd(self):
        return self._component("etcd", {
            "--data-dir": self.state / "etcd",
            "--listen-client-urls": "http://127.0.0.1:2379",
            "--advertise-client-urls": "http://127.0.0.1:2379",
            "--listen-peer-urls": "http://127.0.0.1:2380",
            "--initial-advertise-peer-urls": "http://127.0.0.1:2380",
            "--initial-cluster": "default=http://127.0.0.1:2380",
            "--unsafe-no-fsync": None,  # a test cluster need not survive a power cut
            "--auto-compaction-retention": "30m",
            "--log-level": "warn",
        })

    def _apiserver(self):
        path = self.pki.path
        return self._component("kube-apiserver", {
            "--etcd-servers": "http://127.0.0.1:2379",
            "--bind-address": "0.0.0.0",
            "--advertise-address": self.plan.node_ip,
            "--service-cluster-ip-range": self.plan.service_cidr,
            "--authorization-mode": "Node,RBAC",
            "--enable-admission-plugins": "NodeRestriction",
            "--client-ca-file": path("ca.crt"),
            "--tls-cert-file": path("apiserver.crt"),
            "--tls-private-key-file": path("apiserver.key"),
            "--service-account-issuer": "https://kubernetes.default.svc.cluster.local",
            "--service-account-key-file": path("service-account.pub"),
            "--service-account-signing-key-file": path("service-account.key"),
            "--kubelet-certificate-authority": path("ca.crt"),
            "--kubelet-client-certificate": path("apiserver-kubelet-client.crt"),
            "--kubelet-client-key": path("apiserver-kubelet-client.key"),
            "--kubelet-preferred-address-types": "InternalIP",  # nothing resolves the node's name
            "--enable-aggregator-routing": "true",  # an API level cluster has no kube-proxy
            "--requestheader-client-ca-file": path("front-proxy-ca.crt"),
            "--requestheader-allowed-names": "front-proxy-client",
            "--requestheader-username-headers": "X-Remote-User",
            "--requestheader-group-headers": "X-Remote-Group",
            "--requestheader-extra-headers-prefix": "X-Remote-Extra-",
            "--proxy-client-cert-file": path("front-proxy-client.crt"),
            "--proxy-client-key-file": path("front-proxy-client.key"),
            "--profiling": "false",
            **(self._audit() if self.cluster.settings["audit"] else {}),
        }, after=["127.0.0.1:2379"])

    def _audit(self):
        """One JSON line an answer (two a watch), without bodies: who asked for what, when, and what came of it."""
        policy = self._file("audit-policy.yaml", json.dumps({
            "apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"], "rules": [
                {"level": "None", "nonResourceURLs": ["/healthz*", "/livez*", "/readyz*"]},
                {"level": "Metadata"}]}, indent=1))
        return {
            "--audit-policy-file": policy,
            "--audit-log-path": self.cluster.audit_log,
            "--audit-log-maxsize": 100_000,  # MB: whoever counts lines wants one file
        }

    def _controller_manager(self):
        path = self.pki.path
        return self._component("kube-controller-manager", {
            "--kubeconfig": self._kubeconfig("kube-controller-manager"),
            "--bind-address": "127.0.0.1",
            "--leader-elect": "false",
            "--use-service-account-credentials": "true",
            "--kube-api-qps": "200",  # its own limit of 20 would add 5 s to every start
            "--kube-api-burst": "400",
            "--service-account-private-key-file": path("service-account.key"),
            "--root-ca-file": path("ca.crt"),
            "--cluster-signing-cert-file": path("ca.crt"),
            "--cluster-signing-key-file": path("ca.key"),
            "--flex-volume-plugin-dir": self.state / "volume-plugins",
            "--horizontal-pod-autoscaler-sync-period": self.cluster.settings["hpaSyncPeriod"],
        }, after=[self._api_ready])

    # -- nodes that only pretend

    def _kwok(self):
        return self._component("kwok", {
            "--kubeconfig": self._kubeconfig("kwok"),
            "--config": pathlib.Path(__file__).with_name("kwok-stages.yaml"),
            "--manage-nodes-with-label-selector": FAKE_NODE_LABEL,
            "--node-ip": self.plan.node_ip,
            "--cidr": self.plan.pod_cidr,
            "--node-lease-duration-seconds": 40,
            "--v": "WARN",
        }, after=[self._api_ready])

    def fake_nodes(self, number):
        nodes = [{"apiVersion": "v1", "kind": "Node",
                  "metadata": {"name": fake_node(i), "labels": {
                      **dict([FAKE_NODE_LABEL.split("=")]), "kubernetes.io/hostname": fake_node(i),
                      "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}}} for i in range(number)]
        return json.dumps({"apiVersion": "v1", "kind": "List", "items": nodes})

    # -- a node

    def _node(self):
        return [self._scheduler(), self._containerd(), self._kubelet(), self._kube_proxy()]

    def _scheduler(self):
        return self._component("kube-scheduler", {
            "--kubeconfig": self._kubeconfig("kube-scheduler"),
            "--bind-address": "127.0.0.1",
            "--leader-elect": "false",
        }, after=[self._api_ready])

    def _containerd(self):
        cni = self._file("cni/mcpfleet.conflist", json.dumps({
            "cniVersion": "0.4.0", "name": "mcpfleet", "plugins": [
                {"type": "bridge", "bridge": "cni0", "isGateway": True, "hairpinMode": True, "ipMasq": False,
                 "ipam": {"type": "host-local", "dataDir": "/run/cni", "routes": [{"dst": "0.0.0.0/0"}],
                          "ranges": [[{"subnet": self.plan.pod_cidr}]]}},
                {"type": "portmap", "capabilities": {"portMappings": True}}]}, indent=1))
        config = self._file("containerd.toml", f"""version = 2
root = "{self.state}/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.internal.v1.tracing"]
[grpc]
  address = "{CONTAINERD_SOCKET}"
[plugins."io.containerd.internal.v1.opt"]
  path = "{self.state}/containerd-opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE_IMAGE}"
  # Without CAP_SYS_RESOURCE a lower score than one's own is refused and no container would start.
  restrict_oom_score_adj = {"false" if has_capability(CAP_SYS_RESOURCE) else "true"}
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{CNI_PLUGINS}"
    conf_dir = "{cni.parent}"
""")
        return self._component("containerd", {"--config": config, "--log-level": "warn"})

    def _kubelet(self):
        config = self._file("kubelet.yaml", json.dumps({
            "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
            "address": self.plan.node_ip,
            "healthzBindAddress": "127.0.0.1",
            "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": True},
                               "x509": {"clientCAFile": str(self.pki.path("ca.crt"))}},
            "authorization": {"mode": "Webhook"},
            "tlsCertFile": str(self.pki.path("kubelet-server.crt")),
            "tlsPrivateKeyFile": str(self.pki.path("kubelet-server.key")),
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{self.cluster.cgroup}",
            "failCgroupV1": False,
            "failSwapOn": False,
            "enforceNodeAllocatable": [],
            "clusterDNS": [self.plan.dns_ip],
            "clusterDomain": "cluster.local",
            "resolvConf": "",  # the host's resolver cannot be reached from the cluster's network
            "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
            "volumePluginDir": str(self.state / "volume-plugins"),
            "maxPods": 250,
            "serializeImagePulls": False,
            "imageGCHighThresholdPercent": 100,  # images are brought by load-image; nobody could pull them again
            "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "nodefs.inodesFree": "1%",
                             "imagefs.available": "1%"},
            "evictionPressureTransitionPeriod": "5s",
            "nodeStatusUpdateFrequency": "5s",
            "containerLogMaxSize": "10Mi",
            "containerLogMaxFiles": 2,
            "registryPullQPS": 0,
        }, indent=1))
        return self._component("kubelet", {
            "--config": config,
            "--kubeconfig": self._kubeconfig("kubelet"),
            "--root-dir": self.state / "kubelet",
            "--hostname-override": self.cluster.node_name,
            "--node-ip": self.plan.node_ip,
        }, after=[CONTAINERD_SOCKET, self._api_ready])

    def _kube_proxy(self):
        config = self._file("kube-proxy.yaml", json.dumps({
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration",
            "mode": "iptables",
            "clusterCIDR": self.plan.pod_cidr,
            "hostnameOverride": self.cluster.node_name,
            "healthzBindAddress": "127.0.0.1:10256",
            "metricsBindAddress": "127.0.0.1:10249",
            "clientConnection": {"kubeconfig": str(self._kubeconfig("kube-proxy"))},
            # The sysctls belong to the whole machine and cannot be written from here.
            "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        }, indent=1))
        return self._component("kube-proxy", {"--config": config}, after=[self._api_ready])

    # -- what usually runs in pods, as programs of the node: no images to build

    def _addons(self):
        corefile = self._file("Corefile", f"""cluster.local in-addr.arpa ip6.arpa {{
    bind {self.plan.node_ip}
    errors
    health 127.0.0.1:8080
    ready 127.0.0.1:8181
    kubernetes cluster.local in-addr.arpa ip6.arpa {{
        kubeconfig {self._kubeconfig("coredns")}
        pods insecure
        ttl 1
    }}
}}
# The cluster has no way out; say so at once.
. {{
    bind {self.plan.node_ip}
    template ANY ANY {{
        rcode NXDOMAIN
    }}
}}
""")
        coredns = self._component("coredns", {"-conf": corefile, "-dns.port": DNS_PORT}, after=[self._api_ready])
        client = self._kubeconfig("metrics-server-client")
        metrics_server = self._component("metrics-server", {
            "--kubeconfig": client,
            "--authentication-kubeconfig": client,
            "--authorization-kubeconfig": client,
            "--bind-address": self.plan.node_ip,
            "--secure-port": METRICS_SERVER_PORT,
            "--tls-cert-file": self.pki.path("metrics-server.crt"),
            "--tls-private-key-file": self.pki.path("metrics-server.key"),
            "--kubelet-certificate-authority": self.pki.path("ca.crt"),
            "--kubelet-preferred-address-types": "InternalIP",
            "--metric-resolution": "10s",
            "--kubelet-request-timeout": "5s",
        }, after=[self._api_ready])
        return [coredns, metrics_server]

    def addon_objects(self):
        """Services whose endpoint is a program of the node, and the metrics API's registration."""
        authority = base64.b64encode(self.pki.path("ca.crt").read_bytes()).decode()
        dns_ports = [{"name": "dns", "port": 53, "protocol": "UDP"}, {"name": "dns-tcp", "port": 53, "protocol": "TCP"}]
        objects = [
            *self._service_of_node("kube-dns", dns_ports, DNS_PORT, self.plan.dns_ip),
            *self._service_of_node("metrics-server", [{"name": "https", "port": 443, "protocol": "TCP"}],
                                   METRICS_SERVER_PORT, None),
            {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
             "metadata": {"name": "v1beta1.metrics.k8s.io"},
             "spec": {"group": "metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 100,
                      "versionPriority": 100, "caBundle": authority,
                      "service": {"name": "metrics-server", "namespace": "kube-system"}}},
        ]
        return json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})

    def _service_of_node(self, name, ports, target_port, cluster_ip):
        service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "kube-system"},
                   "spec": {"ports": [{**port, "targetPort": target_port} for port in ports]}}
        if cluster_ip:
            service["spec"]["clusterIP"] = cluster_ip
        endpoints = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
                     "metadata": {"name": f"{name}-node", "namespace": "kube-system",
                                  "labels": {"kubernetes.io/service-name": name}},
                     "endpoints": [{"addresses": [self.plan.node_ip], "conditions": {"ready": True}}],
                     "ports": [{**port, "port": target_port} for port in ports]}
        return [service, endpoints]


CAP_NET_ADMIN, CAP_SYS_ADMIN, CAP_SYS_RESOURCE = 12, 21, 24


def has_capability(number):
    """Whether this process has the capability (numbers: linux/capability.h)."""
    with open(f"/proc/{os.getpid()}/status") as status:
        effective = next(line for line in status if line.startswith("CapEff:"))
    return bool(int(effective.split()[1], 16) >> number & 1)
