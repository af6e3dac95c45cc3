#include "manifest/manifest.h"

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <nlohmann/json.hpp>

namespace mcpfleet::manifest {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 64;
constexpr std::size_t kMaxNodes = 2'000'000;  // aliases make much of little

// A plain scalar is what YAML 1.2's JSON schema takes it for; a quoted one ("!") is a string.
json scalar(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  if (node.Tag() == "!") return text;
  if (text == "true") return true;
  if (text == "false") return false;
  if (text.empty() || text == "~" || text == "null") return nullptr;
  std::int64_t whole = 0;
  if (YAML::convert<std::int64_t>::decode(node, whole)) return whole;
  double number = 0;
  if (YAML::convert<double>::decode(node, number)) return number;
  return text;
}

json to_json(const YAML::Node& node, int depth, std::size_t& nodes) {
  if (depth > kMaxDepth) throw YAML::ParserException(node.Mark(), "it is nested too deeply");
  if (++nodes > kMaxNodes) throw YAML::ParserException(node.Mark(), "it has too many values");
  if (node.IsMap()) {
    json object = json::object();
    for (const auto& field : node)
      object[field.first.Scalar()] = to_json(field.second, depth + 1, nodes);
    return object;
  }
  if (node.IsSequence()) {
    json list = json::array();
    for (const auto& item : node) list.push_back(to_json(item, depth + 1, nodes));
    return list;
  }
  return node.IsScalar() ? scalar(node) : json();
}

std::string kind_of(const json& object) {
  const auto found = object.find("kind");
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

void add(const json& object, std::vector<Object>& objects) {
  if (!object.is_object()) return;
  auto kind = kind_of(object);
  const auto items = object.find("items");
  if (kind.ends_with("List") && items != object.end() && items->is_array()) {
    for (const auto& item : *items)
      if (item.is_object()) objects.push_back({kind_of(item), item.dump()});
  } else {
    objects.push_back({std::move(kind), object.dump()});
  }
}

}  // namespace

Result<std::vector<Object>> read_objects(std::string_view text, const std::string& name,
                                         std::size_t most_bytes) {
  if (text.size() > most_bytes)
    return fail(ErrorKind::TooLarge,
                name + ": it is larger than " + std::to_string(most_bytes) + " bytes");
  std::vector<Object> objects;
  std::size_t nodes = 0;
  try {
    for (const YAML::Node& document : YAML::LoadAll(std::string(text)))
      add(to_json(document, 0, nodes), objects);
  } catch (const YAML::Exception& error) {
    return fail(ErrorKind::Invalid, name + ":" + std::to_string(error.mark.line + 1) +
                                        ": it is not YAML: " + error.msg);
  } catch (const json::exception&) {
    return fail(ErrorKind::Invalid, name + ": it has text that is not UTF-8");
  }
  return objects;
}

}  // namespace mcpfleet::manifest
