// What every replica's log holds, learnt from facts alone.
#include "observe/replica_logs.h"

#include <doctest/doctest.h>

#include "observe/story.h"
#include "observe/teller.h"

namespace sim::observe {
namespace {

using test::kBroker1;
using test::kBroker2;
using test::kOrders0;
using test::Story;

constexpr ProcessId kBroker3{12};
constexpr NodeId kOne{1}, kTwo{2}, kThree{3};

struct Fixture {
  ReplicaLogs logs;
  std::vector<LeaderLogChange> changes;
  test::Teller tell;
  Story story{[this](const Observation& observation) {
    tell(observation, logs);
    const Fact& fact = observation.fact;
    const bool may_change = std::holds_alternative<BatchAppended>(fact) ||
                            std::holds_alternative<ReplicaAppended>(fact) ||
                            std::holds_alternative<BecameLeader>(fact);
    if (may_change && logs.change() != nullptr) changes.push_back(*logs.change());
  }};
  const ReplicaLogs::Partition& partition() const { return *logs.find(kOrders0); }
  const ReplicaLogs::Replica& replica(NodeId id) const { return *partition().replica(id); }

  // Two batches, of which broker-2 holds both and broker-3 the first.
  BatchDataPtr first = Story::batch_of({0, 1}), second = Story::batch_of({2});
  void two_batches() {
    story.leads(0, 0, 0);
    story.follows(0, kBroker2, 0, kBroker1);
    story.follows(0, kBroker3, 0, kBroker1);
    story.appended_by(1, kBroker1, 0, first);
    story.replicated(2, kBroker2, 0, first);
    story.replicated(2, kBroker3, 0, first);
    story.appended_by(3, kBroker1, 2, second);
    story.replicated(4, kBroker2, 2, second);
  }
};

TEST_CASE("followers share what they have fetched, and that is all there is to keep") {
  Fixture f;
  f.two_batches();
  CHECK(f.partition().end() == 3);
  CHECK(f.replica(kTwo).shared_end == 3);
  CHECK(f.replica(kThree).shared_end == 2);
  CHECK(f.replica(kThree).tail.empty());
  CHECK(f.changes.empty());
}

TEST_CASE("a new leader's replica is the log: what it does not have goes, and others keep it beside") {
  Fixture f;
  f.two_batches();
  f.story.leads(10, 1, 2, kBroker3);
  REQUIRE(f.changes.size() == 1);
  CHECK(f.changes[0].kept_end == 2);
  REQUIRE(f.changes[0].dropped.size() == 1);
  CHECK(f.changes[0].dropped[0].end_offset == 3);
  CHECK(f.changes[0].added.empty());
  CHECK(f.partition().end() == 2);
  CHECK(f.replica(kOne).end() == 3);
  CHECK(f.replica(kOne).shared_end == 2);

  SUBCASE("until they truncate it") {
    f.story.truncated(11, kBroker1, 3, 2);
    CHECK(f.replica(kOne).tail.empty());
  }
  SUBCASE("and if one of them leads, it comes back") {
    f.story.leads(20, 2, 3, kBroker2);
    REQUIRE(f.changes.size() == 2);
    REQUIRE(f.changes[1].added.size() == 1);
    CHECK(f.changes[1].added[0] == f.changes[0].dropped[0]);
    CHECK(f.replica(kOne).tail.empty());
    CHECK(f.replica(kOne).shared_end == 3);
  }
}

TEST_CASE("what a replaced leader appends is not in the log") {
  Fixture f;
  f.two_batches();
  f.story.leads(10, 1, 3, kBroker2);
  CHECK(f.changes.empty());
  f.story.appended_by(11, kBroker1, 3, Story::batch_of({3}), 0);
  CHECK(f.partition().end() == 3);
  CHECK(f.replica(kOne).tail.size() == 1);
}

TEST_CASE("what a new leader had fetched before it led, and tells of after, is what the others hold") {
  Fixture f;
  f.two_batches();
  const BatchDataPtr third = Story::batch_of({3});
  f.story.appended_by(5, kBroker1, 3, third);
  f.story.leads(10, 1, 4, kBroker2);  // its write of the third is under way
  CHECK(f.partition().end() == 3);
  f.story.replicated(12, kBroker2, 3, third);
  CHECK(f.partition().end() == 4);
  CHECK(f.replica(kOne).tail.empty());
  CHECK(f.replica(kOne).shared_end == 4);
  f.story.appended_by(13, kBroker2, 4, Story::batch_of({4}), 1);
  f.story.high_watermark(14, 0, 4, kBroker1);
  f.story.high_watermark(15, 0, 5, kBroker2);
  CHECK(f.logs.divergence(f.partition()) == kNoOffset);
}

TEST_CASE("what a broker died without having heard of is told by its host, and found when it opens its log") {
  Fixture f;
  f.two_batches();
  f.story.replicated(10, kBroker3, 2, f.second);
  f.story.tell(10, kBroker3, ProcessStopped{});
  f.story.tell(20, kBroker3, ReplicaOpened{kOrders0, kThree, 0, 3, 2});
  CHECK(f.replica(kThree).tail.empty());
  CHECK(f.replica(kThree).shared_end == 3);
}

TEST_CASE("two replicas diverge where they differ below both high watermarks") {
  Fixture f;
  f.two_batches();
  f.story.high_watermark(5, 0, 3);
  f.story.leads(10, 1, 2, kBroker3);
  f.story.appended_by(11, kBroker3, 2, Story::batch_of({3}), 1);
  CHECK(f.logs.divergence(f.partition()) == kNoOffset);  // the new leader has exposed nothing there
  f.story.high_watermark(12, 0, 3, kBroker3);
  CHECK(f.logs.divergence(f.partition()) == 2);
  SUBCASE("one that is down does not count") {
    f.story.tell(13, kBroker1, ProcessStopped{});
    CHECK(f.logs.divergence(f.partition()) == kNoOffset);
  }
  SUBCASE("nor one that has truncated") {
    f.story.truncated(13, kBroker1, 3, 2);
    CHECK(f.logs.divergence(f.partition()) == kNoOffset);
  }
}

TEST_CASE("the final log is the leader's, or what the replicas could still bring back") {
  Fixture f;
  f.two_batches();
  f.story.decided(5, 1, kOne, 0, {kOne, kTwo});
  CHECK(f.logs.final_end(f.partition()) == 3);
  f.story.tell(6, kBroker1, ProcessStopped{});
  CHECK_FALSE(f.logs.has_leader(f.partition()));
  CHECK(f.logs.final_end(f.partition()) == 3);  // unavailable, not lost
  f.story.tell(7, kBroker1, LogLost{kOrders0, kOne, 3, 0, LossOfLog::power_loss});
  f.story.tell(7, kBroker2, LogLost{kOrders0, kTwo, 3, 0, LossOfLog::power_loss});
  CHECK(f.logs.final_end(f.partition()) == 2);
}

TEST_CASE("a log begun anew at its leader's start shares what follows") {
  Fixture f;
  f.two_batches();
  f.story.truncated(5, kBroker3, 2, 3);  // truncated fully, to start at 3
  CHECK(f.replica(kThree).shared_end == 3);
  const BatchDataPtr third = Story::batch_of({3});
  f.story.appended_by(6, kBroker1, 3, third);
  f.story.replicated(7, kBroker3, 3, third);
  CHECK(f.replica(kThree).tail.empty());
  CHECK(f.replica(kThree).shared_end == 4);
}

}  // namespace
}  // namespace sim::observe
