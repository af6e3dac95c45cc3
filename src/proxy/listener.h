// The data plane's ports: binds them, and serves each client that comes.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "proxy/client_link.h"
#include "proxy/data_plane.h"
#include "proxy/options.h"

namespace mcpfleet::proxy {

// Error: Invalid, that begins with `what`: the address is not numeric.
Result<tcp::endpoint> numeric_endpoint(const std::string& ip, std::uint16_t port,
                                       const std::string& what);

// Errors: as numeric_endpoint(), Unavailable (the port is taken).
Result<std::unique_ptr<Acceptor>> listen_on(asio::io_context& io, const ListenAddress& address,
                                            const std::string& what);

// Answers one request of a client.
using Serve = std::function<Task<>(ClientLink&)>;

// Accepts clients until the acceptor is closed. A fault of one connection ends that connection.
Task<> accept_clients(DataPlane& plane, Acceptor& acceptor, Serve serve);

}  // namespace mcpfleet::proxy
