"""How old a metric is when the metrics API answers with it, as the HPA reads it.

A call that takes seconds begins at a random moment, and so mcp_requests_in_flight of the pod goes from 0 to 1; it ends at
another random moment, and the metric goes back. The age is the time from the call's first byte sent (or last byte
received) until an answer of custom.metrics.k8s.io through kube-apiserver holds the new value. The API is read one time
after the other, so each age is long by up to one read.
"""

import random
import threading
import time
import urllib.parse

from .mcp_call import Session

SLOW = "trigger-long-running-operation"
MOST_SECONDS = 15  # a change that is not seen after this long is a failure of the benchmark


class Watched:
    """One server's metric, read over and over."""

    def __init__(self, api, namespace, server):
        selector = urllib.parse.quote(f"mcpfleet.dev/server={server}", safe="")
        self._api = api
        self._path = (f"/apis/custom.metrics.k8s.io/v1beta2/namespaces/{namespace}/pods/*/mcp_requests_in_flight"
                      f"?labelSelector={selector}")

    def until(self, value):
        """Reads until the metric has the value; returns when that answer was complete."""
        deadline = time.monotonic() + MOST_SECONDS
        while time.monotonic() < deadline:
            status, body = self._api.get(self._path)
            now = time.monotonic()
            if status == 200 and [item["value"] for item in body["items"]] == [value]:
                return now
            time.sleep(0.01)
        raise RuntimeError(f"mcp_requests_in_flight was not {value} within {MOST_SECONDS} s; last answer: {body}")


def measure(api, namespace, server, url, trials, seed):
    """Ages in milliseconds: two of each trial."""
    generator = random.Random(seed)
    session, watched = Session(url), Watched(api, namespace, server)
    watched.until("0")
    ages = []
    for _ in range(trials):
        time.sleep(generator.uniform(0, 1.5))
        took = {}

        def call(seconds=generator.uniform(4, 5.5), took=took):
            took["sent"], took["ended"] = session.call(SLOW, {"duration": seconds, "steps": 1})

        thread = threading.Thread(target=call)
        thread.start()
        try:
            risen = watched.until("1")
        finally:
            thread.join()
        fallen = watched.until("0")
        if "ended" not in took:
            raise RuntimeError(f"{SLOW} failed")
        if risen > took["ended"]:
            raise RuntimeError("the metric showed a call only after it had ended")
        ages += [(risen - took["sent"]) * 1e3, (fallen - took["ended"]) * 1e3]
    return ages
