#include "proxy/message_queue.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace mcpfleet::proxy {
namespace {

struct Queue : MessageQueue {
  explicit Queue(std::size_t owed = 1) : MessageQueue(context(), true, owed) {}
  static asio::io_context& context() {
    static asio::io_context io;
    return io;
  }
  void add(int count, std::size_t bytes = 1) {
    for (int i = 0; i < count; ++i) push({std::string(bytes, 'x'), false});
  }
  // The numbers of what is taken.
  std::vector<std::uint64_t> take(std::size_t count = SIZE_MAX) {
    std::vector<std::uint64_t> numbers;
    while (numbers.size() < count && filled()) numbers.push_back(pop()->number);
    return numbers;
  }
};

using Numbers = std::vector<std::uint64_t>;

TEST(MessageQueue, WhatWasTakenCanBeTakenAgain) {
  Queue queue;
  queue.keep();
  queue.add(4);
  EXPECT_EQ(queue.take(3), (Numbers{1, 2, 3}));
  EXPECT_FALSE(queue.rewind(4)) << "it was not taken yet";
  EXPECT_TRUE(queue.rewind(3));
  EXPECT_TRUE(queue.rewind(1));
  EXPECT_EQ(queue.taken(), 1u);
  EXPECT_EQ(queue.take(), (Numbers{2, 3, 4}));
  EXPECT_TRUE(queue.rewind(0));
  EXPECT_EQ(queue.take(), (Numbers{1, 2, 3, 4}));
}

TEST(MessageQueue, KeepsNothingBeforeItIsTold) {
  Queue queue;
  queue.add(2);
  queue.take();
  EXPECT_FALSE(queue.rewind(2));
  queue.keep();
  queue.add(1);
  EXPECT_FALSE(queue.rewind(1));
  EXPECT_TRUE(queue.rewind(2));
  EXPECT_EQ(queue.take(), Numbers{3});
}

TEST(MessageQueue, CountsTheAnswersThatAreToBeTaken) {
  Queue queue(2);
  queue.keep();
  queue.push({"a", true});
  queue.push({"b", false});
  queue.push({"c", true});
  queue.take(2);
  EXPECT_EQ(queue.owed(), 1u);
  queue.take();
  EXPECT_EQ(queue.owed(), 0u);
  EXPECT_TRUE(queue.rewind(1));
  EXPECT_EQ(queue.owed(), 1u);
}

TEST(MessageQueue, KeepsTheNewestWithinItsBounds) {
  struct Case {
    int items;
    std::size_t bytes;
    std::uint64_t oldest;  // that can be taken again
  };
  const auto kept = MessageQueue::kKeptItems;
  for (const auto& [items, bytes, oldest] :
       {Case{300, 1, 300 - kept + 1}, Case{10, MessageQueue::kKeptBytes / 4, 7},
        Case{2, MessageQueue::kKeptBytes + 1, 3}}) {
    for (const bool left : {false, true}) {
      Queue queue;
      queue.keep();
      if (left) queue.leave();
      queue.add(items, bytes);
      queue.take();
      EXPECT_FALSE(queue.rewind(oldest - 2)) << items;
      EXPECT_TRUE(queue.rewind(oldest - 1)) << items;
    }
  }
}

TEST(MessageQueue, DropsNothingThatItsReaderWaitsFor) {
  Queue queue;
  queue.keep();
  queue.add(5, MessageQueue::kKeptBytes);
  EXPECT_TRUE(queue.full());
  EXPECT_EQ(queue.take(), (Numbers{1, 2, 3, 4, 5}));
}

TEST(MessageQueue, HoldsNobodyBackWhenNobodyReads) {
  Queue queue;
  queue.keep();
  queue.add(3, MessageQueue::kFullBytes);
  bool room = false;
  const auto wait = [&]() -> Task<> {
    co_await queue.wait_room();
    room = true;
  };
  asio::co_spawn(Queue::context(), wait(), asio::detached);
  Queue::context().poll();
  EXPECT_FALSE(room);
  queue.leave();
  Queue::context().restart();
  Queue::context().poll();
  EXPECT_TRUE(room);
  EXPECT_LE(queue.bytes(), MessageQueue::kKeptBytes);
}

TEST(MessageQueue, TheLastReaderHasIt) {
  Queue queue;
  const auto first = queue.attach();
  const auto second = queue.attach();
  EXPECT_FALSE(queue.attached(first));
  EXPECT_TRUE(queue.attached(second));
  EXPECT_TRUE(queue.open());
  queue.leave();
  EXPECT_FALSE(queue.attached(second));
  EXPECT_FALSE(queue.open());
}

}  // namespace
}  // namespace mcpfleet::proxy
