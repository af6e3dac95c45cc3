// Keeps a typed copy of a collection of objects up to date: list, watch, again.
//
// Thread safety: stated at each member.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kube/client.h"

namespace mcpfleet::kube {

// Receives the objects of one collection as raw JSON texts. All calls come from one thread; they
// must not block. An object that cannot be decoded is the sink's to report; it must not throw.
class Sink {
 public:
  virtual ~Sink() = default;
  // A complete list follows: every object by upsert(), then list_end(). What was not in it is gone.
  // A list that broke off has no list_end(); the next one begins anew.
  virtual void list_begin() = 0;
  virtual void upsert(std::string_view object_json) = 0;
  virtual void list_end() = 0;
  // True where this very version is here already, so that a watch need not bring it: the answer to
  // a write of ours came first.
  virtual bool has(std::string_view namespace_, std::string_view name,
                   std::string_view resource_version) {
    static_cast<void>(namespace_), static_cast<void>(name), static_cast<void>(resource_version);
    return false;
  }
  virtual void remove(std::string_view namespace_, std::string_view name) = 0;
  // All that happened in the collection up to this version has been told.
  virtual void reached(std::string_view resource_version) { static_cast<void>(resource_version); }
};

struct Collection {
  std::string path;  // "/api/v1/pods" or "/apis/mcpfleet.dev/v1alpha1/namespaces/x/mcpservers"
  std::string label_selector;  // unescaped; empty: all
  std::string field_selector;
  bool metadata_only = false;  // objects come as PartialObjectMetadata of meta.k8s.io/v1
};

// The part of it that is in one namespace. `whole` names all of the cluster.
Collection in_namespace(Collection whole, std::string_view namespace_);

// Lists and watches on its own until destroyed; after errors it waits with back-off and goes on.
class Reflector {
 public:
  static std::unique_ptr<Reflector> start(Client& client, Collection collection, Sink& sink);
  virtual ~Reflector() = default;
  // True once the first complete list has arrived. Any thread.
  virtual bool synced() const = 0;
  // The last error since the last success, for readiness and logs; empty when all is well. Any
  // thread.
  virtual std::string last_error() const = 0;
};

using Reflectors = std::vector<std::unique_ptr<Reflector>>;

// Adds to `reflectors` what keeps `feed` up to date: one Reflector for all of the cluster, or one
// for each of `namespaces` where there are any. Feed: a Sink with scope(), as a Store is.
template <typename Feed>
void watch(Client& client, const Collection& whole, const std::vector<std::string>& namespaces,
           Feed& feed, Reflectors& reflectors) {
  if (namespaces.empty()) reflectors.push_back(Reflector::start(client, whole, feed));
  for (const auto& name : namespaces) {
    reflectors.push_back(Reflector::start(client, in_namespace(whole, name), feed.scope(name)));
  }
}

// All of them are in step, and there are some.
bool synced(const Reflectors& reflectors);

}  // namespace mcpfleet::kube
