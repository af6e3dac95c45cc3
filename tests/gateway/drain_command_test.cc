#include "gateway/drain_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <future>

#include "test_net.h"

namespace mcpfleet::sidecar {
namespace {

using proxy::FakeServer;
using proxy::TestSidecar;
using std::chrono::seconds;
using ::testing::StartsWith;

std::string socket_path() {
  return ::testing::TempDir() + "drain-" + std::to_string(::getpid()) + ".sock";
}

constexpr std::string_view kCall = R"({"id":1,"method":"ping"})";

TEST(DrainCommand, WaitsForWhatIsInFlight) {
  std::promise<void> release;
  FakeServer server([&](proxy::Wire& wire) {
    wire.read_message();
    release.get_future().wait_for(seconds(10));
    wire.send(proxy::json_response(R"({"id":1,"result":{}})"));
  });
  auto options = proxy::for_upstream(server);
  options.drain_socket = socket_path();
  TestSidecar sidecar(options);
  struct stat found{};
  ASSERT_EQ(::stat(options.drain_socket.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0666u);
  const auto wire = sidecar.connect();
  wire->send(proxy::post(kCall));
  ASSERT_TRUE(proxy::eventually([&] { return sidecar.has_metric("mcp_requests_in_flight 1"); }));
  auto drained =
      std::async(std::launch::async, [&] { return drain({options.drain_socket, seconds(20)}); });
  ASSERT_TRUE(proxy::eventually([&] { return sidecar.has_metric("mcp_draining 1"); }));
  EXPECT_EQ(drained.wait_for(std::chrono::milliseconds(600)), std::future_status::timeout);
  release.set_value();
  EXPECT_EQ(drained.get(), "done, 0 requests in flight");
  EXPECT_THAT(wire->read_message(), StartsWith("HTTP/1.1 200"));
}

TEST(DrainCommand, GivesUpAtItsTimeout) {
  FakeServer server([](proxy::Wire& wire) { wire.closed(); });
  auto options = proxy::for_upstream(server);
  options.drain_socket = socket_path();
  TestSidecar sidecar(options);
  const auto wire = sidecar.connect();
  wire->send(proxy::post(kCall));
  ASSERT_TRUE(proxy::eventually([&] { return sidecar.has_metric("mcp_requests_in_flight 1"); }));
  EXPECT_EQ(drain({options.drain_socket, seconds(1)}), "done, 1 requests in flight");
}

TEST(DrainCommand, SaysThatNobodyListens) {
  const auto drained = drain({"/nowhere/drain.sock", seconds(1)});
  ASSERT_FALSE(drained);
  EXPECT_EQ(drained.error().message,
            "no sidecar can be reached at /nowhere/drain.sock: No such file or directory");
  EXPECT_EQ(drain({std::string(200, 'x'), seconds(1)}).error().kind, ErrorKind::Invalid);
}

TEST(DrainCommand, ASidecarWithoutPlaceForTheSocketServesAllTheSame) {
  FakeServer server(proxy::each_request(
      [](const std::string&) { return proxy::json_response(R"({"id":1,"result":{}})"); }));
  auto options = proxy::for_upstream(server);
  options.drain_socket = "/nowhere/drain.sock";
  TestSidecar sidecar(options);
  EXPECT_THAT(sidecar.exchange(proxy::post(kCall)), StartsWith("HTTP/1.1 200"));
}

}  // namespace
}  // namespace mcpfleet::sidecar
