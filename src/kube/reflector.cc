#include "kube/reflector.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <random>
#include <thread>

#include "kube/json_text.h"
#include "kube/list_scanner.h"
#include "kube/paths.h"
#include "kube/status.h"
#include "kube/transfer.h"
#include "kube/watch_machine.h"
#include "log/log.h"

namespace mcpfleet::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kPageSize = 500;
// The server ends a watch by itself after this to twice this, so that watches spread over API
// servers anew, and not all at once.
constexpr seconds kWatchTimeout{300};
// Bookmarks come about once a minute; a connection that brought nothing for twice as long is half
// open.
constexpr seconds kWatchIdle{120};
constexpr seconds kListIdle{30};
// The list that a WatchList begins with comes in one go; its end, if the server tells it, soon
// after.
constexpr seconds kInitialIdle{10};
// One event, or what an error says.
constexpr std::size_t kMaxLine = 64UL * 1024 * 1024;
constexpr std::string_view kWhole = "application/json";
constexpr std::string_view kMetadata =
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
constexpr std::string_view kMetadataList =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
// The HTTP client watches over silence then.
constexpr Duration kForever = std::chrono::hours(1);

class ThreadReflector final : public Reflector {
 public:
  ThreadReflector(Client& client, Collection collection, Sink& sink)
      : client_(client), collection_(std::move(collection)), sink_(sink) {
    thread_ = std::thread([this] { run(); });
  }

  ~ThreadReflector() override {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
      if (transfer_ != nullptr) transfer_->stop();
      wake_.notify_all();
    }
    thread_.join();
  }

  bool synced() const override { return synced_; }

  std::string last_error() const override {
    std::lock_guard lock(mutex_);
    return last_error_;
  }

 private:
  void run() {
    while (pause(machine_.next().delay)) {
      const WatchStep step = machine_.next();
      if (step.action == WatchStep::Action::List) {
        list(step);
      } else {
        watch(step);
      }
    }
  }

  // Waits; false when the reflector is to stop.
  bool pause(Duration delay) {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, delay, [this] { return stopping_; });
    return !stopping_;
  }

  std::string selectors() const {
    std::string query;
    if (!collection_.label_selector.empty()) {
      query += "&labelSelector=" + escape(collection_.label_selector);
    }
    if (!collection_.field_selector.empty()) {
      query += "&fieldSelector=" + escape(collection_.field_selector);
    }
    return query;
  }

  // Runs one request until its end. `take` gets what has arrived so far, may consume it, and
  // returns an error to break off; `patience` is how long to wait for more. Nothing: stopping.
  template <typename Take, typename Patience>
  std::optional<std::optional<Error>> transfer(const std::string& path,
                                               const StreamOptions& options, Transfer& transfer,
                                               const Take& take, const Patience& patience) {
    if (!attach(&transfer)) return std::nullopt;
    auto stream = client_.stream(path, options, transfer.handler());
    std::string buffer;
    std::optional<Error> error;
    auto state = Transfer::State::More;
    while (state == Transfer::State::More && !error) {
      state = transfer.wait(*stream, buffer, patience());
      if (transfer.status() == 200) error = take(buffer);
      if (!error && buffer.size() > kMaxLine) {
        error = Error{ErrorKind::TooLarge, "an event or an error is over 64 MiB"};
      }
    }
    stream->cancel();
    if (!attach(nullptr)) return std::nullopt;
    if (error) return error;
    if (state == Transfer::State::Silent) {
      return Error{ErrorKind::Timeout, "the end of the list does not come"};
    }
    error = transfer.error();
    if (!error && transfer.status() != 200) error = decode_status(transfer.status(), buffer);
    return error;
  }

  bool attach(Transfer* transfer) {
    std::lock_guard lock(mutex_);
    transfer_ = transfer;
    return !stopping_;
  }

  StreamOptions options(milliseconds idle, std::string_view metadata) const {
    return {idle, collection_.metadata_only ? metadata : kWhole};
  }

  void list(const WatchStep& step) {
    std::string path = collection_.path + "?limit=" + std::to_string(kPageSize) + selectors();
    if (!step.continue_token.empty()) path += "&continue=" + escape(step.continue_token);
    ListScanner scanner([&](const ListPage& page) { return begin_list(page, step); },
                        [this](std::string_view item) { sink_.upsert(item); });
    Transfer answer;
    const auto result = transfer(
        path, options(kListIdle, kMetadataList), answer,
        [&](std::string& got) {
          auto error = scanner.feed(got);
          got.clear();
          return error;
        },
        [] { return kForever; });
    if (!result) return;
    if (*result) return failed(**result, answer.retry_after());
    const auto page = scanner.end();
    if (!page) return failed(page.error(), std::nullopt);
    if (page->continue_token.empty()) return end_list(page->resource_version);
    machine_.listed(page->resource_version, page->continue_token);
    succeeded();
  }

  std::optional<Error> begin_list(const ListPage& page, const WatchStep& step) {
    if (!step.continue_token.empty()) return std::nullopt;
    if (auto older = check(page.resource_version)) return older;
    sink_.list_begin();
    return std::nullopt;
  }

  std::optional<Error> check(const std::string& version) {
    if (machine_.accepts(version)) return std::nullopt;
    return Error{ErrorKind::Unavailable, "the API server answers with a list of version " +
                                             version +
                                             ", which is older than what it has told already"};
  }

  void end_list(const std::string& version) {
    sink_.list_end();
    machine_.listed(version, "");
    synced_ = true;
    succeeded();
    sink_.reached(version);
  }

  void watch(const WatchStep& step) {
    listing_ = step.action == WatchStep::Action::WatchList;
    begun_ = false;
    Transfer answer;
    const auto result = transfer(
        watch_path(step), options(kWatchIdle, kMetadata), answer,
        [this](std::string& got) { return take_events(got); },
        [this]() -> Duration {
          if (!listing_) return kForever;
          return begun_ ? kInitialIdle : kListIdle;
        });
    if (!result) return;
    if (*result) return failed(**result, answer.retry_after());
    if (listing_) {
      return failed({ErrorKind::Timeout, "the watch ended before its list"}, std::nullopt);
    }
    machine_.ended(std::nullopt, std::nullopt, jitter());
  }

  std::string watch_path(const WatchStep& step) {
    const auto timeout =
        static_cast<int>(static_cast<double>(kWatchTimeout.count()) * (1 + jitter()));
    std::string path = collection_.path + "?watch=1&allowWatchBookmarks=true&timeoutSeconds=" +
                       std::to_string(timeout) + selectors();
    if (listing_) path += "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan";
    if (!step.resource_version.empty()) path += "&resourceVersion=" + escape(step.resource_version);
    return path;
  }

  // Consumes the complete lines of `buffer`.
  std::optional<Error> take_events(std::string& buffer) {
    if (listing_ && !begun_) {
      begun_ = true;
      machine_.answered();
      sink_.list_begin();
    }
    std::size_t begin = 0;
    std::optional<Error> error;
    for (std::size_t end = 0; !error && (end = buffer.find('\n', begin)) != std::string::npos;
         begin = end + 1) {
      if (end > begin) error = take_event(buffer, begin, end - begin);
    }
    buffer.erase(0, begin);
    return error;
  }

  std::optional<Error> take_event(std::string& buffer, std::size_t begin, std::size_t size) {
    const auto event = parse_watch_event(buffer, begin, size);
    if (!event) return event.error();
    switch (event->type) {
      case WatchEvent::Type::Added:
      case WatchEvent::Type::Modified:
        // A list must be told of all that is in it.
        if (listing_ || !sink_.has(event->namespace_, event->name, event->resource_version)) {
          sink_.upsert(event->object);
        }
        break;
      case WatchEvent::Type::Deleted:
        sink_.remove(event->namespace_, event->name);
        break;
      case WatchEvent::Type::Bookmark:
        break;
      case WatchEvent::Type::Error:
        return decode_status(event->error_code, event->object);
    }
    if (listing_) return event->initial_events_end ? listed(event->resource_version) : std::nullopt;
    sink_.reached(event->resource_version);
    machine_.progressed(event->resource_version);
    succeeded();
    return std::nullopt;
  }

  // The stream's list is complete: from here on it is a watch. The objects' own versions said
  // nothing of what the whole collection had reached.
  std::optional<Error> listed(const std::string& version) {
    if (auto older = check(version)) return older;
    listing_ = false;
    end_list(version);
    return std::nullopt;
  }

  void succeeded() {
    std::lock_guard lock(mutex_);
    last_error_.clear();
  }

  void failed(const Error& error, std::optional<Duration> retry) {
    machine_.ended(error, retry, jitter());
    const auto next = machine_.next();
    // No trouble, but something learned of the server: that it lists by pages.
    bool known = next.delay == Duration(0);
    if (!known) {
      std::lock_guard lock(mutex_);
      known = last_error_ == error.message;
      last_error_ = error.message;
    }
    // Once for each new trouble, not once a try.
    const bool list = next.action != WatchStep::Action::Watch;
    (known ? log::debug : log::warn)("watch interrupted", {{"collection", collection_.path},
                                                           {"error", error.message},
                                                           {"next", list ? "list" : "watch"}});
  }

  double jitter() { return std::uniform_real_distribution<double>(0.0, 1.0)(random_); }

  // Constant after construction.
  Client& client_;
  const Collection collection_;
  Sink& sink_;
  // Used by the reflector's thread only.
  WatchMachine machine_;
  std::minstd_rand random_{std::random_device{}()};
  bool listing_ = false;  // the stream under way still tells its list
  bool begun_ = false;    // and the sink knows of that
  // Shared.
  std::atomic<bool> synced_{false};
  mutable std::mutex mutex_;  // protects what follows
  std::condition_variable wake_;
  bool stopping_ = false;
  Transfer* transfer_ = nullptr;
  std::string last_error_;
  std::thread thread_;
};

}  // namespace

Collection in_namespace(Collection whole, std::string_view namespace_) {
  whole.path.insert(whole.path.rfind('/'), "/namespaces/" + escape(namespace_));
  return whole;
}

bool synced(const Reflectors& reflectors) {
  return !reflectors.empty() &&
         std::ranges::all_of(reflectors, [](const auto& one) { return one->synced(); });
}

std::unique_ptr<Reflector> Reflector::start(Client& client, Collection collection, Sink& sink) {
  return std::make_unique<ThreadReflector>(client, std::move(collection), sink);
}

}  // namespace mcpfleet::kube
