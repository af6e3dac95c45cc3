"""Several gateways behind one address, as a Service is one, for HTTP clients of this process."""

import httpx2

CONNECTIONS = httpx2.Limits(max_connections=None, max_keepalive_connections=None)


class Gateways:
    """The ports of those that there are. One that is leaving gets nothing new, as when endpoints have spread."""

    def __init__(self, ports):
        self.ports = ports
        self.leaving = set()

    def staying(self):
        return [port for port in self.ports if port not in self.leaving]


class Front(httpx2.AsyncBaseTransport):
    """Begins with one of the gateways and stays there while it takes connections, then goes on to the next. An exchange that
    breaks before the answer's head is the status 502, as of a balancer: the SDK's client does not outlive an exception."""

    def __init__(self, gateways, first):
        self._gateways = gateways
        self._port = gateways.ports[first % len(gateways.ports)]
        self._inner = httpx2.AsyncHTTPTransport(limits=CONNECTIONS)

    async def handle_async_request(self, request):
        staying = self._gateways.staying()
        others = [port for port in staying if port != self._port]
        for port in [self._port, *others] if self._port in staying else others:
            moved = httpx2.Request(request.method, request.url.copy_with(port=port), headers=request.headers,
                                   stream=request.stream, extensions=request.extensions)
            try:
                answer = await self._inner.handle_async_request(moved)
            except httpx2.ConnectError:
                continue
            except httpx2.TransportError as error:
                return httpx2.Response(502, text=repr(error))
            self._port = port
            return answer
        return httpx2.Response(503, text="no gateway takes connections")

    async def aclose(self):
        await self._inner.aclose()
