// An API server and an EventRecorder that reconcilers are tested against.
#pragma once

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "kube/events.h"
#include "tests/kube/fake_client.h"

namespace mcpfleet::op {

using nlohmann::json;

// Objects by path; apply merges, and changes the version only where it changes anything.
class Api {
 public:
  // metadata.managedFields of a Secret whose data `manager` wrote.
  static json data_of(const char* manager) {
    return {{{"manager", manager}, {"fieldsV1", {{"f:data", {{"f:key", json::object()}}}}}}};
  }

  Api() {
    client.answer = [this](const kube::FakeClient::Call& call) { return serve(call); };
  }

  Result<std::string> serve(const kube::FakeClient::Call& call) {
    if (call.verb == "get") {
      const auto found = objects.find(call.path);
      if (found == objects.end()) return fail(ErrorKind::NotFound, "not found");
      return found->second.dump();
    }
    if (++writes == fail_at) return fail(ErrorKind::Unavailable, "broken on purpose");
    if (fault) {
      if (auto error = fault(call)) return fail(*error);
    }
    if (call.verb == "delete") {
      objects.erase(call.path);
      return "{}";
    }
    json body = json::parse(call.body);
    std::string path = call.path;
    if (body["metadata"].contains("resourceVersion")) {
      const auto found = objects.find(path);
      if (found != objects.end() &&
          found->second["metadata"]["resourceVersion"] != body["metadata"]["resourceVersion"]) {
        return fail(ErrorKind::Conflict, path + " has been modified");
      }
      body["metadata"].erase("resourceVersion");
    }
    if (const auto query = path.find("?dryRun=All"); query != std::string::npos) {
      json tried = objects[path.substr(0, query)];
      tried.merge_patch(body);
      return tried.dump();
    }
    if (body["kind"] == "Secret" && !objects.contains(path)) {
      body["metadata"]["managedFields"] = data_of("mcp-operator");
    }
    if (path.ends_with("/status")) path.resize(path.size() - 7);
    return store(path, body).dump();
  }

  json& store(const std::string& path, const json& body) {
    json& object = objects[path];
    const json before = object;
    object.merge_patch(body);
    if (before.is_null()) object["metadata"]["uid"] = "uid of " + path;
    if (object != before) object["metadata"]["resourceVersion"] = std::to_string(++version);
    return object;
  }

  kube::FakeClient client;
  std::map<std::string, json> objects;
  int version = 100;
  int writes = 0;
  int fail_at = 0;
  std::function<std::optional<Error>(const kube::FakeClient::Call&)> fault;
};

class Recorded final : public kube::EventRecorder {
 public:
  void record(const kube::ObjectReference&, kube::EventType, std::string reason,
              std::string message) override {
    events.push_back(reason + ": " + message);
  }
  std::vector<std::string> events;
};

}  // namespace mcpfleet::op
