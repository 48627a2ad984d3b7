// The ledger: stages add up, whatever happens on the way; and what became of an order is what a reader of the
// facts would say.
#include "metrics/order_ledger.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "observe/story.h"
#include "observe/teller.h"

namespace sim::metrics {
namespace {

using test::kBroker1;
using test::kBroker2;
using test::Story;

struct Fixture {
  explicit Fixture(std::size_t services = 1)
      : ledger(LedgerSpec{services, {(std::uint64_t{1} << services) - 1}}) {}

  OrderLedger ledger;
  test::Teller tell;
  Story story{[this](const observe::Observation& observation) { tell(observation, ledger); }};

  OrderLedger::Index index(std::int64_t number) const { return ledger.find(Story::order(number)); }
  std::int64_t stage_ms(std::int64_t number, Stage stage, std::size_t service = 0) const {
    return ledger.stages(index(number), service)[static_cast<std::size_t>(stage)] / 1'000'000;
  }
  Outcome outcome(std::int64_t number) const { return ledger.outcome(index(number)); }
};

TEST_CASE("the stages of an order add up to its latency") {
  Fixture f;
  f.story.published(100, {0, 1}, 0);
  f.story.polled(120, 0, 0, 2);
  f.story.started(120, 0, 0, 0);
  f.story.done(125, 0, 0, 0);
  f.story.started(125, 0, 1, 1);
  f.story.done(133, 0, 1, 1);
  f.story.committed(140, 0, 2);
  f.ledger.finish(Instant{1s}, true);

  const std::int64_t want_ms[kStages] = {1, 5, 0, 1, 2, 3, 4, 4, 5, 8};
  for (std::size_t stage = 0; stage < kStages; ++stage) {
    CAPTURE(name(static_cast<Stage>(stage)));
    CHECK(f.stage_ms(1, static_cast<Stage>(stage)) == want_ms[stage]);
  }
  const auto stages = f.ledger.stages(f.index(1), 0);
  CHECK(std::accumulate(stages.begin(), stages.end(), std::int64_t{0}) == 33'000'000);
  CHECK(f.ledger.ended(f.index(1)) == 133'000'000);
  CHECK(f.ledger.answered(f.index(1)) == 117'000'000);
  CHECK(f.outcome(1) == Outcome::fulfilled);
  CHECK(f.ledger.service(f.index(0), 0).committed == 140'000'000);
  CHECK(f.ledger.offset_of(f.ledger.order(f.index(1))) == 1);
  CHECK(f.ledger.totals().fulfilled == 2);
}

TEST_CASE("services beyond the sixty-fourth are like the others") {
  ServiceSet wanted;
  for (const std::size_t s : {0, 64, 69}) wanted.add(s);
  OrderLedger ledger(LedgerSpec{70, {wanted}});
  test::Teller tell;
  Story story([&](const observe::Observation& seen) { tell(seen, ledger); });
  story.published(100, {0}, 0);
  const OrderLedger::Index order = ledger.find(Story::order(0));
  CHECK(ledger.wants(ledger.order(order), 69));
  CHECK_FALSE(ledger.wants(ledger.order(order), 5));
  CHECK_FALSE(ledger.wants(ledger.order(order), 65));
  CHECK(ledger.reads(test::kOrders0, 64));
  for (const std::int32_t service : {0, 64, 69}) {
    CHECK(ledger.totals().fulfilled == 0);
    story.polled(200 + service, service, 0, 1);
    story.started(200 + service, service, 0, 0);
    story.done(200 + service, service, 0, 0);
  }
  CHECK(ledger.totals().fulfilled == 1);
  ServiceSet others(5);
  others.add_all(wanted);
  CHECK(others.has(2));
  CHECK(others.has(69));
  CHECK_FALSE(ServiceSet{}.has(69));
  CHECK(ServiceSet{}.empty());
}

TEST_CASE("an order is fulfilled when its last service has done it") {
  Fixture f(2);
  f.story.published(0, {0}, 0);
  f.story.polled(20, 0, 0, 1);
  f.story.done(25, 0, 0, 0);
  CHECK(f.ledger.totals().fulfilled == 0);
  f.story.polled(20, 1, 0, 1);
  f.story.done(40, 1, 0, 0);
  CHECK(f.ledger.totals().fulfilled == 1);
  CHECK(f.ledger.last_service(f.index(0)) == 1);
  CHECK(f.ledger.ended(f.index(0)) == 40'000'000);
  CHECK(f.ledger.ended(f.index(0), 0) == 25'000'000);
}

TEST_CASE("a redelivery is a duplicate effect and changes no stamp") {
  Fixture f;
  f.story.published(0, {0}, 0);
  f.story.polled(20, 0, 0, 1);
  f.story.started(20, 0, 0, 0);
  f.story.done(25, 0, 0, 0);
  f.story.polled(500, 0, 0, 1);
  f.story.started(500, 0, 0, 0);
  f.story.done(505, 0, 0, 0);
  CHECK(f.ledger.service(f.index(0), 0).times == 2);
  CHECK(f.ledger.service(f.index(0), 0).done == 25'000'000);
  CHECK(f.stage_ms(0, Stage::service) == 5);
  CHECK(f.ledger.totals().fulfilled == 1);
}

TEST_CASE("time spent on a refused attempt is retry time") {
  Fixture f;
  f.story.placed(0, 0);
  f.story.accepted(0, 0);
  const auto batch = Story::batch_of({0});
  f.story.drained(5, batch);
  f.story.arrived(6, observe::RequestStage::received, batch);
  f.story.arrived(7, observe::RequestStage::dequeued, batch);
  f.story.refused(8, batch, ErrorCode::not_leader_or_follower, true);
  f.story.drained(108, batch, 1);
  f.story.arrived(110, observe::RequestStage::received, batch, kBroker2);
  f.story.arrived(113, observe::RequestStage::dequeued, batch, kBroker2);
  f.story.appended(117, 0, batch, 1, kBroker2);
  f.story.high_watermark(118, 0, 1, kBroker2);
  f.story.acknowledged(119, 0, batch);
  f.story.polled(120, 0, 0, 1);
  f.story.done(121, 0, 0, 0);
  CHECK(f.stage_ms(0, Stage::retry) == 103);
  CHECK(f.stage_ms(0, Stage::network) == 2);
  CHECK(f.stage_ms(0, Stage::request_queue) == 3);
  CHECK(f.stage_ms(0, Stage::append) == 4);
  CHECK(f.ledger.totals().retried == 1);
}

TEST_CASE("an attempt that timed out at the producer may still be the one that was appended") {
  Fixture f;
  f.story.placed(0, 0);
  f.story.accepted(0, 0);
  const auto batch = Story::batch_of({0});
  f.story.drained(5, batch);
  f.story.arrived(6, observe::RequestStage::received, batch);
  f.story.refused(30, batch, ErrorCode::network_exception, true);
  f.story.drained(130, batch, 1);
  f.story.arrived(140, observe::RequestStage::dequeued, batch);
  f.story.appended(141, 0, batch);
  f.story.high_watermark(142, 0, 1);
  f.story.polled(143, 0, 0, 1);
  f.story.done(144, 0, 0, 0);
  CHECK(f.stage_ms(0, Stage::retry) == 0);
  CHECK(f.stage_ms(0, Stage::request_queue) == 134);
  const auto stages = f.ledger.stages(f.index(0), 0);
  CHECK(std::accumulate(stages.begin(), stages.end(), std::int64_t{0}) == 144'000'000);
}

TEST_CASE("what became of an order") {
  Fixture f;
  SUBCASE("an error at the producer is a failure: told at once, and never at an end") {
    f.story.placed(100, 0);
    f.story.failed(350, 0, ErrorCode::request_timed_out);
    f.ledger.finish(Instant{1s}, true);
    CHECK(f.outcome(0) == Outcome::failed);
    CHECK(f.ledger.answered(f.index(0)) == 350'000'000);
    CHECK(f.ledger.ended(f.index(0)) == 1'000'000'000);
    CHECK(f.ledger.ended(f.index(0), 0) == 1'000'000'000);
    CHECK(f.ledger.totals().ended == 1);
  }
  SUBCASE("nobody has handled it yet: open, at the age it has") {
    f.story.published(0, {0}, 0);
    f.ledger.finish(Instant{1s}, false);
    CHECK(f.outcome(0) == Outcome::open);
    CHECK(f.ledger.ended(f.index(0)) == 1'000'000'000);
  }
  SUBCASE("committed past it and never done: lost") {
    f.story.published(0, {0}, 0);
    f.story.committed(50, 0, 1);
    f.ledger.finish(Instant{1s}, false);
    CHECK(f.outcome(0) == Outcome::lost);
  }
  SUBCASE("committed before processing, and in the hands of a living member: open") {
    f.story.published(0, {0}, 0);
    f.story.polled(20, 0, 0, 1);
    f.story.committed(30, 0, 1);
    f.ledger.finish(Instant{1s}, false);
    CHECK(f.outcome(0) == Outcome::open);
  }
  SUBCASE("committed before processing by a member that died: lost") {
    f.story.published(0, {0}, 0);
    f.story.polled(20, 0, 0, 1);
    f.story.committed(30, 0, 1);
    f.story.tell(40, Story::member_of(0), observe::ProcessStopped{});
    f.ledger.finish(Instant{1s}, false);
    CHECK(f.outcome(0) == Outcome::lost);
  }
  SUBCASE("a group that began at the latest offset has skipped it: lost") {
    f.story.published(0, {0}, 0);
    f.story.tell(50, Story::member_of(0),
                 observe::PositionReset{observe::ServiceId{0}, 0, test::kOrders0, 1});
    f.ledger.finish(Instant{1s}, true);
    CHECK(f.outcome(0) == Outcome::lost);
  }
  SUBCASE("acknowledged by a leader whose successor does not have it: lost") {
    f.story.leads(0, 0, 0);
    f.story.published(0, {0}, 0);
    f.story.leads(50, 1, 0, kBroker2);
    f.ledger.finish(Instant{1s}, false);
    CHECK(f.outcome(0) == Outcome::lost);
  }
  SUBCASE("gone with its leader and sent again: not lost") {
    f.story.leads(0, 0, 0);
    f.story.placed(0, 0);
    const auto batch = Story::batch_of({0});
    f.story.drained(5, batch);
    f.story.appended(10, 0, batch);
    f.story.leads(50, 1, 0, kBroker2);
    f.story.high_watermark(51, 0, 1);  // of the old leader: does not count
    f.story.drained(60, batch, 1);
    f.story.appended(65, 0, batch, 1, kBroker2);
    f.story.high_watermark(70, 0, 1, kBroker2);
    f.story.acknowledged(71, 0, batch);
    f.ledger.finish(Instant{1s}, false);
    CHECK(f.outcome(0) == Outcome::open);
    CHECK(f.ledger.batch_of(f.ledger.order(f.index(0))).appended == 65'000'000);
    CHECK(f.ledger.batch_of(f.ledger.order(f.index(0))).high_watermark == 70'000'000);
  }
  SUBCASE("appended and acknowledged by a leader that had been replaced: lost") {
    f.story.leads(0, 0, 0);
    f.story.leads(50, 1, 0, kBroker2);
    f.story.placed(60, 0);
    f.story.accepted(60, 0);
    const auto batch = Story::batch_of({0});
    f.story.drained(61, batch);
    f.story.appended(65, 0, batch, 0);
    SUBCASE("with acks=1") {
      f.story.acknowledged(66, 0, batch);
      f.ledger.finish(Instant{1s}, false);
      CHECK(f.outcome(0) == Outcome::lost);
    }
    SUBCASE("but not if it is sent again to its successor") {
      f.story.drained(70, batch, 1);
      f.story.appended(75, 0, batch, 1, kBroker2);
      f.story.acknowledged(76, 0, batch);
      f.ledger.finish(Instant{1s}, false);
      CHECK(f.outcome(0) == Outcome::open);
      CHECK(f.ledger.batch_of(f.ledger.order(f.index(0))).appended == 75'000'000);
    }
  }
  SUBCASE("in the place of an order that the log lost, below what its group has committed: lost") {
    f.story.leads(0, 0, 0);
    f.story.published(0, {0}, 0);
    f.story.polled(20, 0, 0, 1);
    f.story.started(20, 0, 0, 0);
    f.story.done(21, 0, 0, 0);
    f.story.committed(30, 0, 1);
    f.story.leads(50, 1, 0, kBroker2);  // without order 0
    f.story.placed(60, 1);
    f.story.accepted(60, 1);
    const auto batch = Story::batch_of({1});
    f.story.drained(61, batch);
    f.story.appended(65, 0, batch, 1, kBroker2);
    f.story.acknowledged(66, 0, batch);
    f.ledger.finish(Instant{1s}, false);
    CHECK(f.outcome(1) == Outcome::lost);
  }
  SUBCASE("acks=0 and never appended: open while under way, lost when all is settled") {
    f.story.placed(0, 0);
    const auto batch = Story::batch_of({0});
    f.story.drained(5, batch);
    f.story.acknowledged(5, kNoOffset, batch);
    f.ledger.finish(Instant{1s}, false);
    CHECK(f.outcome(0) == Outcome::open);
    f.ledger.finish(Instant{1s}, true);
    CHECK(f.outcome(0) == Outcome::lost);
  }
}

TEST_CASE("what is not done spends the rest of its time where it is stuck") {
  struct Row {
    const char* stuck_in;
    std::function<void(Story&)> tell;
    Stage want;
  };
  const Row rows[] = {
      {"send()", [](Story&) {}, Stage::send_wait},
      {"the accumulator", [](Story& s) { s.accepted(3, 0); }, Stage::linger},
      {"the network",
       [](Story& s) {
         s.accepted(3, 0);
         s.drained(5, Story::batch_of({0}));
       },
       Stage::network},
      {"replication",
       [](Story& s) {
         s.accepted(3, 0);
         s.drained(5, Story::batch_of({0}));
         s.appended(7, 0, Story::batch_of({0}));
       },
       Stage::replication},
  };
  for (const Row& row : rows) {
    CAPTURE(row.stuck_in);
    Fixture f;
    f.story.placed(0, 0);
    row.tell(f.story);
    f.ledger.finish(Instant{1s}, false);
    const auto stages = f.ledger.stages(f.index(0), 0);
    CHECK(std::max_element(stages.begin(), stages.end()) - stages.begin() ==
          static_cast<std::ptrdiff_t>(row.want));
    CHECK(std::accumulate(stages.begin(), stages.end(), std::int64_t{0}) == 1'000'000'000);
  }
}

TEST_CASE("a batch that was split keeps when it was first batched") {
  Fixture f;
  f.story.placed(0, 0);
  f.story.placed(0, 1);
  f.story.drained(5, Story::batch_of({0, 1}));
  f.story.drained(20, Story::batch_of({0}));
  f.story.drained(25, Story::batch_of({1}));
  const auto& second = f.ledger.batch_of(f.ledger.order(f.index(1)));
  CHECK(second.batched == 5'000'000);
  CHECK(second.sent == 25'000'000);
}

TEST_CASE("the row of an order is small") {
  CHECK(sizeof(OrderLedger::Order) + 3 * sizeof(OrderLedger::Service) <= 200);
  CHECK(sizeof(OrderLedger::Batch) <= 112);
}

}  // namespace
}  // namespace sim::metrics
