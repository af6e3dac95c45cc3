#include "mcp/multiplexer.h"

#include <algorithm>
#include <charconv>

#include "mcp/text_edit.h"

namespace mcpfleet::mcp {
namespace {

std::string slice(const Span& at, const Message& message, std::string_view text) {
  return std::string(text.substr(at.begin - message.begin, at.end - at.begin));
}

}  // namespace

Multiplexer::Outgoing Multiplexer::begin(Client client, const Message& request,
                                         std::string_view text) {
  Sent sent{client, request.id, slice(request.id_at, request, text), {}};
  if (!request.progress_token.empty()) sent.token = slice(request.progress_token_at, request, text);
  const auto call = ++last_;
  calls_.emplace(call, std::move(sent));
  const auto number = std::to_string(call);
  const Span token = request.progress_token.empty() ? Span() : request.progress_token_at;
  return {call, edited(text, request.begin, {{request.id_at, number}, {token, number}})};
}

Multiplexer::Call Multiplexer::find(Client client, std::string_view id) const {
  const auto found = std::ranges::find_if(calls_, [&](const auto& entry) {
    return entry.second.client == client && entry.second.id == id;
  });
  return found == calls_.end() ? 0 : found->first;
}

std::optional<std::string> Multiplexer::cancelled(Client client, const Message& message,
                                                  std::string_view text) const {
  const auto call = message.request_id.empty() ? 0 : find(client, message.request_id);
  if (call == 0) return std::nullopt;
  return edited(text, message.begin, {{message.request_id_at, std::to_string(call)}});
}

std::string Multiplexer::cancel(Call call) {
  return R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":)" +
         std::to_string(call) + R"(,"reason":"the client has gone away"}})";
}

// Servers may write the number that they were sent as they like, but most write it as it was.
const Multiplexer::Sent* Multiplexer::sent(std::string_view number, Call& call) const {
  call = 0;
  const auto [at, problem] = std::from_chars(number.data(), number.data() + number.size(), call);
  const bool whole = problem == std::errc() && at == number.data() + number.size();
  const auto found = whole ? calls_.find(call) : calls_.end();
  if (found != calls_.end()) return &found->second;
  call = 0;
  return nullptr;
}

Multiplexer::Incoming Multiplexer::incoming(const Message& message, std::string_view text) const {
  Call call = 0;
  if (message.kind() == Message::Kind::Response) {
    const auto* const its = sent(message.id, call);
    if (its == nullptr) return {};
    const Span subscription = message.subscription_id.empty() ? Span() : message.subscription_id_at;
    return {call,
            edited(text, message.begin, {{message.id_at, its->id_as}, {subscription, its->id_as}})};
  }
  if (message.kind() != Message::Kind::Notification) return {0, std::string(text)};
  if (const auto* const its = sent(message.subscription_id, call))
    return {call, edited(text, message.begin, {{message.subscription_id_at, its->id_as}})};
  if (const auto* const its = sent(message.reported_token, call);
      its != nullptr && !its->token.empty())
    return {call, edited(text, message.begin, {{message.reported_token_at, its->token}})};
  const bool ends = message.method == "notifications/cancelled";
  if (const auto* const its = ends ? sent(message.request_id, call) : nullptr)
    return {call, edited(text, message.begin, {{message.request_id_at, its->id_as}})};
  return {0, std::string(text)};
}

}  // namespace mcpfleet::mcp
