#include "desired/objects.h"

namespace mcpfleet::desired {

Object object_of(const Kind& kind, const std::string& namespace_, const std::string& name,
                 std::string body) {
  std::string path = kind.prefix;
  if (!namespace_.empty()) path += "/namespaces/" + namespace_;
  return {kind.api_version, kind.name, name, path + "/" + kind.plural + "/" + name,
          std::move(body)};
}

void add(const Kind& kind, const std::string& namespace_, const std::string& name,
         const fleet::Json& body, Desired& result) {
  if (body.is_null())
    result.unwanted.push_back(object_of(kind, namespace_, name, {}));
  else
    result.objects.push_back(object_of(kind, namespace_, name, fleet::to_text(body)));
}

}  // namespace mcpfleet::desired
