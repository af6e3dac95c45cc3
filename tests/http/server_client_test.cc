// The server and the client against each other, and against peers that misbehave, on loopback.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <thread>

#include "http/client.h"
#include "http/server.h"

namespace mcpfleet::http {
namespace {

using namespace std::chrono_literals;

std::unique_ptr<Server> serve(Handler handler, ServerOptions options = {}) {
  options.address = "127.0.0.1";
  auto server = Server::start(options, std::move(handler));
  EXPECT_TRUE(server) << server.error().message;
  return std::move(*server);
}

Endpoint at(std::uint16_t port) { return {"127.0.0.1", port, false}; }

std::unique_ptr<Client> client(ClientOptions options = {}) {
  return std::move(Client::create(std::move(options)).value());
}

// A peer that accepts connections one after the other and does to each what a test wants.
class RawPeer {
 public:
  explicit RawPeer(std::function<void(int fd, int number)> act) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_, 16), 0);
    socklen_t size = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, act = std::move(act)] {
      for (int number = 0;; ++number) {
        const int fd = ::accept(listener_, nullptr, nullptr);
        if (fd < 0) return;
        act(fd, number);
        ::close(fd);
      }
    });
  }
  ~RawPeer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  std::uint16_t port() const { return port_; }

 private:
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

std::string read_request(int fd) {
  std::string text;
  char chunk[4096];
  while (text.find("\r\n\r\n") == std::string::npos) {
    const auto got = ::recv(fd, chunk, sizeof chunk, 0);
    if (got <= 0) break;
    text.append(chunk, static_cast<std::size_t>(got));
  }
  return text;
}

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
}

TEST(ServerClientTest, CarriesRequestAndAnswer) {
  auto server = serve([](Request request, Respond respond) {
    Response response =
        text_response(201, request.method + " " + request.target + " " + request.body);
    response.headers.add("X-Seen", std::string(request.headers.get("x-sent").value_or("")));
    respond(std::move(response));
  });
  auto http = client();
  auto got = http->call(
      at(server->port()),
      {.method = "POST", .target = "/a?b=c", .headers = {{"X-Sent", "7"}}, .body = "hello"}, {});
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->status, 201);
  EXPECT_EQ(got->body, "POST /a?b=c hello");
  EXPECT_EQ(got->headers.get("x-seen"), "7");
}

TEST(ServerClientTest, AnswersMayComeLaterAndFromAnotherThread) {
  std::thread later;
  auto server = serve([&](Request, Respond respond) {
    later = std::thread([respond] { respond(text_response(200, "later")); });
  });
  auto got = client()->call(at(server->port()), {}, {});
  later.join();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->body, "later");
}

TEST(ServerClientTest, ADroppedRequestIs500) {
  auto server = serve([](Request, Respond) {});
  auto got = client()->call(at(server->port()), {}, {});
  ASSERT_TRUE(got);
  EXPECT_EQ(got->status, 500);
}

TEST(ServerClientTest, AHandlerThatThrowsCostsOneRequest) {
  auto server = serve([](Request request, Respond respond) {
    if (request.target == "/broken") throw std::runtime_error("no such key");
    respond(text_response(200, "ok"));
  });
  auto http = client();
  auto got = http->call(at(server->port()), {.target = "/broken"}, {});
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->status, 500);
  EXPECT_EQ(got->body, "internal error: no such key\n");
  EXPECT_TRUE(http->call(at(server->port()), {}, {}));
}

TEST(ServerClientTest, ManyCallsShareFewConnections) {
  auto server =
      serve([&](Request request, Respond respond) { respond(text_response(200, request.target)); });
  auto http = client({.max_connections_per_endpoint = 4});
  constexpr int kCalls = 500;
  std::promise<void> done;
  std::atomic<int> left{kCalls};
  std::atomic<int> right{0};
  for (int i = 0; i < kCalls; ++i) {
    const std::string target = "/" + std::to_string(i);
    http->send(at(server->port()), {.target = target}, {}, [&, target](Result<Response> got) {
      if (got && got->body == target) ++right;
      if (--left == 0) done.set_value();
    });
  }
  ASSERT_EQ(done.get_future().wait_for(20s), std::future_status::ready);
  EXPECT_EQ(right.load(), kCalls);
}

TEST(ServerClientTest, LimitsAreErrorsThatSaySo) {
  auto server = serve(
      [](Request request, Respond respond) {
        if (request.target == "/huge")
          respond(text_response(200, std::string(10'000'000, 'x')));
        else
          respond(text_response(200, "ok"));
      },
      {.max_body_bytes = 1000});
  auto http = client();
  auto huge = http->call(at(server->port()), {.target = "/huge"}, {.max_body_bytes = 1000});
  ASSERT_FALSE(huge);
  EXPECT_EQ(huge.error().kind, ErrorKind::TooLarge);
  auto refused =
      http->call(at(server->port()), {.method = "POST", .body = std::string(2000, 'y')}, {});
  ASSERT_TRUE(refused) << refused.error().message;
  EXPECT_EQ(refused->status, 413);
  auto fine = http->call(at(server->port()), {}, {});
  ASSERT_TRUE(fine);
  EXPECT_EQ(fine->body, "ok");
}

TEST(ServerClientTest, ASilentServerIsATimeout) {
  RawPeer peer([](int fd, int) {
    read_request(fd);
    char byte;
    while (::recv(fd, &byte, 1, 0) > 0) {
    }
  });
  auto got = client()->call(at(peer.port()), {}, {.timeout = 100ms});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().kind, ErrorKind::Timeout);
}

TEST(ServerClientTest, NobodyThereIsUnavailableAndNamed) {
  std::uint16_t port = 0;
  {
    RawPeer peer([](int, int) {});
    port = peer.port();
  }
  auto got = client()->call(at(port), {}, {});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().kind, ErrorKind::Unavailable);
  EXPECT_NE(got.error().message.find("127.0.0.1:" + std::to_string(port)), std::string::npos);
}

TEST(ServerClientTest, GarbageIsMalformed) {
  RawPeer peer([](int fd, int) {
    read_request(fd);
    write_all(fd, "this is not http at all\r\n\r\n");
  });
  auto got = client()->call(at(peer.port()), {}, {});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().kind, ErrorKind::Malformed);
}

// A server may close a pooled connection at the very moment when a request goes out. A GET is then
// tried again; a POST may have been carried out, so it never is.
TEST(ServerClientTest, OnlyAGetIsTriedAgainOnAStaleConnection) {
  for (const std::string method : {"GET", "POST"}) {
    std::atomic<int> requests{0};
    RawPeer peer([&](int fd, int number) {
      if (!read_request(fd).empty()) ++requests;
      write_all(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      if (number > 0) return;
      if (!read_request(fd).empty()) ++requests;  // and close without an answer
    });
    auto http = client();
    ASSERT_TRUE(http->call(at(peer.port()), {.method = method}, {}));
    auto second = http->call(at(peer.port()), {.method = method}, {});
    EXPECT_EQ(second.has_value(), method == "GET");
    EXPECT_EQ(requests.load(), method == "GET" ? 3 : 2);
  }
}

TEST(ServerClientTest, APooledConnectionThatWasClosedIsNotUsed) {
  std::promise<void> closed;
  std::atomic<int> number{0};
  RawPeer peer([&](int fd, int n) {
    read_request(fd);
    write_all(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    number = n;
    ::shutdown(fd, SHUT_RDWR);
    if (n == 0) closed.set_value();
  });
  auto http = client();
  ASSERT_TRUE(http->call(at(peer.port()), {.method = "POST"}, {}));
  closed.get_future().wait();
  auto second = http->call(at(peer.port()), {.method = "POST"}, {});
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(number.load(), 1);
}

TEST(ServerClientTest, AStreamArrivesPieceByPiece) {
  std::promise<void> first_seen;
  auto seen = first_seen.get_future();
  RawPeer peer([&](int fd, int) {
    read_request(fd);
    write_all(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nfirst\n\r\n");
    seen.wait();  // the second piece is sent only after the first one arrived
    write_all(fd, "7\r\nsecond\n\r\n0\r\n\r\n");
  });
  auto http = client();
  std::string got;
  std::promise<std::optional<Error>> ended;
  StreamHandler handler;
  handler.on_head = [](int status, const Headers&) { EXPECT_EQ(status, 200); };
  handler.on_data = [&](std::string_view data) {
    if (got.empty()) first_seen.set_value();
    got += data;
  };
  handler.on_end = [&](std::optional<Error> error) { ended.set_value(std::move(error)); };
  auto stream = http->open(at(peer.port()), {}, 5s, handler);
  EXPECT_EQ(ended.get_future().get(), std::nullopt);
  EXPECT_EQ(got, "first\nsecond\n");
}

TEST(ServerClientTest, ASilentStreamEndsWithATimeout) {
  RawPeer peer([&](int fd, int) {
    read_request(fd);
    write_all(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    char byte;
    while (::recv(fd, &byte, 1, 0) > 0) {
    }
  });
  auto http = client();
  std::promise<std::optional<Error>> ended;
  auto stream =
      http->open(at(peer.port()), {}, 50ms,
                 {.on_head = {}, .on_data = {}, .on_end = [&](std::optional<Error> error) {
                    ended.set_value(std::move(error));
                  }});
  auto error = ended.get_future().get();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind, ErrorKind::Timeout);
}

// This process's own end of a connection to that port; -1: there is none.
int socket_to(std::uint16_t port) {
  for (int fd = 0; fd < 1024; ++fd) {
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) == 0 &&
        peer.sin_family == AF_INET && ntohs(peer.sin_port) == port) {
      return fd;
    }
  }
  return -1;
}

TEST(ServerClientTest, TheKernelLooksAfterAPeerThatVanishes) {
  const auto server = serve([](const Request&, const Respond& respond) { respond({}); });
  const auto caller = client();
  ASSERT_TRUE(caller->call(at(server->port()), {}, {}));
  const int fd = socket_to(server->port());
  ASSERT_GE(fd, 0);
  const auto option = [fd](int level, int name) {
    int value = 0;
    socklen_t size = sizeof value;
    EXPECT_EQ(::getsockopt(fd, level, name, &value, &size), 0);
    return value;
  };
  EXPECT_EQ(option(SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPIDLE), 15);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPINTVL), 5);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_USER_TIMEOUT), 30'000);
}

TEST(ServerClientTest, AFullReaderLeavesTheRestInTheNetwork) {
  constexpr std::size_t kAll = 64UL * 1024 * 1024;  // far more than the sockets hold
  std::atomic<std::size_t> written{0};
  RawPeer peer([&](int fd, int) {
    read_request(fd);
    const std::string part(64UL * 1024, 'x');
    write_all(fd, "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kAll) + "\r\n\r\n");
    while (written < kAll) {
      write_all(fd, part);
      written += part.size();
    }
  });
  auto http = client();
  std::promise<void> filled;
  std::promise<std::optional<Error>> ended;
  std::atomic<bool> full{true};
  std::size_t got = 0;
  StreamHandler handler;
  handler.on_data = [&](std::string_view data) { got += data.size(); };
  handler.full = [&] {
    const bool now = full;
    if (now) filled.set_value();
    return now;
  };
  handler.on_end = [&](std::optional<Error> error) { ended.set_value(std::move(error)); };
  // The pause is longer than what counts as silence elsewhere.
  auto stream = http->open(at(peer.port()), {}, 50ms, handler);
  filled.get_future().wait();
  auto end = ended.get_future();
  EXPECT_EQ(end.wait_for(100ms), std::future_status::timeout);
  EXPECT_LT(written.load(), kAll);
  full = false;
  stream->resume();
  EXPECT_EQ(end.get(), std::nullopt);
  EXPECT_EQ(got, kAll);
}

TEST(ServerClientTest, AStreamThatIsFullCanBeCancelledAndClosed) {
  RawPeer peer([&](int fd, int) {
    read_request(fd);
    write_all(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n");
    char byte;
    while (::recv(fd, &byte, 1, 0) > 0) {
    }
  });
  auto http = client();
  std::promise<void> filled;
  StreamHandler handler;
  handler.full = [&] {
    filled.set_value();
    return true;
  };
  auto stream = http->open(at(peer.port()), {}, 0ms, handler);
  filled.get_future().wait();
  http.reset();  // returns
}

TEST(ServerClientTest, ACallWhoseDeadlineIsOverIsNotSent) {
  std::atomic<int> connections{0};
  RawPeer peer([&](int, int) { ++connections; });
  auto http = client();
  const auto got =
      http->call(at(peer.port()), {}, {.deadline = std::chrono::steady_clock::now() - 1ms});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().kind, ErrorKind::Timeout);
}

TEST(ServerClientTest, ACancelledStreamIsClosedAndSilent) {
  std::promise<void> gone;
  std::promise<void> begun;
  RawPeer peer([&](int fd, int) {
    read_request(fd);
    write_all(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n");
    char byte;
    while (::recv(fd, &byte, 1, 0) > 0) {
    }
    gone.set_value();
  });
  auto http = client();
  std::atomic<bool> ended{false};
  StreamHandler handler;
  handler.on_data = [&](std::string_view) { begun.set_value(); };
  handler.on_end = [&](std::optional<Error>) { ended = true; };
  auto stream = http->open(at(peer.port()), {}, 0ms, handler);
  begun.get_future().wait();
  stream->cancel();
  gone.get_future().wait();
  EXPECT_FALSE(ended.load());
}

TEST(ServerClientTest, ClosingTheClientEndsItsCalls) {
  RawPeer peer([](int fd, int) {
    read_request(fd);
    char byte;
    while (::recv(fd, &byte, 1, 0) > 0) {
    }
  });
  std::promise<Result<Response>> ended;
  auto http = client({.max_connections_per_endpoint = 1});
  std::atomic<int> failed{0};
  for (int i = 0; i < 3; ++i)
    http->send(at(peer.port()), {}, {}, [&](Result<Response> got) { failed += got ? 0 : 1; });
  http.reset();
  EXPECT_EQ(failed.load(), 3);
}

TEST(ServerTest, RefusesWhatIsNotHttpAndTooLongHeaders) {
  auto server = serve([](Request, Respond respond) { respond(text_response(200, "ok")); },
                      {.max_header_bytes = 1024});
  const struct {
    std::string sent;
    const char* want;
  } cases[] = {{"rubbish\r\n\r\n", "HTTP/1.1 400"},
               {"GET / HTTP/1.1\r\nX: " + std::string(4000, 'x') + "\r\n\r\n", "HTTP/1.1 431"}};
  for (const auto& test : cases) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server->port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    write_all(fd, test.sent);
    EXPECT_EQ(read_request(fd).substr(0, 12), test.want);
    ::close(fd);
  }
}

TEST(ServerTest, ATakenPortIsAnError) {
  auto server = serve([](Request, Respond) {});
  auto second =
      Server::start({.address = "127.0.0.1", .port = server->port()}, [](Request, Respond) {});
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message.find(std::to_string(server->port())), std::string::npos);
}

}  // namespace
}  // namespace mcpfleet::http
