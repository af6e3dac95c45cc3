#include "metrics/history.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace mcpfleet::metrics {
namespace {

constexpr std::string_view kPods = "pods";
constexpr std::array<std::string_view, 6> kFields{"count", "sum", "avg", "min", "max", "last"};
// A map's node and its allocation, beyond key and object.
constexpr std::size_t kNode = 64;

// Texts are in the order of their keys, since no name has a NUL.
std::string text_of(const HistoryKey& key) {
  std::string text;
  text.reserve(key.resource.size() + key.namespace_.size() + key.name.size() + key.method.size() +
               key.tool.size() + 4);
  for (const auto* field : {&key.resource, &key.namespace_, &key.name, &key.method})
    text.append(*field).append(1, '\0');
  return text += key.tool;
}

HistoryKey key_of(std::string_view text) {
  HistoryKey key;
  for (auto* field : {&key.resource, &key.namespace_, &key.name, &key.method}) {
    const auto end = text.find('\0');
    *field = text.substr(0, end);
    text.remove_prefix(end + 1);
  }
  key.tool = text;
  return key;
}

// What the texts of all keys that a selection can mean begin with.
std::string prefix_of(const HistorySelection& of) {
  std::string prefix;
  prefix.append(of.resource).append(1, '\0').append(of.namespace_).append(1, '\0');
  if (!of.name.empty()) prefix.append(of.name).append(1, '\0');
  return prefix;
}

bool selects(const HistoryKey& key, const HistorySelection& of) {
  if (!of.only) return !key.is_tool();
  return key.is_tool() && of.only(key.method, key.tool);
}

Duration longest_span(const HistoryShape& shape) {
  return std::max({shape.fine_span, shape.coarse_span, shape.minutes_span});
}

}  // namespace

std::optional<AggregateField> parse_aggregate_field(std::string_view word) {
  const auto found = std::ranges::find(kFields, word);
  if (found == kFields.end()) return std::nullopt;
  return static_cast<AggregateField>(found - kFields.begin());
}

std::string_view to_string(AggregateField field) {
  return kFields[static_cast<std::size_t>(field)];
}

double field_of(const Aggregate& aggregate, AggregateField field) {
  switch (field) {
    case AggregateField::Count:
      return aggregate.count;
    case AggregateField::Sum:
      return aggregate.sum;
    case AggregateField::Mean:
      return aggregate.mean();
    case AggregateField::Min:
      return aggregate.min;
    case AggregateField::Max:
      return aggregate.max;
    case AggregateField::Last:
      return aggregate.last;
  }
  return 0;
}

bool History::is_detail(const HistoryKey& key) { return key.is_tool() || key.resource == kPods; }

const HistoryShape& History::shape_of(const HistoryKey& key) const {
  return is_detail(key) ? limits_.detail : limits_.whole;
}

std::size_t History::need_of(const HistoryKey& key) const {
  return kNode + sizeof(Objects::value_type) + text_of(key).size() +
         ObjectHistory::most_bytes(shape_of(key));
}

template <typename Self, typename Call>
void History::visit_range(Self& self, const HistorySelection& of, const Call& call) {
  const auto prefix = prefix_of(of);
  auto at = self.objects_.lower_bound(prefix);
  while (at != self.objects_.end() && at->first.starts_with(prefix)) at = call(at);
}

std::size_t History::tools_of(const HistoryKey& key) const {
  std::size_t tools = 0;
  visit_range(*this, {key.resource, key.namespace_, key.name, {}}, [&tools](auto at) {
    if (key_of(at->first).is_tool()) ++tools;
    return std::next(at);
  });
  return tools;
}

Result<void> History::check_room(const HistoryKey& key) const {
  if (std::ranges::count(text_of(key), '\0') != 4)
    return fail(ErrorKind::Invalid, "a name or tool holds a NUL");
  if (objects_.size() >= limits_.max_objects)
    return fail(ErrorKind::TooMany, "histories are kept of " + std::to_string(limits_.max_objects) +
                                        " pods, servers and tools at most");
  if (key.is_tool() && tools_of(key) >= limits_.max_tools)
    return fail(ErrorKind::TooMany, "histories are kept of " + std::to_string(limits_.max_tools) +
                                        " tools of a server at most");
  const auto need = need_of(key);
  const bool details_full = is_detail(key) && reserved_for_details_ + need > limits_.max_bytes / 2;
  if (details_full || reserved_ + need > limits_.max_bytes)
    return fail(ErrorKind::TooMany,
                "the " + std::to_string(limits_.max_bytes) + " bytes for histories are given out" +
                    (details_full ? ", as far as pods and tools may have them" : ""));
  return {};
}

Result<ObjectHistory*> History::open(const HistoryKey& key) {
  auto text = text_of(key);
  if (const auto found = objects_.find(text); found != objects_.end()) return &found->second;
  if (auto room = check_room(key); !room) return fail(room.error());
  const auto need = need_of(key);
  reserved_ += need;
  if (is_detail(key)) reserved_for_details_ += need;
  return &objects_.emplace(std::move(text), ObjectHistory(shape_of(key))).first->second;
}

Result<Recorded> History::record(const HistoryKey& key, WallTime at, const Reading& reading) {
  const bool empty =
      std::ranges::none_of(reading, [](const auto& value) { return value.has_value(); });
  if (empty && find(key) == nullptr) return Recorded{};
  auto object = open(key);
  if (!object) return fail(object.error());
  return (*object)->record(at, reading);
}

const ObjectHistory* History::find(const HistoryKey& key) const {
  const auto found = objects_.find(text_of(key));
  return found == objects_.end() ? nullptr : &found->second;
}

void History::visit(
    const HistorySelection& of,
    const std::function<void(const HistoryKey&, const ObjectHistory&)>& call) const {
  visit_range(*this, of, [&](auto at) {
    if (const auto key = key_of(at->first); selects(key, of)) call(key, at->second);
    return std::next(at);
  });
}

std::vector<RankedObject> History::top(const HistorySelection& of, Metric metric, WallTime from,
                                       WallTime to, Resolution by, AggregateField field,
                                       std::size_t limit) const {
  std::vector<RankedObject> ranked;
  visit(of, [&](const HistoryKey& key, const ObjectHistory& object) {
    const auto window = object.aggregate(metric, from, to, by);
    if (window.of.count > 0) ranked.push_back({key, window, field_of(window.of, field)});
  });
  const auto larger = [](const RankedObject& a, const RankedObject& b) {
    return a.value != b.value ? a.value > b.value : a.key < b.key;
  };
  const auto kept = static_cast<std::ptrdiff_t>(std::min(limit, ranked.size()));
  std::partial_sort(ranked.begin(), ranked.begin() + kept, ranked.end(), larger);
  ranked.erase(ranked.begin() + kept, ranked.end());
  return ranked;
}

History::Objects::iterator History::erase(Objects::iterator object) {
  const auto key = key_of(object->first);
  const auto need = need_of(key);
  reserved_ -= need;
  if (is_detail(key)) reserved_for_details_ -= need;
  return objects_.erase(object);
}

std::size_t History::reset(const HistorySelection& of, std::optional<Metric> metric) {
  std::size_t count = 0;
  visit_range(*this, of, [&](auto at) {
    if (!key_of(at->first).is_tool()) ++count;
    if (!metric) return erase(at);
    at->second.reset(*metric);
    return std::next(at);
  });
  return count;
}

std::size_t History::forget_idle(WallTime now) {
  std::size_t forgotten = 0;
  for (auto at = objects_.begin(); at != objects_.end();) {
    const auto newest = at->second.newest();
    if (newest && now - *newest <= longest_span(shape_of(key_of(at->first)))) {
      ++at;
    } else {
      at = erase(at);
      ++forgotten;
    }
  }
  return forgotten;
}

std::size_t History::bytes() const {
  std::size_t total = 0;
  for (const auto& [text, object] : objects_)
    total += kNode + sizeof(Objects::value_type) + text.size() + object.bytes();
  return total;
}

}  // namespace mcpfleet::metrics
