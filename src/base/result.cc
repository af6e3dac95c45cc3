#include "base/result.h"

namespace mcpfleet {

const char* to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::NotFound:
      return "NotFound";
    case ErrorKind::AlreadyExists:
      return "AlreadyExists";
    case ErrorKind::Conflict:
      return "Conflict";
    case ErrorKind::Gone:
      return "Gone";
    case ErrorKind::Invalid:
      return "Invalid";
    case ErrorKind::Unauthorized:
      return "Unauthorized";
    case ErrorKind::Forbidden:
      return "Forbidden";
    case ErrorKind::TooMany:
      return "TooMany";
    case ErrorKind::Timeout:
      return "Timeout";
    case ErrorKind::Unavailable:
      return "Unavailable";
    case ErrorKind::Malformed:
      return "Malformed";
    case ErrorKind::TooLarge:
      return "TooLarge";
    case ErrorKind::Internal:
      return "Internal";
  }
  return "Internal";
}

}  // namespace mcpfleet
