// Requests about the past to answers, without network, identity or rights.
#pragma once

#include <string_view>

#include "base/clock.h"
#include "http/message.h"
#include "metrics-adapter/history/history_book.h"
#include "metrics-adapter/request_path.h"

namespace mcpfleet::adapter {

// Whether a target, of our own group alone, is about the past.
bool is_past(const Target& target);

// What is served below /apis/metrics.mcpfleet.dev/v1beta2/:
//   GET    history/namespaces/NS/RESOURCE/NAME/METRIC   a MetricHistory
//   DELETE history/namespaces/NS/RESOURCE/NAME/METRIC   forgets it; NAME and METRIC may be "*"
//   GET    top/namespaces/NS/RESOURCE/METRIC            a MetricRanking
// and the same with the word last: namespaces/NS/RESOURCE/NAME/METRIC/history, …/*/METRIC/top.
// Takes some milliseconds where much is asked for: not for a server's thread.
// Thread safety: any thread.
class HistoryApi {
 public:
  explicit HistoryApi(HistoryBook& book) : book_(book) {}

  // Of a target that is_past().
  http::Response answer(std::string_view method, const Target& target, WallTime now) const;

 private:
  http::Response history(const Target& target, WallTime now) const;
  http::Response top(const Target& target, WallTime now) const;
  http::Response reset(const Target& target, WallTime now) const;

  HistoryBook& book_;
};

}  // namespace mcpfleet::adapter
