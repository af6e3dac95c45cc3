// A roster with pods and servers that a test makes up.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "metrics-adapter/roster.h"

namespace mcpfleet::adapter {

class MadeUpFleet {
 public:
  PodTarget& pod(std::string namespace_, std::string name, std::string server) {
    auto target = std::make_shared<PodTarget>();
    target->namespace_ = std::move(namespace_);
    target->name = std::move(name);
    target->uid = "uid-" + target->namespace_ + "-" + target->name;
    target->server = std::move(server);
    target->labels = {{std::string(kServerLabel), target->server}};
    target->ready = true;
    target->ready_since = clock.wall() - std::chrono::hours(1);
    target->was_ready = true;
    target->created = *target->ready_since;
    pods.push_back(target);
    return *target;
  }

  ServerRecord& server(std::string namespace_, std::string name) {
    auto record = std::make_shared<ServerRecord>();
    record->namespace_ = std::move(namespace_);
    record->name = std::move(name);
    servers.push_back(record);
    return *record;
  }

  // What a pod's last scrape, `age` ago, says: `requests` of `tool` in the last 10 seconds.
  void scraped(const std::string& namespace_, const std::string& name, double requests,
               double seconds_each = 0.1, Duration age = {}) {
    auto view = std::make_shared<metrics::PodView>();
    view->at = {clock.wall() - age, clock.monotonic() - age};
    view->covered = std::chrono::seconds(10);
    view->in_flight = 2;
    view->sessions = 5;
    view->total.requests = requests;
    for (int i = 0; i < static_cast<int>(requests); ++i)
      view->total.durations.observe(seconds_each);
    if (requests > 0) view->kinds.push_back({"tools/call", "search", view->total});
    auto health = std::make_shared<PodHealth>();
    health->view = std::move(view);
    entry(namespace_, name).record->health.store(std::move(health));
  }

  // A pod that was scraped once a second, `scrapes` times until now, and counted `calls(i)` by
  // then, of a second each.
  void counted(const std::string& namespace_, const std::string& name, int scrapes,
               const std::function<int(int i)>& calls) {
    const auto record = entry(namespace_, name).record;
    for (int i = 0; i < scrapes; ++i) {
      const auto ago = std::chrono::seconds(scrapes - 1 - i);
      metrics::Sample sample;
      sample.in_flight = 2;
      sample.calls.push_back(
          {"tools/call", "search", static_cast<double>(calls(i)), 0, {}, {}, {}});
      for (int call = 0; call < calls(i); ++call) sample.calls.back().durations.observe(1);
      record->window.add({clock.wall() - ago, clock.monotonic() - ago}, std::move(sample));
    }
    auto health = std::make_shared<PodHealth>();
    health->view = std::make_shared<const metrics::PodView>(record->window.view());
    record->health.store(std::move(health));
  }

  // A pod that is no MCP server's exposes this, and of it `wanted` is kept.
  void exposes(const std::string& namespace_, const std::string& name, std::string_view text,
               const metrics::WantedSeries& wanted) {
    metrics::SeriesWindow window(std::chrono::seconds(30));
    window.begin(clock.monotonic(), std::make_shared<const metrics::WantedSeries>(wanted), 100);
    const auto take = [&window](const metrics::SeriesView& series) -> Result<void> {
      window.take(series);
      return {};
    };
    EXPECT_TRUE(metrics::parse_exposition(text, {}, take));
    window.end();
    auto view = std::make_shared<metrics::PodView>();
    view->at = {clock.wall(), clock.monotonic()};
    view->covered = std::chrono::seconds(10);
    view->has_mcp = false;
    view->series = std::make_shared<const metrics::SeriesStates>(window.states());
    auto health = std::make_shared<PodHealth>();
    health->view = std::move(view);
    entry(namespace_, name).record->health.store(std::move(health));
  }

  void failing(const std::string& namespace_, const std::string& name, std::string why,
               Duration since) {
    auto health = std::make_shared<PodHealth>();
    health->failure = std::move(why);
    health->failing_since = clock.monotonic() - since;
    entry(namespace_, name).record->health.store(std::move(health));
  }

  PodEntry entry(const std::string& namespace_, const std::string& name) {
    roster.touch();
    roster.refresh();
    for (const auto& found : roster.snapshot()->namespaces.at(namespace_).pods)
      if (found.target->name == name) return found;
    return {};
  }

  ManualClock clock;
  bool synced = true;
  std::vector<std::shared_ptr<const PodTarget>> pods;
  std::vector<std::shared_ptr<const ServerRecord>> servers;
  Roster roster{[this] { return pods; }, [this] { return servers; }, [this] { return synced; },
                std::chrono::seconds(30)};
};

}  // namespace mcpfleet::adapter
