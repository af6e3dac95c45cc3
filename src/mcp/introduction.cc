#include "mcp/introduction.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "mcp/headers.h"
#include "mcp/json_rpc.h"
#include "mcp/sse.h"

namespace mcpfleet::mcp {
namespace {

using nlohmann::json;

constexpr const char* kLastHandshakeVersion = "2025-11-25";
constexpr const char* kServerInfo = "io.modelcontextprotocol/serverInfo";
constexpr int kId = 1;
constexpr std::size_t kMaxText = 128;
constexpr std::size_t kMaxItems = 32;

// Keeps whole UTF-8 characters.
std::string cut(std::string text) {
  if (text.size() <= kMaxText) return text;
  std::size_t end = kMaxText;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  text.resize(end);
  return text;
}

const json& member(const json& object, const char* key) {
  static const json absent;
  if (!object.is_object()) return absent;
  const auto found = object.find(key);
  return found == object.end() ? absent : *found;
}

std::string text_of(const json& object, const char* key) {
  const json& value = member(object, key);
  return value.is_string() ? cut(value.get<std::string>()) : std::string();
}

std::vector<std::string> texts_of(const json& list) {
  std::vector<std::string> texts;
  if (!list.is_array()) return texts;
  for (const auto& item : list) {
    if (item.is_string() && texts.size() < kMaxItems) texts.push_back(cut(item.get<std::string>()));
  }
  return texts;
}

std::vector<std::string> names_of(const json& object) {
  std::vector<std::string> names;
  if (!object.is_object()) return names;
  for (const auto& [name, value] : object.items()) {
    if (!value.is_null() && names.size() < kMaxItems) names.push_back(cut(name));
  }
  return names;
}

// Finds the response to our request in an answer, which is one JSON object or a stream of events.
class ResponseFinder final : public EventSink {
 public:
  static json find(const HttpAnswer& answer) {
    ResponseFinder finder;
    if (answer.content_type.starts_with(kEventStream)) {
      SseReader reader;
      reader.feed(answer.body, finder);
    } else {
      finder.data_ = answer.body;
      finder.on_event({});
    }
    return std::move(finder.response_);
  }

 private:
  void on_data(std::string_view bytes) override { data_ += bytes; }
  void on_event(std::string_view) override {
    auto message = json::parse(std::exchange(data_, {}), nullptr, /*allow_exceptions=*/false);
    const bool response =
        message.is_object() && (message.contains("result") || message.contains("error"));
    if (response && response_.is_null()) response_ = std::move(message);
  }

  std::string data_;
  json response_;
};

// A version without handshake that the server offers instead of the one that was asked for.
std::string offered_version(const json& error, const std::string& asked) {
  if (member(error, "code") != static_cast<int>(ErrorCode::UnsupportedVersion)) return {};
  for (auto& version : texts_of(member(member(error, "data"), "supported"))) {
    if (version >= kStatelessVersion && version != asked) return version;
  }
  return {};
}

// What makes further questions useless for now.
std::optional<Error> hopeless(const HttpAnswer& answer) {
  const std::string said = "the server answered HTTP status " + std::to_string(answer.status);
  if (answer.status == 401) return Error{ErrorKind::Unauthorized, said};
  if (answer.status == 403) return Error{ErrorKind::Forbidden, said};
  if (answer.status == 429 || answer.status >= 500) return Error{ErrorKind::Unavailable, said};
  return std::nullopt;
}

std::vector<std::pair<std::string, std::string>> headers(const std::string& version,
                                                         const std::string& session) {
  std::vector<std::pair<std::string, std::string>> result{
      {"Accept", std::string(kJson) + ", " + std::string(kEventStream)}};
  if (!version.empty()) result.emplace_back(kProtocolVersion, version);
  if (!session.empty()) result.emplace_back(kSessionId, session);
  return result;
}

json client_info() { return {{"name", "mcpfleet"}, {"version", MCPFLEET_VERSION}}; }

Question post(std::vector<std::pair<std::string, std::string>> headers, const json& message) {
  headers.emplace_back("Content-Type", kJson);
  return {"POST", std::move(headers), message.dump()};
}

Question discover(const std::string& version) {
  auto fields = headers(version, "");
  fields.emplace_back("Mcp-Method", "server/discover");
  return post(std::move(fields),
              {{"jsonrpc", "2.0"},
               {"id", kId},
               {"method", "server/discover"},
               {"params",
                {{"_meta",
                  {{"io.modelcontextprotocol/protocolVersion", version},
                   {"io.modelcontextprotocol/clientInfo", client_info()},
                   {"io.modelcontextprotocol/clientCapabilities", json::object()}}}}}});
}

Question initialize() {
  return post(headers("", ""), {{"jsonrpc", "2.0"},
                                {"id", kId},
                                {"method", "initialize"},
                                {"params",
                                 {{"protocolVersion", kLastHandshakeVersion},
                                  {"capabilities", json::object()},
                                  {"clientInfo", client_info()}}}});
}

}  // namespace

Introduction::Introduction() : version_(kStatelessVersion) {}

std::optional<Question> Introduction::question() const {
  switch (step_) {
    case Step::Discover:
      return discover(version_);
    case Step::Initialize:
      return initialize();
    case Step::Initialized:
      return post(headers(version_, session_),
                  {{"jsonrpc", "2.0"}, {"method", "notifications/initialized"}});
    case Step::End:
      return Question{"DELETE", headers(version_, session_), ""};
    case Step::Over:
      return std::nullopt;
  }
  return std::nullopt;
}

void Introduction::answered(const HttpAnswer& answer) {
  switch (step_) {
    case Step::Discover:
      return discovered(answer);
    case Step::Initialize:
      return initialized(answer);
    case Step::Initialized:
      // Without a session there is nothing to end.
      step_ = session_.empty() ? Step::Over : Step::End;
      return;
    case Step::End:
    case Step::Over:
      step_ = Step::Over;
      return;
  }
}

void Introduction::failed(const Error& error) {
  // What was learned stays known, and a session is ended even if the server did not take the
  // notification.
  if (step_ == Step::Initialized || step_ == Step::End) return answered({});
  over(fail(error));
}

void Introduction::discovered(const HttpAnswer& answer) {
  if (auto error = hopeless(answer)) return over(fail(*error));
  const json response = ResponseFinder::find(answer);
  const json& result = member(response, "result");
  auto versions = texts_of(member(result, "supportedVersions"));
  if (!versions.empty()) {
    // Before it was final, the version had the server's name outside of _meta.
    const json& named = member(member(result, "_meta"), kServerInfo);
    const json& info = named.is_object() ? named : member(result, "serverInfo");
    return over(ServerDescription{text_of(info, "name"), text_of(info, "version"),
                                  std::move(versions), names_of(member(result, "capabilities"))});
  }
  const std::string offered = offered_version(member(response, "error"), version_);
  if (!offered.empty() && !std::exchange(second_version_, true)) {
    version_ = offered;
    return;
  }
  step_ = Step::Initialize;
}

void Introduction::initialized(const HttpAnswer& answer) {
  if (auto error = hopeless(answer)) return over(fail(*error));
  const json response = ResponseFinder::find(answer);
  const json& result = member(response, "result");
  version_ = text_of(result, "protocolVersion");
  if (version_.empty()) {
    const std::string said = text_of(member(response, "error"), "message");
    return over(fail(ErrorKind::Malformed,
                     "the server does not answer initialize as MCP does: " +
                         (said.empty() ? "HTTP status " + std::to_string(answer.status) : said)));
  }
  session_ = answer.session_id;
  const json& info = member(result, "serverInfo");
  over(ServerDescription{text_of(info, "name"),
                         text_of(info, "version"),
                         {version_},
                         names_of(member(result, "capabilities"))});
  step_ = Step::Initialized;
}

void Introduction::over(Result<ServerDescription> result) {
  result_ = std::move(result);
  step_ = Step::Over;
}

}  // namespace mcpfleet::mcp
