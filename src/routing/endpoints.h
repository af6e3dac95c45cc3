// The pods of a server as EndpointSlices tell of them.
//
// Source: https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/
// Thread safety: plain values; an EndpointSlices is for one thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace mcpfleet::routing {

// A pod that serves at an address.
struct Endpoint {
  std::string pod;      // its name; where the slice names none, the address
  std::string address;  // numeric, IPv4 or IPv6
  std::uint16_t port = 0;
  std::string zone;          // may be empty
  bool ready = false;        // serving, and not terminating
  bool serving = false;      // passes its readiness check, though it may be terminating
  bool terminating = false;  // was told to end
  bool operator==(const Endpoint&) const = default;
};

// The slices of one server, joined. A pod may be in two slices while it moves from one to the
// other, and in two where the cluster has both families of addresses: it is one endpoint all the
// same.
class EndpointSlices {
 public:
  // A slice as it is now; `name` is its own name, unique within the namespace.
  void set(std::string_view name, std::vector<Endpoint> endpoints);
  void remove(std::string_view name);
  bool empty() const { return slices_.empty(); }

  // One of each pod and address, ordered by them; of those that tell of the same, what is best in
  // any of them. IPv6 addresses only of pods without an IPv4 address. Two addresses of one family
  // are two lives of a pod of that name, and both are here while both are told of.
  std::vector<Endpoint> joined() const;

 private:
  std::map<std::string, std::vector<Endpoint>, std::less<>> slices_;
};

}  // namespace mcpfleet::routing
