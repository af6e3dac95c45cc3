#include "kube/events.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/time_text.h"
#include "kube/event_correlator.h"
#include "kube/paths.h"
#include "log/log.h"

namespace mcpfleet::kube {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxWaiting = 1000;
constexpr std::size_t kMaxMessage = 1000;

// No half of a UTF-8 sequence may be left at the end.
std::string cut(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0U) == 0x80U) --most;
  text.resize(most);
  return text;
}

class ThreadRecorder final : public EventRecorder {
 public:
  ThreadRecorder(Client& client, const Clock& clock, std::string component)
      : client_(client), clock_(clock), component_(std::move(component)) {
    thread_ = std::thread([this] { run(); });
  }

  ~ThreadRecorder() override {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
      changed_.notify_all();
    }
    thread_.join();
  }

  void record(const ObjectReference& object, EventType type, std::string reason,
              std::string message) override {
    std::lock_guard lock(mutex_);
    if (waiting_.size() >= kMaxWaiting) {
      log::warn("event dropped",
                {{"object", make_key(object.namespace_, object.name)}, {"reason", reason}});
      return;
    }
    waiting_.push_back({object, type, std::move(reason), cut(std::move(message), kMaxMessage),
                        clock_.wall(), clock_.monotonic()});
    changed_.notify_all();
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (stopping_) return;
      const Happening what = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      if (auto written = write(what); !written) {
        log::warn("event not written",
                  {{"object", make_key(what.object.namespace_, what.object.name)},
                   {"reason", what.reason},
                   {"error", written.error().message}});
      }
      lock.lock();
    }
  }

  Result<void> write(const Happening& what) {
    const auto event = correlator_.observe(what);
    if (!event) return {};
    if (event->count > 1) {
      auto counted = count_up(what, *event, event->count);
      if (counted || counted.error().kind != ErrorKind::NotFound) return counted;
      correlator_.counted(event->name, 1);  // it expired meanwhile
    }
    auto created = create(what, *event);
    if (created || created.error().kind != ErrorKind::AlreadyExists) return created;
    // An earlier process wrote it.
    const int count = 1 + count_of(what, event->name);
    correlator_.counted(event->name, count);
    return count_up(what, *event, count);
  }

  Result<void> create(const Happening& what, const EventWrite& event) {
    const auto& object = what.object;
    const std::string time = to_rfc3339(what.time);
    const json body = {{"apiVersion", "v1"},
                       {"kind", "Event"},
                       {"metadata", {{"name", event.name}, {"namespace", object.namespace_}}},
                       {"involvedObject",
                        {{"apiVersion", object.api_version},
                         {"kind", object.kind},
                         {"namespace", object.namespace_},
                         {"name", object.name},
                         {"uid", object.uid}}},
                       {"type", what.type == EventType::Normal ? "Normal" : "Warning"},
                       {"reason", what.reason},
                       {"message", event.message},
                       {"source", {{"component", component_}}},
                       {"reportingComponent", component_},
                       {"firstTimestamp", time},
                       {"lastTimestamp", time},
                       {"count", 1}};
    auto made = client_.create_object(collection_path("v1", object.namespace_, "events"),
                                      body.dump(-1, ' ', false, json::error_handler_t::replace));
    if (!made) return fail(made.error());
    return {};
  }

  Result<void> count_up(const Happening& what, const EventWrite& event, int count) {
    const json patch = {
        {"count", count}, {"message", event.message}, {"lastTimestamp", to_rfc3339(what.time)}};
    auto patched =
        client_.merge_patch(object_path("v1", what.object.namespace_, "events", event.name),
                            patch.dump(-1, ' ', false, json::error_handler_t::replace), component_);
    if (!patched) return fail(patched.error());
    return {};
  }

  int count_of(const Happening& what, const std::string& name) {
    const auto text = client_.get(object_path("v1", what.object.namespace_, "events", name));
    if (!text) return 1;
    const auto event = json::parse(*text, nullptr, false);
    return event.is_object() && event.contains("count") && event["count"].is_number_integer()
               ? event["count"].get<int>()
               : 1;
  }

  // Constant after construction.
  Client& client_;
  const Clock& clock_;
  const std::string component_;
  // Used by the thread only.
  EventCorrelator correlator_;
  // Protected by mutex_.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Happening> waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<EventRecorder> start_event_recorder(Client& client, const Clock& clock,
                                                    std::string component) {
  return std::make_unique<ThreadRecorder>(client, clock, std::move(component));
}

}  // namespace mcpfleet::kube
