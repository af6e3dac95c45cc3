// A typed, thread-safe copy of a collection, fed by one Reflector, or by one for each namespace.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kube/list_mark.h"
#include "kube/reflector.h"
#include "kube/watch_machine.h"

namespace mcpfleet::kube {

// T needs members `namespace_` and `name`. `decode` turns one raw object into T, keeping only what
// decisions need. Where T has a member `resource_version`, the store reads its own writes: see
// note_written(). Where it has carry_over(const T& held), that is called on each new version with
// the one before. Where it has kept(), an object for which that is false is
// left out as if it were not there. As a Sink it takes the whole collection; for some namespaces
// only, start a Reflector of each on its scope(). Thread safety: all public members from any
// thread, scope() before the Reflectors start; `decode` and the callbacks run on the reflectors'
// threads and must not block.
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

  // What feeds the objects of one namespace: a complete list of it says nothing of the others.
  Sink& scope(const std::string& namespace_) {
    std::lock_guard lock(mutex_);
    auto& found = scopes_[namespace_];
    if (found == nullptr) found = std::make_unique<Scope>(*this, namespace_);
    return *found;
  }

  std::shared_ptr<const T> get(const std::string& key) const {
    std::lock_guard lock(mutex_);
    const auto found = objects_.find(key);
    return found == objects_.end() ? nullptr : found->second.object;
  }

  // All objects, ordered by key.
  std::vector<std::shared_ptr<const T>> all() const {
    std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<const T>> result;
    result.reserve(objects_.size());
    for (const auto& [key, slot] : objects_) result.push_back(slot.object);
    return result;
  }

  std::size_t size() const {
    std::lock_guard lock(mutex_);
    return objects_.size();
  }

  // What the API server answered to a write of ours, so that the next decision knows of it before
  // the watch tells. Where the watch is already past it, it may have been deleted since: then it
  // only replaces the same version, of which the writer may know more.
  void note_written(T object) {
    const std::string key = object.namespace_ + "/" + object.name;
    std::lock_guard lock(mutex_);
    const auto scope = scopes_.find(object.namespace_);
    const auto& reached =
        scope == scopes_.end() ? whole_.reached_version : scope->second->reached_version;
    if (!version_less(reached, object.resource_version)) {
      const auto held = objects_.find(key);
      if (held == objects_.end() ||
          held->second.object->resource_version != object.resource_version) {
        return;
      }
    }
    objects_[key].object = std::make_shared<const T>(std::move(object));
  }

  // Replaces `seen` by what `edit` makes of a copy, unless another version has come meanwhile.
  template <typename Edit>
  void edit(const T& seen, const Edit& edit) {
    std::lock_guard lock(mutex_);
    const auto found = objects_.find(seen.namespace_ + "/" + seen.name);
    if (found == objects_.end() || found->second.object->uid != seen.uid ||
        found->second.object->resource_version != seen.resource_version) {
      return;
    }
    auto copy = std::make_shared<T>(*found->second.object);
    edit(*copy);
    found->second.object = std::move(copy);
  }

  void list_begin() override { whole_.list_begin(); }
  void upsert(std::string_view object_json) override { whole_.upsert(object_json); }
  void list_end() override { whole_.list_end(); }
  bool has(std::string_view namespace_, std::string_view name,
           std::string_view resource_version) override {
    return whole_.has(namespace_, name, resource_version);
  }
  void remove(std::string_view namespace_, std::string_view name) override {
    whole_.remove(namespace_, name);
  }
  void reached(std::string_view resource_version) override { whole_.reached(resource_version); }

 private:
  struct Slot {
    std::shared_ptr<const T> object;
    ListMark::Number mark = ListMark::kNever;
  };
  using Objects = std::map<std::string, Slot>;

  // One Reflector's part of the store. Its calls come from that Reflector's thread.
  struct Scope final : Sink {
    Scope(Store& owner, const std::string& namespace_name)
        : store(owner), prefix(namespace_name.empty() ? "" : namespace_name + "/") {}

    void list_begin() override { mark.begin(); }

    void upsert(std::string_view object_json) override {
      auto object = store.decode_(object_json);
      if (!object) {
        store.rejected_(object.error());
        return;
      }
      const std::string key = object->namespace_ + "/" + object->name;
      if constexpr (requires { object->kept(); }) {
        if (!object->kept()) return leave_out(key);
      }
      {
        std::lock_guard lock(store.mutex_);
        auto& slot = store.objects_[key];
        slot.mark = mark.mark();
        // An event from before our own write that is already here, or of that write itself.
        if (slot.object != nullptr && as_new(*slot.object, *object)) return;
        if constexpr (requires { object->carry_over(*slot.object); }) {
          if (slot.object != nullptr) object->carry_over(*slot.object);
        }
        slot.object = std::make_shared<const T>(std::move(*object));
      }
      store.changed_(key);
    }

    void list_end() override {
      std::vector<std::string> gone;
      {
        std::lock_guard lock(store.mutex_);
        auto it = store.objects_.lower_bound(prefix);
        while (it != store.objects_.end() && it->first.starts_with(prefix)) {
          if (mark.listed(it->second.mark)) {
            ++it;
          } else {
            gone.push_back(it->first);
            it = store.objects_.erase(it);
          }
        }
      }
      for (const auto& key : gone) store.changed_(key);
    }

    bool has(std::string_view namespace_, std::string_view name,
             std::string_view resource_version) override {
      if constexpr (requires(const T& held) { held.resource_version; }) {
        const std::string key = std::string(namespace_) + "/" + std::string(name);
        std::lock_guard lock(store.mutex_);
        const auto found = store.objects_.find(key);
        if (found == store.objects_.end() || found->second.object == nullptr ||
            found->second.object->resource_version != resource_version) {
          return false;
        }
        found->second.mark = mark.mark();
        return true;
      } else {
        return false;
      }
    }

    void remove(std::string_view namespace_, std::string_view name) override {
      leave_out(std::string(namespace_) + "/" + std::string(name));
    }

    void leave_out(const std::string& key) {
      bool was_there = false;
      {
        std::lock_guard lock(store.mutex_);
        was_there = store.objects_.erase(key) > 0;
      }
      if (was_there) store.changed_(key);
    }

    void reached(std::string_view resource_version) override {
      std::lock_guard lock(store.mutex_);
      reached_version = resource_version;
    }

    Store& store;
    const std::string prefix;     // of its keys; empty: all
    ListMark mark;                // used by the Reflector's thread only
    std::string reached_version;  // up to which the watch has told all; protected by store.mutex_
  };

  static bool as_new(const T& held, const T& incoming) {
    if constexpr (requires { held.resource_version, held.uid; }) {
      return held.uid == incoming.uid && !incoming.resource_version.empty() &&
             !version_less(held.resource_version, incoming.resource_version);
    } else {
      return false;
    }
  }

  // Constant after construction.
  const Decode decode_;
  const Changed changed_;
  const Rejected rejected_;
  // Protected by mutex_.
  mutable std::mutex mutex_;
  Objects objects_;
  // Constant once the Reflectors run.
  std::map<std::string, std::unique_ptr<Scope>> scopes_;
  Scope whole_{*this, ""};
};

}  // namespace mcpfleet::kube
