"""The Helm chart against a real API server without nodes: what it renders is accepted, bad values get a clear answer,
and install, upgrade and uninstall treat CRDs and APIServices as they should."""

import json
import pathlib
import subprocess

import pytest
import yaml
from conftest import wait_for

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "mcpfleet"
CRDS = {plural + ".mcpfleet.dev": ROOT / "crds" / f"mcpfleet.dev_{plural}.yaml" for plural in ("mcpservers", "mcpgateways")}
CUSTOM = "v1beta2.custom.metrics.k8s.io"
OLDER = "v1beta1.custom.metrics.k8s.io"
OURS = "v1beta2.metrics.mcpfleet.dev"
NAMESPACE = "t-chart"


@pytest.fixture(scope="module")
def helm(api_cluster):
    """Runs helm against the cluster; returns the exit code and all output."""
    program = subprocess.run([ROOT / "hack" / "cluster", "build", "helm"], check=True, capture_output=True,
                             text=True).stdout.split()[-1]

    def run(*arguments):
        done = subprocess.run([program, "--kubeconfig", api_cluster.kubeconfig, *arguments], capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr
    return run


def render(helm, *values):
    settings = [word for value in values for word in ("--set", value)]
    code, output = helm("template", "mcpfleet", str(CHART), "--namespace", NAMESPACE, *settings)
    assert code == 0, output
    return [document for document in yaml.safe_load_all(output) if document]


def named(objects, kind, name):
    found = [o for o in objects if o["kind"] == kind and o["metadata"]["name"] == name]
    assert len(found) == 1, f"{len(found)} objects {kind} {name}"
    return found[0]


def names(objects, kind):
    return {o["metadata"]["name"] for o in objects if o["kind"] == kind}


def test_lint(helm):
    code, output = helm("lint", "--strict", str(CHART))
    assert code == 0, output


def test_the_crds_are_ours_and_kept(helm):
    assert names(render(helm), "CustomResourceDefinition") == set(CRDS)
    for name, path in CRDS.items():
        crd = named(render(helm), "CustomResourceDefinition", name)
        assert crd["metadata"].pop("annotations") == {"helm.sh/resource-policy": "keep"}
        assert crd == yaml.safe_load(path.read_text())
    assert names(render(helm, "crds.install=false"), "CustomResourceDefinition") == set()


def test_api_services(helm):
    objects = render(helm)
    assert names(objects, "APIService") == {CUSTOM, OLDER, OURS}
    for name in (CUSTOM, OLDER, OURS):
        spec = named(objects, "APIService", name)["spec"]
        assert "caBundle" not in spec and "insecureSkipTLSVerify" not in spec, "the adapter keeps the caBundle"
        assert spec["service"] == {"name": "mcp-metrics-adapter", "namespace": NAMESPACE, "port": 443}
    objects = render(helm, "metricsAdapter.registerCustomMetrics=false")
    assert names(objects, "APIService") == {OURS}
    adapter = named(objects, "Deployment", "mcp-metrics-adapter")["spec"]["template"]["spec"]["containers"][0]
    assert f"--api-services={OURS}" in adapter["args"]
    assert "mcpfleet-custom-metrics-reader" not in names(objects, "ClusterRole")
    external = "v1beta1.external.metrics.k8s.io"
    objects = render(helm, "metricsAdapter.registerExternalMetrics=true")
    assert names(objects, "APIService") == {CUSTOM, OLDER, OURS, external}
    assert named(objects, "APIService", external)["spec"]["group"] == "external.metrics.k8s.io"
    assert "mcpfleet-external-metrics-reader" in names(objects, "ClusterRole")


def test_the_certificate_of_the_metrics_apis(helm):
    def secrets_of(objects):
        rules = named(objects, "Role", "mcp-metrics-adapter")["rules"]
        return [(rule.get("resourceNames"), rule["verbs"]) for rule in rules if rule["resources"] == ["secrets"]]

    own = "mcp-metrics-adapter-tls"
    objects = render(helm)
    assert secrets_of(objects) == [(None, ["create"]), ([own], ["get", "patch"])]
    assert not names(objects, "Certificate")
    objects = render(helm, "metricsAdapter.tls.secretName=mine")
    assert secrets_of(objects) == [(["mine"], ["get"])], "what is given is only read"
    assert "--tls-secret=mine" in named(objects, "Deployment", "mcp-metrics-adapter")["spec"]["template"]["spec"]["containers"][0]["args"]
    objects = render(helm, "metricsAdapter.tls.issuerRef.name=ca", "metricsAdapter.tls.issuerRef.kind=ClusterIssuer")
    spec = named(objects, "Certificate", "mcp-metrics-adapter")["spec"]
    assert spec["issuerRef"] == {"name": "ca", "kind": "ClusterIssuer"}
    assert spec["dnsNames"] == [f"mcp-metrics-adapter.{NAMESPACE}.svc"]
    assert secrets_of(objects) == [([spec["secretName"]], ["get"])]
    assert spec["secretName"] != own, "cert-manager must not take over what the adapter renews"


def test_images_and_flags(helm):
    objects = render(helm, "operator.image.repository=r.example:5000/op", "operator.image.tag=v2",
                     "sidecar.image.repository=r.example/side", "sidecar.image.pullPolicy=Never",
                     "imagePullSecrets[0].name=pull", "logFormat=text")
    pod = named(objects, "Deployment", "mcp-operator")["spec"]["template"]["spec"]
    assert pod["imagePullSecrets"] == [{"name": "pull"}]
    operator = pod["containers"][0]
    assert operator["image"] == "r.example:5000/op:v2"
    assert {"--sidecar-image=r.example/side:0.1.0", "--sidecar-pull-policy=Never", "--log-format=text"} <= set(
        operator["args"])


def test_gateways(helm):
    """Of their namespace by default: what is of the whole cluster has to be asked for."""
    def operator(*values):
        return named(render(helm, *values), "Deployment", "mcp-operator")["spec"]["template"]["spec"]["containers"][0]["args"]

    def granted(objects, kind):
        return {(resource, verb) for role in objects if role["kind"] in (kind, "ClusterRole")
                and role["metadata"]["name"].startswith("mcp-operator") for rule in role["rules"]
                for resource in rule["resources"] for verb in rule["verbs"]}

    assert {"--gateway-image=mcpfleet/mcp-gateway:0.1.0", "--gateway-pull-policy=IfNotPresent",
            "--gateway-all-namespaces=false"} <= set(operator())
    assert {"--gateway-image=r.example/g:v2", "--gateway-all-namespaces=true"} <= set(
        operator("gateway.image.repository=r.example/g", "gateway.image.tag=v2", "gateway.allNamespaces=true"))
    objects = render(helm)
    assert ("clusterrolebindings", "create") not in granted(objects, "ClusterRole")
    assert ("rolebindings", "create") in granted(objects, "ClusterRole")
    binds = [rule for role in objects if role["kind"] == "ClusterRole" for rule in role["rules"] if "bind" in rule["verbs"]]
    assert [rule["resourceNames"] for rule in binds] == [["mcp-gateway"]], "that role and no other"
    assert ("clusterrolebindings", "create") in granted(render(helm, "gateway.allNamespaces=true"), "ClusterRole")
    assert ("clusterroles", "bind") in granted(render(helm, "watchNamespaces={a}"), "Role")
    role = named(objects, "ClusterRole", "mcp-gateway")
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"get", "list", "watch"}
    assert {resource for rule in role["rules"] for resource in rule["resources"]} == {"mcpservers", "mcpgateways", "endpointslices"}
    code, output = helm("template", "mcpfleet", str(CHART), "--set", "gateway.allNamespaces=true", "--set", "watchNamespaces={a}")
    assert code != 0 and "gateway.allNamespaces: with watchNamespaces" in output, output


def test_prometheus(helm):
    """Off by default; where it is on, its rules are mounted and the adapter may list what metrics are asked for."""
    def listed(objects):
        return [rule["resources"] for rule in named(objects, "ClusterRole", "mcp-metrics-adapter")["rules"]
                if rule["verbs"] == ["list"]]
    objects = render(helm)
    assert names(objects, "ConfigMap") == set() and listed(objects) == []
    adapter = named(objects, "Deployment", "mcp-metrics-adapter")["spec"]["template"]
    assert "prometheus-rules" not in json.dumps(adapter) and "volumes" not in adapter["spec"]

    prometheus = "metricsAdapter.prometheus."
    url, rules = prometheus + "url=https://p.example:9090", prometheus + "rules.rules[0].seriesQuery=up"
    objects = render(helm, url, rules, prometheus + "caConfigMap=ca", prometheus + "tokenSecret=token")
    assert listed(objects) == [["pods", "services", "nodes", "namespaces"]]
    config, = (o for o in objects if o["kind"] == "ConfigMap")
    assert yaml.safe_load(config["data"]["config.yaml"]) == {"rules": [{"seriesQuery": "up"}]}
    adapter = named(objects, "Deployment", "mcp-metrics-adapter")["spec"]["template"]
    container = adapter["spec"]["containers"][0]
    assert {"--prometheus-url=https://p.example:9090", "--prometheus-relist-interval=1m", "--prometheus-timeout=5s"} <= set(
        container["args"])
    volumes = {volume["name"]: volume for volume in adapter["spec"]["volumes"]}
    assert volumes["prometheus-rules"]["configMap"] == {"name": config["metadata"]["name"]}
    assert volumes["prometheus-ca"]["configMap"] == {"name": "ca"}
    assert volumes["prometheus-token"]["secret"] == {"secretName": "token"}
    for mount in container["volumeMounts"]:
        flag = mount["name"].replace("-token", "-token-file").replace("-ca", "-ca-file")
        assert any(argument.startswith(f"--{flag}={mount['mountPath']}/") for argument in container["args"]), mount
    assert len(container["volumeMounts"]) == 3
    changed = render(helm, url, prometheus + "rules.rules[0].seriesQuery=down")
    changed = named(changed, "Deployment", "mcp-metrics-adapter")["spec"]["template"]
    assert changed["metadata"]["annotations"] != adapter["metadata"]["annotations"], "other rules need a new start"

    objects = render(helm, url, prometheus + "rulesConfigMap=adapter-config", prometheus + "caFile=/ca", prometheus + "tokenFile=/t")
    assert names(objects, "ConfigMap") == set()
    adapter = named(objects, "Deployment", "mcp-metrics-adapter")["spec"]["template"]["spec"]
    assert [volume["configMap"]["name"] for volume in adapter["volumes"]] == ["adapter-config"]
    assert {"--prometheus-ca-file=/ca", "--prometheus-token-file=/t"} <= set(adapter["containers"][0]["args"])
    code, output = helm("template", "mcpfleet", str(CHART), "--set", url)
    assert code != 0 and "needs metricsAdapter.prometheus.rules" in output, output


@pytest.mark.parametrize("part, name", [("operator", "mcp-operator"), ("metricsAdapter", "mcp-metrics-adapter")])
def test_replicas(helm, part, name):
    one = named(render(helm), "Deployment", name)["spec"]
    assert one["replicas"] == 1 and "topologySpreadConstraints" not in one["template"]["spec"]
    two = named(render(helm, f"{part}.replicas=2"), "Deployment", name)["spec"]
    assert two["replicas"] == 2
    spread, = two["template"]["spec"]["topologySpreadConstraints"]
    assert spread["labelSelector"]["matchLabels"] == two["selector"]["matchLabels"]


def test_the_adapter_knows_the_operators_lease(helm):
    adapter = named(render(helm), "Deployment", "mcp-metrics-adapter")["spec"]["template"]["spec"]["containers"][0]
    assert f"--operator-lease={NAMESPACE}/mcp-operator" in adapter["args"]


def test_histories_and_redis(helm):
    def container(*values):
        return named(render(helm, *values), "Deployment", "mcp-metrics-adapter")["spec"]["template"]["spec"]["containers"][0]
    plain = container()
    assert {"--history=true", "--history-fine=5m", "--history-raw=1h", "--history-minutes=24h",
            "--history-max-bytes=256Mi"} <= set(plain["args"])
    assert not any("redis" in argument for argument in plain["args"])
    assert [variable["name"] for variable in plain["env"]] == ["POD_NAMESPACE"]
    assert "--history=false" in container("metricsAdapter.history.enabled=false")["args"]
    kept = container("metricsAdapter.redis.url=redis://redis.example.svc/3", "metricsAdapter.redis.secretName=redis")
    assert {"--redis-url=redis://redis.example.svc/3", "--redis-key-prefix=mcpfleet:history:"} <= set(kept["args"])
    assert kept["env"][1] == {"name": "REDIS_PASSWORD",
                              "valueFrom": {"secretKeyRef": {"name": "redis", "key": "password"}}}


def test_pods_are_restricted(helm):
    """Pod Security's profile `restricted`, the service account of each program's own, probes and requests."""
    for name in ("mcp-operator", "mcp-metrics-adapter"):
        pod = named(render(helm), "Deployment", name)["spec"]["template"]["spec"]
        assert pod["serviceAccountName"] == name
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        container = pod["containers"][0]
        assert container["securityContext"] == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                                                "capabilities": {"drop": ["ALL"]}}
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
        assert {"readinessProbe", "livenessProbe"} <= container.keys()


def test_what_the_adapter_holds_and_keeps(helm):
    def args(*values):
        adapter = named(render(helm, *values), "Deployment", "mcp-metrics-adapter")["spec"]["template"]["spec"]["containers"][0]
        return set(adapter["args"])
    assert {"--min-samples=5", "--annotated-pods=true", "--max-series=200000"} <= args()
    assert not any(argument.startswith("--hold") for argument in args())
    assert "--hold=depth=forever,mcp_active_sessions=2m" in args("metricsAdapter.hold.mcp_active_sessions=2m",
                                                                 "metricsAdapter.hold.depth=forever")


def test_no_right_is_wider_than_needed(helm):
    for role in (o for o in render(helm) if o["kind"] in ("ClusterRole", "Role")):
        for rule in role["rules"]:
            assert "*" not in rule["verbs"] and "*" not in rule["apiGroups"], role["metadata"]["name"]
            if "*" in rule["resources"]:
                assert rule["apiGroups"][0].endswith(("metrics.mcpfleet.dev", "custom.metrics.k8s.io"))
            if "secrets" in rule["resources"] and {"get", "list", "watch"} & set(rule["verbs"]):
                assert role["kind"] == "Role" and rule["resourceNames"], "Secrets are read by name, in our own namespace"


@pytest.mark.parametrize("value, wanted", [
    ("logFormat=xml", "logFormat"),
    ("operator.workers=0", "workers"),
    ("operator.replicas=-1", "replicas"),
    ("operator.image.pullPolicy=Sometimes", "pullPolicy"),
    ("operator.image.repository=a/b:tag", "repository"),
    ("metricsAdapter.window=30", "window"),
    ("metricsAdapter.registerCustomMetrics=maybe", "registerCustomMetrics"),
    ("metricsAdapter.minSamples=0", "minSamples"),
    ("metricsAdapter.hold.mcp_active_sessions=long", "hold"),
    ("metricsAdapter.tls.secretName=Mine", "secretName"),
    ("metricsAdapter.history.maxBytes=lots", "maxBytes"),
    ("metricsAdapter.redis.url=redis://:password@host", "url"),
    ("metricsAdapter.prometheus.url=prometheus:9090", "url"),
    ("metricsAdapter.prometheus.interval=1m", "interval"),
    ("gateway.allNamespaces=maybe", "allNamespaces"),
    ("operater.workers=2", "operater"),
])
def test_bad_values_are_named(helm, value, wanted):
    code, output = helm("template", "mcpfleet", str(CHART), "--set", value)
    assert code != 0 and wanted in output, output


@pytest.fixture()
def clean(api_cluster):
    """No APIServices of other tests, and nothing left of ours."""
    def remove():
        api_cluster.kubectl("delete", "apiservice", CUSTOM, OLDER, OURS, "--ignore-not-found")
    remove()
    wait_for("the namespace of the test before to be gone", timeout=60, condition=lambda: "Terminating" not in api_cluster.kubectl(
        "get", "namespace", NAMESPACE, "-o", "jsonpath={.status.phase}", check=False))
    api_cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    yield
    remove()
    api_cluster.kubectl("delete", "namespace", NAMESPACE, "--wait=false")


def may(cluster, user, verb, resource, group="mcpfleet.dev", namespace=NAMESPACE, name=""):
    resource, _, subresource = resource.partition("/")
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {
        "user": user, "resourceAttributes": {"verb": verb, "group": group, "resource": resource, "namespace": namespace,
                                             "subresource": subresource, "name": name}}}
    answer = cluster.kubectl("create", "-f", "-", "-o", "json", stdin=review)
    return json.loads(answer)["status"]["allowed"]


def check_rights(cluster):
    operator, adapter = (f"system:serviceaccount:{NAMESPACE}:mcp-{program}" for program in ("operator", "metrics-adapter"))
    hpa = "system:serviceaccount:kube-system:horizontal-pod-autoscaler"
    assert may(cluster, operator, "patch", "mcpservers/status", namespace="tools")
    assert may(cluster, operator, "get", "mcpservers.mcpfleet.dev/mcp_error_ratio", "metrics.mcpfleet.dev", "tools")
    assert may(cluster, operator, "get", "secrets", "", name="mcpfleet-session-master")
    assert not may(cluster, operator, "get", "secrets", "", "tools")
    assert not may(cluster, operator, "delete", "mcpservers", namespace="tools")
    rbac = "rbac.authorization.k8s.io"
    assert may(cluster, operator, "patch", "mcpgateways/status", namespace="tools")
    assert may(cluster, operator, "bind", "clusterroles", rbac, "tools", "mcp-gateway")
    assert not may(cluster, operator, "bind", "clusterroles", rbac, "tools", "cluster-admin")
    assert not may(cluster, operator, "create", "clusterrolebindings", rbac, "")
    leases = "coordination.k8s.io"
    assert may(cluster, operator, "patch", "leases", leases, name="mcp-operator")
    assert not may(cluster, operator, "patch", "leases", leases, name="another")
    assert may(cluster, adapter, "watch", "leases", leases, name="mcp-operator")
    assert not may(cluster, adapter, "patch", "leases", leases, name="mcp-operator")
    assert not may(cluster, adapter, "watch", "leases", leases)
    assert may(cluster, adapter, "watch", "pods", "", "tools")
    assert may(cluster, adapter, "patch", "apiservices", "apiregistration.k8s.io", "", CUSTOM)
    assert not may(cluster, adapter, "patch", "apiservices", "apiregistration.k8s.io", "", "v1.apps")
    assert not may(cluster, adapter, "get", "secrets", "", "tools")
    assert may(cluster, hpa, "get", "pods/mcp_requests_per_second", "custom.metrics.k8s.io", "tools")
    assert not may(cluster, "joe", "get", "mcpservers")
    cluster.kubectl("create", "rolebinding", "joe", "--clusterrole=edit", "--user=joe", "-n", NAMESPACE)
    wait_for("an editor's rights", lambda: may(cluster, "joe", "create", "mcpservers"))
    assert may(cluster, "joe", "create", "mcpgateways") and not may(cluster, "joe", "create", "mcpgateways", namespace="tools")
    assert may(cluster, "joe", "delete", "mcpservers.mcpfleet.dev/mcp_error_ratio", "metrics.mcpfleet.dev")
    wait_for("a viewer's rights, which an editor has", lambda: may(cluster, "joe", "list", "mcpservers"))
    assert not may(cluster, "joe", "patch", "mcpservers/status")


def test_install_upgrade_uninstall(api_cluster, helm, clean):
    # The CRD is there already, from another hand, and so may be the roles: other tests make them.
    code, output = helm("install", "mcpfleet", str(CHART), "-n", NAMESPACE, "--take-ownership", "--force-conflicts")
    assert code == 0, output
    assert "kubectl get mcpservers" in output, "the notes say what to do next"
    try:
        bundle = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUI="
        api_cluster.kubectl("patch", "apiservice", CUSTOM, "--type=merge", "-p", json.dumps({"spec": {"caBundle": bundle}}))
        code, output = helm("upgrade", "mcpfleet", str(CHART), "-n", NAMESPACE, "--set", "logLevel=debug")
        assert code == 0, output
        assert api_cluster.get("apiservice", CUSTOM)["spec"]["caBundle"] == bundle, "an upgrade leaves the caBundle alone"
        args = api_cluster.get("deployment", "mcp-operator", "-n", NAMESPACE)["spec"]["template"]["spec"]["containers"][0]
        assert "--log-level=debug" in args["args"]
        check_rights(api_cluster)
    finally:
        code, output = helm("uninstall", "mcpfleet", "-n", NAMESPACE)
    assert code == 0, output
    for name in CRDS:
        assert api_cluster.get("crd", name)["metadata"]["name"] == name, "kept, with all objects"
    assert "NotFound" in api_cluster.kubectl("get", "apiservice", CUSTOM, check=False)


def test_a_second_owner_of_custom_metrics_is_refused(api_cluster, helm, clean):
    api_cluster.apply({
        "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": "v1beta1.custom.metrics.k8s.io"},
        "spec": {"group": "custom.metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 100,
                 "versionPriority": 100, "insecureSkipTLSVerify": True,
                 "service": {"name": "prometheus-adapter", "namespace": "monitoring"}}})
    install = ("install", "mcpfleet", str(CHART), "-n", NAMESPACE, "--take-ownership", "--force-conflicts")
    code, output = helm(*install, "--set", "metricsAdapter.registerCustomMetrics=true")
    assert code != 0
    assert "is served by Service monitoring/prometheus-adapter already" in output
    assert "metricsAdapter.registerCustomMetrics=auto or false" in output
    code, output = helm(*install)
    assert code == 0, output
    try:
        assert "custom.metrics.k8s.io was left to another adapter" in output, "the notes tell of it"
        assert "NotFound" in api_cluster.kubectl("get", "apiservice", CUSTOM, check=False), "both versions or neither"
        assert api_cluster.get("apiservice", OURS)["spec"]["service"]["namespace"] == NAMESPACE
        assert api_cluster.get("apiservice", OLDER)["spec"]["service"]["name"] == "prometheus-adapter", "left alone"
        code, output = helm("upgrade", "mcpfleet", str(CHART), "-n", NAMESPACE)
        assert code == 0, output
        api_cluster.kubectl("delete", "apiservice", OLDER)
        code, output = helm("upgrade", "mcpfleet", str(CHART), "-n", NAMESPACE)
        assert code == 0, output
        assert api_cluster.get("apiservice", CUSTOM)["spec"]["service"]["namespace"] == NAMESPACE, "nobody has it any more"
        code, output = helm("upgrade", "mcpfleet", str(CHART), "-n", NAMESPACE)
        assert code == 0, output
        assert api_cluster.get("apiservice", OLDER)["spec"]["service"]["namespace"] == NAMESPACE, "ours is no other owner"
    finally:
        helm("uninstall", "mcpfleet", "-n", NAMESPACE)
