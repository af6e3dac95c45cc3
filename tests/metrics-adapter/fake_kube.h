// A Kubernetes API that a test scripts.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "kube/client.h"

namespace mcpfleet::adapter {

class FakeKube final : public kube::Client {
 public:
  struct Call {
    std::string verb;  // get, get_metadata, create, merge_patch
    std::string path;
    std::string body;
  };
  using Answer = std::function<Result<std::string>(const Call& call)>;

  explicit FakeKube(Answer answer) : answer_(std::move(answer)) {}

  Result<std::string> get(std::string_view path) override {
    return record({"get", std::string(path), ""});
  }
  Result<std::string> get_metadata(std::string_view path) override {
    return record({"get_metadata", std::string(path), ""});
  }
  Result<std::string> create_object(std::string_view path, std::string body) override {
    return record({"create", std::string(path), std::move(body)});
  }
  Result<std::string> merge_patch(std::string_view path, std::string body,
                                  std::string_view) override {
    return record({"merge_patch", std::string(path), std::move(body)});
  }
  Result<kube::Applied> apply(std::string_view path, std::string body, std::string_view,
                              bool) override {
    auto answer = record({"apply", std::string(path), std::move(body)});
    if (!answer) return fail(answer.error());
    return kube::Applied{std::move(*answer), false};
  }
  Result<void> remove(std::string_view path, std::string_view) override {
    auto answer = record({"remove", std::string(path), ""});
    if (!answer) return fail(answer.error());
    return {};
  }
  std::unique_ptr<http::Stream> stream(std::string_view, const kube::StreamOptions&,
                                       http::StreamHandler) override {
    return nullptr;
  }

  std::vector<Call> calls() const {
    std::lock_guard lock(mutex_);
    return calls_;
  }
  std::size_t count(std::string_view verb, std::string_view path_part) const {
    std::size_t found = 0;
    for (const auto& call : calls())
      if (call.verb == verb && call.path.find(path_part) != std::string::npos) ++found;
    return found;
  }

 private:
  Result<std::string> record(Call call) {
    {
      std::lock_guard lock(mutex_);
      calls_.push_back(call);
    }
    return answer_(call);
  }

  const Answer answer_;
  mutable std::mutex mutex_;
  std::vector<Call> calls_;
};

}  // namespace mcpfleet::adapter
