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

}  // namespace mcpfleet::kube
