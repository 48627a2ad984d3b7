// What the ledger says of the final log: what it lost, what a group can no longer do, what it holds twice,
// and which keys were done out of order. The log is what its leader's replica holds.
#include <doctest/doctest.h>

#include "metrics/order_ledger.h"
#include "observe/story.h"
#include "record/run_record.h"

namespace sim::metrics {
namespace order_verdicts_test {

using test::kBroker1;
using test::kBroker2;
using test::kOrders0;
using test::Story;

// A record is of processes that have names.
observe::Names names() {
  observe::Names names;
  names.processes.resize(64);
  names.flows = {"order-service"};
  names.services = {"inventory"};
  return names;
}

struct Fixture {
  record::RunRecord record{{names(), LedgerSpec{1, {1}}, {}}};
  const OrderLedger& ledger = record.ledger();
  Story story{record};
  OrderLedger::Index index(std::int64_t number) const { return ledger.find(Story::order(number)); }
  void finish(bool settled = false) { record.finish(Instant{100s}, settled); }

  // Order 0 is acknowledged by broker-1 alone; broker-2 follows and has nothing.
  BatchDataPtr batch = Story::batch_of({0});
  void acknowledged() {
    story.leads(0, 0, 0);
    story.follows(0, kBroker2, 0, kBroker1);
    story.placed(0, 0);
    story.accepted(0, 0);
    story.drained(1, batch);
    story.appended_by(2, kBroker1, 0, batch);
    story.high_watermark(3, 0, 1);
    story.acknowledged(4, 0, batch);
  }
};

TEST_CASE("lost below the start of the next epoch, where the new leader holds something else") {
  Fixture f;
  f.acknowledged();
  const BatchDataPtr other = Story::batch_of({7});
  f.story.placed(5, 7);
  f.story.replicated(6, kBroker2, 0, other);  // what the leader before broker-1 had sent it
  f.story.leads(50, 1, 1, kBroker2);          // its epoch starts above order 0
  f.finish();
  CHECK(f.ledger.lost_acked(f.index(0)));
  CHECK(f.ledger.outcome(f.index(0)) == Outcome::lost);
  CHECK_FALSE(f.ledger.lost_for_group(f.index(0), 0));
}

TEST_CASE("what the log lost comes back with the replica that kept it") {
  Fixture f;
  f.acknowledged();
  f.story.leads(50, 1, 0, kBroker2);
  f.story.leads(60, 2, 1, kBroker1);
  f.finish();
  CHECK_FALSE(f.ledger.lost_acked(f.index(0)));
  CHECK(f.ledger.outcome(f.index(0)) == Outcome::open);
}

TEST_CASE("what a leader appends after it was replaced counts once it leads again") {
  Fixture f;
  f.acknowledged();
  f.story.replicated(5, kBroker2, 0, f.batch);
  f.story.leads(50, 1, 1, kBroker2);
  const BatchDataPtr late = Story::batch_of({1});
  f.story.placed(51, 1);
  f.story.accepted(51, 1);
  f.story.drained(52, late);
  f.story.appended_by(53, kBroker1, 1, late, 0);
  f.story.acknowledged(54, 1, late);
  SUBCASE("not before") {
    f.finish();
    CHECK(f.ledger.lost_acked(f.index(1)));
    const OrderLedger::ReplacedLeader* replaced = f.ledger.replaced_leader(f.ledger.order(f.index(1)));
    REQUIRE(replaced != nullptr);
    CHECK(replaced->broker == NodeId{1});
    CHECK(replaced->leader_epoch == LeaderEpoch{0});
    CHECK(replaced->successor == NodeId{2});
    CHECK(replaced->successor_epoch == LeaderEpoch{1});
    CHECK(replaced->successor_since == 50'000'000);
    CHECK(f.ledger.replaced_leader(f.ledger.order(f.index(0))) == nullptr);
  }
  SUBCASE("and from then on") {
    f.story.leads(60, 2, 2, kBroker1);
    f.finish();
    CHECK_FALSE(f.ledger.lost_acked(f.index(1)));
    CHECK(f.ledger.offset_of(f.ledger.order(f.index(1))) == 1);
  }
}

TEST_CASE("nobody leads: what an intact disk holds is unavailable, what none does is lost") {
  Fixture f;
  f.acknowledged();
  f.story.tell(50, kBroker1, observe::ProcessStopped{});
  SUBCASE("killed") {
    f.finish();
    CHECK_FALSE(f.ledger.lost_acked(f.index(0)));
  }
  SUBCASE("without power") {
    f.story.tell(50, kBroker1, observe::LogLost{kOrders0, NodeId{1}, 1, 0, observe::LossOfLog::power_loss});
    f.finish();
    CHECK(f.ledger.lost_acked(f.index(0)));
  }
}

TEST_CASE("deleted by retention is not lost from the log, but for the group that had not done it") {
  Fixture f;
  f.acknowledged();
  f.story.tell(50, kBroker1, observe::LogStartRaised{kOrders0, NodeId{1}, 0, 1});
  f.story.tell(60, kBroker1, observe::LogStartRaised{kOrders0, NodeId{1}, 1, 5});  // takes others
  f.finish();
  CHECK_FALSE(f.ledger.lost_acked(f.index(0)));
  CHECK(f.ledger.lost_for_group(f.index(0), 0));
  CHECK(f.ledger.deleted_at(f.ledger.order(f.index(0))) == 50'000'000);
}

TEST_CASE("compacted away before it was read: the group goes on behind it, and it is lost for it") {
  Fixture f;
  f.story.leads(0, 0, 0);
  f.story.published(0, {0, 1}, 0);
  f.story.polled(50, 0, 0, 2);  // of which only order 1 was left
  f.story.committed(52, 0, 2);
  SUBCASE("it may still be in the member's hands") {
    f.finish();
    CHECK_FALSE(f.ledger.lost_for_group(f.index(0), 0));
  }
  SUBCASE("until the one behind it is begun") {
    f.story.started(55, 0, 1, 1);
    f.finish();
    CHECK(f.ledger.lost_for_group(f.index(0), 0));
    CHECK_FALSE(f.ledger.lost_for_group(f.index(1), 0));
    CHECK_FALSE(f.ledger.lost_acked(f.index(0)));
  }
}

TEST_CASE("when compaction went over an order: its leader's, or else another replica's") {
  Fixture f;
  f.acknowledged();
  const auto clean = [&](std::int64_t ms, ProcessId broker, Offset end) {
    f.story.tell(ms, broker, observe::LogCleaned{kOrders0, Story::broker_of(broker), end, 100, 50});
  };
  const auto at = [&] { return f.ledger.compacted_at(f.ledger.order(f.index(0))); };
  clean(20, kBroker1, 0);
  CHECK(at() == kNever);
  clean(30, kBroker2, 1);
  CHECK(at() == 30'000'000);
  clean(40, kBroker1, 1);
  clean(50, kBroker1, 9);
  CHECK(at() == 40'000'000);
}

TEST_CASE("when an order was refused last, and when one was done again") {
  Fixture f;
  f.acknowledged();
  CHECK(f.ledger.last_refused(kOrders0) == kNever);
  f.story.refused(9, f.batch, ErrorCode::not_leader_or_follower, true);
  CHECK(f.ledger.last_refused(kOrders0) == 9'000'000);
  f.story.polled(20, 0, 0, 1);
  for (const std::int64_t ms : {25, 505, 700}) f.story.done(ms, 0, 0, 0);
  f.finish();
  CHECK(f.ledger.done_again_at(f.index(0), 0) == 505'000'000);
}

TEST_CASE("a leader that takes no orders is unavailable from its first refusal until it acknowledges again") {
  Fixture f;
  f.acknowledged();
  CHECK(f.ledger.refusals().empty());
  f.story.refused(1'000, f.batch, ErrorCode::not_leader_or_follower,
                  true);  // somebody else leads: no gap of its own
  CHECK(f.ledger.refusals().empty());
  const auto refuse = [&](std::int64_t ms) {
    f.story.refused(ms, f.batch, ErrorCode::not_enough_replicas, true);
  };
  const auto take = [&](std::int64_t ms) { f.story.acknowledged(ms, 0, f.batch); };
  for (const std::int64_t ms : {2'000, 3'000}) refuse(ms);
  take(4'000);
  refuse(4'500);  // less than a second later: the same
  take(6'000);
  refuse(9'000);
  const auto& told = f.ledger.refusals();
  REQUIRE(told.size() == 2);
  CHECK(told[0].from == 2'000'000'000);
  CHECK(told[0].to == 6'000'000'000);
  CHECK(told[0].error == ErrorCode::not_enough_replicas);
  CHECK(told[1].from == 9'000'000'000);
  CHECK(told[1].to == kNever);
}

TEST_CASE("a record that the log holds twice is told once, at its second place") {
  Fixture f;
  f.acknowledged();
  f.story.drained(10, f.batch, 1);
  f.story.appended_by(11, kBroker1, 1, f.batch);
  SUBCASE("both are there") {
    f.finish();
    REQUIRE(f.ledger.duplicates().size() == 1);
    CHECK(f.ledger.duplicates()[0].order == f.index(0));
    CHECK(f.ledger.duplicates()[0].offset == 1);
    CHECK(f.ledger.duplicates()[0].at == 11'000'000);  // not when the first was appended
  }
  SUBCASE("the second was lost") {
    f.story.replicated(12, kBroker2, 0, f.batch);
    f.story.leads(50, 1, 1, kBroker2);
    f.finish();
    CHECK(f.ledger.duplicates().empty());
    CHECK_FALSE(f.ledger.lost_acked(f.index(0)));
  }
}

TEST_CASE("a key is out of order when an order of it was done before one placed earlier") {
  Fixture f;
  f.story.leads(0, 0, 0);
  f.story.published(0, {0, 1, 2}, 0);  // all of one key
  f.story.polled(30, 0, 0, 3);
  const auto done = [&](std::int64_t ms, std::int64_t number) {
    f.story.started(ms, 0, number, number);
    f.story.done(ms, 0, number, number);
  };
  SUBCASE("in order, and one done again") {
    done(40, 0), done(41, 1), done(42, 2), done(43, 0);
    f.finish();
    CHECK(f.ledger.reordered(0).empty());
  }
  SUBCASE("each key counts once") {
    done(40, 2), done(41, 0), done(42, 1);
    f.finish();
    REQUIRE(f.ledger.reordered(0).size() == 1);
    CHECK(f.ledger.reordered(0)[0] == f.index(2));
  }
}

}  // namespace order_verdicts_test
}  // namespace sim::metrics
