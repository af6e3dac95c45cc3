"""Plays the pods of MCP servers: HTTP servers with a /metrics each, on loopback addresses of this machine."""

import http.server
import threading
import time

BOUNDS = [0.001 * 2 ** (i / 2) for i in range(34)]


class FakePod:
    """One pod's metrics port. `rate` calls a second of `tool`, each `latency` seconds long, since start or restart."""

    def __init__(self, address, port, rate=0.0, latency=0.05, tool="search", in_flight=0, sessions=0, body=None):
        self.rate, self.latency, self.tool = rate, latency, tool
        self.in_flight, self.sessions = in_flight, sessions
        self.body = body  # makes another text of the calls so far than an MCP server's
        self.closed = False
        self.mode = "good"  # good, garbage, hang, large, error
        self.started = time.time() - 3600
        self._calls, self._since = 0.0, time.time()
        self._begun = self._since
        self._server = http.server.ThreadingHTTPServer((address, port), _handler(self))
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def close(self):
        """The pod is gone: its port refuses connections."""
        self.closed = True  # for connections that are open: the next request on them gets no answer
        self._server.shutdown()
        self._server.server_close()

    def set_rate(self, rate):
        self._calls, self._since, self.rate = self.calls(), time.time(), rate

    def calls(self, ago=0):
        return max(0, int(self._calls + self.rate * (time.time() - ago - self._since)))

    def metrics(self, past=0):
        """What it exposes now, after what it exposed in the seconds before, as the sidecar has it."""
        reach = time.time() - self._begun
        earlier = [ago for ago in range(past, 0, -max(past // 6, 1)) if ago <= reach]
        return b"".join(self._metrics(ago) + f"mcp_snapshot_age_seconds {ago}\n# EOF\n".encode()
                        for ago in earlier) + self._metrics(0)

    def _metrics(self, ago):
        calls = self.calls(ago)
        if self.body:
            return self.body(calls).encode()
        labels = f'method="tools/call",tool="{self.tool}"'
        name = "mcp_request_duration_seconds"
        lines = [f"mcp_requests_total{{{labels}}} {calls}", f"mcp_request_errors_total{{{labels}}} {calls // 10}"]
        lines += [f'{name}_bucket{{{labels},le="{bound:.10g}"}} {calls if self.latency <= bound else 0}'
                  for bound in BOUNDS]
        lines += [f'{name}_bucket{{{labels},le="+Inf"}} {calls}', f"{name}_sum{{{labels}}} {calls * self.latency}",
                  f"{name}_count{{{labels}}} {calls}", f"mcp_requests_in_flight {self.in_flight}",
                  f"mcp_active_sessions {self.sessions}", "mcp_draining 0",
                  f"process_start_time_seconds {self.started}", ""]
        return "\n".join(lines).encode()


def _handler(pod):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            if pod.closed:
                self.close_connection = True
                return
            if pod.mode == "hang":
                time.sleep(30)
                return
            past = int(self.path.partition("?past=")[2] or 0) if not pod.body else 0
            body = {"garbage": b"<html>hello</html>", "large": b"x" * 10_000_000}.get(pod.mode) or pod.metrics(past)
            self.send_response(503 if pod.mode == "error" else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                pass  # the reader had enough

        def log_message(self, *_):
            pass

    return Handler
