// The names of enumerated values, as people read them.
#include "scaling/facts.h"
#include "scaling/proposal.h"
#include "scaling/verdict.h"

namespace mcpfleet::scaling {

const char* metric_name(Signal signal) {
  switch (signal) {
    case Signal::RequestsPerSecond:
      return "mcp_requests_per_second";
    case Signal::Concurrency:
      return "mcp_requests_in_flight";
    case Signal::Sessions:
      return "mcp_active_sessions";
    case Signal::Latency:
      return "mcp_request_duration_seconds";
    case Signal::CpuUtilization:
      return "cpu";
    case Signal::MemoryUtilization:
      return "memory";
  }
  return "?";
}

const char* name(Recommender by) {
  switch (by) {
    case Recommender::None:
      return "none";
    case Recommender::Rules:
      return "rules";
    case Recommender::Target:
      return "target";
    case Recommender::Panic:
      return "panic";
    case Recommender::Latency:
      return "latency";
    case Recommender::Schedule:
      return "schedule";
    case Recommender::Forecast:
      return "forecast";
  }
  return "?";
}

const char* name(Clip clip) {
  switch (clip) {
    case Clip::Minimum:
      return "minReplicas";
    case Clip::Maximum:
      return "maxReplicas";
    case Clip::RatePolicy:
      return "rate policy";
    case Clip::Stabilization:
      return "stabilization window";
    case Clip::PanicHold:
      return "panic";
    case Clip::MissingData:
      return "missing data";
  }
  return "?";
}

}  // namespace mcpfleet::scaling
