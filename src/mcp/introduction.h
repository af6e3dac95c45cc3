// Learns what an MCP server is, as a client that speaks both eras: `server/discover` of 2026-07-28
// first, and where the server is older than that, the `initialize` handshake and its end.
//
// Source: https://modelcontextprotocol.io/specification/2026-07-28/basic/versioning (backward
// compatibility) and /specification/2025-11-25/basic/lifecycle. Pure: says what to send and reads
// what came back. Thread safety: a plain value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace mcpfleet::mcp {

// What a server says of itself. Texts are cut to a length that fits a status, lists likewise.
struct ServerDescription {
  std::string name;
  std::string version;
  std::vector<std::string> protocol_versions;  // of a handshake: the one agreed on
  std::vector<std::string> capabilities;       // names, sorted: "prompts", "tools", …
  bool operator==(const ServerDescription&) const = default;
};

// An HTTP request to the MCP endpoint.
struct Question {
  std::string method;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

// The answer to a Question.
struct HttpAnswer {
  int status = 0;
  std::string content_type;
  std::string session_id;  // header Mcp-Session-Id
  std::string body;
};

// One conversation: send question(), tell what came of it, until there is no further question.
class Introduction {
 public:
  Introduction();

  // What to send next; nothing once the conversation is over.
  std::optional<Question> question() const;
  void answered(const HttpAnswer& answer);
  // No answer came.
  void failed(const Error& error);

  // After the end. Errors: Unauthorized or Forbidden (it wants credentials), Unavailable, Malformed
  // (it does not speak MCP), or what failed() was told.
  const Result<ServerDescription>& result() const { return result_; }

 private:
  enum class Step : std::uint8_t { Discover, Initialize, Initialized, End, Over };

  void discovered(const HttpAnswer& answer);
  void initialized(const HttpAnswer& answer);
  void over(Result<ServerDescription> result);

  Step step_ = Step::Discover;
  std::string version_;  // that server/discover asks by; after a handshake: the one agreed on
  bool second_version_ = false;
  std::string session_;
  Result<ServerDescription> result_ = fail(ErrorKind::Internal, "the server was not asked");
};

}  // namespace mcpfleet::mcp
