#include "metrics-adapter/server_record.h"

#include "metrics-adapter/json_reader.h"

namespace mcpfleet::adapter {

Result<ServerRecord> decode_server(std::string_view json) {
  thread_local JsonReader reader;
  auto server = reader.read(json);
  if (!server) return fail(server.error().context("MCPServer"));
  ServerRecord record;
  record.namespace_ = text_at(*server, {"metadata", "namespace"});
  record.name = text_at(*server, {"metadata", "name"});
  if (record.name.empty() || record.namespace_.empty())
    return fail(ErrorKind::Malformed, "an MCPServer without metadata.name or namespace");
  record.labels = labels_at(*server, {"metadata", "labels"});
  auto recommended = *server;
  std::int64_t replicas = 0;
  if (find(recommended, {"status", "scaling", "recommendedReplicas"}) &&
      recommended.get(replicas) == simdjson::SUCCESS && replicas >= 0)
    record.recommended_replicas = replicas;
  return record;
}

}  // namespace mcpfleet::adapter
