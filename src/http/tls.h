// TLS contexts of servers and clients. For src/http and for the data plane, which has its own loop:
// it shows Boost's types.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>

#include "base/result.h"
#include "http/client.h"
#include "http/server.h"

namespace mcpfleet::http {

// A server's context: TLS 1.2 and later. A client's certificate is asked for where wanted, and let
// through unverified (the one who uses it verifies it). Error: Invalid.
Result<std::shared_ptr<boost::asio::ssl::context>> make_server_context(
    const TlsIdentity& identity, bool request_client_certificate);

// A client's context: trusts only `ca_pem` where it is given. Error: Invalid.
Result<std::shared_ptr<boost::asio::ssl::context>> make_client_context(
    const TlsClientOptions& options);

}  // namespace mcpfleet::http
