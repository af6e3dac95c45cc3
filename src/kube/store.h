// A typed, thread-safe copy of a collection, fed by a Reflector.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kube/reflector.h"

namespace mcpfleet::kube {

// T needs members `namespace_` and `name`. `decode` turns one raw object into T, keeping only what
// decisions need. Where T has a member `resource_version`, the store reads its own writes: see
// note_written(). Thread safety: all public members from any thread; the change callback runs on
// the reflector's thread and must not block.
template <typename T>
class Store final : public Sink {
 public:
  using Decode = std::function<Result<T>(std::string_view object_json)>;
  // Called with the key "namespace/name" of each object that was added, changed or removed.
  using Changed = std::function<void(const std::string& key)>;
  // Called with a sentence for an object that could not be decoded. It is left out of the store.
  using Rejected = std::function<void(const Error& error)>;

  Store(Decode decode, Changed changed, Rejected rejected)
      : decode_(std::move(decode)), changed_(std::move(changed)), rejected_(std::move(rejected)) {}

  std::shared_ptr<const T> get(const std::string& key) const {
    std::lock_guard lock(mutex_);
    const auto found = objects_.find(key);
    return found == objects_.end() ? nullptr : found->second;
  }

  // All objects, ordered by key.
  std::vector<std::shared_ptr<const T>> all() const {
    std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<const T>> result;
    result.reserve(objects_.size());
    for (const auto& [key, object] : objects_) result.push_back(object);
    return result;
  }

  std::size_t size() const {
    std::lock_guard lock(mutex_);
    return objects_.size();
  }

  void list_begin() override {
    listed_.clear();
    listing_ = true;
  }

  void upsert(std::string_view object_json) override {
    auto object = decode_(object_json);
    if (!object) {
      rejected_(object.error());
      return;
    }
    std::string key = object->namespace_ + "/" + object->name;
    if (listing_) listed_.insert(key);
    {
      std::lock_guard lock(mutex_);
      auto& slot = objects_[key];
      // An event from before our own write that is already here.
      if (slot != nullptr && newer(*slot, *object)) return;
      slot = std::make_shared<const T>(std::move(*object));
    }
    changed_(key);
  }

  // What the API server answered to a write of ours, so that the next decision knows of it before
  // the watch tells. Ignored where the watch is already past it: it may have been deleted since.
  void note_written(T object) {
    const std::string key = object.namespace_ + "/" + object.name;
    std::lock_guard lock(mutex_);
    if (!version_less(reached_, object.resource_version)) return;
    objects_[key] = std::make_shared<const T>(std::move(object));
  }

  void reached(std::string_view resource_version) override {
    std::lock_guard lock(mutex_);
    reached_ = resource_version;
  }

  void list_end() override {
    std::vector<std::string> gone;
    {
      std::lock_guard lock(mutex_);
      for (auto it = objects_.begin(); it != objects_.end();) {
        if (listed_.contains(it->first)) {
          ++it;
        } else {
          gone.push_back(it->first);
          it = objects_.erase(it);
        }
      }
    }
    listed_.clear();
    listing_ = false;
    for (const auto& key : gone) changed_(key);
  }

  void remove(std::string_view namespace_, std::string_view name) override {
    std::string key = std::string(namespace_) + "/" + std::string(name);
    {
      std::lock_guard lock(mutex_);
      objects_.erase(key);
    }
    changed_(key);
  }

 private:
  // Versions of one collection are decimal numbers that grow (KEP-5504).
  static bool version_less(const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  }
  static bool newer(const T& held, const T& incoming) {
    if constexpr (requires { held.resource_version, held.uid; }) {
      return held.uid == incoming.uid &&
             version_less(incoming.resource_version, held.resource_version);
    } else {
      return false;
    }
  }

  // Constant after construction.
  const Decode decode_;
  const Changed changed_;
  const Rejected rejected_;
  // Used by the reflector's thread only.
  std::set<std::string> listed_;  // of the list that is arriving; a watch adds nothing
  bool listing_ = false;
  // Protected by mutex_.
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const T>> objects_;
  std::string reached_;  // the version up to which the watch has told all
};

}  // namespace mcpfleet::kube
