// The histories of many objects within a fixed number of bytes.
//
// What an object can take at most is set aside when it comes, and a new one for which nothing is
// left is refused: memory never grows beyond what was given, whatever the fleet does. Pods and
// tools are details: of each of them less is kept, and all of them together get at most half, so
// that they cannot keep servers out. Thread safety: one thread at a time.
#pragma once

#include <compare>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "metrics/object_history.h"

namespace mcpfleet::metrics {

// Whose metrics: an object, or what an object's requests of one method and tool say.
struct HistoryKey {
  std::string resource;  // "pods", "mcpservers.mcpfleet.dev"
  std::string namespace_;
  std::string name;
  std::string method;  // empty: all requests
  std::string tool;

  bool is_tool() const { return !method.empty(); }
  auto operator<=>(const HistoryKey&) const = default;
};

struct HistoryLimits {
  std::size_t max_bytes = std::size_t{256} << 20;
  std::size_t max_objects = 50'000;
  std::size_t max_tools = 16;  // of each object
  HistoryShape whole;
  // Of pods and tools: one reading every five seconds, for a quarter of an hour.
  HistoryShape detail{std::chrono::seconds(5), Duration{0}, std::chrono::seconds(5),
                      std::chrono::minutes(15), Duration{0}};
};

// What a question is about: one object, or with an empty name all of a resource in a namespace.
struct HistorySelection {
  std::string_view resource;
  std::string_view namespace_;
  std::string_view name;
  KindFilter only;  // empty: of all requests; else of each method and tool by itself
};

struct RankedObject {
  HistoryKey key;
  WindowAggregate window;
  double value = 0;  // what it is ranked by
};

enum class AggregateField { Count, Sum, Mean, Min, Max, Last };
// "count", "sum", "avg", "min", "max", "last". Of an Aggregate that has samples.
std::optional<AggregateField> parse_aggregate_field(std::string_view word);
std::string_view to_string(AggregateField field);
double field_of(const Aggregate& aggregate, AggregateField field);

class History {
 public:
  explicit History(const HistoryLimits& limits) : limits_(limits) {}

  // Takes a reading; one without any value makes no object. Error: TooMany for an object that is
  // new and has no room, saying of what there is too much; Invalid for one whose names hold a NUL.
  Result<Recorded> record(const HistoryKey& key, WallTime at, const Reading& reading);

  // The object, for filling in what somebody else recorded; made where it is new. It stays where it
  // is until it is reset or forgotten. Error as above.
  Result<ObjectHistory*> open(const HistoryKey& key);
  // Null: nothing is known of it.
  const ObjectHistory* find(const HistoryKey& key) const;

  // Calls for each object that is selected, in the order of the keys.
  void visit(const HistorySelection& of,
             const std::function<void(const HistoryKey&, const ObjectHistory&)>& call) const;

  // The `limit` objects where the field of the aggregate over [from, to] is largest, the largest
  // first, equal ones by their keys. Those without samples are left out.
  std::vector<RankedObject> top(const HistorySelection& of, Metric metric, WallTime from,
                                WallTime to, Resolution by, AggregateField field,
                                std::size_t limit) const;

  // Forgets one metric, or all of them, of what is selected, with its tools. The number of objects.
  std::size_t reset(const HistorySelection& of, std::optional<Metric> metric);

  // Forgets objects that have had no reading for as long as any of theirs is kept.
  std::size_t forget_idle(WallTime now);

  std::size_t objects() const { return objects_.size(); }
  std::size_t bytes() const;  // that are taken; looks at all objects
  std::size_t reserved_bytes() const { return reserved_; }
  const HistoryLimits& limits() const { return limits_; }

 private:
  // By what a key is in one text: a third of the key's own size.
  using Objects = std::map<std::string, ObjectHistory, std::less<>>;

  // Calls for each object that is selected by all but its method and tool.
  template <typename Self, typename Call>
  static void visit_range(Self& self, const HistorySelection& of, const Call& call);
  static bool is_detail(const HistoryKey& key);
  const HistoryShape& shape_of(const HistoryKey& key) const;
  std::size_t need_of(const HistoryKey& key) const;
  Result<void> check_room(const HistoryKey& key) const;
  std::size_t tools_of(const HistoryKey& key) const;
  Objects::iterator erase(Objects::iterator object);

  HistoryLimits limits_;
  Objects objects_;
  std::size_t reserved_ = 0;
  std::size_t reserved_for_details_ = 0;
};

}  // namespace mcpfleet::metrics
