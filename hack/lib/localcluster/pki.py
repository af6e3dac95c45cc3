"""Keys and certificates of a cluster, with the openssl command; and kubeconfig files that carry them."""

import base64

from .base import run

DAYS = "3650"


class Pki:
    def __init__(self, folder):
        self.folder = folder

    def path(self, name):
        return self.folder / name

    def ensure(self, plan, node_name):
        """Makes what is missing. The authorities come first: the others are signed by them."""
        if self.path("complete").exists():
            return
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._authority("ca", "/CN=mcpfleet local cluster")
        self._authority("front-proxy-ca", "/CN=mcpfleet front proxy")
        run(["openssl", "genrsa", "-out", self.path("service-account.key"), "2048"])
        run(["openssl", "rsa", "-in", self.path("service-account.key"), "-pubout", "-out",
             self.path("service-account.pub")])
        names = ["kubernetes", "kubernetes.default", "kubernetes.default.svc",
                 "kubernetes.default.svc.cluster.local", "localhost"]
        addresses = ["127.0.0.1", plan.node_ip, plan.kubernetes_ip]
        self._server("apiserver", "/CN=kube-apiserver", names, addresses)
        self._server("kubelet-server", f"/CN={node_name}", [node_name], [plan.node_ip])
        self._server("metrics-server", "/CN=metrics-server", ["metrics-server.kube-system.svc"], [])
        self._client("admin", "/O=system:masters/CN=admin")
        self._client("apiserver-kubelet-client", "/O=system:masters/CN=apiserver-kubelet-client")
        self._client("kube-controller-manager", "/CN=system:kube-controller-manager")
        self._client("kube-scheduler", "/CN=system:kube-scheduler")
        self._client("kubelet", f"/O=system:nodes/CN=system:node:{node_name}")
        self._client("kube-proxy", "/CN=system:kube-proxy")
        self._client("kwok", "/O=system:masters/CN=kwok")
        # These run outside the pods that their usual service accounts belong to.
        self._client("coredns", "/O=system:masters/CN=coredns")
        self._client("metrics-server-client", "/O=system:masters/CN=metrics-server")
        self._client("front-proxy-client", "/CN=front-proxy-client", authority="front-proxy-ca")
        self.path("complete").touch()

    def kubeconfig(self, server, user, cluster="local"):
        """The text of a kubeconfig file with everything inside, so that it can be copied."""
        def inline(name):
            return base64.b64encode(self.path(name).read_bytes()).decode()
        return f"""apiVersion: v1
kind: Config
clusters:
- name: {cluster}
  cluster:
    server: {server}
    certificate-authority-data: {inline("ca.crt")}
contexts:
- name: {cluster}
  context: {{cluster: {cluster}, user: {user}}}
current-context: {cluster}
users:
- name: {user}
  user:
    client-certificate-data: {inline(f"{user}.crt")}
    client-key-data: {inline(f"{user}.key")}
"""

    def _authority(self, name, subject):
        self._certificate(name, subject, ["basicConstraints=critical,CA:TRUE",
                                          "keyUsage=critical,keyCertSign,cRLSign,digitalSignature"], None)

    def _server(self, name, subject, names, addresses):
        alternatives = ",".join([f"DNS:{n}" for n in names] + [f"IP:{a}" for a in addresses])
        self._certificate(name, subject, ["basicConstraints=critical,CA:FALSE", "extendedKeyUsage=serverAuth",
                                          f"subjectAltName={alternatives}"], "ca")

    def _client(self, name, subject, authority="ca"):
        self._certificate(name, subject, ["basicConstraints=critical,CA:FALSE", "extendedKeyUsage=clientAuth"],
                          authority)

    def _certificate(self, name, subject, extensions, authority):
        argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-days", DAYS, "-subj", subject, "-keyout", self.path(f"{name}.key"),
                "-out", self.path(f"{name}.crt"), "-config", "/dev/stdin"]
        for extension in extensions:
            argv += ["-addext", extension]
        if authority:
            argv += ["-CA", self.path(f"{authority}.crt"), "-CAkey", self.path(f"{authority}.key")]
        # The machine's own openssl.cnf would add CA:TRUE to every certificate.
        run(argv, input="[req]\ndistinguished_name=dn\n[dn]\n")
