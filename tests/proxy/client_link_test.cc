#include "proxy/client_link.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/write.hpp>
#include <optional>

namespace mcpfleet::proxy {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

// A client's connection on loopback, and the loop that it is served by.
class ClientLinkTest : public testing::Test {
 protected:
  ClientLinkTest() {
    Acceptor acceptor(io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    client_.connect(acceptor.local_endpoint());
    link_.emplace(plane_, acceptor.accept());
  }
  // Begins to wait for a request; how long that may take.
  Duration wait_for_request() {
    asio::co_spawn(io_, link_->read_request(), asio::detached);
    while (link_->deadline == MonotonicTime::max()) io_.run_one();
    return left();
  }
  Duration left() const { return link_->deadline - plane_.now(); }

  asio::io_context io_{1};
  DataPlane plane_{io_, 1000, seconds(0)};
  Socket client_{io_};
  std::optional<ClientLink> link_;
};

TEST_F(ClientLinkTest, ARequestMayNotBeLongInComing) {
  const auto time = wait_for_request();
  EXPECT_GT(time, seconds(60));
  EXPECT_LE(time, seconds(75));
}

TEST_F(ClientLinkTest, WhoMayStayLongerMustStillSendAHeadInTime) {
  link_->wait_for_requests(hours(24));
  EXPECT_GT(wait_for_request(), hours(23));
  asio::write(client_, asio::buffer("POST /mcp HTTP/1.1\r\n", 20));
  while (left() > hours(1)) io_.run_one();
  EXPECT_LE(left(), seconds(75));
}

}  // namespace
}  // namespace mcpfleet::proxy
