// The coordinator's assignors: what they promise on random groups, and small examples worked out by hand.
#include "group/server_assignor.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/rng.h"

namespace sim::group {
namespace {

std::vector<TopicPartition> of_topic(int topic, std::initializer_list<int> partitions) {
  std::vector<TopicPartition> out;
  for (const int partition : partitions) out.push_back(TopicPartition{TopicId{topic}, partition});
  return out;
}
AssignedMember member_of(std::string_view id, std::initializer_list<int> topics,
                         std::vector<TopicPartition> current = {}) {
  AssignedMember member{id, {}, {}, std::move(current)};
  for (const int topic : topics) member.subscription.push_back(TopicId{topic});
  return member;
}

TEST_CASE("range: consecutive partitions, the first members one more, static members first") {
  AssignmentInput input;
  input.topics = {{TopicId{1}, 5}, {TopicId{2}, 5}};
  input.members = {member_of("a", {1, 2}), member_of("b", {1, 2}), member_of("c", {1, 2})};
  input.members[2].instance_id = "z";
  const Assignment out = assign_range(input);
  auto first = of_topic(1, {0, 1});
  const auto more = of_topic(2, {0, 1});
  first.insert(first.end(), more.begin(), more.end());
  CHECK(out[2] == first);
  CHECK(out[0] == std::vector{TopicPartition{TopicId{1}, 2}, TopicPartition{TopicId{1}, 3},
                              TopicPartition{TopicId{2}, 2}, TopicPartition{TopicId{2}, 3}});
  CHECK(out[1] == std::vector{TopicPartition{TopicId{1}, 4}, TopicPartition{TopicId{2}, 4}});
}

TEST_CASE("uniform: who is over his quota gives up, who has an extra one keeps it") {
  AssignmentInput input;
  input.topics = {{TopicId{1}, 6}};
  input.members = {member_of("a", {1}, of_topic(1, {0, 1, 2, 3, 4, 5})), member_of("b", {1})};
  CHECK(assign_uniform(input) == Assignment{of_topic(1, {0, 1, 2}), of_topic(1, {3, 4, 5})});
  input.members = {member_of("a", {1}, of_topic(1, {0, 1, 2})), member_of("b", {1}, of_topic(1, {3, 4, 5})),
                   member_of("c", {1})};
  CHECK(assign_uniform(input) == Assignment{of_topic(1, {0, 1}), of_topic(1, {3, 4}), of_topic(1, {2, 5})});
  // Five partitions for two: b has three already, so the extra one is his.
  input.topics = {{TopicId{1}, 5}};
  input.members = {member_of("a", {1}, of_topic(1, {0, 1})), member_of("b", {1}, of_topic(1, {2, 3, 4}))};
  CHECK(assign_uniform(input) == Assignment{of_topic(1, {0, 1}), of_topic(1, {2, 3, 4})});
  input.members = {member_of("a", {}), member_of("b", {})};
  CHECK(assign_uniform(input) == Assignment(2));
}

// Each partition of a topic that anybody subscribes to has one owner, who subscribes to it.
void check_complete(const AssignmentInput& input, const Assignment& out) {
  std::map<TopicPartition, int> owners;
  for (std::size_t i = 0; i < out.size(); ++i) {
    CHECK(std::is_sorted(out[i].begin(), out[i].end()));
    for (const TopicPartition tp : out[i]) {
      ++owners[tp];
      CHECK(std::binary_search(input.members[i].subscription.begin(), input.members[i].subscription.end(),
                               tp.topic));
    }
  }
  for (const AssignedTopic& topic : input.topics) {
    const bool wanted =
        std::any_of(input.members.begin(), input.members.end(), [&](const AssignedMember& one) {
          return std::binary_search(one.subscription.begin(), one.subscription.end(), topic.id);
        });
    for (int partition = 0; partition < topic.partitions; ++partition)
      CHECK(owners[TopicPartition{topic.id, partition}] == (wanted ? 1 : 0));
  }
}

TEST_CASE(
    "uniform on random groups that members join and leave: complete, even, and no more moves than needed") {
  static const std::vector<std::string> kIds{"a", "b", "c", "d", "e", "f", "g", "h"};
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    Rng rng(seed, "uniform");
    std::vector<AssignedTopic> topics;
    const int topic_count = static_cast<int>(rng.between(1, 3));
    int total = 0;
    for (int topic = 1; topic <= topic_count; ++topic) {
      topics.push_back({TopicId{topic}, static_cast<std::int32_t>(rng.between(1, 12))});
      total += topics.back().partitions;
    }
    std::map<std::string, std::vector<TopicPartition>> current;
    for (int round = 0; round < 6; ++round) {
      AssignmentInput input;
      input.topics = topics;
      for (const std::string& id : kIds) {
        const bool is_in = rng.between(0, 2) > 0 || (id == "a");
        if (!is_in) continue;
        AssignedMember one{id, {}, {}, current[id]};
        for (const AssignedTopic& topic : topics) one.subscription.push_back(topic.id);
        input.members.push_back(std::move(one));
      }
      const Assignment out = assign_uniform(input);
      check_complete(input, out);
      const int members = static_cast<int>(input.members.size());
      int moved = 0, over_quota = 0;
      for (int i = 0; i < members; ++i) {
        const auto& had = input.members[static_cast<std::size_t>(i)].current;
        const auto& has = out[static_cast<std::size_t>(i)];
        const int size = static_cast<int>(has.size());
        CHECK(size >= total / members);
        CHECK(size <= (total + members - 1) / members);
        for (const TopicPartition tp : had) moved += std::binary_search(has.begin(), has.end(), tp) ? 0 : 1;
        over_quota += std::max(0, static_cast<int>(had.size()) - total / members);
      }
      CHECK(moved <= over_quota);
      current.clear();
      for (int i = 0; i < members; ++i)
        current[std::string(input.members[static_cast<std::size_t>(i)].id)] =
            out[static_cast<std::size_t>(i)];
    }
  }
}

TEST_CASE("uniform where subscriptions differ: complete, and even among subscribers of the same topics") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    Rng rng(seed, "heterogeneous");
    AssignmentInput input;
    input.homogeneous = false;
    input.topics = {{TopicId{1}, static_cast<std::int32_t>(rng.between(1, 20))},
                    {TopicId{2}, static_cast<std::int32_t>(rng.between(1, 20))}};
    static const std::vector<std::string> kIds{"a", "b", "c", "d", "e"};
    for (std::size_t i = 0; i < kIds.size(); ++i) {
      // Two want the first topic, two the second, one both.
      AssignedMember one{kIds[i], {}, {}, {}};
      if (i < 2 || i == 4) one.subscription.push_back(TopicId{1});
      if (i >= 2) one.subscription.push_back(TopicId{2});
      input.members.push_back(std::move(one));
    }
    for (int round = 0; round < 2; ++round) {
      const Assignment out = assign_uniform(input);
      check_complete(input, out);
      const auto size = [&](std::size_t i) { return static_cast<int>(out[i].size()); };
      CHECK(std::abs(size(0) - size(1)) <= 1);
      CHECK(std::abs(size(2) - size(3)) <= 1);
      // Who reads both has no more than who reads one of them and could be relieved.
      CHECK(size(4) <= std::max({size(0), size(1), size(2), size(3)}) + 1);
      if (round == 0) {
        for (std::size_t i = 0; i < out.size(); ++i) input.members[i].current = out[i];
      } else {
        for (std::size_t i = 0; i < out.size(); ++i) CHECK(out[i] == input.members[i].current);
      }
    }
  }
}

}  // namespace
}  // namespace sim::group
