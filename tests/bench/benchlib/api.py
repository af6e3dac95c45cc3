"""The API server over one kept connection: a kubectl for each read would cost more than what is measured."""

import base64
import http.client
import json
import ssl
import tempfile
import urllib.parse


class Api:
    """Reads JSON with the identity of the cluster's kubeconfig. Not for use by two threads at once."""

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

    def get(self, path):
        """The status and the decoded body."""
        self._connection.request("GET", path, headers={"Accept": "application/json"})
        response = self._connection.getresponse()
        return response.status, json.loads(response.read())


def _data(holder, key):
    return base64.b64decode(holder[key]).decode()
