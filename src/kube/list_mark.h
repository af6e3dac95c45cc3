// Which objects a complete list did not name, by a number kept beside each object: no second set of
// keys while a list arrives.
//
// Thread safety: none; one owner.
#pragma once

#include <cstdint>

namespace mcpfleet::kube {

// Give each object that is told mark(); at the end of a list what is not listed() is gone.
class ListMark {
 public:
  using Number = std::uint32_t;
  static constexpr Number kNever = 0;  // of an object that no list or watch has told of

  void begin() { ++number_; }
  Number mark() const { return number_; }
  bool listed(Number mark) const { return mark == number_; }

 private:
  Number number_ = 1;
};

}  // namespace mcpfleet::kube
