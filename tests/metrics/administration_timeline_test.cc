// What operators do, as the timeline keeps it: replicas on their way in, topics that go, answers to tools.
#include <doctest/doctest.h>

#include <utility>
#include <vector>

#include "metrics/cluster_timeline.h"
#include "observe/teller.h"

namespace sim::metrics {
namespace {

constexpr TopicPartition kTp{TopicId{1}, 0};

struct World {
  void tell(std::int64_t at, observe::Fact fact, ProcessId process = ProcessId{1}) {
    const observe::Observation seen{Instant{} + from_millis(at), 0, 0, process, Incarnation{0}, fact};
    teller(seen, timeline);
  }
  void decided(std::int64_t at, NodeId leader, std::size_t isr, std::size_t replicas,
               std::size_t adding = 0) {
    observe::PartitionChanged fact;
    fact.tp = kTp;
    fact.leader = leader;
    fact.offset = at;
    for (std::size_t i = 1; i <= replicas; ++i) fact.replicas.emplace_back(static_cast<std::int32_t>(i));
    fact.isr.assign(fact.replicas.begin(), fact.replicas.begin() + static_cast<std::ptrdiff_t>(isr));
    fact.adding.assign(fact.replicas.end() - static_cast<std::ptrdiff_t>(adding), fact.replicas.end());
    tell(at, fact);
  }
  ClusterTimeline timeline;
  test::Teller teller;
};

TEST_CASE("replicas on their way in are not missed yet") {
  World world;
  world.decided(1, NodeId{1}, 3, 3);
  world.decided(2, NodeId{1}, 3, 5, 2);
  world.decided(3, NodeId{1}, 2, 5, 2);
  world.decided(4, NodeId{1}, 4, 5, 2);
  world.decided(5, NodeId{1}, 2, 3);
  const bool want[] = {false, false, true, false, true};
  REQUIRE(world.timeline.partitions().size() == 5);
  for (std::size_t i = 0; i < 5; ++i) CHECK(world.timeline.partitions()[i].under_replicated == want[i]);
}

TEST_CASE("a topic that is deleted is neither offline nor without a leader for long") {
  World world;
  world.decided(1, NodeId{1}, 3, 3);
  world.tell(2, observe::BecameLeader{kTp, NodeId{1}, LeaderEpoch{0}, 0}, ProcessId{7});
  world.decided(3, kNoNode, 1, 3);
  REQUIRE(world.timeline.gaps().size() == 1);
  world.tell(9, observe::TopicDeleted{TopicId{1}});
  CHECK(world.timeline.gaps()[0].to == 9'000'000);
  CHECK(world.timeline.partitions().back().gone);
  CHECK_FALSE(world.timeline.partitions().back().under_replicated);
  const std::size_t changes = world.timeline.partitions().size();
  world.tell(10, observe::TopicDeleted{TopicId{2}});
  CHECK(world.timeline.partitions().size() == changes);
}

TEST_CASE("what an operator is answered belongs to the strike under way") {
  World world;
  for (const std::int64_t at : {1, 5}) {
    world.tell(at, observe::FaultStruck{FaultId{0}, {ProcessId{9}}}, kNoProcess);
    world.tell(at + 1,
               observe::AdminAnswered{FaultId{0}, "orders-0",
                                      at == 1 ? ErrorCode::none : ErrorCode::election_not_needed},
               ProcessId{9});
    world.tell(at + 2, observe::FaultEnded{FaultId{0}, at == 1 ? 1 : 0}, kNoProcess);
  }
  REQUIRE(world.timeline.strikes().size() == 2);
  REQUIRE(world.timeline.strikes()[0].answers.size() == 1);
  CHECK(world.timeline.strikes()[0].answers[0].error == ErrorCode::none);
  REQUIRE(world.timeline.strikes()[1].answers.size() == 1);
  CHECK(world.timeline.strikes()[1].answers[0].error == ErrorCode::election_not_needed);
}

}  // namespace
}  // namespace sim::metrics
