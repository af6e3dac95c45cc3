#include "kube/json_text.h"

#include <simdjson.h>

namespace mcpfleet::kube {
namespace {

namespace ondemand = simdjson::ondemand;

// The first document of `text`, in a parser of this thread. `slot` tells parsers apart that are in
// use at the same time.
template <int slot>
simdjson::simdjson_result<ondemand::document> iterate(std::string& text) {
  thread_local ondemand::parser parser;
  text.reserve(text.size() + simdjson::SIMDJSON_PADDING);
  return parser.iterate(simdjson::padded_string_view(text.data(), text.size(), text.capacity()));
}

std::string text_of(ondemand::value value) {
  std::string_view text;
  return value.get_string().get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

template <typename Visit>
simdjson::error_code for_each_field(ondemand::object object, const Visit& visit) {
  for (auto field : object) {
    std::string_view key;
    if (const auto error = field.unescaped_key().get(key)) return error;
    ondemand::value value;
    if (const auto error = field.value().get(value)) return error;
    if (const auto error = visit(key, value)) return error;
  }
  return simdjson::SUCCESS;
}

simdjson::error_code read_list_metadata(ondemand::value value, ListPage& page) {
  ondemand::object metadata;
  if (const auto error = value.get_object().get(metadata)) return error;
  return for_each_field(metadata, [&](std::string_view key, ondemand::value field) {
    if (key == "resourceVersion") page.resource_version = text_of(field);
    if (key == "continue") page.continue_token = text_of(field);
    return simdjson::SUCCESS;
  });
}

simdjson::error_code read_items(ondemand::value value,
                                const std::function<void(std::string_view)>& item) {
  bool null = false;
  if (value.is_null().get(null) == simdjson::SUCCESS && null) return simdjson::SUCCESS;
  ondemand::array items;
  if (const auto error = value.get_array().get(items)) return error;
  for (auto element : items) {
    ondemand::object object;
    if (const auto error = element.get_object().get(object)) return error;
    std::string_view raw;
    if (const auto error = object.raw_json().get(raw)) return error;
    item(raw);
  }
  return simdjson::SUCCESS;
}

simdjson::error_code read_object_metadata(ondemand::value value, WatchEvent& event) {
  ondemand::object metadata;
  if (const auto error = value.get_object().get(metadata)) return error;
  return for_each_field(metadata, [&](std::string_view key, ondemand::value field) {
    if (key == "resourceVersion") event.resource_version = text_of(field);
    if (key == "namespace") event.namespace_ = text_of(field);
    if (key == "name") event.name = text_of(field);
    return simdjson::SUCCESS;
  });
}

simdjson::error_code read_object(WatchEvent& event) {
  std::string copy(event.object);
  ondemand::document document;
  if (const auto error = iterate<1>(copy).get(document)) return error;
  ondemand::object object;
  if (const auto error = document.get_object().get(object)) return error;
  return for_each_field(object, [&](std::string_view key, ondemand::value value) {
    if (key == "metadata") return read_object_metadata(value, event);
    if (key == "code" && event.type == WatchEvent::Type::Error) {
      std::int64_t code = 0;
      if (value.get_int64().get(code) == simdjson::SUCCESS)
        event.error_code = static_cast<int>(code);
    }
    return simdjson::SUCCESS;
  });
}

bool read_type(std::string_view word, WatchEvent::Type& type) {
  constexpr std::pair<std::string_view, WatchEvent::Type> kWords[] = {
      {"ADDED", WatchEvent::Type::Added},     {"MODIFIED", WatchEvent::Type::Modified},
      {"DELETED", WatchEvent::Type::Deleted}, {"BOOKMARK", WatchEvent::Type::Bookmark},
      {"ERROR", WatchEvent::Type::Error},
  };
  for (const auto& [text, value] : kWords) {
    if (text == word) {
      type = value;
      return true;
    }
  }
  return false;
}

std::unexpected<Error> malformed(const char* what, simdjson::error_code error) {
  return fail(ErrorKind::Malformed,
              std::string(what) + " cannot be read: " + simdjson::error_message(error));
}

}  // namespace

Result<ListPage> split_list(std::string& body, const std::function<void(std::string_view)>& item) {
  ListPage page;
  ondemand::document document;
  if (const auto error = iterate<0>(body).get(document)) return malformed("the list", error);
  ondemand::object object;
  if (const auto error = document.get_object().get(object)) return malformed("the list", error);
  const auto error = for_each_field(object, [&](std::string_view key, ondemand::value value) {
    if (key == "metadata") return read_list_metadata(value, page);
    if (key == "items") return read_items(value, item);
    return simdjson::SUCCESS;
  });
  if (error) return malformed("the list", error);
  if (page.resource_version.empty()) {
    return fail(ErrorKind::Malformed, "the list has no metadata.resourceVersion");
  }
  return page;
}

Result<WatchEvent> parse_watch_event(std::string& line) {
  WatchEvent event;
  bool known = false;
  ondemand::document document;
  if (const auto error = iterate<0>(line).get(document)) return malformed("a watch event", error);
  ondemand::object object;
  if (const auto error = document.get_object().get(object)) {
    return malformed("a watch event", error);
  }
  auto error = for_each_field(object, [&](std::string_view key, ondemand::value value) {
    if (key == "type") known = read_type(text_of(value), event.type);
    if (key == "object") {
      ondemand::object inner;
      if (const auto e = value.get_object().get(inner)) return e;
      return inner.raw_json().get(event.object);
    }
    return simdjson::SUCCESS;
  });
  if (!error && !event.object.empty()) error = read_object(event);
  if (error) return malformed("a watch event", error);
  if (!known || event.object.empty()) {
    return fail(ErrorKind::Malformed, "a watch event has no known type or no object");
  }
  return event;
}

}  // namespace mcpfleet::kube
