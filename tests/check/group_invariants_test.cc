// The invariants of KIP-848 groups, on observations written by hand: what breaks each, and what does not.
#include "check/group_invariants.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace sim::check {
namespace {

const TopicPartition kFirst{TopicId{1}, 0}, kSecond{TopicId{1}, 1};

observe::MemberAssignmentChanged owns(const char* member, int member_epoch,
                                      std::vector<TopicPartition> assigned,
                                      std::vector<TopicPartition> to_give_up = {}) {
  return {
      "payment", member, Generation{5}, Generation{member_epoch}, std::move(assigned), std::move(to_give_up)};
}
struct Told {
  observe::Fact fact;
  ProcessId coordinator{1};
};
std::vector<std::string> broken_by_groups(const std::vector<Told>& story) {
  GroupInvariants invariants;
  for (const Told& told : story)
    invariants.on(observe::Observation{{}, 0, 0, told.coordinator, Incarnation{0}, told.fact});
  std::vector<std::string> names;
  for (const Violation& one : invariants.violations()) names.push_back(one.invariant);
  return names;
}

TEST_CASE("a partition belongs to one member until it has said that it gave it up") {
  using Names = std::vector<std::string>;
  CHECK(broken_by_groups(
            {{owns("a", 4, {kFirst}, {kSecond})}, {owns("a", 5, {kFirst})}, {owns("b", 5, {kSecond})}})
            .empty());
  CHECK(broken_by_groups({{owns("a", 4, {kFirst}, {kSecond})}, {owns("b", 5, {kSecond})}}) ==
        Names{"one-owner-per-partition"});
  CHECK(broken_by_groups({{owns("a", 5, {kFirst})}, {owns("b", 5, {kFirst, kSecond})}}) ==
        Names{"one-owner-per-partition"});
  // It has left.
  CHECK(broken_by_groups({{owns("a", 5, {kFirst})}, {owns("a", -1, {})}, {owns("b", 5, {kFirst})}}).empty());
}

TEST_CASE("a coordinator that lost the group, or that has not noticed, is judged by itself") {
  const observe::GroupStateChanged unloaded{"payment", observe::GroupState::dead, Generation{5}, 1};
  CHECK(broken_by_groups({{owns("a", 5, {kFirst})}, {owns("b", 5, {kFirst}), ProcessId{2}}}).empty());
  CHECK(broken_by_groups({{owns("a", 5, {kFirst})}, {unloaded}, {owns("b", 5, {kFirst})}}).empty());
}

TEST_CASE("a member is never ahead of its group") {
  CHECK(broken_by_groups({{owns("a", 5, {})}}).empty());
  CHECK(broken_by_groups({{owns("a", 6, {})}}) == std::vector<std::string>{"member-epoch-bounded"});
}

}  // namespace
}  // namespace sim::check
