"""A life of two MCPServers, step by step, and what must be left of it whatever happens to the operator meanwhile."""

import base64
import copy
import hashlib
import hmac
import http.client
import json
import re
import ssl
import tempfile
import urllib.parse

import yaml

GROUP = "/apis/mcpfleet.dev/v1alpha1"
# Where the objects of a namespace are, but those that are no state: Events, Leases, metrics.
NO_STATE = {"events", "leases"}
OPERATOR_WRITES = {"MCPServer", "ServiceAccount", "Secret", "Service", "NetworkPolicy", "Deployment", "PodDisruptionBudget",
                   "HorizontalPodAutoscaler"}
# Written by others, or anew with each change: no part of what two runs share.
FIELDS_OF_ONE_RUN = {"uid", "resourceVersion", "creationTimestamp", "generation", "observedGeneration", "lastTransitionTime",
                     "lastUpdateTime", "lastProbeTime", "time", "managedFields", "lastScaleTime",
                     "mcpfleet.dev/applied", "clusterIP", "clusterIPs",
                     "endpoints.kubernetes.io/last-change-trigger-time"}


class ApiError(Exception):
    def __init__(self, status, text):
        super().__init__(f"{status}: {text[:400]}")
        self.status = status
        try:
            self.message = json.loads(text)["message"]
        except (ValueError, KeyError, TypeError):
            self.message = text


class Api:
    """The API server, asked directly, as the cluster's admin. For one thread."""

    def __init__(self, kubeconfig):
        config = yaml.safe_load(open(kubeconfig))
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self.server = cluster["server"]
        self.ca_pem = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self._trust = ssl.create_default_context(cadata=self.ca_pem)
        with tempfile.NamedTemporaryFile() as pem:
            pem.write(base64.b64decode(user["client-certificate-data"]) + base64.b64decode(user["client-key-data"]))
            pem.flush()
            self._trust.load_cert_chain(pem.name)
        self._connection = None

    def call(self, method, path, body=None, content_type="application/json"):
        """The decoded answer; an ApiError where it is none of success."""
        text = None if body is None else json.dumps(body)
        try:
            status, data = self._exchange(method, path, text, content_type)
        except (http.client.RemoteDisconnected, ConnectionError, ssl.SSLEOFError):
            # The connection that was kept is of an API server that has ended since.
            status, data = self._exchange(method, path, text, content_type)
        if status >= 300:
            raise ApiError(status, data.decode(errors="replace"))
        return json.loads(data)

    def _exchange(self, method, path, text, content_type):
        if self._connection is None:
            url = urllib.parse.urlsplit(self.server)
            self._connection = http.client.HTTPSConnection(url.hostname, url.port, timeout=10, context=self._trust)
        try:
            self._connection.request(method, path, text, {"Content-Type": content_type})
            answer = self._connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            self._connection = None
            raise

    def get(self, path):
        return self.call("GET", path)

    def find(self, path):
        """None where it does not exist."""
        try:
            return self.get(path)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def merge(self, path, patch):
        return self.call("PATCH", path, patch, "application/merge-patch+json")

    def delete(self, path):
        return self.call("DELETE", path)


def collections(api):
    """The paths of all kinds of objects that live in namespaces and can be listed, with {} for the namespace."""
    found = {}
    groups = [f"/apis/{group['preferredVersion']['groupVersion']}" for group in api.get("/apis")["groups"]
              if not group["name"].startswith(("metrics.", "custom.metrics.", "external.metrics."))]
    for prefix in ["/api/v1", *groups]:
        for resource in api.get(prefix)["resources"]:
            name = resource["name"]
            if resource["namespaced"] and "list" in resource["verbs"] and "/" not in name and name not in NO_STATE:
                found[name] = f"{prefix}/namespaces/{{}}/{name}"
    return list(found.values())


class Scenario:
    """Two servers, one with an autoscaler and one without, in a namespace of their own."""

    def __init__(self, api, paths, namespace, server):
        self.api = api
        self.namespace = namespace
        self._all_paths = [path.format(namespace) for path in paths]
        self._paths = self._all_paths
        self._deleted = False
        self._server = server  # a function of a name and parts of a spec: the MCPServer
        self.steps = [self.create, self.scale, self.update, self.delete]

    def create(self):
        requests = {"resources": {"requests": {"cpu": "50m", "memory": "64Mi"}}}
        for server in (self._server("a", runtime=requests, autoscaling={"minReplicas": 1, "maxReplicas": 5}),
                       self._server("b", runtime=requests | {"replicas": 1})):
            self.api.call("POST", self._path("mcpservers"), server)

    def scale(self):
        self.api.merge(self._path("mcpservers/a"), {"spec": {"autoscaling": {"minReplicas": 2, "maxReplicas": 4}}})
        self.api.merge(self._path("mcpservers/b") + "/scale", {"spec": {"replicas": 3}})

    def update(self):
        image = {"containerImage": {"ref": "example.invalid/server:2"}}
        for name in ("a", "b"):
            self.api.merge(self._path(f"mcpservers/{name}"), {"spec": {"source": image}})

    def delete(self):
        """One goes; the other loses its autoscaler."""
        self.api.delete(self._path("mcpservers/b"))
        self._deleted = True
        self.api.merge(self._path("mcpservers/a"), {"spec": {"autoscaling": None}})

    def carried_out(self):
        """What was asked for last is in the Deployments, and told in the servers' statuses."""
        return all(self._carried_out(server) for server in self.api.get(self._path("mcpservers"))["items"])

    def in_step(self):
        """And the Deployments' own controller has seen it, and the garbage collector has taken what was deleted."""
        if self._deleted and any(item["metadata"].get("labels", {}).get("mcpfleet.dev/server") == "b"
                                 for path in self._paths for item in self.api.get(path)["items"]):
            return False
        deployments = self.api.get(f"/apis/apps/v1/namespaces/{self.namespace}/deployments")["items"]
        return self.carried_out() and all(
            d.get("status", {}).get("observedGeneration") == d["metadata"]["generation"] for d in deployments)

    def _carried_out(self, server):
        metadata, status = server["metadata"], server.get("status", {})
        deployment = self.api.find(f"/apis/apps/v1/namespaces/{self.namespace}/deployments/{metadata['name']}")
        return (status.get("observedGeneration") == metadata["generation"] and deployment is not None
                and _as_asked(server, deployment))

    def state(self):
        """All objects of the namespace, but for what differs between two runs that did the same."""
        return self._state(self._paths)

    @staticmethod
    def written(state):
        """What of it the operator writes, and no controller of Kubernetes'."""
        return {name: item for name, item in state.items() if name.split(" ")[0] in OPERATOR_WRITES}

    def look_only_at(self, kinds):
        """state() asks for these alone, which is quicker."""
        self._paths = [path for path in self._all_paths if path.rsplit("/", 1)[1] in kinds]

    def generations(self):
        """What each Deployment was last told."""
        deployments = self.api.get(f"/apis/apps/v1/namespaces/{self.namespace}/deployments")["items"]
        return {d["metadata"]["name"]: d["metadata"]["generation"] for d in deployments}

    def kinds(self):
        """Those that the namespace has objects of."""
        return {path.rsplit("/", 1)[1] for path in self._all_paths if self.api.get(path)["items"]}

    def _state(self, paths):
        objects = []
        for path in paths:
            answer = self.api.get(path)
            kind = answer["kind"].removesuffix("List")
            objects += [{"kind": kind} | item for item in answer["items"]]
        master = self.api.get("/api/v1/namespaces/mcpfleet-system/secrets/mcpfleet-session-master")
        return normalised(objects, self.namespace, base64.b64decode(master["data"]["key"])[:32])

    def leftovers(self):
        """Whether anything is there but what every namespace has."""
        own = {"kube-root-ca.crt", "default"}
        return any(item["metadata"]["name"] not in own for path in self._all_paths for item in self.api.get(path)["items"])

    def create_last(self):
        """One more, after all steps."""
        self.api.call("POST", self._path("mcpservers"), self._server("last", runtime={"replicas": 1}))

    def end(self):
        for server in self.api.get(self._path("mcpservers"))["items"]:
            self.api.delete(self._path(f"mcpservers/{server['metadata']['name']}"))

    def _path(self, tail):
        return f"{GROUP}/namespaces/{self.namespace}/{tail}"


def _as_asked(server, deployment):
    spec, replicas = server["spec"], deployment["spec"]["replicas"]
    containers = deployment["spec"]["template"]["spec"]["containers"]
    image = next(c["image"] for c in containers if c["name"] == "server")
    if "autoscaling" in spec:
        enough = replicas >= spec["autoscaling"]["minReplicas"]
    else:  # the replicas of one that lost its autoscaler stay
        enough = server["metadata"]["name"] == "a" or replicas == spec["runtime"]["replicas"]
    return enough and image == spec["source"]["containerImage"]["ref"]


def normalised(objects, namespace, master):
    """{"Kind name": object}. Random parts of names and values go; session keys are checked, and then go."""
    named = {}
    for item in objects:
        item = copy.deepcopy(item)
        if item["kind"] == "Secret":
            check_session_key(item, master)
        if item["kind"] == "Deployment":  # they tell what its controller did last
            item.get("status", {}).pop("conditions", None)
        mine = [entry for entry in item["metadata"].get("managedFields", []) if entry["manager"] == "mcp-operator"]
        if item["kind"] == "MCPServer":  # a number alone is written at its own pace
            item.get("status", {}).pop("replicas", None)
        if "generateName" in item["metadata"]:
            item["metadata"]["name"] = item["metadata"]["generateName"] + "RANDOM"
        text = json.dumps(unstamped(item) | {"mine": unstamped(mine)}, sort_keys=True)
        name = _general(f"{item['kind']} {item['metadata']['name']}", namespace)
        while name in named:  # pods of one ReplicaSet
            name += "'"
        named[name] = json.loads(_general(text, namespace))
    return named


def check_session_key(secret, master):
    uid = secret["metadata"]["ownerReferences"][0]["uid"]
    expected = hmac.new(master, uid.encode(), hashlib.sha256).digest()
    if base64.b64decode(secret["data"]["key"]) != expected:
        raise AssertionError(f"Secret {secret['metadata']['name']} holds another key than that of its MCPServer")
    secret["data"]["key"] = "the key of its MCPServer"


def unstamped(value):
    """Without FIELDS_OF_ONE_RUN, at any depth."""
    if isinstance(value, dict):
        return {k: unstamped(v) for k, v in value.items() if k not in FIELDS_OF_ONE_RUN}
    if isinstance(value, list):
        return [unstamped(v) for v in value]
    return value


def _general(text, namespace):
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UID", text)
    text = text.replace(namespace, "NAMESPACE")
    # The hash of a template.
    text = re.sub(r"\b([ab])-[0-9a-z]{8,10}\b", r"\1-HASH", text)
    return re.sub(r'("pod-template-hash": ")[^"]+', r"\1HASH", text)
