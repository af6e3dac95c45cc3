"""A proxy between a program under test and the API server that does to it what networks, overloaded servers and crashes
do. It speaks plain HTTP/1.1 to the program and TLS to the API server, a connection of its own for each of the program's,
and passes the program's bearer token on."""

import contextlib
import dataclasses
import json
import re
import select
import socket
import ssl
import threading
import time
import urllib.parse

# Written beside the work and in its own time: the n-th write of a scenario does not count these.
_BESIDE = re.compile(r"/(events|leases)(/|$)")


class Drop(Exception):
    """Ends the connection without an answer, or in the middle of one; `last` are its last bytes."""

    def __init__(self, last=b""):
        super().__init__("the connection is dropped")
        self.last = last


@dataclasses.dataclass
class Answer:
    status: int
    body: bytes
    headers: tuple = ()


def failure(code, reason, message, *headers):
    """An answer as the API server fails: with a Status."""
    status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": reason,
              "message": message, "code": code}
    return Answer(code, json.dumps(status).encode(), headers)


class Exchange:
    """A request, and what becomes of it."""

    def __init__(self, method, target, headers, body, connection):
        self.method = method
        self.target = target
        self.headers = headers  # [(name, value)]
        self.body = body
        self.path, _, query = target.partition("?")
        self.query = dict(urllib.parse.parse_qsl(query))
        self.connection = connection
        self.received = time.monotonic()
        self.forwarded = None  # when it was sent on to the API server
        self.status = None     # what the API server said

    @property
    def is_write(self):
        return self.method != "GET" and not _BESIDE.search(self.path)

    @property
    def is_watch(self):
        return self.query.get("watch") in ("1", "true")

    @property
    def is_list(self):
        """Also a page of one."""
        return self.method == "GET" and not self.is_watch and "limit" in self.query

    def client_gone(self):
        """The program waits for no answer any more."""
        return self.connection.client_gone()

    def __repr__(self):
        return f"{self.method} {self.target} {self.status}"


class Fault:
    """What goes wrong; here: nothing. The calls come from many threads at once."""

    def request(self, exchange):
        """Before the request is sent on. May wait, raise Drop, or return an Answer to give instead."""
        return None

    def answer(self, exchange, answer):
        """Before a complete answer of the API server is passed on. May raise Drop."""
        return answer

    def line(self, exchange, line):
        """Before a line of a watch is passed on. May wait or raise Drop."""
        return line


class Proxy:
    """Listens until close(). `fault` may be set at any time."""

    def __init__(self, server, ca_pem):
        url = urllib.parse.urlsplit(server)
        self.upstream = (url.hostname, url.port)
        self.trust = ssl.create_default_context(cadata=ca_pem)
        self.fault = Fault()
        self.exchanges = []  # all requests, in the order of their arrival
        self._lock = threading.Lock()
        self._connections = set()
        self._listener = None
        self._listen(0)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self):
        self._end_listener()
        self.cut()

    def cut(self):
        """Ends all connections, whatever they are in the middle of."""
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            connection.end()

    @contextlib.contextmanager
    def away(self):
        """Connections are refused meanwhile."""
        port = self._listener.getsockname()[1]
        self._end_listener()
        self.cut()
        try:
            yield
        finally:
            self._listen(port)

    def writes(self):
        """All requests to write that came, but those of Events and Leases."""
        with self._lock:
            return [e for e in self.exchanges if e.is_write]

    def _listen(self, port):
        self._listener = socket.create_server(("127.0.0.1", port), backlog=64)
        threading.Thread(target=self._accept, args=[self._listener], daemon=True).start()

    def _end_listener(self):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = _Connection(self, client)
            with self._lock:
                self._connections.add(connection)
            threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection):
        try:
            connection.run()
        except (OSError, EOFError, ValueError, Drop):
            pass  # either side is gone, or the fault wants it to look so
        finally:
            with self._lock:
                self._connections.discard(connection)
            connection.close()

    def note(self, exchange):
        with self._lock:
            self.exchanges.append(exchange)


class _Connection:
    """One connection of the program, and one to the API server."""

    def __init__(self, proxy, client):
        self.proxy = proxy
        self.client = client
        self.server = None
        self.from_client = _Reader(client)
        self.from_server = None
        self.ended = False

    def run(self):
        while True:
            exchange = self._read_request()
            if exchange is None:
                return
            self.proxy.note(exchange)
            fault = self.proxy.fault
            answer = fault.request(exchange)
            if answer is None:
                answer = self._forward(exchange, fault)
            if answer is not None:
                self._send(answer)

    def client_gone(self):
        poll = select.poll()
        poll.register(self.client, select.POLLIN | select.POLLHUP)
        try:
            return bool(poll.poll(0)) and not self.client.recv(1, socket.MSG_PEEK)
        except OSError:
            return True

    def end(self):
        """From any thread. Closing is for the connection's own: it may be about to use the descriptor's number, which
        somebody else would get meanwhile."""
        self.ended = True
        for side in (self.client, self.server):
            if side is not None:
                with contextlib.suppress(OSError):
                    side.shutdown(socket.SHUT_RDWR)

    def close(self):
        for side in (self.client, self.server):
            if side is not None:
                side.close()

    def _read_request(self):
        try:
            start, headers = self.from_client.head()
        except EOFError:
            return None
        method, target, _ = start.split(" ", 2)
        body = self.from_client.body(headers)
        return Exchange(method, target, headers, body, self)

    def _forward(self, exchange, fault):
        """The answer to pass on; None where it was passed on as it came, which is how watches go."""
        if self.server is None:
            self._connect()
        lines = [f"{exchange.method} {exchange.target} HTTP/1.1",
                 *(f"{name}: {value}" for name, value in exchange.headers if name.lower() != "host"),
                 f"Host: {self.proxy.upstream[0]}", "", ""]
        exchange.forwarded = time.monotonic()
        self.server.sendall("\r\n".join(lines).encode() + exchange.body)
        start, headers = self.from_server.head()
        exchange.status = int(start.split(" ", 2)[1])
        if exchange.is_watch and exchange.status == 200:
            self._pass_on_watch(exchange)
            return None
        kept = tuple((n, v) for n, v in headers if n.lower() in ("content-type", "retry-after"))
        body = b"" if exchange.status in (204, 304) else self.from_server.body(headers)
        return fault.answer(exchange, Answer(exchange.status, body, kept))

    def _connect(self):
        plain = socket.create_connection(self.proxy.upstream)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.server = self.proxy.trust.wrap_socket(plain, server_hostname=self.proxy.upstream[0])
        if self.ended:
            raise Drop
        self.from_server = _Reader(self.server, other=self.client)

    def _send(self, answer):
        lines = [f"HTTP/1.1 {answer.status} -", *(f"{name}: {value}" for name, value in answer.headers)]
        if not any(name.lower() == "content-type" for name, _ in answer.headers):
            lines.append("Content-Type: application/json")
        lines += [f"Content-Length: {len(answer.body)}", "", ""]
        self.client.sendall("\r\n".join(lines).encode() + answer.body)

    def _pass_on_watch(self, exchange):
        self.client.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        rest = b""
        for chunk in self.from_server.chunks():
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                try:
                    self._send_chunk(self.proxy.fault.line(exchange, line) + b"\n")
                except Drop as drop:
                    self._send_chunk(drop.last)
                    raise
        self.client.sendall(b"0\r\n\r\n")

    def _send_chunk(self, data):
        if data:
            self.client.sendall(b"%x\r\n%s\r\n" % (len(data), data))


class _Reader:
    """Reads HTTP messages from `source`. EOFError where it ends too soon, or where the `other` side is gone."""

    def __init__(self, source, other=None):
        self.source = source
        self.other = other
        self.buffer = b""

    def head(self):
        while b"\r\n\r\n" not in self.buffer:
            self._more()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        start, *lines = head.decode("latin-1").split("\r\n")
        pairs = (line.split(":", 1) for line in lines)
        return start, [(name.strip(), value.strip()) for name, value in pairs]

    def body(self, headers):
        named = {name.lower(): value for name, value in headers}
        if named.get("transfer-encoding", "").lower() == "chunked":
            return b"".join(self.chunks())
        return self._exactly(int(named.get("content-length", 0)))

    def chunks(self):
        while True:
            size = int(self._line().split(b";")[0], 16)
            data = self._exactly(size)
            self._line()
            if size == 0:
                return
            yield data

    def _line(self):
        while b"\r\n" not in self.buffer:
            self._more()
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def _exactly(self, size):
        while len(self.buffer) < size:
            self._more()
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def _more(self):
        self._wait()
        data = self.source.recv(65536)
        if not data:
            raise EOFError
        self.buffer += data

    def _wait(self):
        if self.other is None or self.source.pending():
            return
        poll = select.poll()
        poll.register(self.source, select.POLLIN)
        poll.register(self.other, select.POLLIN)
        ready = {descriptor for descriptor, _ in poll.poll()}
        if self.source.fileno() not in ready:
            raise EOFError  # the program sends one request at a time: this is its end
