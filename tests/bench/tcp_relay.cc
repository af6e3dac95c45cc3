// A bare TCP relay: the least that anything in front of a server can cost. Two threads a
// connection copy bytes with blocking sockets; nothing is looked at.
//
//   tcp_relay --listen 127.0.0.1:0 --upstream 127.0.0.1:3001 --seconds 120
#include <sys/socket.h>

#include <memory>
#include <thread>

#include "sockets.h"

namespace bench = mcpfleet::bench;

namespace {

struct Pair {
  bench::Fd client;
  bench::Fd server;
};

void copy(const bench::Fd& from, const bench::Fd& to) {
  char buffer[65536];
  while (const auto size = bench::receive(from, buffer, sizeof buffer)) {
    if (!bench::send_all(to, {buffer, size})) break;
  }
  // The other direction may still have something to say.
  ::shutdown(to.get(), SHUT_WR);
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Flags flags(argc, argv,
                           {{"listen", "127.0.0.1:0"}, {"upstream", ""}, {"seconds", "120"}});
  const auto upstream = bench::parse_address(flags.text("upstream"));
  bench::exit_after(flags.number("seconds"));
  const auto listener = bench::listen_on(flags.text("listen"));
  for (;;) {
    auto client = bench::accept_from(listener);
    auto server = bench::connect_to(upstream);
    if (server.get() < 0) continue;
    auto pair = std::make_shared<Pair>(std::move(client), std::move(server));
    std::thread([pair] { copy(pair->client, pair->server); }).detach();
    std::thread([pair] { copy(pair->server, pair->client); }).detach();
  }
}
