#include "routing/refusal.h"

#include <algorithm>
#include <string_view>

namespace mcpfleet::routing {
namespace {

// "10s", "500ms".
std::string time_text(Duration time) {
  using std::chrono::milliseconds;
  const auto whole = std::chrono::duration_cast<milliseconds>(time);
  const auto count = whole.count();
  return count % 1000 == 0 ? std::to_string(count / 1000) + "s" : std::to_string(count) + "ms";
}

std::string counted(std::int64_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

std::string rate_text(const Refusal& refusal, std::string_view from) {
  const std::string of_tool = refusal.tool.empty() ? "" : " of the tool " + refusal.tool;
  return "the server takes at most " + counted(refusal.value, "call") + of_tool +
         std::string(from) + " per " + time_text(refusal.period);
}

std::string reason(const Refusal& refusal) {
  switch (refusal.limit) {
    case Limit::Queue:
      return "the server has " + counted(refusal.value, "call") +
             " in flight, which is its limit, and no more may wait";
    case Limit::QueueTime:
      return "the server has " + counted(refusal.value, "call") +
             " in flight, which is its limit, and none of them ended for this one in " +
             time_text(refusal.period);
    case Limit::Connections:
      return "the server's pod has " + counted(refusal.value, "connection") +
             " in use, which is its limit, and no more calls may wait for one";
    case Limit::ConnectionTime:
      return "the server's pod has " + counted(refusal.value, "connection") +
             " in use, which is its limit, and none came free for this call in " +
             time_text(refusal.period);
    case Limit::Sessions:
      return "the server has " + counted(refusal.value, "session") + ", which is its limit";
    case Limit::PodSessions:
      return "each pod of the server has " + counted(refusal.value, "session") +
             ", which is its limit";
    case Limit::ServerRate:
    case Limit::ToolRate:
      return rate_text(refusal, "");
    case Limit::CallerRate:
      return rate_text(refusal, " from one caller");
    case Limit::NoPods:
      return "the server has no pods";
    case Limit::NoneReady:
      return "no pod of the server is ready";
  }
  return {};
}

}  // namespace

const char* to_string(Limit limit) {
  switch (limit) {
    case Limit::Queue:
      return "Queue";
    case Limit::QueueTime:
      return "QueueTime";
    case Limit::Connections:
      return "Connections";
    case Limit::ConnectionTime:
      return "ConnectionTime";
    case Limit::Sessions:
      return "Sessions";
    case Limit::PodSessions:
      return "PodSessions";
    case Limit::ServerRate:
      return "ServerRate";
    case Limit::ToolRate:
      return "ToolRate";
    case Limit::CallerRate:
      return "CallerRate";
    case Limit::NoPods:
      return "NoPods";
    case Limit::NoneReady:
      return "NoneReady";
  }
  return "?";
}

int Refusal::status() const {
  const bool too_fast =
      limit == Limit::ServerRate || limit == Limit::ToolRate || limit == Limit::CallerRate;
  return too_fast ? 429 : 503;
}

std::int64_t Refusal::retry_after_seconds() const {
  return std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(retry_after).count());
}

std::string Refusal::message() const {
  return reason(*this) + "; try again in " + std::to_string(retry_after_seconds()) + " s";
}

}  // namespace mcpfleet::routing
