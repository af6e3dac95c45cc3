// A ring of cells by the number of their time slot: the newest ones, in memory that is taken only
// where values differ.
//
// Cells stand in chunks. A chunk whose cells are all the same, as those of an idle server or of one
// that is not there, takes no memory but its own head, and there are heads only for what was seen.
// Thread safety: a plain value.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace mcpfleet::metrics {

// A Cell is small, can be copied and compared, and Cell{} means that nothing is known.
template <typename Cell>
class SlotRing {
 public:
  using Slot = std::int64_t;  // not negative

  // Keeps at least the newest `slots` slots, up to a chunk more; 0 keeps nothing.
  explicit SlotRing(std::size_t slots) : most_(static_cast<std::int32_t>(chunks_for(slots))) {}

  // Puts a cell at its slot. Slots between the newest one and a newer one become absent; an older
  // one is replaced while it is kept, else let go.
  void put(Slot slot, Cell cell) {
    if (most_ == 0 || slot < 0 || (newest_ >= 0 && slot < kept_from())) return;
    if (newest_ < 0) {
      origin_ = static_cast<std::int32_t>(number(slot) % most_);
      first_ = slot;
    }
    if (slot > newest_) advance(slot);
    first_ = std::min(first_, slot);
    write(slot, cell);
  }

  // Cell{} for what is not known.
  Cell get(Slot slot) const {
    if (newest_ < 0 || slot > newest_ || slot < kept_from()) return Cell{};
    const auto place = place_of(slot);
    if (place >= chunks_.size()) return Cell{};
    return chunks_[place].at(position(slot));
  }

  std::optional<Slot> newest() const { return newest_ < 0 ? std::nullopt : std::optional(newest_); }
  // The oldest slot that may hold something; nullopt: nothing was put.
  std::optional<Slot> oldest() const {
    if (newest_ < 0) return std::nullopt;
    return std::max(first_, kept_from());
  }

  // What it takes now beyond its own size, and what it can take at most.
  std::size_t bytes() const {
    const auto taken =
        std::ranges::count_if(chunks_, [](const auto& c) { return c.cells != nullptr; });
    return chunks_.capacity() * sizeof(Chunk) + static_cast<std::size_t>(taken) * kChunkBytes;
  }
  static std::size_t most_bytes(std::size_t slots) {
    return chunks_for(slots) * (sizeof(Chunk) + kChunkBytes);
  }

 private:
  static constexpr std::size_t kChunk = 60;
  static constexpr std::size_t kChunkBytes = kChunk * sizeof(Cell);

  struct Chunk {
    std::unique_ptr<Cell[]> cells;  // null: they are `uniform` from `from` up to the newest
    Cell uniform{};
    std::uint8_t from = 0;

    Cell at(std::size_t position) const {
      if (cells) return cells[position];
      return position < from ? Cell{} : uniform;
    }
  };

  // One more than asked for, since a chunk is let go as a whole.
  static std::size_t chunks_for(std::size_t slots) {
    return slots == 0 ? 0 : (slots + kChunk - 1) / kChunk + 1;
  }
  static std::size_t position(Slot slot) { return static_cast<std::size_t>(slot) % kChunk; }
  static Slot number(Slot slot) { return slot / static_cast<Slot>(kChunk); }

  // Where a slot's chunk stands: the first one that was ever put to comes first.
  std::size_t place_of(Slot slot) const {
    return static_cast<std::size_t>((number(slot) - origin_ + most_) % most_);
  }
  Chunk& chunk_of(Slot slot) {
    const auto place = place_of(slot);
    if (place >= chunks_.size()) {
      const auto most = static_cast<std::size_t>(most_);
      if (place >= chunks_.capacity())
        chunks_.reserve(std::min(std::max(place + 1, 2 * chunks_.size()), most));
      chunks_.resize(place + 1);
    }
    return chunks_[place];
  }
  Slot kept_from() const { return (number(newest_) - most_ + 1) * static_cast<Slot>(kChunk); }

  // Makes `slot` the newest one, with nothing between it and the one before.
  void advance(Slot slot) {
    const auto before = newest_;
    newest_ = slot;
    if (before < 0) return;
    if (number(before) == number(slot)) {
      if (slot > before + 1) end_uniform(before);
      return;
    }
    if (position(before) + 1 < kChunk) end_uniform(before);
    const Slot passed = std::min<Slot>(number(slot) - number(before), most_);
    for (Slot i = 0; i < passed; ++i) {
      const auto place = place_of(slot - i * static_cast<Slot>(kChunk));
      if (place < chunks_.size()) chunks_[place] = Chunk{};
    }
  }

  // What comes after `last` in its chunk is absent: it is no longer uniform unless all is absent.
  void end_uniform(Slot last) {
    auto& chunk = chunk_of(last);
    if (!chunk.cells && chunk.uniform != Cell{}) expand(chunk, position(last) + 1);
  }

  void write(Slot slot, Cell cell) {
    auto& chunk = chunk_of(slot);
    const auto at = position(slot);
    if (!chunk.cells && chunk.uniform == Cell{} && slot == newest_) {
      chunk.uniform = cell;
      chunk.from = static_cast<std::uint8_t>(at);
      return;
    }
    if (cell == chunk.at(at)) return;
    if (!chunk.cells)
      expand(chunk, slot == newest_                   ? at
                    : number(slot) == number(newest_) ? position(newest_) + 1
                                                      : kChunk);
    chunk.cells[at] = cell;
  }

  static void expand(Chunk& chunk, std::size_t filled) {
    chunk.cells = std::make_unique<Cell[]>(kChunk);
    std::fill(chunk.cells.get() + std::min<std::size_t>(chunk.from, filled),
              chunk.cells.get() + filled, chunk.uniform);
  }

  std::vector<Chunk> chunks_;  // no more than were needed yet
  Slot newest_ = -1;           // -1: nothing was put
  Slot first_ = 0;             // the oldest one that was ever put
  std::int32_t most_ = 0;      // chunks
  std::int32_t origin_ = 0;    // the number of the first chunk, as far as it matters
};

}  // namespace mcpfleet::metrics
