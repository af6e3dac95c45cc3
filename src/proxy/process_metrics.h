// What Linux says of this process, under the names that every Prometheus client library uses.
#pragma once

namespace mcpfleet::metrics {
class ExpositionWriter;
}

namespace mcpfleet::proxy {

// Writes process_start_time_seconds, process_resident_memory_bytes and process_cpu_seconds_total.
void write_process_metrics(metrics::ExpositionWriter& out);

}  // namespace mcpfleet::proxy
