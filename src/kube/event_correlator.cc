#include "kube/event_correlator.h"

#include <cstdio>
#include <initializer_list>
#include <string_view>

namespace mcpfleet::kube {
namespace {

constexpr const char* kCombined = "(combined from similar events): ";
constexpr std::size_t kMostOfName = 230;  // leaves room for the hash

const char* word(EventType type) { return type == EventType::Normal ? "Normal" : "Warning"; }

// FNV-1a: a name needs no cryptography, only to be the same in every process.
std::uint64_t hash_of(std::initializer_list<std::string_view> texts) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const auto text : texts) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    hash = (hash ^ 0xffU) * 1099511628211ULL;
  }
  return hash;
}

std::string name_of(const Happening& what, bool combined) {
  const auto hash =
      hash_of({what.object.uid, word(what.type), what.reason, combined ? kCombined : what.message});
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return what.object.name.substr(0, kMostOfName) + "." + text;
}

std::string key_of(const ObjectReference& object) {
  return object.api_version + "\n" + object.kind + "\n" + object.namespace_ + "\n" + object.name +
         "\n" + object.uid;
}

}  // namespace

std::optional<EventWrite> EventCorrelator::observe(const Happening& what) {
  const bool combined = combines(what);
  const std::string name = name_of(what, combined);
  auto& told = told_.at(name);
  ++told.count;
  if (told.written && what.at - *told.written < kRepeat) return std::nullopt;
  if (!quotas_.at(key_of(what.object)).bucket.take(what.at)) return std::nullopt;
  told.written = what.at;
  return EventWrite{name, (combined ? kCombined : "") + what.message, told.count};
}

// Whether so many messages differ that it is told as one of them.
bool EventCorrelator::combines(const Happening& what) {
  auto& similar = similar_.at(key_of(what.object) + "\n" + word(what.type) + "\n" + what.reason);
  if (similar.last && what.at - *similar.last > kSimilarWithin) similar.messages.clear();
  similar.last = what.at;
  similar.messages.insert(hash_of({what.message}));
  if (similar.messages.size() < kSimilar) return false;
  similar.messages.erase(similar.messages.begin());
  return true;
}

}  // namespace mcpfleet::kube
