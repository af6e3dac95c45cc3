#include "metrics-adapter/history/history_part.h"

#include <algorithm>
#include <thread>

namespace mcpfleet::adapter {
namespace {

// After the beginning of a step, so that the scrapes of the one before are in.
constexpr Duration kAfterStep = std::chrono::milliseconds(20);

// Between some objects of a step and the next ones.
constexpr Duration kBetween = std::chrono::milliseconds(3);

RedisArchiveOptions archive_options(const HistoryOptions& options) {
  RedisArchiveOptions archive;
  archive.address = options.redis;
  archive.key_prefix = options.redis_key_prefix;
  archive.readings = options.raw;
  archive.minutes = options.minutes;
  return archive;
}

}  // namespace

HistoryPart::HistoryPart(const HistoryOptions& options, Duration scrape_interval,
                         metrics::Terms terms, const Roster& roster, const Clock& clock,
                         OwnMetrics& metrics)
    : options_(options),
      clock_(clock),
      metrics_(metrics.registry()),
      book_(limits_of(options, scrape_interval), metrics_),
      recorder_(roster, terms, options.details, book_, [this] { return pause(); }) {}

HistoryPart::~HistoryPart() { ending_ = true; }

void HistoryPart::start() {
  if (!options_.enabled) return;
  if (!options_.redis.host.empty()) {
    archive_ = std::make_unique<RedisArchive>(
        archive_options(options_), clock_, metrics_,
        [this](const metrics::HistoryKey& key, const RestoredHistory& kept) {
          book_.restore(key, kept, clock_.wall());
        });
    book_.use(archive_.get());
  }
  loop_.emplace([this] { return record(); });
}

// False: the program ends.
bool HistoryPart::pause() {
  const auto step = book_.limits().whole.step;
  // What is left of a large fleet then follows without pauses, so that it is never late.
  if (clock_.wall().time_since_epoch() % step < step / 2) std::this_thread::sleep_for(kBetween);
  return !ending_;
}

// Returns how long it is until the next step.
Duration HistoryPart::record() {
  recorder_.record({clock_.wall(), clock_.monotonic()});
  const auto step = book_.limits().whole.step;
  return step - clock_.wall().time_since_epoch() % step + kAfterStep;
}

}  // namespace mcpfleet::adapter
