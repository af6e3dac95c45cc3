#include "proxy/listener.h"

#include <boost/asio/co_spawn.hpp>

#include "log/log.h"

namespace mcpfleet::proxy {
namespace {

constexpr std::size_t kMaxClients = 20'000;

Task<> serve_client(std::unique_ptr<ClientLink> client, Serve serve) {
  for (;;) {
    const bool got = co_await client->read_request();
    if (!got) break;
    co_await serve(*client);
    client->stop_watching();
    if (!client->keep_open()) break;
  }
}

// What a client does must not end the others: a fault of one connection ends that connection.
void on_client_end(const std::exception_ptr& problem) {
  if (!problem) return;
  try {
    std::rethrow_exception(problem);
  } catch (const std::exception& fault) {
    log::error("a connection ended by a fault", {{"reason", fault.what()}});
  }
}

}  // namespace

Result<tcp::endpoint> numeric_endpoint(const std::string& ip, std::uint16_t port,
                                       const std::string& what) {
  error_code ec;
  const auto address = asio::ip::make_address(ip == "localhost" ? "127.0.0.1" : ip, ec);
  if (ec) return fail(ErrorKind::Invalid, what + ": \"" + ip + "\" is not a numeric IP address");
  return tcp::endpoint(address, port);
}

Result<std::unique_ptr<Acceptor>> listen_on(asio::io_context& io, const ListenAddress& address,
                                            const std::string& what) {
  const auto endpoint = numeric_endpoint(address.ip, address.port, what);
  if (!endpoint) return fail(endpoint.error());
  auto acceptor = std::make_unique<Acceptor>(io);
  error_code ec;
  acceptor->open(endpoint->protocol(), ec);
  if (!ec) acceptor->set_option(Acceptor::reuse_address(true), ec);
  if (!ec) acceptor->bind(*endpoint, ec);
  if (!ec) acceptor->listen(4096, ec);
  if (ec)
    return fail(ErrorKind::Unavailable, "cannot listen on " + address.ip + ":" +
                                            std::to_string(address.port) + ": " + ec.message());
  return acceptor;
}

Task<> accept_clients(DataPlane& plane, Acceptor& acceptor, Serve serve) {
  while (acceptor.is_open()) {
    error_code ec;
    Socket socket(plane.io);
    co_await acceptor.async_accept(socket, caught(ec));
    if (ec == asio::error::operation_aborted) break;
    if (ec) {
      log::warn("a connection could not be accepted", {{"reason", ec.message()}});
      Timer pause(plane.io, std::chrono::milliseconds(100));  // for example no descriptors left
      co_await pause.async_wait(caught(ec));
      continue;
    }
    if (plane.sweeper.size() >= kMaxClients) continue;
    asio::co_spawn(plane.io,
                   serve_client(std::make_unique<ClientLink>(plane, std::move(socket)), serve),
                   on_client_end);
  }
}

}  // namespace mcpfleet::proxy
