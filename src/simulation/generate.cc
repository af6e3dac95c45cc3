#include "simulation/generate.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numbers>
#include <optional>
#include <utility>

#include "simulation/random.h"

namespace mcpfleet::simulation {
namespace {

using Kind = Shape::Kind;

constexpr std::array<std::pair<std::string_view, Kind>, 5> kKinds{{{"steps", Kind::Steps},
                                                                   {"ramp", Kind::Ramp},
                                                                   {"spike", Kind::Spike},
                                                                   {"day", Kind::Day},
                                                                   {"noise", Kind::Noise}}};

std::optional<Kind> kind_of(std::string_view word) {
  for (const auto& [name, kind] : kKinds)
    if (word == name) return kind;
  return std::nullopt;
}

// What is typical of a kind beside the defaults of Shape.
Shape typical(Kind kind) {
  Shape shape{.kind = kind};
  if (kind == Kind::Ramp) shape.hold = 900;
  if (kind == Kind::Spike) shape.hold = 60;
  if (kind == Kind::Day) shape.seconds = 86'400;
  if (kind == Kind::Noise) shape.base = 400;
  return shape;
}

template <typename Number>
Result<void> set(Number& field, std::string_view name, std::string_view text, Number least,
                 Number most) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), field);
  if (error == std::errc() && end == text.data() + text.size() && field >= least && field <= most)
    return {};
  const auto whole = [](Number number) {
    return std::to_string(static_cast<std::int64_t>(number));
  };
  return fail(ErrorKind::Invalid, std::string(name) + " must be a number from " + whole(least) +
                                      " to " + whole(most) + ", not \"" + std::string(text) + "\"");
}

Result<void> set_value(Shape& shape, std::string_view name, std::string_view text) {
  if (name == "base") return set(shape.base, name, text, 0.0, kMaxArrivals);
  if (name == "peak") return set(shape.peak, name, text, 0.0, kMaxArrivals);
  if (name == "seconds") return set(shape.seconds, name, text, 1, kMaxTraceSeconds);
  if (name == "hold") return set(shape.hold, name, text, 1, kMaxTraceSeconds);
  if (name == "every") return set(shape.every, name, text, 1, kMaxTraceSeconds);
  if (name == "period") return set(shape.period, name, text, 1, kMaxTraceSeconds);
  if (name == "seed")
    return set(shape.seed, name, text, std::uint64_t{0}, std::uint64_t{1'000'000'000'000});
  if (name == "poisson") {
    int on = 0;
    auto done = set(on, name, text, 0, 1);
    shape.poisson = on == 1;
    return done;
  }
  return fail(ErrorKind::Invalid,
              "\"" + std::string(name) +
                  "\" is not one of base, peak, seconds, hold, every, period, seed, poisson");
}

// The rate of each second; steps and noise have a memory.
class Rates {
 public:
  Rates(const Shape& shape, Random& random)
      : shape_(shape), random_(random), level_(shape.base), until_(length()) {}

  double at(int second) {
    switch (shape_.kind) {
      case Kind::Steps:
        return step(second);
      case Kind::Ramp:
        return ramp(second);
      case Kind::Spike:
        return second % shape_.every >= start() ? shape_.peak : shape_.base;
      case Kind::Day:
        return day_rate(shape_.base, shape_.peak, second, shape_.period);
      case Kind::Noise:
        return wander();
    }
    return 0;
  }

 private:
  // From half to one and a half times as long as asked for.
  int length() { return std::max(1, static_cast<int>(shape_.hold * (0.5 + random_.uniform()))); }
  // A spike is the end of its period, so that the trace begins quietly.
  int start() const { return std::max(0, shape_.every - shape_.hold); }

  double step(int second) {
    if (second >= until_) {
      until_ = second + length();
      level_ = shape_.base + (shape_.peak - shape_.base) * random_.uniform();
    }
    return level_;
  }
  double ramp(int second) const {
    const double third = static_cast<double>(second) / shape_.hold;
    const double height = std::clamp(std::min(third, 3 - third), 0.0, 1.0);
    return shape_.base + (shape_.peak - shape_.base) * height;
  }
  // The logarithm of the rate wanders about that of base and is drawn back within `hold` seconds.
  double wander() {
    const double pull = 1.0 / shape_.hold;
    drift_ += -pull * drift_ + 0.5 * std::sqrt(2 * pull) * random_.normal();
    return std::min(shape_.peak, shape_.base * std::exp(drift_));
  }

  const Shape& shape_;
  Random& random_;
  double level_;
  double drift_ = 0;
  int until_;
};

}  // namespace

double day_rate(double base, double peak, double second, double period) {
  const double turn = 2 * std::numbers::pi * second / period;
  return base + (peak - base) * (1 - std::cos(turn)) / 2;
}

bool is_shape(std::string_view text) { return kind_of(text.substr(0, text.find(':'))).has_value(); }

Result<Shape> parse_shape(std::string_view text) {
  const auto colon = text.find(':');
  const auto kind = kind_of(text.substr(0, colon));
  if (!kind)
    return fail(ErrorKind::Invalid, "\"" + std::string(text.substr(0, colon)) +
                                        "\" is not one of steps, ramp, spike, day, noise");
  Shape shape = typical(*kind);
  std::string_view rest = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    const auto word = rest.substr(0, comma);
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    const auto equals = word.find('=');
    if (equals == std::string_view::npos)
      return fail(ErrorKind::Invalid, "\"" + std::string(word) + "\" must be name=value");
    if (auto done = set_value(shape, word.substr(0, equals), word.substr(equals + 1)); !done)
      return fail(done.error());
  }
  if (shape.peak < shape.base) return fail(ErrorKind::Invalid, "peak must not be less than base");
  return shape;
}

Trace generate(const Shape& shape, const std::string& name) {
  Random random(shape.seed);
  Rates rates(shape, random);
  Trace trace{name, {}};
  trace.arrivals.reserve(static_cast<std::size_t>(shape.seconds));
  for (int second = 0; second < shape.seconds; ++second) {
    const double rate = rates.at(second);
    trace.arrivals.push_back(shape.poisson ? Poisson(rate).draw(random) : rate);
  }
  return trace;
}

}  // namespace mcpfleet::simulation
