"""What one user asked of the API server, and when, from its audit log."""

import datetime
import json
from typing import NamedTuple

WRITES = {"create", "update", "patch", "delete", "deletecollection"}


class Request(NamedTuple):
    begun: float  # when it came to the API server and when it was answered, by time.time()
    ended: float
    verb: str
    api: str  # "/apis/apps/v1", "" where the path is no resource
    resource: str  # "mcpservers/status"
    namespace: str
    name: str
    code: int


class Trail:
    """The requests of one user since the trail was made. Renewals of a Lease go on for ever and are not in it."""

    def __init__(self, path, user):
        self.requests = []
        self._mark = f'"username":"{user}"'.encode()
        self._file = open(path, "rb")
        self._file.seek(0, 2)
        self._part = b""

    def look(self):
        """Takes in what has come since the last look, and returns that."""
        *lines, self._part = (self._part + self._file.read()).split(b"\n")
        news = [request for line in lines if self._mark in line and (request := _decode(line))]
        self.requests += news
        return news

    def close(self):
        self._file.close()


def _decode(line):
    event = json.loads(line)
    watch = event["verb"] == "watch"
    # A watch leaves two lines, and the second one comes when it ends.
    if event["stage"] != ("ResponseStarted" if watch else "ResponseComplete"):
        return None
    target = event.get("objectRef", {})
    if target.get("resource") == "leases":
        return None
    resource = "/".join(filter(None, (target.get("resource", ""), target.get("subresource", ""))))
    return Request(_time(event["requestReceivedTimestamp"]), _time(event["stageTimestamp"]), event["verb"], _api(target),
                   resource, target.get("namespace", ""), target.get("name", ""), event["responseStatus"]["code"])


def _api(target):
    if "apiVersion" not in target:
        return ""
    group = target.get("apiGroup")
    return f"/apis/{group}/{target['apiVersion']}" if group else f"/api/{target['apiVersion']}"


def _time(text):
    return datetime.datetime.fromisoformat(text).timestamp()
