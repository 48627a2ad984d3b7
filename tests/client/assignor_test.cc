// The assignors: known assignments as tables, promises over random groups.
#include "client/assignor.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/rng.h"

namespace sim::client {
namespace {

using Members = std::vector<JoinGroupResponse::Member>;

std::string numbered(const char* prefix, int number) {
  std::string out = prefix;
  out += std::to_string(number);
  return out;
}

TopicLayout topic(int id, int partitions) {
  return TopicLayout{TopicId{id}, numbered("t", id), partitions, {}};
}

JoinGroupResponse::Member member(std::string id, std::vector<int> topics, std::string instance = {}) {
  JoinGroupResponse::Member out;
  out.member_id = std::move(id);
  out.group_instance_id = std::move(instance);
  for (const int t : topics) out.subscription.topics.push_back(TopicId{t});
  return out;
}

void stand_in(JoinGroupResponse::Member& m, std::string rack) {
  m.subscription.rack = std::move(rack);
}

// "A: t0p0 t0p1 | B: t1p0", members as given, partitions sorted.
std::string text(const std::vector<SyncGroupRequest::Assignment>& assignments) {
  std::string out;
  for (const SyncGroupRequest::Assignment& assignment : assignments) {
    if (!out.empty()) out.append(" | ");
    out.append(assignment.member_id).append(":");
    std::vector<TopicPartition> partitions = assignment.partitions;
    std::sort(partitions.begin(), partitions.end());
    for (const TopicPartition tp : partitions) {
      out.append(numbered(" t", tp.topic.value())).append(numbered("p", tp.partition));
    }
  }
  return out;
}

std::vector<std::size_t> sizes(const std::vector<SyncGroupRequest::Assignment>& assignments) {
  std::vector<std::size_t> out;
  for (const auto& assignment : assignments) out.push_back(assignment.partitions.size());
  return out;
}

// What members would claim in the next rebalance.
void adopt(Members& members, const std::vector<SyncGroupRequest::Assignment>& assignments, int generation) {
  for (std::size_t i = 0; i < members.size(); ++i) {
    members[i].subscription.owned = assignments[i].partitions;
    members[i].subscription.generation = Generation{generation};
  }
}

}  // namespace

// AbstractStickyAssignor.allSubscriptionsEqual looks at names, whether or not there is such a topic.
TEST_CASE("who asks for a topic that does not exist subscribes to something else") {
  // A would give up t0-2 and t0-3 to the quotas; moved one by one, only what improves the balance goes.
  Members members{member("A", {0}), member("B", {0})};
  members[0].subscription.owned = {{TopicId{0}, 0}, {TopicId{0}, 1}, {TopicId{0}, 2}};
  members[0].subscription.generation = Generation{1};
  const GroupSubscription alike{{topic(0, 4)}, members};
  CHECK(text(assign(Assignor::sticky, alike)) == "A: t0p0 t0p1 | B: t0p2 t0p3");
  members[1].subscription.topics.push_back(TopicId{9});
  const GroupSubscription different{{topic(0, 4)}, members};
  CHECK(text(assign(Assignor::sticky, different)) == "A: t0p1 t0p2 | B: t0p0 t0p3");
}

TEST_CASE("range and roundrobin assign as Kafka's documentation shows") {
  struct Row {
    const char* what;
    Assignor assignor;
    std::vector<TopicLayout> topics;
    Members members;
    const char* want;
  };
  const Row rows[] = {
      {"range: the first members take one more, in every topic",
       Assignor::range,
       {topic(0, 3), topic(1, 3)},
       {member("C0", {0, 1}), member("C1", {0, 1})},
       "C0: t0p0 t0p1 t1p0 t1p1 | C1: t0p2 t1p2"},
      {"range: more members than partitions",
       Assignor::range,
       {topic(0, 1)},
       {member("B", {0}), member("A", {0})},
       "B: | A: t0p0"},
      {"range: static members come first, by instance id",
       Assignor::range,
       {topic(0, 3)},
       {member("A", {0}), member("Z", {0}, "i2"), member("Y", {0}, "i3")},
       "A: t0p2 | Z: t0p0 | Y: t0p1"},
      {"range: only subscribers",
       Assignor::range,
       {topic(0, 2), topic(1, 2)},
       {member("A", {0}), member("B", {0, 1})},
       "A: t0p0 | B: t0p1 t1p0 t1p1"},
      {"roundrobin over all topics",
       Assignor::roundrobin,
       {topic(0, 3), topic(1, 3)},
       {member("C0", {0, 1}), member("C1", {0, 1})},
       "C0: t0p0 t0p2 t1p1 | C1: t0p1 t1p0 t1p2"},
      {"roundrobin passes over who does not subscribe",
       Assignor::roundrobin,
       {topic(0, 1), topic(1, 2), topic(2, 3)},
       {member("C0", {0}), member("C1", {0, 1}), member("C2", {0, 1, 2})},
       "C0: t0p0 | C1: t1p0 | C2: t1p1 t2p0 t2p1 t2p2"},
      {"sticky does better in the same case",
       Assignor::sticky,
       {topic(0, 1), topic(1, 2), topic(2, 3)},
       {member("C0", {0}), member("C1", {0, 1}), member("C2", {0, 1, 2})},
       "C0: t0p0 | C1: t1p0 t1p1 | C2: t2p0 t2p1 t2p2"},
      {"sticky, from nothing",
       Assignor::sticky,
       {topic(0, 3)},
       {member("C0", {0}), member("C1", {0})},
       "C0: t0p0 t0p2 | C1: t0p1"},
      {"a topic that nobody knows is left out",
       Assignor::range,
       {topic(0, 1)},
       {member("A", {0, 7})},
       "A: t0p0"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    CHECK(text(assign(row.assignor, GroupSubscription{row.topics, row.members})) == row.want);
  }
}

TEST_CASE("range gives partitions to members in their racks as far as shares allow") {
  GroupSubscription group;
  group.topics.push_back(TopicLayout{TopicId{0}, "t0", 4, {{"a"}, {"b"}, {"a"}, {"b"}}});
  group.members = {member("A", {0}), member("B", {0})};
  CHECK(text(assign(Assignor::range, group)) == "A: t0p0 t0p1 | B: t0p2 t0p3");
  stand_in(group.members[0], "b");
  stand_in(group.members[1], "a");
  CHECK(text(assign(Assignor::range, group)) == "A: t0p1 t0p3 | B: t0p0 t0p2");
  CHECK(text(assign(Assignor::cooperative_sticky, group)) == "A: t0p1 t0p3 | B: t0p0 t0p2");
  group.topics[0].racks = {{"a"}, {"a"}, {"a"}, {"b"}};
  CHECK(text(assign(Assignor::range, group)) == "A: t0p2 t0p3 | B: t0p0 t0p1");
}

TEST_CASE("sticky keeps what it can when a member comes or goes") {
  std::vector<TopicLayout> topics{topic(0, 6)};
  Members members{member("A", {0}), member("B", {0})};
  adopt(members, assign(Assignor::sticky, {topics, members}), 1);
  members.push_back(member("C", {0}));
  const auto three = assign(Assignor::sticky, {topics, members});
  CHECK(text(three) == "A: t0p0 t0p2 | B: t0p1 t0p3 | C: t0p4 t0p5");
  adopt(members, three, 2);
  members.erase(members.begin());
  CHECK(text(assign(Assignor::sticky, {topics, members})) == "B: t0p0 t0p1 t0p3 | C: t0p2 t0p4 t0p5");
}

TEST_CASE("cooperative-sticky withholds what another member still holds") {
  std::vector<TopicLayout> topics{topic(0, 4)};
  Members members{member("A", {0})};
  adopt(members, assign(Assignor::cooperative_sticky, {topics, members}), 1);
  members.push_back(member("B", {0}));
  const auto first = assign(Assignor::cooperative_sticky, {topics, members});
  CHECK(text(first) == "A: t0p0 t0p1 | B:");
  adopt(members, first, 2);
  CHECK(text(assign(Assignor::cooperative_sticky, {topics, members})) == "A: t0p0 t0p1 | B: t0p2 t0p3");
}

TEST_CASE("a claim of an older generation yields, two of the same generation fall") {
  const std::vector<TopicLayout> topics{topic(0, 2)};
  Members members{member("A", {0}), member("B", {0})};
  members[0].subscription.owned = {{TopicId{0}, 0}, {TopicId{0}, 1}};
  members[0].subscription.generation = Generation{3};
  members[1].subscription.owned = {{TopicId{0}, 1}};
  members[1].subscription.generation = Generation{4};
  CHECK(text(assign(Assignor::cooperative_sticky, {topics, members})) == "A: t0p0 | B: t0p1");
  members[1].subscription.owned = {{TopicId{0}, 0}};
  members[1].subscription.generation = Generation{3};
  // Partition 0 is claimed by both: nobody gets it before both have let go.
  CHECK(text(assign(Assignor::cooperative_sticky, {topics, members})) == "A: t0p1 | B:");
}

TEST_CASE("the group's protocol is the highest that all assignors support") {
  CHECK(rebalance_protocol({Assignor::range, Assignor::cooperative_sticky}) == RebalanceProtocol::eager);
  CHECK(rebalance_protocol({Assignor::cooperative_sticky}) == RebalanceProtocol::cooperative);
  CHECK(rebalance_protocol({Assignor::sticky}) == RebalanceProtocol::eager);
  for (const Assignor assignor :
       {Assignor::range, Assignor::roundrobin, Assignor::sticky, Assignor::cooperative_sticky}) {
    CHECK(assignor_named(assignor_name(assignor)) == assignor);
  }
  CHECK(!assignor_named("uniform"));
}

TEST_CASE("random groups: everything is assigned once, to a subscriber, balanced and sticky") {
  Rng rng(11, "assignor");
  int unequal = 0;
  for (int round = 0; round < 300; ++round) {
    CAPTURE(round);
    const bool equal = rng.bernoulli(1, 2);
    std::vector<TopicLayout> topics;
    const auto topic_count = static_cast<int>(rng.between(1, 5));
    for (int t = 0; t < topic_count; ++t) topics.push_back(topic(t, static_cast<int>(rng.between(1, 9))));
    Members members;
    const auto member_count = static_cast<int>(rng.between(1, 7));
    for (int m = 0; m < member_count; ++m) {
      std::vector<int> subscribed;
      for (int t = 0; t < topic_count; ++t) {
        const bool wants = rng.bernoulli(2, 3);
        if (equal || wants) subscribed.push_back(t);
      }
      members.push_back(member(numbered("m", m), subscribed));
    }
    unequal += equal ? 0 : 1;

    for (const Assignor assignor :
         {Assignor::range, Assignor::roundrobin, Assignor::sticky, Assignor::cooperative_sticky}) {
      CAPTURE(assignor_name(assignor));
      const auto assignments = assign(assignor, {topics, members});
      std::map<TopicPartition, int> owners;
      for (std::size_t i = 0; i < members.size(); ++i) {
        const std::vector<TopicId>& wanted = members[i].subscription.topics;
        for (const TopicPartition tp : assignments[i].partitions) {
          ++owners[tp];
          CHECK(std::find(wanted.begin(), wanted.end(), tp.topic) != wanted.end());
        }
      }
      for (const TopicLayout& layout : topics) {
        const bool anyone =
            std::any_of(members.begin(), members.end(), [&](const JoinGroupResponse::Member& m) {
              const std::vector<TopicId>& wanted = m.subscription.topics;
              return std::find(wanted.begin(), wanted.end(), layout.id) != wanted.end();
            });
        for (int p = 0; p < layout.partitions; ++p)
          CHECK(owners[TopicPartition{layout.id, p}] == (anyone ? 1 : 0));
      }
      if (equal && assignor != Assignor::range) {
        const std::vector<std::size_t> counts = sizes(assignments);
        CHECK(*std::max_element(counts.begin(), counts.end()) <=
              *std::min_element(counts.begin(), counts.end()) + 1);
      }
      if (assignor == Assignor::sticky || assignor == Assignor::cooperative_sticky) {
        Members again = members;
        adopt(again, assignments, 1);
        CHECK(text(assign(assignor, {topics, again})) == text(assignments));
      }
    }
  }
  CHECK(unequal > 50);
}

TEST_CASE("random changes: a cooperative group settles, and no partition changes hands in one step") {
  Rng rng(12, "assignor");
  int withheld = 0;
  for (int round = 0; round < 100; ++round) {
    CAPTURE(round);
    const std::vector<TopicLayout> topics{topic(0, static_cast<int>(rng.between(1, 12))),
                                          topic(1, static_cast<int>(rng.between(1, 6)))};
    Members members;
    for (int m = 0; m < 3; ++m) members.push_back(member(numbered("m", m), {0, 1}));
    for (int change = 0; change < 6; ++change) {
      const bool goes = rng.bernoulli(1, 2);
      if (goes && members.size() > 1) {
        members.erase(members.begin() + static_cast<std::ptrdiff_t>(rng.below(members.size())));
      } else {
        members.push_back(member(numbered("n", change), {0, 1}));
      }
      int rounds = 0;
      for (bool settled = false; !settled; ++rounds) {
        REQUIRE(rounds < 3);
        std::map<TopicPartition, std::string> before;
        for (const auto& m : members) {
          for (const TopicPartition tp : m.subscription.owned) before[tp] = m.member_id;
        }
        const auto next = assign(Assignor::cooperative_sticky, {topics, members});
        std::size_t assigned = 0;
        for (const auto& assignment : next) {
          assigned += assignment.partitions.size();
          for (const TopicPartition tp : assignment.partitions) {
            if (before.count(tp) != 0) CHECK(before[tp] == assignment.member_id);
          }
        }
        settled = assigned == static_cast<std::size_t>(topics[0].partitions + topics[1].partitions);
        withheld += settled ? 0 : 1;
        adopt(members, next, 10 * change + rounds);
      }
    }
  }
  CHECK(withheld > 50);
}

}  // namespace sim::client
