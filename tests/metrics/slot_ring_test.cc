#include "metrics/slot_ring.h"

#include <gtest/gtest.h>

#include <map>

namespace mcpfleet::metrics {
namespace {

using Ring = SlotRing<std::uint16_t>;

TEST(SlotRingTest, GapsAreAbsent) {
  Ring ring(120);
  EXPECT_EQ(ring.oldest(), std::nullopt);
  ring.put(1000, 7);
  ring.put(1003, 7);
  EXPECT_EQ(ring.get(999), 0);
  EXPECT_EQ(ring.get(1000), 7);
  EXPECT_EQ(ring.get(1001), 0);
  EXPECT_EQ(ring.get(1003), 7);
  EXPECT_EQ(ring.get(1004), 0);
  EXPECT_EQ(ring.oldest(), 1000);
  EXPECT_EQ(ring.newest(), 1003);
}

TEST(SlotRingTest, KeepsAtLeastWhatIsAskedFor) {
  Ring ring(120);
  for (int slot = 1; slot <= 1000; ++slot) ring.put(slot, static_cast<std::uint16_t>(slot));
  for (int slot = 881; slot <= 1000; ++slot) EXPECT_EQ(ring.get(slot), slot);
  EXPECT_LE(ring.oldest().value(), 881);
  EXPECT_EQ(ring.get(ring.oldest().value() - 1), 0);
}

TEST(SlotRingTest, TakesMemoryForWhatWasSeenAndDiffers) {
  Ring ring(600);
  EXPECT_EQ(ring.bytes(), 0u);
  ring.put(30, 5);
  const auto first = ring.bytes();
  for (int slot = 31; slot < 630; ++slot) ring.put(slot, 5);
  const auto alike = ring.bytes();
  EXPECT_GT(alike, first);
  EXPECT_LE(alike, Ring::most_bytes(600) / 8) << "a head for sixty cells";
  EXPECT_EQ(ring.get(29), 0);
  EXPECT_EQ(ring.get(30), 5);
  EXPECT_EQ(ring.get(629), 5);
  ring.put(660, 6);
  ring.put(661, 5);
  EXPECT_GT(ring.bytes(), alike);
  EXPECT_LE(ring.bytes(), Ring::most_bytes(600));
}

TEST(SlotRingTest, TakesOlderCellsThanTheFirst) {
  Ring ring(600);
  ring.put(1000, 5);
  ring.put(700, 4);
  ring.put(1001, 5);
  ring.put(980, 3);
  EXPECT_EQ(ring.oldest(), 700);
  EXPECT_EQ(ring.get(700), 4);
  EXPECT_EQ(ring.get(701), 0);
  EXPECT_EQ(ring.get(980), 3);
  EXPECT_EQ(ring.get(981), 0);
  EXPECT_EQ(ring.get(1000), 5);
  EXPECT_EQ(ring.get(1001), 5);
  EXPECT_LE(ring.bytes(), Ring::most_bytes(600));
}

TEST(SlotRingTest, AJumpBeyondAllForgetsAll) {
  Ring ring(120);
  for (int slot = 0; slot < 200; ++slot) ring.put(slot, 5);
  ring.put(100'000, 6);
  std::map<int, int> found;
  for (int slot = 99'000; slot <= 100'000; ++slot)
    if (ring.get(slot) != 0) found[slot] = ring.get(slot);
  EXPECT_EQ(found, (std::map<int, int>{{100'000, 6}}));
}

TEST(SlotRingTest, NoSlotsKeepNothing) {
  Ring ring(0);
  ring.put(5, 1);
  EXPECT_EQ(ring.get(5), 0);
  EXPECT_EQ(ring.bytes(), 0u);
}

// Against a map, in an order with gaps, replacements, old slots and equal runs.
TEST(SlotRingTest, IsAsAMapWouldBe) {
  Ring ring(180);
  std::map<std::int64_t, std::uint16_t> model;
  std::uint32_t seed = 1;
  const auto next = [&seed](std::uint32_t below) {
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % below;
  };
  std::int64_t head = 5000;
  for (int i = 0; i < 20'000; ++i) {
    const auto kind = next(20);
    if (kind < 15) head += 1;
    if (kind == 15) head += next(130);
    const auto slot = kind == 16 ? head - next(170) : head;
    const auto cell = static_cast<std::uint16_t>(next(10) < 8 ? 3 : next(4));
    ring.put(slot, cell);
    model[slot] = cell;
    for (int j = 0; j < 5; ++j) {
      const auto asked = head - next(180);
      const auto found = model.find(asked);
      ASSERT_EQ(ring.get(asked), found == model.end() ? 0 : found->second) << i << " " << asked;
    }
  }
}

}  // namespace
}  // namespace mcpfleet::metrics
