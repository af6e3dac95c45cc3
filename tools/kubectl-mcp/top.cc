#include "tools/kubectl-mcp/top.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "kube/paths.h"
#include "kube/store.h"
#include "tools/kubectl-mcp/in_parallel.h"
#include "tools/kubectl-mcp/metrics_api.h"
#include "tools/kubectl-mcp/page.h"
#include "tools/kubectl-mcp/terminal.h"
#include "tools/kubectl-mcp/top_table.h"

namespace mcpfleet::kubectl {
namespace {

using std::chrono::milliseconds;

constexpr const char* kServers = "mcpfleet.dev/v1alpha1";
constexpr std::chrono::seconds kPatience{10};  // for the first list
constexpr std::size_t kMostNotes = 3;

struct LiveColumn {
  const char* metric;
  std::optional<double> TopRow::* field;
};
constexpr std::array<LiveColumn, 5> kLive{{{"mcp_requests_per_second", &TopRow::rate},
                                           {"mcp_request_duration_seconds_p95", &TopRow::p95},
                                           {"mcp_error_ratio", &TopRow::error_ratio},
                                           {"mcp_requests_in_flight", &TopRow::in_flight},
                                           {"mcp_active_sessions", &TopRow::sessions}}};

// Fills in what the metrics API has; returns its complaints, each once.
std::vector<std::string> read_live(kube::Client& client, std::vector<TopRow>& rows) {
  std::set<std::string> distinct;
  for (const auto& row : rows) distinct.insert(row.namespace_);
  const std::vector<std::string> namespaces(distinct.begin(), distinct.end());
  std::vector<Result<TimedValues>> answers(namespaces.size() * kLive.size());
  in_parallel(answers.size(), [&](std::size_t i) {
    answers[i] =
        read_values(client, namespaces[i / kLive.size()], kLive.at(i % kLive.size()).metric);
  });
  std::vector<std::string> complaints;
  for (const auto& answer : answers) {
    if (answer || std::ranges::find(complaints, answer.error().message) != complaints.end()) {
      continue;
    }
    complaints.push_back(answer.error().message);
  }
  for (auto& row : rows) {
    const auto at = std::ranges::lower_bound(namespaces, row.namespace_) - namespaces.begin();
    for (std::size_t i = 0; i < kLive.size(); ++i) {
      const auto& answer = answers[static_cast<std::size_t>(at) * kLive.size() + i];
      if (!answer) continue;
      const auto found = answer->find(row.name);
      if (found != answer->end()) row.*kLive.at(i).field = found->second.value;
    }
  }
  return complaints;
}

class Top {
 public:
  Top(const Options& options, const Cluster& cluster, const Clock& clock,
      const std::function<std::string(const char*)>& environment)
      : options_(options), cluster_(cluster), clock_(clock), environment_(environment) {
    const std::string scope = options.all_namespaces ? "" : cluster.namespace_;
    reflector_ = kube::Reflector::start(
        *cluster.client, {.path = kube::collection_path(kServers, scope, "mcpservers")}, store_);
  }

  Result<int> run() {
    if (auto known = wait_for_list(); !known) return fail(known.error());
    const auto terminal = look_at_terminal(environment_);
    if (!terminal.present || options_.once) return draw_once(terminal);
    for (;;) {
      const auto begun = clock_.monotonic();
      draw_live();
      std::this_thread::sleep_until(begun + options_.interval);
    }
  }

 private:
  Result<void> wait_for_list() {
    const auto until = clock_.monotonic() + kPatience;
    while (!reflector_->synced()) {
      // The first failure is told at once: a person waits. What lists says why in full.
      if (!reflector_->last_error().empty() || clock_.monotonic() > until) return why();
      std::this_thread::sleep_for(milliseconds(5));
    }
    return {};
  }

  Result<void> why() {
    const std::string scope = options_.all_namespaces ? "" : cluster_.namespace_;
    const auto list =
        cluster_.client->get(kube::collection_path(kServers, scope, "mcpservers") + "?limit=1");
    if (!list) return fail(list.error());
    return fail(ErrorKind::Unavailable, reflector_->last_error());
  }

  std::vector<TopRow> rows() const {
    std::vector<TopRow> result;
    for (const auto& row : store_.all()) {
      const auto& names = options_.names;
      if (names.empty() || std::ranges::find(names, row->name) != names.end()) {
        result.push_back(*row);
      }
    }
    return result;
  }

  // The names that were asked for and do not exist.
  std::vector<std::string> missing(const std::vector<TopRow>& found) const {
    std::vector<std::string> result;
    for (const auto& name : options_.names) {
      if (std::ranges::find(found, name, &TopRow::name) == found.end()) result.push_back(name);
    }
    return result;
  }

  // The table, and below it what is to be said.
  std::string drawn(std::vector<TopRow>& found, const Terminal& terminal, std::size_t most_rows) {
    auto notes = read_live(*cluster_.client, found);
    if (notes.size() > kMostNotes) notes.resize(kMostNotes);
    if (const auto error = reflector_->last_error(); !error.empty()) {
      notes.push_back("The MCPServers are those of before: " +
                      server_words({ErrorKind::Unavailable, error}));
    }
    sort_rows(found, options_.sort);
    const std::size_t room = most_rows > notes.size() ? most_rows - notes.size() : 1;
    std::string text = top_table(found, {.namespaces = options_.all_namespaces,
                                         .width = terminal.width,
                                         .most_rows = room,
                                         .colour = terminal.colour,
                                         .now = clock_.wall()});
    Page page(terminal.width, terminal.colour);
    for (const auto& note : notes) page.paragraph(0, note, Paint::Warning);
    return text + page.text();
  }

  std::string nothing_found() const {
    if (options_.all_namespaces) return "No resources found";
    return "No resources found in " + cluster_.namespace_ + " namespace.";
  }

  int draw_once(const Terminal& terminal) {
    auto found = rows();
    const auto absent = missing(found);
    if (found.empty() && absent.empty()) {
      std::fprintf(stderr, "%s\n", nothing_found().c_str());
      return 0;
    }
    if (!found.empty()) std::fputs(drawn(found, terminal, ~std::size_t{0}).c_str(), stdout);
    std::fflush(stdout);
    for (const auto& name : absent) {
      const Error error{ErrorKind::NotFound, "mcpservers.mcpfleet.dev \"" + name + "\" not found"};
      std::fprintf(stderr, "%s\n", kubectl_words(error).c_str());
    }
    return absent.empty() ? 0 : 1;
  }

  void draw_live() {
    const auto terminal = look_at_terminal(environment_);
    auto found = rows();
    constexpr std::size_t kRest = 3;  // the title, the head, and the cursor's line
    const std::size_t room = terminal.height > kRest + 1 ? terminal.height - kRest : 1;
    Page title(terminal.width, terminal.colour);
    title.paragraph(0,
                    std::to_string(found.size()) +
                        (found.size() == 1 ? " MCPServer in " : " MCPServers in ") +
                        (options_.all_namespaces ? "all namespaces" : cluster_.namespace_) +
                        "; Ctrl-C ends this",
                    Paint::Faint);
    const std::string text = title.text() + drawn(found, terminal, room);
    // Over what stands there, each line to its end, then what is left below: without a flicker.
    std::string screen = "\x1b[H";
    for (const char c : text) screen += c == '\n' ? std::string("\x1b[K\n") : std::string(1, c);
    screen += "\x1b[J";
    if (!std::exchange(cleared_, true)) screen = "\x1b[2J" + screen;
    std::fputs(screen.c_str(), stdout);
    std::fflush(stdout);
  }

  const Options& options_;
  const Cluster& cluster_;
  const Clock& clock_;
  const std::function<std::string(const char*)>& environment_;
  bool cleared_ = false;
  kube::Store<TopRow> store_{decode_row, [](const std::string&) {}, [](const Error&) {}};
  std::unique_ptr<kube::Reflector> reflector_;  // after what it feeds
};

}  // namespace

Result<int> run_top(const Options& options, const Cluster& cluster, const Clock& clock,
                    const std::function<std::string(const char*)>& environment) {
  return Top(options, cluster, clock, environment).run();
}

}  // namespace mcpfleet::kubectl
