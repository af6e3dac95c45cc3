// An API server in memory, for faults that a real one does not make on demand: every request is
// answered by a function of the test.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "kube/client.h"

namespace mcpfleet::kube {

class FakeClient : public Client {
 public:
  struct Call {
    std::string verb;
    std::string path;
    std::string body;
  };
  using Answer = std::function<Result<std::string>(const Call&)>;
  // Runs on a thread of the reflector: it may call the handler at once, or keep it for later.
  using Stream = std::function<void(const std::string& path, http::StreamHandler handler)>;

  Answer answer = [](const Call&) { return fail(ErrorKind::NotFound, "nothing here"); };
  bool apply_creates = false;  // what apply() says of each object
  Stream on_stream = [](const std::string&, const http::StreamHandler&) {};

  std::vector<Call> calls() const {
    std::lock_guard lock(mutex_);
    return calls_;
  }

  // What each stream asked for, in order.
  std::vector<std::string> accepts() const {
    std::lock_guard lock(mutex_);
    return accepts_;
  }

  Result<std::string> get(std::string_view path) override { return ask("get", path, ""); }
  Result<std::string> get_metadata(std::string_view path) override { return get(path); }
  Result<std::string> create_object(std::string_view path, std::string body) override {
    return ask("create", path, std::move(body));
  }
  Result<Applied> apply(std::string_view path, std::string body, std::string_view, bool) override {
    auto answered = ask("apply", path, std::move(body));
    if (!answered) return fail(answered.error());
    return Applied{std::move(*answered), apply_creates};
  }
  Result<std::string> merge_patch(std::string_view path, std::string body,
                                  std::string_view) override {
    return ask("patch", path, std::move(body));
  }
  Result<void> remove(std::string_view path, std::string_view uid) override {
    if (auto answered = ask("delete", path, std::string(uid)); !answered) {
      return fail(answered.error());
    }
    return {};
  }
  std::unique_ptr<http::Stream> stream(std::string_view path, const StreamOptions& options,
                                       http::StreamHandler handler) override {
    {
      std::lock_guard lock(mutex_);
      accepts_.emplace_back(options.accept);
    }
    on_stream(std::string(path), std::move(handler));
    return std::make_unique<Ended>();
  }

 private:
  struct Ended final : http::Stream {
    void cancel() override {}
    void resume() override {}
  };

  Result<std::string> ask(const char* verb, std::string_view path, std::string body) {
    Call call{verb, std::string(path), std::move(body)};
    {
      std::lock_guard lock(mutex_);
      calls_.push_back(call);
    }
    return answer(call);
  }

  mutable std::mutex mutex_;
  std::vector<Call> calls_;
  std::vector<std::string> accepts_;
};

}  // namespace mcpfleet::kube
