// Lets many clients share one channel to a server. On the way to the server each request gets an id
// and, where it has one, a progress token of its own; on the way back the client finds what it
// sent.
//
// Source: https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio and
// /basic/patterns/subscriptions. Pure: texts in, texts out. Thread safety: a plain value.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "mcp/message_scanner.h"

namespace mcpfleet::mcp {

class Multiplexer {
 public:
  // A request in flight: the number that the server knows it by, never 0 and never used again.
  using Call = std::uint64_t;
  // Who sent it, as the caller tells clients apart.
  using Client = std::uint64_t;

  struct Outgoing {
    Call call = 0;
    std::string text;
  };
  // A request of `client`, found in a text that `text` is the message's part of. It is in flight
  // until end().
  Outgoing begin(Client client, const Message& request, std::string_view text);
  void end(Call call) { calls_.erase(call); }

  // The request of this client with this id (raw JSON); 0: none is in flight.
  Call find(Client client, std::string_view id) const;
  // notifications/cancelled of a client as the server shall see it; nothing: it means no request of
  // that client that is in flight, and is not for the server.
  std::optional<std::string> cancelled(Client client, const Message& message,
                                       std::string_view text) const;
  // The notification that tells the server that a client has gone away from its request.
  static std::string cancel(Call call);

  struct Incoming {
    Call call = 0;  // 0: it says of no request in flight that it belongs there
    std::string text;
  };
  // What the server wrote. A response belongs to its request, and so do progress, the messages of a
  // subscription, and the end of one.
  Incoming incoming(const Message& message, std::string_view text) const;

  std::size_t in_flight() const { return calls_.size(); }

 private:
  struct Sent {
    Client client = 0;
    std::string id;     // raw, normalised for comparing
    std::string id_as;  // raw, as the client wrote it
    std::string token;  // raw, as the client wrote it; empty: none
  };

  const Sent* sent(std::string_view number, Call& call) const;

  Call last_ = 0;
  std::map<Call, Sent> calls_;
};

}  // namespace mcpfleet::mcp
