#include "kube/reflector.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <random>
#include <thread>

#include "kube/json_text.h"
#include "kube/paths.h"
#include "kube/status.h"
#include "kube/watch_machine.h"
#include "log/log.h"

namespace mcpfleet::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kPageSize = 500;
// The server ends a watch by itself after this, so that watches spread over API servers anew.
constexpr seconds kWatchTimeout{300};
// Bookmarks come about once a minute; a connection that brought nothing for twice as long is half
// open.
constexpr seconds kWatchIdle{120};
constexpr seconds kListIdle{30};
constexpr seconds kMaxRetryAfter{30};
// What may wait for the sink, and the largest page of a list. Beyond it the stream is ended.
constexpr std::size_t kMaxBuffered = 256UL * 1024 * 1024;

// One answer of the API server, handed from the HTTP client's thread to the reflector's.
class Transfer {
 public:
  http::StreamHandler handler() {
    return {[this](int status, const http::Headers& headers) { head(status, headers); },
            [this](std::string_view data) { append(data); },
            [this](std::optional<Error> error) { end(std::move(error)); }};
  }

  // Waits for data, the end, or stop(). Appends what came to `out`; false when nothing more comes.
  bool wait(std::string& out) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopped_ || ended_ || !data_.empty(); });
    out += data_;
    data_.clear();
    return !stopped_ && !ended_;
  }

  void stop() {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }

  // After the end.
  int status() const {
    std::lock_guard lock(mutex_);
    return status_;
  }
  std::optional<Error> error() const {
    std::lock_guard lock(mutex_);
    return error_;
  }
  std::optional<Duration> retry() const {
    std::lock_guard lock(mutex_);
    return retry_after_;
  }

 private:
  void head(int status, const http::Headers& headers) {
    std::lock_guard lock(mutex_);
    status_ = status;
    if (const auto after = retry_after(headers, kMaxRetryAfter)) retry_after_ = Duration(*after);
  }
  void append(std::string_view data) {
    std::lock_guard lock(mutex_);
    if (ended_) return;
    if (data_.size() + data.size() > kMaxBuffered) {
      ended_ = true;
      error_ = Error{ErrorKind::TooLarge, "an answer is over 256 MiB"};
    } else {
      data_ += data;
    }
    changed_.notify_all();
  }
  void end(std::optional<Error> error) {
    std::lock_guard lock(mutex_);
    if (ended_) return;
    ended_ = true;
    error_ = std::move(error);
    changed_.notify_all();
  }

  // Protected by mutex_.
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string data_;
  int status_ = 0;
  bool ended_ = false;
  bool stopped_ = false;
  std::optional<Error> error_;
  std::optional<Duration> retry_after_;
};

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
  // returns an error to break off. Nothing: stopping.
  template <typename Take>
  std::optional<std::optional<Error>> transfer(const std::string& path, milliseconds idle,
                                               Transfer& transfer, std::string& buffer,
                                               const Take& take) {
    if (!attach(&transfer)) return std::nullopt;
    auto stream = client_.stream(path, idle, transfer.handler());
    std::optional<Error> error;
    bool more = true;
    while (more && !error) {
      more = transfer.wait(buffer);
      if (transfer.status() == 200) error = take(buffer);
    }
    stream->cancel();
    if (!attach(nullptr)) return std::nullopt;
    if (!error) error = transfer.error();
    if (!error && transfer.status() != 200) error = decode_status(transfer.status(), buffer);
    return error;
  }

  bool attach(Transfer* transfer) {
    std::lock_guard lock(mutex_);
    transfer_ = transfer;
    return !stopping_;
  }

  void list(const WatchStep& step) {
    std::string path = collection_.path + "?limit=" + std::to_string(kPageSize) + selectors();
    if (!step.continue_token.empty()) path += "&continue=" + escape(step.continue_token);
    std::string body;
    Transfer answer;
    const auto result =
        transfer(path, kListIdle, answer, body, [](std::string& got) -> std::optional<Error> {
          if (got.size() <= kMaxBuffered) return std::nullopt;
          return Error{ErrorKind::TooLarge, "a page of the list is over 256 MiB"};
        });
    if (!result) return;
    if (*result) return failed(**result, answer.retry());
    if (step.continue_token.empty()) sink_.list_begin();
    auto page = split_list(body, [this](std::string_view item) { sink_.upsert(item); });
    if (!page) return failed(page.error(), std::nullopt);
    const bool last = page->continue_token.empty();
    machine_.listed(page->resource_version, page->continue_token);
    succeeded();
    if (last) {
      sink_.list_end();
      sink_.reached(page->resource_version);
      synced_ = true;
    }
  }

  void watch(const WatchStep& step) {
    const std::string path = collection_.path +
                             "?watch=1&allowWatchBookmarks=true&timeoutSeconds=" +
                             std::to_string(kWatchTimeout.count()) +
                             "&resourceVersion=" + escape(step.resource_version) + selectors();
    std::string buffer;
    Transfer answer;
    const auto result = transfer(path, kWatchIdle, answer, buffer,
                                 [this](std::string& got) { return take_events(got); });
    if (!result) return;
    if (*result) return failed(**result, answer.retry());
    machine_.ended(std::nullopt, std::nullopt, jitter());
  }

  // Consumes the complete lines of `buffer`.
  std::optional<Error> take_events(std::string& buffer) {
    std::size_t begin = 0;
    std::optional<Error> error;
    for (std::size_t end = 0; !error && (end = buffer.find('\n', begin)) != std::string::npos;
         begin = end + 1) {
      std::string line = buffer.substr(begin, end - begin);
      if (!line.empty()) error = take_event(line);
    }
    buffer.erase(0, begin);
    return error;
  }

  std::optional<Error> take_event(std::string& line) {
    auto event = parse_watch_event(line);
    if (!event) return event.error();
    switch (event->type) {
      case WatchEvent::Type::Added:
      case WatchEvent::Type::Modified:
        sink_.upsert(event->object);
        break;
      case WatchEvent::Type::Deleted:
        sink_.remove(event->namespace_, event->name);
        break;
      case WatchEvent::Type::Bookmark:
        break;
      case WatchEvent::Type::Error:
        return decode_status(event->error_code, event->object);
    }
    sink_.reached(event->resource_version);
    machine_.progressed(event->resource_version);
    succeeded();
    return std::nullopt;
  }

  void succeeded() {
    std::lock_guard lock(mutex_);
    last_error_.clear();
  }

  void failed(const Error& error, std::optional<Duration> retry) {
    machine_.ended(error, retry, jitter());
    bool known = false;
    {
      std::lock_guard lock(mutex_);
      known = last_error_ == error.message;
      last_error_ = error.message;
    }
    // Once for each new trouble, not once a try.
    const bool list = machine_.next().action == WatchStep::Action::List;
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

std::unique_ptr<Reflector> Reflector::start(Client& client, Collection collection, Sink& sink) {
  return std::make_unique<ThreadReflector>(client, std::move(collection), sink);
}

}  // namespace mcpfleet::kube
