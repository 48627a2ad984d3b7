// Each invariant of replicated logs is shown a run that breaks it; a broken premise makes a loss of it, with
// its cause.
#include "check/replica_invariants.h"

#include <doctest/doctest.h>

#include <functional>

#include "base/contains.h"
#include "check/all_invariants.h"
#include "observe/story.h"

namespace sim::check {
namespace replica_invariants_test {

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
    CHECK(f.loss().cause ==
          "broker-3 became leader of topic-1-0 in leader epoch 1 by an unclean election, its log ended at 0");
  }
  SUBCASE("as many disks as min.insync.replicas lost it") {
    f.story.tell(60'000, kBroker1, observe::LogLost{kOrders0, kOne, 2, 0, observe::LossOfLog::power_loss});
    f.story.tell(60'000, kBroker2, observe::LogLost{kOrders0, kTwo, 2, 0, observe::LossOfLog::power_loss});
    f.story.decided(60'010, 3, kTwo, 1, {kTwo});
    f.story.leads(60'011, 1, 0, kBroker2);
    CHECK(f.broken() == Names{});
    CHECK(f.loss().cause ==
          "power loss of broker-1, broker-2 at 60 s took what was not flushed; broker-2 became leader of "
          "topic-1-0 in leader "
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
         f.story.tell(10, kBroker1,
                      observe::IsrProposed{kOrders0, {kOne, kTwo, kThree}, PartitionEpoch{0}, kOne});
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
       [](Fixture& f) {
         f.story.tell(10, kBroker2, observe::FollowerHighWatermarkAdvanced{kOrders0, kTwo, 3});
       }},
      {"read-below-high-watermark",  // of the follower that served it, which is behind its leader's
       [](Fixture& f) {
         f.story.tell(10, kBroker2, observe::FollowerHighWatermarkAdvanced{kOrders0, kTwo, 1});
         f.story.tell(11, Story::member_of(0),
                      observe::RecordsPolled{observe::ServiceId{0}, 0, kOrders0, 0, 2, kTwo});
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

TEST_CASE(
    "what was exposed and promised to nobody may be gone with as many disks as it was on, not with fewer") {
  for (const bool all : {true, false}) {
    CAPTURE(all);
    Fixture f;
    f.story.decided(0, 1, kOne, 0, {kOne, kTwo});
    f.story.tell(0, kBroker1, observe::BecameLeader{kOrders0, kOne, LeaderEpoch{0}, 0, 2});
    f.story.follows(0, kBroker2, 0, kBroker1);
    f.story.isr(1, {kOne, kTwo});
    f.story.appended_by(4, kBroker1, 0, f.first);
    f.story.replicated(5, kBroker2, 0, f.first);
    f.high_watermark(6, kBroker1, 0, 2);  // read, and never acknowledged
    if (all)
      f.story.tell(9, kBroker1, observe::LogLost{kOrders0, kOne, 2, 0, observe::LossOfLog::power_loss});
    f.story.tell(9, kBroker2, observe::LogLost{kOrders0, kTwo, 2, 0, observe::LossOfLog::power_loss});
    f.story.decided(10, 2, kTwo, 1, {kTwo, kOne});
    f.story.leads(11, 1, 0, kBroker2);
    f.story.appended_by(12, kBroker2, 0, Story::batch_of({3, 4}), 1);
    f.high_watermark(13, kBroker2, 0, 2);
    CHECK(contains(f.broken(), std::string("exposed-never-changes")) == !all);
  }
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

TEST_CASE("nor to less than it had, while its leader may count on that") {
  Fixture f;
  f.acknowledged();
  const BatchDataPtr second = Story::batch_of({2}), third = Story::batch_of({3});
  f.story.appended_by(8, kBroker1, 2, second);
  f.story.replicated(8, kBroker2, 2, second);
  f.story.appended_by(9, kBroker1, 3, third);
  f.story.replicated(9, kBroker2, 3, third);
  f.story.tell(10, kBroker2, observe::LogLost{kOrders0, kTwo, 4, 3, observe::LossOfLog::power_loss});
  f.high_watermark(11, kBroker1, 2, 3);  // this much it has left
  f.high_watermark(12, kBroker1, 3, 4);
  CHECK(f.broken() == Names{});
  f.story.replicated(20, kBroker2, 3, third);
  f.story.appended_by(21, kBroker1, 4, Story::batch_of({4}));
  f.story.replicated(22, kBroker2, 4, Story::batch_of({4}));
  f.high_watermark(23, kBroker1, 4, 5);  // as before: from here on it must hold all
  f.story.appended_by(24, kBroker1, 5, Story::batch_of({5}));
  f.high_watermark(25, kBroker1, 5, 6);
  CHECK(f.broken() == Names{"high-watermark-covered"});
}

TEST_CASE("a member whose replica was taken from its broker is no joiner when it is named once more") {
  for (const bool is_member : {true, false}) {
    CAPTURE(is_member);
    Fixture f;
    f.acknowledged();
    if (!is_member) f.story.isr(9, {kOne});
    f.story.tell(10, kBroker2, observe::LogDeleted{kOrders0, kTwo});
    f.story.tell(11, kBroker1, observe::IsrProposed{kOrders0, {kOne, kTwo}, PartitionEpoch{0}, kOne});
    CHECK(f.broken() == (is_member ? Names{} : Names{"high-watermark-covered"}));
  }
}

TEST_CASE(
    "a quorum that knows voters by id, and whose disks are gone, decides anew; one that knows directories "
    "never does") {
  for (const bool by_id : {true, false}) {
    CAPTURE(by_id);
    InvariantsSpec spec{{kOne, kTwo, kThree}, {true}};
    spec.history.knows_voters_by_id = by_id;
    AllInvariants invariants(std::move(spec));
    Story story(invariants);
    const NodeId controller{3001};
    const auto metadata = [&](std::int64_t ms, const char* record) {
      BatchData data;
      data.records = std::vector<MetadataRecord>{};
      data.base_timestamp_ms = ms;
      data.size_bytes = static_cast<std::int32_t>(std::string(record).size());
      story.tell(
          ms, ProcessId{0},
          observe::MetadataAppended{
              controller, Batch{0, LeaderEpoch{1}, 1, std::make_shared<const BatchData>(std::move(data))}});
      story.tell(ms, ProcessId{0}, observe::MetadataReplayed{controller, 1, static_cast<std::uint64_t>(ms)});
      story.decided(ms, 0, by_id || ms < 50 ? kOne : kTwo, 0, {kOne, kTwo});
    };
    story.tell(1, ProcessId{0}, observe::QuorumVotersChanged{controller, {controller}});
    story.tell(
        2, ProcessId{0},
        observe::QuorumRoleChanged{controller, observe::QuorumRole::leader, QuorumEpoch{1}, controller});
    metadata(3, "once");
    story.leads(5, 0, 0);
    story.isr(5, {kOne, kTwo});
    story.appended_by(6, kBroker1, 0, Story::batch_of({}));
    story.tell(50, ProcessId{0},
               observe::LogLost{kClusterMetadata, controller, 1, 0, observe::LossOfLog::wiped});
    story.tell(51, ProcessId{0}, observe::QuorumVotersChanged{controller, {controller}});
    metadata(60, "anew");
    story.leads(61, 0, 0, kBroker2);
    std::vector<std::string> broken;
    for (const Violation& one : invariants.violations()) broken.push_back(one.invariant);
    CHECK(broken == (by_id ? Names{} : Names{"one-leader-per-epoch", "log-matching", "images-agree"}));
  }
}

}  // namespace replica_invariants_test
}  // namespace sim::check
