// Structured logs: a message and named fields, as text or as one JSON object a line, on standard
// error.
//
// Thread safety: configure() before other threads start; the rest from any thread.
// Never pass secrets: no tokens, keys, environment values or message bodies.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "base/result.h"

namespace mcpfleet::log {

enum class Format { Text, Json };
enum class Level { Debug, Info, Warn, Error };

// One named value: {"server", name}, {"replicas", 3}, {"ready", true}.
struct Field {
  Field(std::string_view k, std::string_view v) : key(k), value(std::string(v)) {}
  Field(std::string_view k, const char* v) : key(k), value(std::string(v)) {}
  Field(std::string_view k, const std::string& v) : key(k), value(v) {}
  Field(std::string_view k, bool v) : key(k), value(v) {}
  Field(std::string_view k, double v) : key(k), value(v) {}
  template <typename Integer, typename = std::enable_if_t<std::is_integral_v<Integer>>>
  Field(std::string_view k, Integer v) : key(k), value(static_cast<std::int64_t>(v)) {}

  std::string_view key;
  std::variant<std::string, bool, double, std::int64_t> value;
};

using Fields = std::initializer_list<Field>;

// The words of the --log-format and --log-level flags. Error: Invalid, naming the words that exist.
Result<Format> parse_format(std::string_view word);
Result<Level> parse_level(std::string_view word);

void configure(Format format, Level level);

void debug(std::string_view message, Fields fields = {});
void info(std::string_view message, Fields fields = {});
void warn(std::string_view message, Fields fields = {});
void error(std::string_view message, Fields fields = {});

// One line without its end, as the functions above print it; `time` is RFC 3339. For tests.
std::string render(Format format, std::string_view time, Level level, std::string_view message,
                   Fields fields);

}  // namespace mcpfleet::log
