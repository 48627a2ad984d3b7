// What has not come right when a run ends, and of what that is excused: data that no replica has any more.
#include "judge/convergence.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "app/shop.h"

namespace sim::judge {
namespace convergence_test {

using test::Story;

constexpr ProcessId kController{1};
const NodeId kOne{1}, kTwo{2};

// orders-0 on brokers 1 and 2.
struct Shop {
  Shop() : story(record) {
    story.tell(0, kController, observe::TopicCreated{TopicId{1}, "orders", 1, 2});
    decided(2, 1, {kOne, kTwo});
    story.leads(3, 0, 0, test::kBroker1);
  }

  void decided(std::int64_t ms, std::int32_t leader, std::vector<NodeId> isr, std::vector<NodeId> elr = {}) {
    observe::PartitionChanged fact;
    fact.tp = test::kOrders0;
    fact.leader = NodeId{leader};
    fact.leader_epoch = LeaderEpoch{0};
    fact.replicas = {kOne, kTwo};
    fact.isr = std::move(isr);
    fact.elr = std::move(elr);
    fact.offset = ++offset;
    story.tell(ms, kController, fact);
  }
  void lost(std::int64_t ms, NodeId broker) {
    story.tell(ms, kController, observe::LogLost{test::kOrders0, broker, 0, 7, observe::LossOfLog::wiped});
  }
  Unconverged at_the_end() {
    record.finish(Instant{40s}, false);
    return unconverged_of(MeasuredRun(record, Duration{1s}, Duration{30s}, 40'000'000'000));
  }

  record::RunRecord record{{test::shop_names(), metrics::LedgerSpec{2, {3}}, {}}};
  Story story;
  Offset offset = 0;
};

TEST_CASE("with a leader and all in sync there is nothing left to come right") {
  Shop shop;
  shop.decided(10'000, 1, {kOne});
  CHECK_FALSE(shop.record.converged());
  shop.decided(20'000, 1, {kOne, kTwo});
  CHECK(shop.record.converged());
  CHECK(shop.at_the_end().size() == 0);
}

TEST_CASE("a replica out of sync and a partition without a leader are named") {
  Shop smaller;
  smaller.decided(10'000, 2, {kTwo});
  CHECK(smaller.at_the_end().partitions == std::vector<std::string>{"orders-0: ISR 2 of 1,2"});
  Shop headless;
  headless.decided(10'000, 2, {kTwo});
  headless.decided(20'000, -1, {kTwo});
  CHECK_FALSE(headless.record.converged());
  CHECK(headless.at_the_end().partitions == std::vector<std::string>{"orders-0: nobody leads it"});
}

TEST_CASE("excused is only what every replica that could lead has lost since somebody led") {
  struct Row {
    const char* what;
    std::vector<NodeId> elr;
    std::vector<NodeId> losers;
    std::int64_t lost_at_ms;
    bool is_excused;
  };
  const Row rows[] = {{"the last in sync", {}, {kTwo}, 19'000, true},
                      {"another one", {}, {kOne}, 19'000, false},
                      {"one of two that were eligible", {kOne}, {kTwo}, 19'000, false},
                      {"both that were eligible", {kOne}, {kOne, kTwo}, 19'000, true},
                      {"before somebody led again", {}, {kTwo}, 9'000, false}};
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Shop shop;
    const bool is_early = row.lost_at_ms < 10'000;
    for (const NodeId loser : row.losers) {
      if (is_early) shop.lost(row.lost_at_ms, loser);
    }
    shop.decided(10'000, 2, {kTwo}, row.elr);
    for (const NodeId loser : row.losers) {
      if (!is_early) shop.lost(row.lost_at_ms, loser);
    }
    shop.decided(20'000, -1, {});
    const Unconverged left = shop.at_the_end();
    CHECK(left.excused.size() == (row.is_excused ? 1 : 0));
    CHECK(left.partitions.size() == (row.is_excused ? 0 : 1));
  }
}

}  // namespace convergence_test
}  // namespace sim::judge
