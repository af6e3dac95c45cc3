// What all parts of one running gateway share. For the translation units that do I/O.
//
// Thread safety: none; everything here belongs to the proxy's one thread.
#pragma once

#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/random.h"
#include "proxy/data_plane.h"
#include "proxy/gateway_options.h"
#include "proxy/gateway_server.h"
#include "proxy/route_sink.h"
#include "proxy/session_keys.h"
#include "routing/route_table.h"

namespace mcpfleet::proxy {

struct GatewayPlane : DataPlane {
  GatewayPlane(asio::io_context& context, const GatewayOptions& gateway_options,
               SessionKeys session_keys)
      : DataPlane(context, gateway_options.max_body_bytes, gateway_options.drain_grace),
        options(gateway_options),
        keys(std::move(session_keys)),
        access_log_sample(gateway_options.access_log_sample) {}

  // As RouteSink has them.
  void set_server(const ServerRoute& route);
  void remove_server(const routing::ServerName& name);
  void set_slice(const routing::ServerName& server, std::string_view slice,
                 std::vector<routing::Endpoint> endpoints);
  void remove_slice(const routing::ServerName& server, std::string_view slice);

  // Closes and opens connections to pods as is due. Call it now and then.
  void keep_connections();
  // Closes those that nobody uses, before the loop ends.
  void close_connections();

  // The server of "namespace/name"; null: there is none.
  std::shared_ptr<GatewayServer> find(std::string_view key) const;

  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };

  const GatewayOptions& options;
  SessionKeys keys;
  routing::RouteTable routes;
  std::unordered_map<std::string, std::shared_ptr<GatewayServer>, TextHash, std::equal_to<>>
      servers;  // by "namespace/name"
  Random random{std::random_device{}()};
  SourceState source;
  int access_log_sample;
  std::uint64_t calls = 0;  // that ended, for the log's sample

 private:
  void follow_pods(const routing::ServerName& name);
};

}  // namespace mcpfleet::proxy
