#include "proxy/process_metrics.h"

#include <unistd.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include "metrics/exposition_writer.h"

namespace mcpfleet::proxy {
namespace {

std::string read_file(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

double boot_time() {
  const auto text = read_file("/proc/stat");
  const auto at = text.find("\nbtime ");
  return at == std::string::npos ? 0 : std::stod(text.substr(at + 7));
}

}  // namespace

void write_process_metrics(metrics::ExpositionWriter& out) {
  using Type = metrics::ExpositionWriter::Type;
  // The fields behind the program's name, which may hold anything (proc(5)): state is number 3.
  const auto stat = read_file("/proc/self/stat");
  const auto name_end = stat.rfind(')');
  if (name_end == std::string::npos) return;
  std::istringstream fields(stat.substr(name_end + 1));
  std::string word;
  double user = 0, system = 0, started = 0, pages = 0;
  for (int number = 3; number <= 24 && fields >> word; ++number) {
    if (number == 14) user = std::stod(word);
    if (number == 15) system = std::stod(word);
    if (number == 22) started = std::stod(word);
    if (number == 24) pages = std::stod(word);
  }
  static const double boot = boot_time();
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  out.family("process_start_time_seconds", "Unix time of the start of the process.", Type::Gauge);
  out.sample("process_start_time_seconds", {}, boot + started / ticks);
  out.family("process_resident_memory_bytes", "Resident memory.", Type::Gauge);
  out.sample("process_resident_memory_bytes", {},
             pages * static_cast<double>(::sysconf(_SC_PAGESIZE)));
  out.family("process_cpu_seconds_total", "User and system CPU time.", Type::Counter);
  out.sample("process_cpu_seconds_total", {}, (user + system) / ticks);
}

}  // namespace mcpfleet::proxy
