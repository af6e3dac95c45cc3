// What a list of 5,000 objects costs while it arrives, counted in bytes and not in time.
#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <new>
#include <thread>

#include "kube/store.h"
#include "tests/kube/fake_client.h"

namespace {

std::atomic<long> live_bytes{0};
std::atomic<long> peak_bytes{0};

void note_allocated(void* memory) {
  const auto size = static_cast<long>(malloc_usable_size(memory));
  const long live = live_bytes += size;
  long peak = peak_bytes;
  while (live > peak && !peak_bytes.compare_exchange_weak(peak, live)) {
  }
}

}  // namespace

// All of this program's memory goes through these two; the other forms end here.
void* operator new(std::size_t size) {
  void* memory = std::malloc(size);
  if (memory == nullptr) std::abort();
  note_allocated(memory);
  return memory;
}
void operator delete(void* memory) noexcept {
  live_bytes -= static_cast<long>(malloc_usable_size(memory));
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }

namespace mcpfleet::kube {
namespace {

constexpr int kObjects = 5000;
constexpr int kPage = 500;

// A Deployment as the API server tells it, of which the store keeps a tenth.
std::string object_text(int number) {
  const std::string n = std::to_string(number);
  return R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"server-)" + n +
         R"(","namespace":"fleet","resourceVersion":")" + std::to_string(10'000 + number) +
         R"(","managedFields":")" + std::string(4000, 'm') + R"("},"spec":{"kept":")" +
         std::string(600, 'k') + R"(","dropped":")" + std::string(2000, 'd') + R"("}})";
}

struct Thing {
  std::string namespace_;
  std::string name;
  std::string kept;
};

std::string after(std::string_view text, std::string_view key) {
  const auto begin = text.find(key) + key.size();
  return std::string(text.substr(begin, text.find('"', begin) - begin));
}

Result<Thing> decode(std::string_view text) {
  return Thing{after(text, R"("namespace":")"), after(text, R"("name":")"),
               after(text, R"("kept":")")};
}

using Things = Store<Thing>;
std::unique_ptr<Things> make_store() {
  return std::make_unique<Things>(
      decode, [](const std::string&) {}, [](const Error& error) { FAIL() << error.message; });
}

// Sends piece after piece on a thread of its own, as the network does: it waits while the reader is
// full.
class PacedStream final : public http::Stream {
 public:
  // The pieces of the answer by number; empty: the end.
  using Pieces = std::function<std::string(int number)>;

  PacedStream(int status, Pieces pieces, http::StreamHandler handler)
      : thread_([this, status, pieces = std::move(pieces), handler = std::move(handler)] {
          handler.on_head(status, {});
          std::string piece;
          for (int number = 0; !(piece = pieces(number)).empty(); ++number) {
            handler.on_data(piece);
            if (!wait(handler)) return;
          }
          handler.on_end(std::nullopt);
        }) {}
  ~PacedStream() override { cancel(); }
  void cancel() override {
    {
      std::lock_guard lock(mutex_);
      cancelled_ = true;
      changed_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
  }
  void resume() override {
    std::lock_guard lock(mutex_);
    resumed_ = true;
    changed_.notify_all();
  }

 private:
  bool wait(const http::StreamHandler& handler) {
    {
      std::lock_guard lock(mutex_);
      resumed_ = false;
      if (cancelled_) return false;
    }
    if (!handler.full()) return true;
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return resumed_ || cancelled_; });
    return !cancelled_;
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  bool cancelled_ = false;
  bool resumed_ = false;
  std::thread thread_;
};

// An API server with 5,000 objects, whose watches expire when the test says so.
class Server : public FakeClient {
 public:
  explicit Server(bool streams) : streams_(streams) {}

  // All watches up to this one, counted from 1, end with 410.
  void expire(int watches) {
    std::lock_guard lock(mutex_);
    expired_ = watches;
    changed_.notify_all();
  }

  std::unique_ptr<http::Stream> stream(std::string_view path, const StreamOptions&,
                                       http::StreamHandler handler) override {
    const bool initial = path.find("sendInitialEvents") != std::string_view::npos;
    if (initial && !streams_) {
      return std::make_unique<PacedStream>(
          422, [](int n) { return n == 0 ? "{}" : ""; }, std::move(handler));
    }
    PacedStream::Pieces pieces;
    if (initial) {
      pieces = [this](int n) { return n <= kObjects ? event(n) : watch(n - kObjects - 1); };
    } else if (path.find("watch=1") != std::string_view::npos) {
      pieces = [this](int n) { return watch(n); };
    } else {
      pieces = [first = first_of(path)](int n) { return page_piece(first, n); };
    }
    return std::make_unique<PacedStream>(200, std::move(pieces), std::move(handler));
  }

 private:
  static std::string event(int n) {
    if (n < kObjects) return R"({"type":"ADDED","object":)" + object_text(n) + "}\n";
    return R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"20000",)"
           R"("annotations":{"k8s.io/initial-events-end":"true"}}}})"
           "\n";
  }
  static int first_of(std::string_view path) {
    const auto at = path.find("continue=");
    return at == std::string_view::npos ? 0 : std::atoi(path.data() + at + 9);
  }
  static std::string page_piece(int first, int n) {
    const int next = first + kPage;
    if (n == 0) {
      return R"({"metadata":{"resourceVersion":"20000","continue":")" +
             (next < kObjects ? std::to_string(next) : "") + R"("},"items":[)" + object_text(first);
    }
    if (n < kPage) return "," + object_text(first + n);
    return n == kPage ? "]}" : "";
  }
  // Blocks until this watch is to expire.
  std::string watch(int n) {
    if (n > 0) return "";
    std::unique_lock lock(mutex_);
    const int number = ++watches_;
    changed_.wait(lock, [&] { return expired_ >= number; });
    return R"({"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}})"
           "\n";
  }

  const bool streams_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int watches_ = 0;
  int expired_ = 0;
};

// Passes everything on, and counts the lists that were complete.
class Lists final : public Sink {
 public:
  explicit Lists(Sink& sink) : sink_(sink) {}
  void list_begin() override { sink_.list_begin(); }
  void upsert(std::string_view object) override { sink_.upsert(object); }
  void remove(std::string_view namespace_, std::string_view name) override {
    sink_.remove(namespace_, name);
  }
  void list_end() override {
    sink_.list_end();
    std::lock_guard lock(mutex_);
    ++complete_;
    changed_.notify_all();
  }
  bool wait(int lists) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(50), [&] { return complete_ >= lists; });
  }

 private:
  Sink& sink_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int complete_ = 0;
};

// What a store of all objects occupies by itself.
long steady_bytes() {
  const auto store = make_store();
  const long before = live_bytes;
  for (int n = 0; n < kObjects; ++n) store->upsert(object_text(n));
  return live_bytes - before;
}

class ListMemoryTest : public testing::TestWithParam<bool> {};

TEST_P(ListMemoryTest, PeaksNotFarOverWhatIsKept) {
  const long steady = steady_bytes();
  ASSERT_GT(steady, kObjects * 600L);
  Server server(GetParam());
  const auto store = make_store();
  Lists lists(*store);
  const long before = live_bytes;
  peak_bytes = before;
  const auto reflector = Reflector::start(server, {"/apis/apps/v1/deployments", "", ""}, lists);
  EXPECT_TRUE(lists.wait(1));
  EXPECT_EQ(store->size(), static_cast<std::size_t>(kObjects));
  EXPECT_LT(peak_bytes - before, steady * 13 / 10) << "the first list";
  peak_bytes = live_bytes.load();
  server.expire(1);
  EXPECT_TRUE(lists.wait(2));
  EXPECT_EQ(store->size(), static_cast<std::size_t>(kObjects));
  EXPECT_LT(peak_bytes - before, steady * 13 / 10) << "the list after it";
  server.expire(1 << 20);  // lets the reflector go
}

INSTANTIATE_TEST_SUITE_P(BothWays, ListMemoryTest, testing::Bool(),
                         [](const auto& by) { return by.param ? "Streamed" : "Paged"; });

}  // namespace
}  // namespace mcpfleet::kube
