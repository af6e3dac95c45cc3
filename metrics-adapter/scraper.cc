#include "metrics-adapter/scraper.h"

#include <algorithm>
#include <utility>

#include "log/log.h"
#include "metrics/json_sample.h"
#include "metrics/sample.h"

namespace mcpfleet::adapter {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::seconds;

// How soon a new pod is noticed.
constexpr Duration kLook = milliseconds(50);
// The turns of so long a time are taken together: for each by itself, a large fleet would wake the
// thread a thousand times a second.
constexpr Duration kTogether = milliseconds(4);
// Between the first turns of new pods, so that not all of a fleet are under way at once.
constexpr Duration kApart = std::chrono::microseconds(500);
constexpr std::size_t kMaxFailureText = 300;

std::string key_of(const PodTarget& target) { return target.namespace_ + "/" + target.name; }

constexpr std::string_view kEnd = "# EOF\n";  // of one exposition, where several follow each other

http::Request scrape_request(const std::string& path) {
  http::Request request;
  request.target = path;
  request.headers.add("Accept", "text/plain;version=0.0.4");
  request.headers.add("User-Agent", "mcp-metrics-adapter/" MCPFLEET_VERSION);
  return request;
}

}  // namespace

Result<std::unique_ptr<Scraper>> Scraper::start(ScraperOptions options, const Clock& clock,
                                                Roster& roster, Demand& demand,
                                                OwnMetrics& metrics) {
  http::ClientOptions client_options;
  client_options.max_connections_per_endpoint = 2;
  client_options.connect_timeout = duration_cast<milliseconds>(options.interval * 9 / 10);
  client_options.idle_timeout = duration_cast<milliseconds>(10 * options.interval);
  auto client = http::Client::create(client_options);
  if (!client) return fail(client.error());
  return std::unique_ptr<Scraper>(
      new Scraper(options, clock, roster, demand, metrics, std::move(*client)));
}

Scraper::Scraper(ScraperOptions options, const Clock& clock, Roster& roster, Demand& demand,
                 OwnMetrics& metrics, std::unique_ptr<http::Client> client)
    : options_(options),
      clock_(clock),
      roster_(roster),
      demand_(demand),
      metrics_(metrics),
      client_(std::move(client)),
      thread_([this] { run(); }) {}

Scraper::~Scraper() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
  client_.reset();
}

void Scraper::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    const auto now = clock_.monotonic();
    if (roster_.refresh()) take_snapshot(now);
    demand_.refresh(now);
    if (!warm_) note_warm(now);
    scrape_due(now);
    Duration pause = kLook;
    if (!queue_.empty())
      pause = std::clamp<Duration>(queue_.top().at - clock_.monotonic(), kTogether, kLook);
    lock.lock();
    wake_.wait_for(lock, pause, [this] { return stopping_.load(); });
  }
}

// Pods that are gone lose their turn when it comes; new ones are due at once, those of a fleet that
// is all new one soon after the other.
void Scraper::take_snapshot(MonotonicTime now) {
  for (const auto& [name, space] : taken_->namespaces)
    for (const auto& entry : space.pods) entry.record->target = nullptr;
  taken_ = roster_.snapshot();
  Duration wait{0};
  std::size_t targets = 0;
  std::size_t kept = 0;
  for (const auto& [name, space] : taken_->namespaces) {
    for (const auto& [target, record] : space.pods) {
      if (target->finished || target->ip.empty()) continue;
      record->target = target;
      if (!std::exchange(record->has_turn, true)) {
        queue_.push({now + wait, record});
        wait = std::min<Duration>(wait + kApart, options_.interval / 2);
      }
      ++targets;
      kept += record->kept_series.load();
    }
  }
  kept_series_ = kept;
  metrics_.set_kept_series(kept);
  metrics_.set_targets(targets);
}

// A new pod's turns come within half an interval and one and a half later.
void Scraper::note_warm(MonotonicTime now) {
  if (!roster_.snapshot()->complete) return;
  if (!complete_since_) complete_since_ = now;
  warm_ = now - *complete_since_ >= 5 * options_.interval / 2;
}

void Scraper::scrape_due(MonotonicTime now) {
  while (!queue_.empty() && queue_.top().at <= now) {
    const auto record = queue_.top().record;
    queue_.pop();
    record->has_turn = record->target != nullptr;
    if (!record->has_turn) continue;
    queue_.push({next_turn(record->target->uid, now), record});
    scrape({record->target, record});
  }
}

// Each pod has a place of its own within the interval, by its uid, so that the work is spread.
MonotonicTime Scraper::next_turn(const std::string& uid, MonotonicTime now) const {
  const auto interval = options_.interval.count();
  const auto place = static_cast<Duration::rep>(std::hash<std::string>{}(uid) %
                                                static_cast<std::size_t>(interval));
  // The first such place that is at least half an interval away.
  const auto earliest = now.time_since_epoch().count() + interval / 2;
  const auto turns = (earliest - place + interval - 1) / interval;
  return MonotonicTime{Duration(turns * interval + place)};
}

void Scraper::scrape(const PodEntry& entry) {
  if (entry.record->busy.exchange(true)) return;
  const auto started = clock_.monotonic();
  http::CallLimits limits;
  limits.timeout = duration_cast<milliseconds>(options_.interval * 9 / 10);
  limits.max_body_bytes = options_.limits.max_bytes;
  std::string path = entry.target->path;
  // A sidecar tells a new reader what came before, so that it answers as those do who read all
  // along.
  if (!std::exchange(entry.record->asked_past, true) && !entry.target->opted_in)
    path += (path.find('?') == path.npos ? "?past=" : "&past=") +
            std::to_string(duration_cast<seconds>(options_.window).count());
  client_->send({entry.target->ip, entry.target->port, false}, scrape_request(path), limits,
                [this, entry, started](Result<http::Response> response) {
                  finish(entry, started, response);
                  entry.record->busy.store(false);
                });
}

void Scraper::finish(const PodEntry& entry, MonotonicTime started,
                     const Result<http::Response>& response) {
  if (stopping_) return;  // it was cut off by us
  metrics_.count_scrape(clock_.monotonic() - started);
  if (!response) {
    const bool large = response.error().kind == ErrorKind::TooLarge;
    return fail_with(entry, large ? entry.target->path + " is larger than " +
                                        std::to_string(options_.limits.max_bytes) + " bytes"
                                  : response.error().message);
  }
  if (response->status != 200)
    return fail_with(
        entry, entry.target->path + " answered HTTP status " + std::to_string(response->status));
  auto sample = read(entry, response->body);
  if (!sample) return fail_with(entry, entry.target->path + ": " + sample.error().message);
  succeed(entry, std::move(*sample));
}

Result<metrics::Sample> Scraper::read(const PodEntry& entry, const std::string& body) {
  auto sample = metrics::looks_like_json(body) ? metrics::read_json_sample(body, options_.limits)
                                               : read_text(entry, body);
  if (sample && !sample->has_mcp && !entry.target->opted_in)
    return fail(ErrorKind::Malformed, "none of its series is a metric of an MCP server (mcp_…)");
  return sample;
}

// Takes all expositions but the last one, which is returned.
Result<std::string_view> Scraper::read_past(const PodEntry& entry, std::string_view body) {
  auto& window = entry.record->window;
  const metrics::Instant now{clock_.wall(), clock_.monotonic()};
  auto end = body.find(kEnd);
  while (end != body.npos && end + kEnd.size() < body.size()) {
    auto sample = metrics::read_sample(body.substr(0, end), options_.limits);
    if (!sample) return fail(sample.error());
    // What a pod says of its past is taken where it fits between what is known and now.
    const double most = std::chrono::duration<double>(2 * options_.window).count();
    const auto ago = duration_cast<Duration>(
        std::chrono::duration<double>(std::min(sample->age.value_or(0), most)));
    const metrics::Instant at{now.wall - ago, now.monotonic - ago};
    std::lock_guard lock(entry.record->window_mutex);
    if (ago > Duration{0} && (!window.last() || at.monotonic > window.last()->monotonic))
      window.add(at, std::move(*sample));
    body.remove_prefix(end + kEnd.size());
    end = body.find(kEnd);
  }
  return body;
}

Result<metrics::Sample> Scraper::read_text(const PodEntry& entry, std::string_view text) {
  auto last = read_past(entry, text);
  if (!last) return fail(last.error());
  const auto body = *last;
  auto wanted = demand_.wanted(entry.target->namespace_);
  if (wanted == nullptr && entry.record->series == nullptr)
    return metrics::read_sample(body, options_.limits);
  if (entry.record->series == nullptr)
    entry.record->series = std::make_unique<metrics::SeriesWindow>(options_.window);
  auto& series = *entry.record->series;
  const bool is_wanted = wanted != nullptr;
  // What this pod has already is its own.
  const auto others = kept_series_.load() - std::min(kept_series_.load(), series.size());
  series.begin(clock_.monotonic(), std::move(wanted),
               options_.max_series - std::min(options_.max_series, others));
  auto sample = metrics::read_sample(
      body, options_.limits, [&series](const metrics::SeriesView& seen) { series.take(seen); });
  if (sample) series.end();
  note_kept(entry);
  if (!is_wanted && series.size() == 0) entry.record->series = nullptr;
  return sample;
}

void Scraper::note_kept(const PodEntry& entry) {
  auto& record = *entry.record;
  const auto size = record.series->size();
  const auto before = record.kept_series.exchange(size);
  metrics_.set_kept_series(kept_series_ += size - before);
  const auto refused = record.series->refused();
  if (refused > 0) metrics_.count_refused_series(refused);
  if (refused > 0 && !record.told_refused)
    log::warn("not all series of a pod are kept: --max-series is reached",
              {{"pod", key_of(*entry.target)}, {"refused", refused}});
  record.told_refused = refused > 0;
}

metrics::PodView Scraper::add_to_window(PodRecord& record, metrics::Sample sample) {
  std::lock_guard lock(record.window_mutex);
  record.window.add({clock_.wall(), clock_.monotonic()}, std::move(sample));
  return record.window.view();
}

void Scraper::succeed(const PodEntry& entry, metrics::Sample sample) {
  auto& record = *entry.record;
  metrics_.count_series(sample.calls.size());
  auto health = std::make_shared<PodHealth>();
  auto view = std::make_shared<metrics::PodView>(add_to_window(record, std::move(sample)));
  if (record.series != nullptr && record.series->size() > 0)
    view->series = std::make_shared<const metrics::SeriesStates>(record.series->states());
  health->view = std::move(view);
  record.health.store(std::move(health));
  if (!record.told_failing) return;
  record.told_failing = false;
  log::info("pod answers scrapes again",
            {{"pod", key_of(*entry.target)}, {"server", entry.target->server}});
}

void Scraper::fail_with(const PodEntry& entry, std::string failure) {
  auto& record = *entry.record;
  metrics_.count_failed_scrape();
  if (failure.size() > kMaxFailureText) failure.resize(kMaxFailureText);
  const auto before = record.health.load();
  const auto now = clock_.monotonic();
  auto health = std::make_shared<PodHealth>();
  health->view = before->view;
  health->failing_since = before->failing_since.value_or(now);
  health->failure = std::move(failure);
  // A pod that starts is not expected to answer; one that is ready is.
  const bool expected = entry.target->ready && !entry.target->deleting;
  const bool lasting = now - *health->failing_since > options_.max_age;
  if (!record.told_failing && (expected || lasting) && !entry.target->deleting) {
    record.told_failing = true;
    log::warn("pod cannot be scraped", {{"pod", key_of(*entry.target)},
                                        {"server", entry.target->server},
                                        {"error", health->failure}});
  }
  record.health.store(std::move(health));
}

}  // namespace mcpfleet::adapter
