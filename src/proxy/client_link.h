// One client's HTTP/1.1 connection: reads requests whole, writes answers as they come.
//
// Thread safety: none; it belongs to the proxy's one thread.
#pragma once

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/asio_types.h"
#include "proxy/data_plane.h"
#include "proxy/sweeper.h"

namespace mcpfleet::proxy {

using HttpRequest = boost::beast::http::request<boost::beast::http::string_body>;

// "HTTP/1.1 404 Not Found\r\n".
std::string status_line(int status);
void append_field(std::string& head, std::string_view name, std::string_view value);

// A whole answer. `fields` are complete header lines; a body is JSON.
struct Answer {
  int status = 200;
  std::string body;
  std::string fields;
};

inline std::string_view to_view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

class ClientLink final : public Watched {
 public:
  ClientLink(DataPlane& plane, Socket socket);
  ~ClientLink() override;
  ClientLink(const ClientLink&) = delete;
  ClientLink& operator=(const ClientLink&) = delete;

  // Waits for the next request. False: the connection is over; a request that cannot be understood
  // or is too large was answered.
  Task<bool> read_request();
  const HttpRequest& request() const { return parser_->get(); }
  // The first field of that name, or nothing.
  std::optional<std::string_view> field(std::string_view name) const;
  bool http_1_0() const { return request().version() < 11; }

  // Writes all of both. False: the client is gone.
  Task<bool> send(std::string_view first, std::string_view second = {});
  Task<> answer(Answer reply);

  // Ends an answer's head: says whether the connection stays open, and adds the empty line.
  void finish_head(std::string& head) const;

  // From now on `interrupt` is called once when the client goes away or the deadline passes, until
  // stop_watching().
  void start_watching(std::function<void()> interrupt);
  void stop_watching();

  bool gone() const { return gone_; }
  // Whether the connection can carry another request after this answer.
  bool keep_open() const { return keep_open_ && !gone_; }
  void close_after_answer() { keep_open_ = false; }
  // From now on the next request may be so long in coming.
  void wait_for_requests(Duration idle) { idle_ = idle; }
  // Whether it speaks TLS with us.
  bool secure() const { return tls_ != nullptr; }
  // Numeric address of the other side.
  const std::string& peer() const { return peer_; }

  void on_deadline() override;
  void on_hangup() override;

 private:
  Task<bool> greet();
  Task<error_code> fill(bool whole);
  Task<> refuse(const error_code& problem);

  DataPlane& plane_;
  Socket socket_;
  std::unique_ptr<TlsSession> tls_;  // null: plain HTTP
  bool greeted_ = false;             // the handshake is over
  std::string peer_;
  boost::beast::flat_buffer buffer_;
  std::optional<boost::beast::http::request_parser<boost::beast::http::string_body>> parser_;
  std::function<void()> interrupt_;
  bool gone_ = false;
  bool keep_open_ = true;
  Duration idle_ = std::chrono::seconds(75);
};

}  // namespace mcpfleet::proxy
