#include "proxy/drain_server.h"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <cstring>
#include <optional>

namespace mcpfleet::proxy {
namespace {

using Local = asio::local::stream_protocol;
using LocalSocket = asio::basic_stream_socket<Local, Executor>;
using LocalAcceptor = asio::basic_socket_acceptor<Local, Executor>;

constexpr std::size_t kMaxLine = 64;
constexpr std::chrono::milliseconds kMaxTimeout = std::chrono::hours(24);

// "drain 30000" -> 30 s.
std::optional<Duration> parse_request(std::string_view line) {
  constexpr std::string_view kVerb = "drain ";
  if (!line.starts_with(kVerb)) return std::nullopt;
  line.remove_prefix(kVerb.size());
  std::int64_t milliseconds = -1;
  const auto [end, problem] = std::from_chars(line.data(), line.data() + line.size(), milliseconds);
  if (problem != std::errc() || end != line.data() + line.size() || milliseconds < 0)
    return std::nullopt;
  return std::min(std::chrono::milliseconds(milliseconds), kMaxTimeout);
}

Task<> serve(asio::io_context& io, LocalSocket socket, DrainCalls calls) {
  std::string line;
  error_code ec;
  const auto size = co_await asio::async_read_until(socket, asio::dynamic_buffer(line, kMaxLine),
                                                    '\n', caught(ec));
  if (ec) co_return;
  const auto timeout = parse_request(std::string_view(line).substr(0, size - 1));
  std::string reply = "error: the only request is: drain MILLISECONDS\n";
  if (timeout) {
    calls.start(*timeout);
    Timer timer(io);
    while (!calls.done()) {
      timer.expires_after(std::chrono::milliseconds(50));
      co_await timer.async_wait(caught(ec));
    }
    reply = "done, " + std::to_string(calls.in_flight()) + " requests in flight\n";
  }
  co_await asio::async_write(socket, asio::buffer(reply), caught(ec));
}

Task<> accept(asio::io_context& io, LocalAcceptor& acceptor, DrainCalls calls) {
  while (acceptor.is_open()) {
    error_code ec;
    LocalSocket socket(io);
    co_await acceptor.async_accept(socket, caught(ec));
    if (ec == asio::error::operation_aborted) break;
    if (ec) {
      Timer pause(io, std::chrono::milliseconds(100));
      co_await pause.async_wait(caught(ec));
      continue;
    }
    asio::co_spawn(io, serve(io, std::move(socket), calls), asio::detached);
  }
}

class Impl final : public DrainServer {
 public:
  Impl(asio::io_context& io, std::string path) : acceptor_(io), path_(std::move(path)) {}
  ~Impl() override { ::unlink(path_.c_str()); }

  Result<void> open(asio::io_context& io, DrainCalls calls) {
    struct stat found{};
    if (::lstat(path_.c_str(), &found) == 0) {
      if (!S_ISSOCK(found.st_mode))
        return fail(ErrorKind::Unavailable, path_ + " exists and is not a socket");
      ::unlink(path_.c_str());
    }
    error_code ec;
    try {
      const Local::endpoint endpoint(path_);
      acceptor_.open(endpoint.protocol(), ec);
      if (!ec) acceptor_.bind(endpoint, ec);
    } catch (const boost::system::system_error& problem) {  // the path is too long
      ec = problem.code();
    }
    if (!ec) acceptor_.listen(16, ec);
    if (ec) return fail(ErrorKind::Unavailable, "cannot listen on " + path_ + ": " + ec.message());
    if (::chmod(path_.c_str(), 0666) != 0)
      return fail(ErrorKind::Unavailable,
                  "cannot open " + path_ + " to others: " + std::strerror(errno));
    asio::co_spawn(io, accept(io, acceptor_, std::move(calls)), asio::detached);
    return {};
  }

 private:
  LocalAcceptor acceptor_;
  std::string path_;
};

}  // namespace

Result<std::unique_ptr<DrainServer>> DrainServer::start(asio::io_context& io,
                                                        const std::string& path, DrainCalls calls) {
  auto server = std::make_unique<Impl>(io, path);
  if (auto opened = server->open(io, std::move(calls)); !opened) return fail(opened.error());
  return server;
}

}  // namespace mcpfleet::proxy
