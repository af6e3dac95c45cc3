#include "routing/fair_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "base/random.h"
#include "pods.h"

namespace mcpfleet::routing {
namespace {

using std::chrono::seconds;

constexpr auto kLater = kStart + seconds(30);

CallerId caller(char name) { return {.high = 1, .low = static_cast<std::uint64_t>(name)}; }

class FairQueueTest : public testing::Test {
 protected:
  // Calls of these callers, in this order; named by the caller and the number of its call.
  void push(const std::string& callers) {
    for (const char name : callers) {
      const auto ticket = queue_.push(caller(name), kLater);
      tickets_.emplace_back(ticket, name + std::to_string(++calls_[name]));
    }
  }
  std::string name_of(std::optional<Ticket> ticket) const {
    if (!ticket) return "-";
    const auto found = std::ranges::find(tickets_, *ticket, &std::pair<Ticket, std::string>::first);
    return found == tickets_.end() ? "?" : found->second;
  }
  Ticket ticket(const std::string& name) const {
    return std::ranges::find(tickets_, name, &std::pair<Ticket, std::string>::second)->first;
  }
  std::string pop(int count, MonotonicTime now = kStart) {
    std::string names;
    for (int i = 0; i < count; ++i) names += name_of(queue_.pop(now)) + " ";
    return names;
  }

  FairQueue queue_;
  std::map<char, int> calls_;
  std::vector<std::pair<Ticket, std::string>> tickets_;
};

TEST_F(FairQueueTest, OneCallerIsServedInOrder) {
  push("aaa");
  EXPECT_EQ(queue_.size(), 3U);
  EXPECT_EQ(pop(4), "a1 a2 a3 - ");
  EXPECT_EQ(queue_.size(), 0U);
}

TEST_F(FairQueueTest, CallersTakeTurns) {
  push("aaaabbc");
  EXPECT_EQ(queue_.callers(), 3U);
  EXPECT_EQ(pop(7), "a1 b1 c1 a2 b2 a3 a4 ");
}

TEST_F(FairQueueTest, ANewCallerComesBehindThoseWhoWait) {
  push("aaabb");
  EXPECT_EQ(pop(1), "a1 ");
  push("c");
  EXPECT_EQ(pop(5), "b1 a2 c1 b2 a3 ");
}

TEST_F(FairQueueTest, WhoIsRemovedIsNotServed) {
  push("aabbc");
  EXPECT_TRUE(queue_.remove(ticket("a1")));
  EXPECT_TRUE(queue_.remove(ticket("c1")));
  EXPECT_FALSE(queue_.remove(ticket("c1")));
  EXPECT_TRUE(queue_.remove(ticket("b2")));
  EXPECT_EQ(queue_.size(), 2U);
  EXPECT_EQ(queue_.callers(), 2U);
  EXPECT_EQ(pop(3), "a2 b1 - ");
  EXPECT_FALSE(queue_.remove(ticket("a2")));
  EXPECT_FALSE(queue_.remove({.slot = 99, .life = 1}));
}

TEST_F(FairQueueTest, ATicketIsNobodysAfterwards) {
  push("a");
  const auto first = ticket("a1");
  EXPECT_TRUE(queue_.remove(first));
  push("b");
  EXPECT_FALSE(queue_.remove(first));
  EXPECT_EQ(pop(1), "b1 ");
}

TEST_F(FairQueueTest, ItIsNobodysTurnAfterTheDeadline) {
  const auto early = queue_.push(caller('a'), kStart + seconds(1));
  push("ab");
  EXPECT_EQ(pop(3, kStart + seconds(1)), "a1 b1 - ");
  // It is still there for its own timer.
  EXPECT_EQ(queue_.size(), 1U);
  EXPECT_TRUE(queue_.remove(early));
  EXPECT_EQ(queue_.callers(), 0U);
}

TEST_F(FairQueueTest, WhoHasMostMakesRoom) {
  push("aaabb");
  EXPECT_EQ(name_of(queue_.displace(caller('c'))), "a3");
  EXPECT_EQ(name_of(queue_.displace(caller('a'))), "-");
  push("b");
  EXPECT_EQ(name_of(queue_.displace(caller('a'))), "-");
  EXPECT_EQ(name_of(queue_.displace(caller('c'))), "b3");
  EXPECT_EQ(queue_.size(), 4U);
}

TEST_F(FairQueueTest, NobodyMakesRoomForOneWhoHasAsMany) {
  EXPECT_EQ(name_of(queue_.displace(caller('a'))), "-");
  push("ab");
  EXPECT_EQ(name_of(queue_.displace(caller('c'))), "-");
}

// A course of events by chance, beside a slow model of the same.
class Model {
 public:
  void push(char who, Ticket ticket) {
    if (waiting_[who].empty()) ring_.push_back(who);
    waiting_[who].push_back(ticket);
  }
  std::optional<Ticket> pop() {
    if (ring_.empty()) return std::nullopt;
    const char who = ring_.front();
    ring_.erase(ring_.begin());
    const Ticket ticket = waiting_[who].front();
    waiting_[who].erase(waiting_[who].begin());
    if (!waiting_[who].empty()) ring_.push_back(who);
    return ticket;
  }
  void remove(Ticket ticket) {
    for (auto& [who, tickets] : waiting_)
      if (std::erase(tickets, ticket) > 0 && tickets.empty()) std::erase(ring_, who);
  }
  std::vector<Ticket> all() const {
    std::vector<Ticket> all;
    for (const auto& [who, tickets] : waiting_)
      all.insert(all.end(), tickets.begin(), tickets.end());
    return all;
  }

 private:
  std::map<char, std::vector<Ticket>> waiting_;
  std::string ring_;
};

TEST(FairQueuePropertyTest, DoesAsTheModel) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    Random random(seed);
    FairQueue queue;
    Model model;
    for (int step = 0; step < 2000; ++step) {
      const auto waiting = model.all();
      switch (random.below(5)) {
        case 0:
        case 1: {
          const char who = static_cast<char>('a' + random.below(random.below(2) == 0 ? 2 : 8));
          model.push(who, queue.push(caller(who), kLater));
          break;
        }
        case 2:
        case 3:
          ASSERT_EQ(queue.pop(kStart), model.pop()) << seed << " " << step;
          break;
        default:
          if (waiting.empty()) break;
          const auto one = waiting[random.below(static_cast<std::uint32_t>(waiting.size()))];
          ASSERT_TRUE(queue.remove(one)) << seed << " " << step;
          model.remove(one);
      }
      ASSERT_EQ(queue.size(), model.all().size()) << seed << " " << step;
    }
  }
}

TEST(FairQueuePropertyTest, AFloodDelaysAnotherCallerByOneCall) {
  FairQueue queue;
  for (int i = 0; i < 1000; ++i) queue.push(caller('f'), kLater);
  Random random(3);
  for (int i = 0; i < 200; ++i) {
    const auto mine = queue.push(caller('m'), kLater);
    const auto first = queue.pop(kStart);
    if (first == mine) continue;
    EXPECT_EQ(queue.pop(kStart), mine);
    if (random.below(2) == 0) queue.push(caller('f'), kLater);
  }
}

}  // namespace
}  // namespace mcpfleet::routing
