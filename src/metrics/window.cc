#include "metrics/window.h"

#include <algorithm>
#include <cmath>

namespace mcpfleet::metrics {
namespace {

using std::chrono::duration_cast;

// Two process start times closer than this are the same process (they are printed with fractions
// of a second that some libraries round).
constexpr double kSameStartSeconds = 0.5;

const CallCounters* find_kind(const Sample& sample, const CallCounters& wanted) {
  const auto found =
      std::ranges::lower_bound(sample.calls, wanted, [](const auto& a, const auto& b) {
        return std::tie(a.method, a.tool) < std::tie(b.method, b.tool);
      });
  if (found == sample.calls.end() || found->method != wanted.method || found->tool != wanted.tool)
    return nullptr;
  return &*found;
}

}  // namespace

void Increase::add(const Increase& other) {
  requests += other.requests;
  errors += other.errors;
  durations.merge(other.durations);
  told_requests += other.told_requests;
  told_seconds += other.told_seconds;
}

void PodWindow::add(Instant at, Sample sample) {
  const bool gap = last_at_ && at.monotonic - last_at_->monotonic > window_;
  if (gap) {
    steps_.clear();
    last_at_.reset();
  }
  if (last_at_) {
    append_step(last_at_->monotonic, at.monotonic, sample, restarted(sample));
  } else if (const auto start = start_within_window(at, sample)) {
    append_step(*start, at.monotonic, sample, true);
  }
  last_at_ = at;
  last_ = std::move(sample);
  forget_old(at.monotonic);
}

// The pod's clock is another machine's: a start that is not in (now - window, now) by ours says
// nothing.
std::optional<MonotonicTime> PodWindow::start_within_window(Instant at,
                                                            const Sample& sample) const {
  if (!sample.process_start) return std::nullopt;
  const double now = std::chrono::duration<double>(at.wall.time_since_epoch()).count();
  const double age = now - *sample.process_start;
  if (!(age > 0) || age >= std::chrono::duration<double>(window_).count()) return std::nullopt;
  return at.monotonic - duration_cast<Duration>(std::chrono::duration<double>(age));
}

bool PodWindow::restarted(const Sample& sample) const {
  if (sample.process_start && last_.process_start &&
      std::fabs(*sample.process_start - *last_.process_start) > kSameStartSeconds)
    return true;
  return std::ranges::any_of(sample.calls, [this](const CallCounters& now) {
    const auto* before = find_kind(last_, now);
    return before != nullptr && (now.requests < before->requests || now.errors < before->errors ||
                                 !now.durations.since(before->durations));
  });
}

void PodWindow::append_step(MonotonicTime from, MonotonicTime to, const Sample& sample,
                            bool from_zero) {
  Step step{from, to, {}};
  const CallCounters none;
  for (const auto& now : sample.calls) {
    const auto* before = from_zero ? nullptr : find_kind(last_, now);
    if (before == nullptr) before = &none;
    KindStep kind;
    kind.requests = now.requests - before->requests;
    kind.errors = now.errors - before->errors;
    const auto durations = now.durations.since(before->durations).value_or(now.durations);
    if (kind.requests <= 0 && kind.errors <= 0 && durations.count() == 0) continue;
    kind.kind = index_of(now);
    kind.duration_sum = std::max(0.0, durations.sum());
    take_told(now, kind);
    for (std::size_t i = 0; i < Histogram::kBuckets; ++i)
      if (durations.buckets()[i] > 0)
        kind.buckets.emplace_back(static_cast<std::uint8_t>(i), durations.buckets()[i]);
    step.kinds.push_back(std::move(kind));
  }
  steps_.push_back(std::move(step));
}

// What a pod tells as averages counts for the requests since the scrape before.
void PodWindow::take_told(const CallCounters& now, KindStep& step) {
  if (now.told_error_ratio) step.errors = step.requests * *now.told_error_ratio;
  if (!now.told_mean) return;
  step.told = true;
  step.duration_sum = step.requests * *now.told_mean;
}

std::uint32_t PodWindow::index_of(const CallCounters& kind) {
  for (std::size_t i = 0; i < names_.size(); ++i)
    if (names_[i].second == kind.tool && names_[i].first == kind.method)
      return static_cast<std::uint32_t>(i);
  names_.emplace_back(kind.method, kind.tool);
  return static_cast<std::uint32_t>(names_.size() - 1);
}

// Steps that ended before the window are dropped; the one that straddles its start is kept whole.
void PodWindow::forget_old(MonotonicTime now) {
  while (!steps_.empty() && steps_.front().to <= now - window_) steps_.pop_front();
  // Kinds that no step names any more are forgotten together, so that names cannot pile up.
  if (names_.size() <= kMaxKinds) return;
  std::vector<std::pair<std::string, std::string>> used;
  std::vector<std::optional<std::uint32_t>> moved(names_.size());
  for (auto& step : steps_) {
    for (auto& kind : step.kinds) {
      auto& to = moved[kind.kind];
      if (!to) {
        to = static_cast<std::uint32_t>(used.size());
        used.push_back(names_[kind.kind]);
      }
      kind.kind = *to;
    }
  }
  names_ = std::move(used);
}

bool PodWindow::is_within(MonotonicTime from, MonotonicTime to,
                          std::optional<Duration> within) const {
  const auto last = last_at_->monotonic;
  return !within || to >= last || from + (to - from) / 2 >= last - *within;
}

PodView PodWindow::view(std::optional<Duration> within) const {
  PodView view;
  if (!last_at_) return view;
  view.at = *last_at_;
  view.in_flight = last_.in_flight;
  view.sessions = last_.sessions;
  view.draining = last_.draining;
  view.has_mcp = last_.has_mcp;
  view.folds_tools =
      std::ranges::any_of(last_.calls, [](const auto& kind) { return kind.tool == "_other"; });
  if (steps_.empty()) return view;
  std::vector<std::size_t> place(names_.size(), names_.size());
  for (const auto& step : steps_) {
    if (!is_within(step.from, step.to, within)) continue;
    view.covered += step.to - step.from;
    for (const auto& kind : step.kinds) {
      auto& at = place[kind.kind];
      if (at == names_.size()) {
        at = view.kinds.size();
        view.kinds.push_back({names_[kind.kind].first, names_[kind.kind].second, {}});
      }
      auto& by = view.kinds[at].by;
      by.requests += kind.requests;
      by.errors += kind.errors;
      if (kind.told) {
        by.told_requests += kind.requests;
        by.told_seconds += kind.duration_sum;
      } else {
        by.durations.add_sum(kind.duration_sum);
      }
      for (const auto& [bucket, count] : kind.buckets) by.durations.add(bucket, count);
    }
  }
  for (const auto& kind : view.kinds) view.total.add(kind.by);
  if (view.folds_tools) append_idle_kinds(view);
  return view;
}

void PodWindow::append_idle_kinds(PodView& view) const {
  const std::size_t active = view.kinds.size();
  for (const auto& known : last_.calls) {
    const bool there =
        std::any_of(view.kinds.begin(), view.kinds.begin() + static_cast<std::ptrdiff_t>(active),
                    [&known](const auto& kind) {
                      return kind.tool == known.tool && kind.method == known.method;
                    });
    if (!there) view.kinds.push_back({known.method, known.tool, {}});
  }
}

}  // namespace mcpfleet::metrics
