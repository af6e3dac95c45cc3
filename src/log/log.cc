#include "log/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/time_text.h"

namespace mcpfleet::log {
namespace {

Format g_format = Format::Text;

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::Debug:
      return spdlog::level::debug;
    case Level::Info:
      return spdlog::level::info;
    case Level::Warn:
      return spdlog::level::warn;
    case Level::Error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

const char* word(Level level) {
  switch (level) {
    case Level::Debug:
      return "debug";
    case Level::Info:
      return "info";
    case Level::Warn:
      return "warn";
    case Level::Error:
      return "error";
  }
  return "info";
}

nlohmann::json to_json(const Field& field) {
  return std::visit([](const auto& value) { return nlohmann::json(value); }, field.value);
}

// Text values are quoted where a reader could not tell where they end.
std::string to_text(const Field& field) {
  const auto* text = std::get_if<std::string>(&field.value);
  const bool plain =
      text != nullptr && !text->empty() && text->find_first_of(" \"=\n\t\r\\") == std::string::npos;
  if (plain) return *text;
  return to_json(field).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

spdlog::logger& logger() {
  static auto instance = [] {
    auto made = std::make_shared<spdlog::logger>("mcpfleet",
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->set_level(spdlog::level::info);
    return made;
  }();
  return *instance;
}

void write(Level level, std::string_view message, Fields fields) {
  auto& out = logger();
  if (!out.should_log(to_spdlog(level))) return;
  const auto time = to_rfc3339(SystemClock().wall());
  out.log(to_spdlog(level), "{}", render(g_format, time, level, message, fields));
}

}  // namespace

Result<Format> parse_format(std::string_view word) {
  if (word == "text") return Format::Text;
  if (word == "json") return Format::Json;
  return fail(ErrorKind::Invalid, "must be text or json");
}

Result<Level> parse_level(std::string_view word) {
  if (word == "debug") return Level::Debug;
  if (word == "info") return Level::Info;
  if (word == "warn") return Level::Warn;
  if (word == "error") return Level::Error;
  return fail(ErrorKind::Invalid, "must be debug, info, warn or error");
}

void configure(Format format, Level level) {
  g_format = format;
  logger().set_level(to_spdlog(level));
}

std::string render(Format format, std::string_view time, Level level, std::string_view message,
                   Fields fields) {
  if (format == Format::Json) {
    nlohmann::ordered_json line{{"time", time}, {"level", word(level)}, {"msg", message}};
    for (const auto& field : fields) line[std::string(field.key)] = to_json(field);
    return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }
  std::string line(time);
  line.append(" ").append(word(level)).append(" ").append(message);
  for (const auto& field : fields)
    line.append(" ").append(field.key).append("=").append(to_text(field));
  return line;
}

void debug(std::string_view message, Fields fields) { write(Level::Debug, message, fields); }
void info(std::string_view message, Fields fields) { write(Level::Info, message, fields); }
void warn(std::string_view message, Fields fields) { write(Level::Warn, message, fields); }
void error(std::string_view message, Fields fields) { write(Level::Error, message, fields); }

}  // namespace mcpfleet::log
