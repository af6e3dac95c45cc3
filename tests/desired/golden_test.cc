// The exact bytes of pod templates. A release that changes one of them restarts every such pod of
// every user when its operator starts: that must be seen in review.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "desired/desired.h"
#include "servers.h"

namespace mcpfleet::desired {
namespace {

struct Form {
  const char* name;
  const char* spec;
};

const Form kForms[] = {
    {"streamable-http",
     R"({"config": {"port": 3001, "env": [{"name": "PORT", "value": "3001"}]}})"},
    {"stdio", R"({"transport": {"type": "stdio"}, "config": {"command": ["mcp-server-time"]}})"},
    {"sse", R"({"transport": {"type": "sse"}, "config": {"port": 8000}})"},
    {"everything", R"({
      "source": {"containerImage": {"ref": "localhost/time:1", "pullPolicy": "Always", "imagePullSecrets": [{"name": "pull"}]}},
      "transport": {"type": "stdio", "stdio": {"maxProcesses": 7}},
      "config": {"path": "/v1/mcp", "command": ["serve"], "arguments": ["--fast"],
        "env": [{"name": "A", "value": "b"}], "envFrom": [{"secretRef": {"name": "tokens"}}],
        "storage": [{"name": "keys", "mountPath": "/keys", "readOnly": true, "secret": {"name": "api-keys", "optional": true}},
                    {"name": "tmp", "mountPath": "/tmp", "emptyDir": {"sizeLimit": "1Gi"}}]},
      "runtime": {"replicas": 4, "resources": {"requests": {"cpu": "100m"}, "limits": {"memory": "1Gi"}},
        "podTemplate": {"metadata": {"labels": {"team": "search"}},
                        "spec": {"nodeSelector": {"disk": "ssd"}, "containers": [{"name": "log", "image": "l:1"}]}}},
      "sessions": {"drainTimeout": "5s", "idleTimeout": "90s"},
      "disruption": {"maxUnavailable": 1}, "network": {"ingressFrom": []}, "autoscaling": {}})"}};

std::string read(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST(GoldenTest, PodTemplatesAreTheSameBytesAsInTheLastRelease) {
  for (const auto& form : kForms) {
    Context with = context();
    with.config_fingerprint = "0123456789abcdef";
    const json deployment = find(build(server_with(form.spec), with), "Deployment");
    const std::string got = deployment["spec"]["template"].dump(2) + "\n";
    const std::string golden =
        std::string(MCPFLEET_SOURCE_DIR "/tests/desired/golden/") + form.name + ".json";
    const std::string seen = testing::TempDir() + form.name + ".json";
    if (read(golden) == got) continue;
    std::ofstream(seen) << got;
    ADD_FAILURE() << "every " << form.name
                  << " pod would be restarted by this release; if that is meant, "
                  << "say so in CHANGELOG.md and copy " << seen << " to " << golden;
  }
}

}  // namespace
}  // namespace mcpfleet::desired
