// What became of a group: who owned what, for how long nobody did, and what was told of it, in order.
#include "metrics/group_timeline.h"

#include <doctest/doctest.h>

#include "observe/story.h"
#include "observe/teller.h"

namespace sim::metrics {
namespace group_timeline_test {

using observe::ServiceId;
using test::kOrders0;
using test::Story;
using Kind = GroupTimeline::Event::Kind;

constexpr TopicPartition kOrders1{TopicId{1}, 1};
constexpr ServiceId kPayment{0};

struct Fixture {
  void assigned(std::int64_t ms, std::int32_t member, std::vector<TopicPartition> partitions) {
    story.tell(ms, ProcessId{30 + member},
               observe::AssignmentReceived{kPayment, member, Generation{1}, std::move(partitions)});
  }
  void revoked(std::int64_t ms, std::int32_t member, std::vector<TopicPartition> partitions,
               bool lost = false) {
    story.tell(ms, ProcessId{30 + member},
               observe::PartitionsRevoked{kPayment, member, std::move(partitions), lost});
  }
  void check_gap(std::size_t index, TopicPartition tp, std::int64_t from_ms, std::int64_t to_ms) const {
    REQUIRE(index < groups.gaps().size());
    const GroupTimeline::Gap& gap = groups.gaps()[index];
    CHECK(gap.tp == tp);
    CHECK(gap.from == from_ms * 1'000'000);
    CHECK(gap.to == (to_ms < 0 ? -1 : to_ms * 1'000'000));
  }
  static observe::Names names() {
    observe::Names names;
    names.groups = {"payments"};
    return names;
  }

  GroupTimeline groups{names()};
  test::Teller teller;
  Story story{[this](const observe::Observation& seen) { teller(seen, groups); }};
};

TEST_CASE("a partition lacks an owner from when the last one gives it up until another has it") {
  Fixture f;
  f.assigned(100, 0, {kOrders0, kOrders1});  // before that nothing was missed
  CHECK(f.groups.gaps().empty());
  f.revoked(200, 0, {kOrders0, kOrders1});
  f.assigned(250, 1, {kOrders1});
  f.assigned(300, 0, {kOrders0});
  REQUIRE(f.groups.gaps().size() == 2);
  f.check_gap(0, kOrders0, 200, 300);
  f.check_gap(1, kOrders1, 200, 250);
  CHECK(f.groups.owners(kPayment, kOrders1) == std::vector<std::int32_t>{1});
}

TEST_CASE("a process that stops owns nothing any more; an assignment is all that a member owns") {
  Fixture f;
  f.assigned(100, 0, {kOrders0});
  f.assigned(100, 1, {kOrders1});
  f.story.tell(200, ProcessId{30}, observe::ProcessStopped{});
  f.check_gap(0, kOrders0, 200, -1);
  f.assigned(400, 1, {kOrders0});  // and orders-1 no more
  f.check_gap(0, kOrders0, 200, 400);
  f.check_gap(1, kOrders1, 400, -1);
  CHECK(f.groups.events().back().kind == Kind::assigned);
}

TEST_CASE("one that was expelled owns what it has until it knows: two own it, and nobody misses it") {
  Fixture f;
  f.assigned(100, 0, {kOrders0});
  f.story.tell(200, test::kBroker1,
               observe::MemberDeparted{"payments", "m-1", observe::DepartureReason::session_expired});
  f.assigned(300, 1, {kOrders0});
  CHECK(f.groups.owners(kPayment, kOrders0).size() == 2);
  f.revoked(400, 0, {kOrders0}, true);
  CHECK(f.groups.gaps().empty());
  CHECK(f.groups.owners(kPayment, kOrders0) == std::vector<std::int32_t>{1});
  CHECK(f.groups.events().back().kind == Kind::lost);
}

TEST_CASE("nobody misses the partitions of a topic that is gone") {
  Fixture f;
  f.assigned(100, 0, {kOrders0});
  f.revoked(200, 0, {kOrders0});
  f.story.tell(900, ProcessId{1}, observe::TopicDeleted{TopicId{1}});
  f.check_gap(0, kOrders0, 200, 200);
}

}  // namespace group_timeline_test
}  // namespace sim::metrics
