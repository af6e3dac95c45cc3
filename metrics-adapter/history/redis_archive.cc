#include "metrics-adapter/history/redis_archive.h"

#include <algorithm>
#include <span>
#include <utility>

#include "log/log.h"

namespace mcpfleet::adapter {
namespace {

// Records that are sent together.
constexpr std::size_t kBatch = 256;

}  // namespace

RedisArchive::RedisArchive(RedisArchiveOptions options, const Clock& clock, HistoryMetrics& metrics,
                           Restore restore)
    : options_(std::move(options)),
      records_(options_.key_prefix, options_.readings, options_.minutes),
      clock_(clock),
      metrics_(metrics),
      restore_(std::move(restore)),
      thread_([this] { run(); }) {}

RedisArchive::~RedisArchive() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void RedisArchive::keep(const metrics::HistoryKey& key, WallTime at,
                        const metrics::Reading& reading) {
  enqueue(records_.keep(key, at, reading));
}

void RedisArchive::keep(const metrics::HistoryKey& key, const MinuteOfAll& minute, bool whole) {
  enqueue(records_.keep(key, minute, whole));
}

void RedisArchive::forget(const metrics::HistoryKey& key, std::optional<metrics::Metric> metric,
                          WallTime now) {
  enqueue(records_.forget(key, metric, now));
}

void RedisArchive::enqueue(Record record) {
  {
    std::lock_guard lock(mutex_);
    if (waiting_.size() >= options_.max_waiting) {
      metrics_.count_redis_dropped(1);
      if (!std::exchange(told_dropped_, true))
        log::warn("histories are not kept in Redis: too many wait for it",
                  {{"waiting", waiting_.size()}});
      return;
    }
    waiting_.push_back(std::move(record));
    metrics_.set_redis_queue(waiting_.size());
  }
  wake_.notify_one();
}

void RedisArchive::want(const metrics::HistoryKey& key) {
  {
    std::lock_guard lock(mutex_);
    if (wanted_.size() >= options_.max_waiting) return;
    wanted_.push_back(key);
  }
  wake_.notify_one();
}

void RedisArchive::run() {
  std::optional<MonotonicTime> ends;
  for (;;) {
    std::optional<Duration> pause;
    take_work();
    if (!is_idle()) pause = step();
    std::unique_lock lock(mutex_);
    if (stopping_) {
      if (!ends) ends = clock_.monotonic() + options_.timeout;
      const bool empty = waiting_.empty() && batch_.empty();
      if (empty || pause || clock_.monotonic() >= *ends) return;
      continue;
    }
    if (pause) {
      wake_.wait_for(lock, *pause, [this] { return stopping_; });
    } else {
      wake_.wait(lock, [this] {
        return stopping_ || !waiting_.empty() || !wanted_.empty() || !is_idle();
      });
    }
  }
}

bool RedisArchive::is_idle() const { return batch_.empty() && !loading_; }

void RedisArchive::take_work() {
  std::lock_guard lock(mutex_);
  while (batch_.size() < kBatch && !waiting_.empty()) {
    batch_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  metrics_.set_redis_queue(waiting_.size() + batch_.size());
  if (loading_ || wanted_.empty()) return;
  loading_ = std::move(wanted_.front());
  wanted_.pop_front();
}

std::optional<Duration> RedisArchive::step() {
  if (auto done = work(); !done) return failed(done.error());
  worked();
  return std::nullopt;
}

Result<void> RedisArchive::work() {
  if (!connection_) {
    auto connection = RedisConnection::open(options_.address, options_.timeout);
    if (!connection) return fail(connection.error());
    connection_ = std::move(*connection);
  }
  if (auto written = write_batch(); !written) return fail(written.error());
  return load_one();
}

std::optional<Duration> RedisArchive::failed(const Error& error) {
  metrics_.count_redis_error();
  metrics_.set_redis_up(false);
  if (!std::exchange(told_failing_, true))
    log::warn("histories are not kept in Redis", {{"error", error.message}});
  // An answer that came says that the connection is good; any other may still come.
  if (error.kind != ErrorKind::Invalid) connection_.reset();
  return options_.backoff.delay(++failures_);
}

void RedisArchive::worked() {
  failures_ = 0;
  metrics_.set_redis_up(true);
  std::lock_guard lock(mutex_);
  metrics_.set_redis_queue(waiting_.size());
  if (!std::exchange(told_failing_, false)) return;
  log::info("histories are kept in Redis again");
  told_dropped_ = false;
}

// What Redis refuses, as when it is full, it would refuse again; what it did not answer is sent
// again, which changes nothing that is there.
Result<void> RedisArchive::write_batch() {
  if (batch_.empty()) return {};
  std::vector<RedisCommand> commands;
  for (const auto& record : batch_) commands.insert(commands.end(), record.begin(), record.end());
  auto replies = connection_->run(commands);
  if (!replies) return fail(replies.error());
  std::optional<std::string> refusal;
  std::size_t refused = 0;
  std::size_t at = 0;
  for (const auto& record : batch_) {
    const auto of_record = std::span(*replies).subspan(at, record.size());
    at += record.size();
    const auto found = std::ranges::find_if(of_record, &RedisReply::refused);
    if (found == of_record.end()) continue;
    ++refused;
    if (!refusal) refusal = found->texts.front();
  }
  metrics_.count_redis_written(batch_.size() - refused);
  metrics_.count_redis_dropped(refused);
  batch_.clear();
  if (refusal) return fail(ErrorKind::Invalid, "Redis refused to write: " + *refusal);
  return {};
}

Result<void> RedisArchive::load_one() {
  if (!loading_) return {};
  auto replies = connection_->run(records_.load(*loading_, clock_.wall()));
  if (!replies) return fail(replies.error());
  std::vector<std::vector<std::string>> answers;
  for (auto& reply : *replies) {
    // A key that is somebody else's holds nothing of ours.
    if (reply.refused && reply.texts.front().starts_with("WRONGTYPE"))
      reply.texts.clear();
    else if (reply.refused)
      return fail(ErrorKind::Invalid, "Redis refused to read: " + reply.texts.front());
    answers.push_back(std::move(reply.texts));
  }
  restore_(*loading_, RedisRecords::read(answers));
  loading_.reset();
  return {};
}

}  // namespace mcpfleet::adapter
