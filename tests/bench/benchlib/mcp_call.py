"""One MCP session over one kept connection, with nothing between a call and its bytes but http.client."""

import http.client
import json
import time
import urllib.parse

HEADERS = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
           "MCP-Protocol-Version": "2025-06-18"}
INITIALIZE = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}


class Session:
    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        self._path = parts.path
        self._address = (parts.hostname, parts.port or 80)
        self._headers = dict(HEADERS)
        response, _ = self._post({"id": 1, "method": "initialize", "params": INITIALIZE})
        self._headers["Mcp-Session-Id"] = response.headers["Mcp-Session-Id"]
        self._post({"method": "notifications/initialized"})

    def call(self, tool, arguments):
        """Calls a tool; returns when the first byte was sent and when the last one came, by time.monotonic()."""
        message = {"id": 2, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}
        response, (sent, ended, body) = self._post(message)
        if response.status != 200 or b'"result"' not in body:
            raise RuntimeError(f"{tool} failed with status {response.status}: {body[:200]!r}")
        return sent, ended

    def _post(self, message):
        # A connection a message: servers close idle ones, and the time to connect is far below what is measured.
        connection = http.client.HTTPConnection(*self._address, timeout=60)
        connection.connect()
        sent = time.monotonic()
        connection.request("POST", self._path, json.dumps({"jsonrpc": "2.0", **message}), self._headers)
        response = connection.getresponse()
        body = response.read()
        ended = time.monotonic()
        connection.close()
        if response.status >= 300:
            raise RuntimeError(f"{message['method']} failed with status {response.status}: {body[:200]!r}")
        return response, (sent, ended, body)
