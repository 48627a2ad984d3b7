// Each invariant of replicated logs is shown a run that breaks it; a broken premise makes a loss of it, with its cause.
#include "check/replica_invariants.h"

#include <doctest/doctest.h>

#include <functional>

#include "check/all_invariants.h"
#include "observe/story.h"

namespace sim::check {
namespace {

using test::kBroker1;
using test::kBroker2;
using test::kOrders0;
using test::Story;

constexpr ProcessId kBroker3{12};
constexpr NodeId kOne{1}, kTwo{2}, kThree{3};

struct Fixture {
  explicit Fixture(InvariantsSpec spec = {{kOne, kTwo, kThree}, {true}}) : invariants(std::move(spec)) {}

  AllInvariants invariants;
  Story story{invariants};
  BatchDataPtr first = Story::batch_of({0, 1});

  // One batch, on broker-1 and broker-2, acknowledged; broker-3 is out of the ISR and has nothing.
  void acknowledged() {
    story.decided(0, 1, kOne, 0, {kOne, kTwo, kThree});
    story.tell(0, kBroker1, observe::BecameLeader{kOrders0, kOne, LeaderEpoch{0}, 0, 2});
    story.follows(0, kBroker2, 0, kBroker1);
    story.follows(0, kBroker3, 0, kBroker1);
    story.decided(1, 2, kOne, 0, {kOne, kTwo});
    story.isr(1, {kOne, kTwo});
    story.placed(2, 0), story.accepted(2, 0);
    story.placed(2, 1), story.accepted(2, 1);
    story.drained(3, first);
    story.appended_by(4, kBroker1, 0, first);
    story.replicated(5, kBroker2, 0, first);
    high_watermark(6, kBroker1, 0, 2);
    story.acknowledged(7, 0, first);
  }
  void high_watermark(std::int64_t ms, ProcessId broker, Offset from, Offset to) {
    story.tell(ms, broker, observe::HighWatermarkAdvanced{kOrders0, from, to, Story::broker_of(broker), 2});
  }
  std::vector<std::string> broken() const {
    std::vector<std::string> names;
    for (const Violation& one : invariants.replicas().violations()) names.push_back(one.invariant);
    return names;
  }
  const Loss& loss() const {
    REQUIRE(invariants.replicas().losses().size() == 1);
    return invariants.replicas().losses().front();
  }
};
using Names = std::vector<std::string>;

TEST_CASE("a clean election of who holds everything loses nothing") {
  Fixture f;
  f.acknowledged();
  f.story.decided(10, 3, kTwo, 1, {kTwo}, {kOne});
  f.story.leads(11, 1, 2, kBroker2);
  CHECK(f.broken() == Names{});
  CHECK(f.invariants.replicas().losses().empty());
}

TEST_CASE("acked-never-lost: a leader without what was acknowledged breaks it, unless a premise was broken") {
  Fixture f;
  f.acknowledged();
  SUBCASE("elected as if it were in sync") {
    f.story.decided(10, 3, kTwo, 1, {kTwo, kThree});
    f.story.decided(12, 4, kThree, 2, {kThree});
    f.story.leads(13, 2, 0, kBroker3);
    CHECK(f.broken() == Names{"acked-never-lost"});
    CHECK_FALSE(f.loss().premise_broken);
  }
  SUBCASE("by an unclean election") {
    f.story.decided(10, 3, kThree, 1, {kThree});
    f.story.leads(69'200, 1, 0, kBroker3);
    CHECK(f.broken() == Names{});
    CHECK(f.loss().premise_broken);
    CHECK(f.loss().from == 0);
    CHECK(f.loss().to == 2);
    CHECK(f.loss().cause == "broker-3 became leader of topic-1-0 in leader epoch 1 by an unclean election, its log ended at 0");
  }
  SUBCASE("as many disks as min.insync.replicas lost it") {
    f.story.tell(60'000, kBroker1, observe::LogLost{kOrders0, kOne, 2, 0, observe::LossOfLog::power_loss});
    f.story.tell(60'000, kBroker2, observe::LogLost{kOrders0, kTwo, 2, 0, observe::LossOfLog::power_loss});
    f.story.decided(60'010, 3, kTwo, 1, {kTwo});
    f.story.leads(60'011, 1, 0, kBroker2);
    CHECK(f.broken() == Names{});
    CHECK(f.loss().cause ==
          "power loss of broker-1, broker-2 at 60 s took what was not flushed; broker-2 became leader of topic-1-0 in leader "
          "epoch 1, its log ended at 0");
  }
  SUBCASE("one disk less, and it is broken") {
    f.story.tell(60'000, kBroker2, observe::LogLost{kOrders0, kTwo, 2, 0, observe::LossOfLog::power_loss});
    f.story.decided(60'010, 3, kTwo, 1, {kTwo});
    f.story.leads(60'011, 1, 0, kBroker2);
    CHECK(f.broken() == Names{"acked-never-lost"});
  }
}

TEST_CASE("behaviour of former times explains a loss, and an invariant can be switched off") {
  const auto lose = [](Fixture& f) {
    f.acknowledged();
    f.story.decided(10, 3, kTwo, 1, {kTwo, kThree});
    f.story.decided(12, 4, kThree, 2, {kThree});
    f.story.leads(13, 2, 0, kBroker3);
  };
  Fixture history({{kOne, kTwo, kThree}, {true}, {"no eligible leader replicas"}, {}});
  lose(history);
  CHECK(history.broken() == Names{});
  CHECK(history.loss().cause.find("(no eligible leader replicas)") != std::string::npos);
  Fixture off({{kOne, kTwo, kThree}, {true}, {}, {"acked-never-lost"}});
  lose(off);
  CHECK(off.broken() == Names{"acked-never-lost"});
  for (const Violation& one : off.invariants.violations()) CHECK(one.invariant != "acked-never-lost");
}

TEST_CASE("each of the others catches what breaks it") {
  struct Row {
    const char* invariant;
    std::function<void(Fixture&)> planted;
  };
  const Row rows[] = {
      {"high-watermark-covered",
       [](Fixture& f) {
         f.story.appended_by(10, kBroker1, 2, Story::batch_of({2}));
         f.high_watermark(11, kBroker1, 2, 3);
       }},
      {"high-watermark-covered",  // a joiner counts from its being proposed
       [](Fixture& f) {
         const BatchDataPtr second = Story::batch_of({2});
         f.story.tell(10, kBroker1, observe::IsrProposed{kOrders0, {kOne, kTwo, kThree}, PartitionEpoch{0}, kOne});
         f.story.appended_by(11, kBroker1, 2, second);
         f.story.replicated(12, kBroker2, 2, second);
         f.high_watermark(13, kBroker1, 2, 3);
       }},
      {"high-watermark-min-isr",
       [](Fixture& f) {
         f.story.isr(10, {kOne});
         f.story.appended_by(11, kBroker1, 2, Story::batch_of({2}));
         f.high_watermark(12, kBroker1, 2, 3);
       }},
      {"high-watermark-within-log",
       [](Fixture& f) { f.story.tell(10, kBroker2, observe::FollowerHighWatermarkAdvanced{kOrders0, kTwo, 3}); }},
      {"read-below-high-watermark",  // of the follower that served it, which is behind its leader's
       [](Fixture& f) {
         f.story.tell(10, kBroker2, observe::FollowerHighWatermarkAdvanced{kOrders0, kTwo, 1});
         f.story.tell(11, Story::member_of(0), observe::RecordsPolled{observe::ServiceId{0}, 0, kOrders0, 0, 2, kTwo});
       }},
  };
  for (const Row& row : rows) {
    CAPTURE(row.invariant);
    Fixture f;
    f.acknowledged();
    row.planted(f);
    CHECK(f.broken() == Names{row.invariant});
  }
}

TEST_CASE("exposed-never-changes and replicas-agree: another record where one could be read") {
  const auto replaced = [](Fixture& f, bool clean) {
    f.acknowledged();
    if (clean) f.story.decided(9, 3, kOne, 0, {kOne, kTwo, kThree});
    f.story.decided(10, 4, kThree, 1, {kThree});
    f.story.leads(11, 1, 0, kBroker3);
    f.story.appended_by(12, kBroker3, 0, Story::batch_of({3, 4}), 1);
    f.high_watermark(13, kBroker3, 0, 2);
  };
  Fixture clean;
  replaced(clean, true);
  CHECK(clean.broken() == Names{"acked-never-lost", "exposed-never-changes", "replicas-agree"});
  Fixture unclean;
  replaced(unclean, false);
  CHECK(unclean.broken() == Names{});
  CHECK(unclean.invariants.replicas().first_divergence(kOrders0) == Instant{13ms});
}

TEST_CASE("what took a part of a log from disks is told, whether anybody leads it or not") {
  Fixture f;
  f.acknowledged();
  const auto taken = [&](Offset from, Offset to, Duration since) {
    return f.invariants.replicas().taken(kOrders0, from, to, Instant{since});
  };
  CHECK_FALSE(taken(0, 1, 0s).has_value());
  f.story.tell(60'000, kBroker1, observe::LogLost{kOrders0, kOne, 2, 0, observe::LossOfLog::power_loss});
  f.story.tell(60'000, kBroker2, observe::LogLost{kOrders0, kTwo, 2, 1, observe::LossOfLog::power_loss});
  f.story.tell(70'000, kBroker2, observe::LogLost{kOrders0, kTwo, 1, 0, observe::LossOfLog::wiped});
  REQUIRE(taken(1, 2, 0s).has_value());
  CHECK(taken(1, 2, 0s)->at == Instant{60s});
  CHECK(taken(1, 2, 0s)->what == "power loss of broker-1, broker-2 at 60 s took what was not flushed");
  CHECK(taken(0, 1, 0s)->at == Instant{70s});
  CHECK(taken(0, 1, 65s)->what == "the disk of broker-2 was wiped at 70 s");
  CHECK_FALSE(taken(2, 3, 0s).has_value());
}

TEST_CASE("a member whose disk was lost is not held to what it had") {
  Fixture f;
  f.acknowledged();
  f.story.tell(10, kBroker2, observe::LogLost{kOrders0, kTwo, 2, 0, observe::LossOfLog::wiped});
  f.story.appended_by(11, kBroker1, 2, Story::batch_of({2}));
  f.high_watermark(12, kBroker1, 2, 3);  // on a fetch that was under way
  CHECK(f.broken() == Names{});
}

}  // namespace
}  // namespace sim::check
