#include "kube/json_text.h"

#include "kube/ondemand.h"

namespace mcpfleet::kube {
namespace {

namespace ondemand = simdjson::ondemand;

// The document of `size` bytes at `begin` of `text`, in this thread's parser.
simdjson::simdjson_result<ondemand::document> iterate(std::string& text, std::size_t begin,
                                                      std::size_t size) {
  thread_local ondemand::parser parser;
  text.reserve(begin + size + simdjson::SIMDJSON_PADDING);
  return parser.iterate(
      simdjson::padded_string_view(text.data() + begin, size, text.capacity() - begin));
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

simdjson::error_code read_annotations(ondemand::value value, WatchEvent& event) {
  ondemand::object annotations;
  if (value.get_object().get(annotations)) return simdjson::SUCCESS;
  return for_each_field(annotations, [&](std::string_view key, ondemand::value field) {
    if (key == "k8s.io/initial-events-end") event.initial_events_end = text_of(field) == "true";
    return simdjson::SUCCESS;
  });
}

simdjson::error_code read_object_metadata(ondemand::value value, WatchEvent& event) {
  ondemand::object metadata;
  if (const auto error = value.get_object().get(metadata)) return error;
  return for_each_field(metadata, [&](std::string_view key, ondemand::value field) {
    if (key == "resourceVersion") event.resource_version = text_of(field);
    if (key == "namespace") event.namespace_ = text_of(field);
    if (key == "name") event.name = text_of(field);
    if (key == "annotations") return read_annotations(field, event);
    return simdjson::SUCCESS;
  });
}

simdjson::error_code read_object(ondemand::value value, WatchEvent& event) {
  ondemand::object object;
  if (const auto error = value.get_object().get(object)) return error;
  if (const auto error = object.raw_json().get(event.object)) return error;
  if (const auto error = object.reset().error()) return error;
  return for_each_field(object, [&](std::string_view key, ondemand::value field) {
    if (key == "metadata") return read_object_metadata(field, event);
    std::int64_t code = 0;
    if (key == "code" && field.get_int64().get(code) == simdjson::SUCCESS) {
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

Result<ListPage> parse_list_envelope(std::string& text) {
  ListPage page;
  ondemand::document document;
  if (const auto error = iterate(text, 0, text.size()).get(document)) {
    return malformed("the list", error);
  }
  ondemand::object object;
  if (const auto error = document.get_object().get(object)) return malformed("the list", error);
  const auto error = for_each_field(object, [&](std::string_view key, ondemand::value value) {
    return key == "metadata" ? read_list_metadata(value, page) : simdjson::SUCCESS;
  });
  if (error) return malformed("the list", error);
  return page;
}

Result<WatchEvent> parse_watch_event(std::string& buffer, std::size_t begin, std::size_t size) {
  WatchEvent event;
  bool known = false;
  ondemand::document document;
  if (const auto error = iterate(buffer, begin, size).get(document)) {
    return malformed("a watch event", error);
  }
  ondemand::object object;
  if (const auto error = document.get_object().get(object)) {
    return malformed("a watch event", error);
  }
  const auto error = for_each_field(object, [&](std::string_view key, ondemand::value value) {
    if (key == "type") known = read_type(text_of(value), event.type);
    return key == "object" ? read_object(value, event) : simdjson::SUCCESS;
  });
  if (error) return malformed("a watch event", error);
  if (!known || event.object.empty()) {
    return fail(ErrorKind::Malformed, "a watch event has no known type, or no object");
  }
  return event;
}

}  // namespace mcpfleet::kube
