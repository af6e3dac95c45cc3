#include "metrics/window.h"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace mcpfleet::metrics {
namespace {

using std::chrono::duration_cast;

// Two process start times closer than this are the same process (they are printed with fractions
// of a second that some libraries round).
constexpr double kSameStartSeconds = 0.5;

// What follows a kind's place in its step.
constexpr std::uint64_t kErrors = 1;
constexpr std::uint64_t kSum = 2;
constexpr std::uint64_t kTold = 4;
constexpr std::uint64_t kBuckets = 8;
constexpr std::uint64_t kFlags = 16;
constexpr std::size_t kMostStepHead = 20;  // two packed numbers

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
  remember(std::move(sample));
  forget_old(at.monotonic);
}

void PodWindow::remember(Sample sample) {
  std::vector<Counters> calls;
  calls.reserve(sample.calls.size());
  for (auto& kind : sample.calls)
    calls.push_back({place_of(kind), kind.requests, kind.errors, std::move(kind.durations)});
  last_calls_ = std::move(calls);
  last_ = std::move(sample);
  last_.calls = {};
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

const PodWindow::Counters* PodWindow::find(const CallCounters& kind) const {
  const auto before = [this](const Counters& counters, const CallCounters& wanted) {
    const auto& name = names_[counters.place];
    return std::tie(name.method, name.tool) < std::tie(wanted.method, wanted.tool);
  };
  const auto found = std::lower_bound(last_calls_.begin(), last_calls_.end(), kind, before);
  if (found == last_calls_.end()) return nullptr;
  const auto& name = names_[found->place];
  return name.method == kind.method && name.tool == kind.tool ? &*found : nullptr;
}

bool PodWindow::restarted(const Sample& sample) const {
  if (sample.process_start && last_.process_start &&
      std::fabs(*sample.process_start - *last_.process_start) > kSameStartSeconds)
    return true;
  return std::ranges::any_of(sample.calls, [this](const CallCounters& now) {
    const auto* before = find(now);
    return before != nullptr && (now.requests < before->requests || now.errors < before->errors ||
                                 !now.durations.since(before->durations));
  });
}

void PodWindow::append_step(MonotonicTime from, MonotonicTime to, const Sample& sample,
                            bool from_zero) {
  PackedBytes kinds;
  std::uint64_t count = 0;
  const Counters none;
  for (const auto& now : sample.calls) {
    const auto* before = from_zero ? nullptr : find(now);
    if (before == nullptr) before = &none;
    KindStep kind;
    kind.requests = now.requests - before->requests;
    kind.errors = now.errors - before->errors;
    const auto durations = now.durations.since(before->durations).value_or(now.durations);
    if (kind.requests <= 0 && kind.errors <= 0 && durations.count() == 0) continue;
    kind.place = place_of(now);
    kind.duration_sum = std::max(0.0, durations.sum());
    take_told(now, kind);
    durations.visit([&kind](std::size_t bucket, std::uint64_t observations) {
      kind.buckets.emplace_back(static_cast<std::uint8_t>(bucket), observations);
    });
    pack_kind(kinds, kind);
    ++count;
  }
  if (steps_.empty()) steps_from_ = from;
  // Less to spare than a vector takes by itself, since there is a window of each pod.
  const auto most = steps_.size() + kinds.size() + kMostStepHead;
  if (steps_.capacity() < most) steps_.reserve(most + most / 4);
  pack(steps_, static_cast<std::uint64_t>((to - from).count()));
  pack(steps_, count);
  steps_.insert(steps_.end(), kinds.begin(), kinds.end());
}

// What a pod tells as averages counts for the requests since the scrape before.
void PodWindow::take_told(const CallCounters& now, KindStep& step) {
  if (now.told_error_ratio) step.errors = step.requests * *now.told_error_ratio;
  if (!now.told_mean) return;
  step.told = true;
  step.duration_sum = step.requests * *now.told_mean;
}

void PodWindow::pack_kind(PackedBytes& into, const KindStep& kind) {
  const auto follows = (kind.errors != 0 ? kErrors : 0) | (kind.duration_sum != 0 ? kSum : 0) |
                       (kind.told ? kTold : 0) | (kind.buckets.empty() ? 0 : kBuckets);
  pack(into, kind.place * kFlags + follows);
  pack(into, kind.requests);
  if ((follows & kErrors) != 0) pack(into, kind.errors);
  if ((follows & kSum) != 0) pack(into, kind.duration_sum);
  if ((follows & kBuckets) == 0) return;
  pack(into, kind.buckets.size());
  for (const auto& [bucket, count] : kind.buckets) {
    pack(into, std::uint64_t{bucket});
    pack(into, count);
  }
}

void PodWindow::read_kind(PackedReader& from, KindStep& kind) {
  const auto head = from.number();
  kind.place = static_cast<Place>(head / kFlags);
  kind.told = (head & kTold) != 0;
  kind.requests = from.real();
  kind.errors = (head & kErrors) != 0 ? from.real() : 0;
  kind.duration_sum = (head & kSum) != 0 ? from.real() : 0;
  kind.buckets.clear();
  auto buckets = (head & kBuckets) != 0 ? from.number() : 0;
  for (; buckets > 0; --buckets) {
    const auto bucket = static_cast<std::uint8_t>(from.number());
    kind.buckets.emplace_back(bucket, from.number());
  }
}

template <typename Take, typename Visit>
void PodWindow::visit_steps(const Take& take, const Visit& call) const {
  KindStep kind;
  PackedReader reader(steps_);
  auto from = steps_from_;
  while (!reader.at_end()) {
    const auto to = from + Duration(static_cast<Duration::rep>(reader.number()));
    const bool taken = take(from, to);
    for (auto kinds = reader.number(); kinds > 0; --kinds) {
      read_kind(reader, kind);
      if (taken) call(kind);
    }
    from = to;
  }
}

PodWindow::Place PodWindow::place_of(const CallCounters& kind) {
  if (const auto* known = find(kind)) return known->place;
  std::size_t free = names_.size();
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const auto& name = names_[i];
    if (!name.used) {
      free = std::min(free, i);
    } else if (name.tool == kind.tool && name.method == kind.method) {
      return static_cast<Place>(i);
    }
  }
  if (free == names_.size()) names_.emplace_back();
  names_[free] = {kind.method, kind.tool, true};
  return static_cast<Place>(free);
}

// Steps that ended before the window are dropped; the one that straddles its start is kept whole.
void PodWindow::forget_old(MonotonicTime now) {
  PackedReader reader(steps_);
  auto kept = reader.left();
  KindStep kind;
  while (!reader.at_end()) {
    const auto end = steps_from_ + Duration(static_cast<Duration::rep>(reader.number()));
    if (end > now - window_) break;
    for (auto kinds = reader.number(); kinds > 0; --kinds) read_kind(reader, kind);
    kept = reader.left();
    steps_from_ = end;
  }
  steps_.erase(steps_.begin(), steps_.end() - static_cast<std::ptrdiff_t>(kept));
  // Kinds that nothing names any more are forgotten together, so that names cannot pile up.
  if (names_.size() > kMaxKinds) free_places();
}

void PodWindow::free_places() {
  for (auto& name : names_) name.used = false;
  for (const auto& counters : last_calls_) names_[counters.place].used = true;
  visit_steps([](MonotonicTime, MonotonicTime) { return true; },
              [this](const KindStep& kind) { names_[kind.place].used = true; });
  for (auto& name : names_)
    if (!name.used) name = {"", "", false};
  while (!names_.empty() && !names_.back().used) names_.pop_back();
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
  view.folds_tools = std::ranges::any_of(
      last_calls_, [this](const auto& kind) { return names_[kind.place].tool == "_other"; });
  if (steps_.empty()) return view;
  std::vector<std::size_t> index(names_.size(), names_.size());  // of each place in view.kinds
  const auto take = [&](MonotonicTime from, MonotonicTime to) {
    if (!is_within(from, to, within)) return false;
    view.covered += to - from;
    return true;
  };
  visit_steps(take, [&](const KindStep& kind) {
    auto& at = index[kind.place];
    if (at == names_.size()) {
      at = view.kinds.size();
      view.kinds.push_back({names_[kind.place].method, names_[kind.place].tool, {}});
    }
    add_step(view.kinds[at].by, kind);
  });
  for (const auto& kind : view.kinds) view.total.add(kind.by);
  if (view.folds_tools) append_idle_kinds(view);
  view.kinds.shrink_to_fit();
  return view;
}

void PodWindow::add_step(Increase& by, const KindStep& kind) {
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

void PodWindow::append_idle_kinds(PodView& view) const {
  const std::size_t active = view.kinds.size();
  for (const auto& counters : last_calls_) {
    const auto& known = names_[counters.place];
    const bool there =
        std::any_of(view.kinds.begin(), view.kinds.begin() + static_cast<std::ptrdiff_t>(active),
                    [&known](const auto& kind) {
                      return kind.tool == known.tool && kind.method == known.method;
                    });
    if (!there) view.kinds.push_back({known.method, known.tool, {}});
  }
}

}  // namespace mcpfleet::metrics
