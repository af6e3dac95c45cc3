// A ring of cells by the number of their time slot: the newest ones, in memory that is taken only
// where values differ.
//
// Cells stand in chunks. A chunk whose cells are all the same, as those of an idle server or of one
// that is not there, takes no memory but its own head.
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
  explicit SlotRing(std::size_t slots) : chunks_(chunks_for(slots)) {}

  // Puts a cell at its slot. Slots between the newest one and a newer one become absent; an older
  // one is replaced while it is kept, else let go.
  void put(Slot slot, Cell cell) {
    if (chunks_.empty() || slot < 0 || (newest_ && slot < kept_from())) return;
    if (!newest_ || slot > *newest_) advance(slot);
    first_ = std::min(first_.value_or(slot), slot);
    write(slot, cell);
  }

  // Cell{} for what is not known.
  Cell get(Slot slot) const {
    if (!newest_ || slot > *newest_ || slot < kept_from()) return Cell{};
    const auto& chunk = chunk_of(slot);
    return chunk.cells ? chunk.cells[position(slot)] : chunk.uniform;
  }

  std::optional<Slot> newest() const { return newest_; }
  // The oldest slot that may hold something; nullopt: nothing was put.
  std::optional<Slot> oldest() const {
    if (!newest_) return std::nullopt;
    return std::max(*first_, kept_from());
  }

  // What it takes now beyond its own size, and what it can take at most.
  std::size_t bytes() const {
    const auto taken =
        std::ranges::count_if(chunks_, [](const auto& c) { return c.cells != nullptr; });
    return chunks_.size() * sizeof(Chunk) + static_cast<std::size_t>(taken) * kChunkBytes;
  }
  static std::size_t most_bytes(std::size_t slots) {
    return chunks_for(slots) * (sizeof(Chunk) + kChunkBytes);
  }

 private:
  static constexpr std::size_t kChunk = 60;
  static constexpr std::size_t kChunkBytes = kChunk * sizeof(Cell);

  struct Chunk {
    std::unique_ptr<Cell[]> cells;  // null: all up to the newest are `uniform`
    Cell uniform{};
  };

  // One more than asked for, since a chunk is let go as a whole.
  static std::size_t chunks_for(std::size_t slots) {
    return slots == 0 ? 0 : (slots + kChunk - 1) / kChunk + 1;
  }
  static std::size_t position(Slot slot) { return static_cast<std::size_t>(slot) % kChunk; }
  static Slot number(Slot slot) { return slot / static_cast<Slot>(kChunk); }

  const Chunk& chunk_of(Slot slot) const {
    return chunks_[static_cast<std::size_t>(number(slot)) % chunks_.size()];
  }
  Chunk& chunk_of(Slot slot) {
    return chunks_[static_cast<std::size_t>(number(slot)) % chunks_.size()];
  }
  Slot kept_from() const {
    const auto chunks = static_cast<Slot>(chunks_.size());
    return (number(*newest_) - chunks + 1) * static_cast<Slot>(kChunk);
  }

  // Makes `slot` the newest one, with nothing between it and the one before.
  void advance(Slot slot) {
    const auto before = newest_;
    newest_ = slot;
    if (before && number(*before) == number(slot)) {
      if (slot > *before + 1) end_uniform(*before);
      return;
    }
    if (before && position(*before) + 1 < kChunk) end_uniform(*before);
    const auto all = static_cast<Slot>(chunks_.size());
    const Slot passed = before ? std::min(number(slot) - number(*before), all) : 0;
    for (Slot i = 0; i < passed; ++i) chunk_of(slot - i * static_cast<Slot>(kChunk)) = Chunk{};
  }

  // What comes after `last` in its chunk is absent: it is no longer uniform unless all is absent.
  void end_uniform(Slot last) {
    auto& chunk = chunk_of(last);
    if (!chunk.cells && chunk.uniform != Cell{}) expand(chunk, position(last) + 1);
  }

  void write(Slot slot, Cell cell) {
    auto& chunk = chunk_of(slot);
    const auto at = position(slot);
    if (!chunk.cells && at == 0 && slot == *newest_) {
      chunk.uniform = cell;
      return;
    }
    if (!chunk.cells) {
      if (cell == chunk.uniform) return;
      expand(chunk, slot == *newest_                   ? at
                    : number(slot) == number(*newest_) ? position(*newest_) + 1
                                                       : kChunk);
    }
    chunk.cells[at] = cell;
  }

  static void expand(Chunk& chunk, std::size_t filled) {
    chunk.cells = std::make_unique<Cell[]>(kChunk);
    std::fill_n(chunk.cells.get(), filled, chunk.uniform);
  }

  std::vector<Chunk> chunks_;
  std::optional<Slot> newest_;
  std::optional<Slot> first_;
};

}  // namespace mcpfleet::metrics
