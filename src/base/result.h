// Results and errors: every fallible call of the project returns Result<T>.
//
// Thread safety: plain values; share them like any other value.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace mcpfleet {

// What a caller can do about an error. One closed set for all of the project.
enum class ErrorKind {
  NotFound,       // it does not exist (HTTP 404)
  AlreadyExists,  // it exists and should not (HTTP 409, reason AlreadyExists)
  Conflict,       // somebody else changed or owns it (HTTP 409)
  Gone,           // a resource version is too old to continue from (HTTP 410)
  Invalid,        // the input is wrong; trying again does not help (HTTP 400, 422)
  Unauthorized,   // who are you (HTTP 401)
  Forbidden,      // you may not (HTTP 403)
  TooMany,        // slow down (HTTP 429)
  Timeout,        // no answer in time
  Unavailable,    // the other side is not there, or broke off (HTTP 5xx, connection errors)
  Malformed,      // an answer that cannot be understood
  TooLarge,       // over a size limit
  Internal,       // a broken promise of our own or of the operating system
};

// Short stable name of a kind, for logs and metrics, such as "NotFound".
const char* to_string(ErrorKind kind);

// An error for people: `message` is one clear sentence that names what is wrong and where.
struct [[nodiscard]] Error {
  ErrorKind kind = ErrorKind::Internal;
  std::string message;

  // The same error with the step that failed in front: "cannot read the kubeconfig: <message>".
  Error context(std::string_view step) const { return {kind, std::string(step) + ": " + message}; }
  bool operator==(const Error&) const = default;
};

template <typename T>
using Result = std::expected<T, Error>;

// For `return fail(ErrorKind::Invalid, "...")` in a function that returns any Result.
inline std::unexpected<Error> fail(ErrorKind kind, std::string message) {
  return std::unexpected(Error{kind, std::move(message)});
}

// Passes an error of one Result on as another's: `return fail(other.error())`.
inline std::unexpected<Error> fail(Error error) { return std::unexpected(std::move(error)); }

}  // namespace mcpfleet
