"""The API server over one kept connection: a kubectl for each request would cost more than what is measured."""

import base64
import concurrent.futures
import contextlib
import http.client
import json
import ssl
import tempfile
import time
import urllib.parse

METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
LOADERS = 4  # connections of spread()
LONGEST_IDLE = 30  # seconds; the API server closes what is idle for longer than 90


class Api:
    """Speaks JSON with the identity of the cluster's kubeconfig. Not for use by two threads at once."""

    def __init__(self, cluster):
        view = json.loads(cluster.kubectl("config", "view", "--raw", "--flatten", "--minify", "-o", "json"))
        context = ssl.create_default_context(cadata=_data(view["clusters"][0]["cluster"], "certificate-authority-data"))
        user = view["users"][0]["user"]
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as identity:  # the ssl module takes files only
            identity.write(_data(user, "client-certificate-data") + _data(user, "client-key-data"))
            identity.flush()
            context.load_cert_chain(identity.name)
        address = urllib.parse.urlsplit(view["clusters"][0]["cluster"]["server"])
        self._connection = http.client.HTTPSConnection(address.hostname, address.port, context=context, timeout=30)
        self._used = time.monotonic()

    def get(self, path, accept="application/json"):
        """The status and the decoded body."""
        return self._ask("GET", path, {"Accept": accept})

    def create(self, path, manifest):
        """POSTs to a collection; anything but 201 is a RuntimeError."""
        status, body = self._ask("POST", path, {"Accept": METADATA, "Content-Type": "application/json"}, json.dumps(manifest))
        if status != 201:
            raise RuntimeError(f"POST {path} was answered {status}: {body.get('message')}")

    def patch(self, path, change):
        """A merge patch; anything but 200 is a RuntimeError."""
        headers = {"Accept": METADATA, "Content-Type": "application/merge-patch+json"}
        status, body = self._ask("PATCH", path, headers, json.dumps(change))
        if status != 200:
            raise RuntimeError(f"PATCH {path} was answered {status}: {body.get('message')}")

    def count(self, path):
        """How many objects a collection has, at the cost of reading one."""
        status, body = self.get(f"{path}?limit=1", METADATA_LIST)
        if status != 200:
            raise RuntimeError(f"GET {path} was answered {status}: {body.get('message')}")
        return len(body["items"] or []) + body["metadata"].get("remainingItemCount", 0)

    @contextlib.contextmanager
    def watch(self, path, seconds):
        """The events of a collection from now on, metadata only, for at most so many seconds."""
        _, body = self.get(f"{path}?limit=1", METADATA_LIST)
        version = body["metadata"]["resourceVersion"]
        self._connection.request("GET", f"{path}?watch=1&resourceVersion={version}&timeoutSeconds={seconds}",
                                 headers={"Accept": METADATA})
        response = self._connection.getresponse()
        if response.status != 200:
            raise RuntimeError(f"watching {path} was answered {response.status}")
        try:
            yield map(json.loads, iter(response.readline, b""))
        finally:
            self._connection.close()

    def _ask(self, method, path, headers, body=None):
        if time.monotonic() - self._used > LONGEST_IDLE:
            self._connection.close()  # the next request opens it again
        self._used = time.monotonic()
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        return response.status, json.loads(response.read())


def spread(cluster, tasks):
    """Calls each task with an Api, over several connections; returns when that began, by time.time()."""
    apis = [Api(cluster) for _ in range(LOADERS)]
    begun = time.time()
    with concurrent.futures.ThreadPoolExecutor(LOADERS) as pool:
        shares = [tasks[number::LOADERS] for number in range(LOADERS)]
        list(pool.map(lambda api, share: [task(api) for task in share], apis, shares))
    return begun


def _data(holder, key):
    return base64.b64decode(holder[key]).decode()
