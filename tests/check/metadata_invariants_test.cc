// Each invariant is shown a run that breaks it, and it alone must speak up; a healthy run is silent.
#include "check/metadata_invariants.h"

#include <doctest/doctest.h>

#include <functional>

#include "observe/story.h"

namespace sim::check {
namespace metadata_invariants_test {

using observe::BrokerStateChanged;
using observe::ControllerChanged;
using observe::IsrChanged;
using observe::IsrProposed;
using observe::MetadataReplayed;
using observe::PartitionChanged;
using test::kBroker1;
using test::kOrders0;
using test::Story;

constexpr NodeId kOne{1}, kTwo{2}, kThree{3}, kFour{4};
const std::vector<NodeId> kAll = {kOne, kTwo, kThree};

PartitionChanged partition(NodeId leader, std::int32_t leader_epoch, std::int32_t partition_epoch,
                           std::vector<NodeId> isr, std::vector<NodeId> elr = {}) {
  return PartitionChanged{
      kOrders0,       leader,        LeaderEpoch{leader_epoch}, PartitionEpoch{partition_epoch}, kAll,
      std::move(isr), std::move(elr)};
}

// Broker 1 leads orders-0 and counts on all three.
void healthy_start(Story& story) {
  story.tell(1, ProcessId{0}, ControllerChanged{NodeId{3001}, QuorumEpoch{1}, true});
  story.tell(2, ProcessId{0}, MetadataReplayed{NodeId{3001}, 5, 77});
  story.tell(3, ProcessId{1}, MetadataReplayed{NodeId{3002}, 5, 77});
  story.tell(4, ProcessId{0}, partition(kOne, 0, 0, kAll));
  story.leads(5, 0, 0);
  story.isr(5, kAll);
}

TEST_CASE("decisions that follow one another break nothing") {
  MetadataInvariants invariants;
  Story story(invariants);
  healthy_start(story);
  story.tell(10, ProcessId{0}, partition(kOne, 0, 1, {kOne, kTwo}));  // 3 fell behind
  story.tell(11, kBroker1, IsrChanged{kOrders0, {kOne, kTwo}, PartitionEpoch{1}});
  story.tell(20, kBroker1, IsrProposed{kOrders0, kAll, PartitionEpoch{1}});
  story.tell(21, ProcessId{0}, partition(kOne, 0, 2, kAll));            // before the leader has heard of it
  story.tell(30, ProcessId{0}, partition(kTwo, 1, 3, {kTwo, kThree}));  // 1 is fenced
  story.tell(30, ProcessId{0}, BrokerStateChanged{kOne, BrokerEpoch{7}, true, false});
  // 4 was a replica once.
  story.tell(40, ProcessId{0}, partition(kNoNode, 2, 4, {}, {kTwo, kFour}));
  story.tell(50, ProcessId{1}, ControllerChanged{NodeId{3002}, QuorumEpoch{2}, true});
  CHECK(invariants.violations().empty());
}

TEST_CASE("each invariant catches what breaks it") {
  struct Row {
    const char* invariant;
    std::function<void(Story&)> planted;
  };
  const Row rows[] = {
      {"images-agree",
       [](Story& s) {
         s.tell(50, ProcessId{2}, MetadataReplayed{NodeId{3003}, 5, 78});
       }},
      {"one-active-controller",
       [](Story& s) {
         s.tell(50, ProcessId{1}, ControllerChanged{NodeId{3002}, QuorumEpoch{1}, true});
       }},
      {"partition-epochs", [](Story& s) { s.tell(50, ProcessId{0}, partition(kTwo, 0, 1, kAll)); }},
      {"partition-epochs", [](Story& s) { s.tell(50, ProcessId{0}, partition(kOne, -1, 1, kAll)); }},
      {"partition-epochs", [](Story& s) { s.tell(50, ProcessId{0}, partition(kOne, 0, 0, kAll)); }},
      {"partition-leader",
       [](Story& s) {
         s.tell(50, ProcessId{0}, partition(kTwo, 1, 1, {kOne, kThree}));
       }},
      {"partition-leader",
       [](Story& s) {
         s.tell(50, ProcessId{0}, partition(kTwo, 1, 1, {kTwo, kFour}));
       }},
      {"partition-leader", [](Story& s) { s.tell(50, ProcessId{0}, partition(kTwo, 1, 1, {kTwo}, {kTwo})); }},
      {"maximal-isr",
       [](Story& s) {
         s.tell(50, ProcessId{0}, partition(kOne, 0, 1, {kOne, kTwo}));
         s.tell(51, kBroker1, IsrChanged{kOrders0, {kOne, kTwo}, PartitionEpoch{1}});
         s.tell(52, ProcessId{0}, partition(kOne, 0, 2, kAll));  // nobody had asked for it
       }},
      {"fenced-leads-nothing",
       [](Story& s) {
         s.tell(50, ProcessId{0}, BrokerStateChanged{kOne, BrokerEpoch{7}, true, false});
       }},
  };
  for (const Row& row : rows) {
    CAPTURE(row.invariant);
    MetadataInvariants invariants;
    Story story(invariants);
    healthy_start(story);
    row.planted(story);
    REQUIRE(invariants.violations().size() == 1);
    CHECK(invariants.violations().front().invariant == row.invariant);
    CHECK(nanos(invariants.violations().front().at) >= 50'000'000);
  }
}

}  // namespace metadata_invariants_test
}  // namespace sim::check
