// New partitions are spread: each broker leads equally, racks differ, fenced brokers come last.
#include "controller/striped_replica_placer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace sim::controller {
namespace {

std::vector<UsableBroker> brokers_in(const std::vector<std::string>& racks) {
  std::vector<UsableBroker> result;
  for (std::size_t i = 0; i < racks.size(); ++i)
    result.push_back({NodeId{static_cast<std::int32_t>(i)}, racks[i], false});
  return result;
}

TEST_CASE("what cannot be placed") {
  struct Row {
    const char* what;
    std::int32_t factor;
    std::vector<UsableBroker> brokers;
    bool placed;
  };
  const auto fenced = [](std::vector<UsableBroker> brokers, std::size_t first) {
    for (std::size_t i = first; i < brokers.size(); ++i) brokers[i].fenced = true;
    return brokers;
  };
  const Row rows[] = {
      {"no replicas", 0, brokers_in({"", "", ""}), false},
      {"more replicas than brokers", 4, brokers_in({"", "", ""}), false},
      {"all fenced", 1, fenced(brokers_in({"", "", ""}), 0), false},
      {"no brokers", 1, {}, false},
      {"fenced ones fill up", 3, fenced(brokers_in({"", "", ""}), 1), true},
      {"just enough", 3, brokers_in({"", "", ""}), true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Rng rng(1, "placer");
    CHECK(place_replicas(5, row.factor, row.brokers, rng).has_value() == row.placed);
  }
}

TEST_CASE("replicas are distinct, leaders and followers even, racks used evenly") {
  const std::vector<std::vector<std::string>> layouts = {
      {"", "", ""},
      {"", "", "", "", ""},
      {"a", "a", "b", "b", "c", "c"},
      {"c", "b", "a"},
  };
  for (const auto& racks : layouts) {
    const std::vector<UsableBroker> brokers = brokers_in(racks);
    const auto n = static_cast<std::int32_t>(brokers.size());
    const std::set<std::string> rack_names(racks.begin(), racks.end());
    std::set<std::vector<NodeId>> seen;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      CAPTURE(seed);
      Rng rng(seed, "placer");
      const auto placed = place_replicas(n * 4, 3, brokers, rng);
      REQUIRE(placed.has_value());
      std::map<NodeId, int> leads;
      std::map<NodeId, int> holds;
      for (const std::vector<NodeId>& replicas : *placed) {
        REQUIRE(replicas.size() == 3);
        CHECK(std::set<NodeId>(replicas.begin(), replicas.end()).size() == 3);
        std::set<std::string> used;
        for (const NodeId replica : replicas) {
          used.insert(racks[static_cast<std::size_t>(replica.value())]);
          ++holds[replica];
        }
        CHECK(used.size() == std::min<std::size_t>(3, rack_names.size()));
        ++leads[replicas.front()];
        seen.insert(replicas);
      }
      for (const UsableBroker& broker : brokers) {
        CAPTURE(broker.id.value());
        CHECK(leads[broker.id] == 4);
        CHECK(holds[broker.id] >= 4);
      }
    }
    CHECK(seen.size() > static_cast<std::size_t>(n));  // chance has its say
  }
}

TEST_CASE("a fenced broker never comes first, and only when the unfenced ones of its rack are used up") {
  std::vector<UsableBroker> brokers = brokers_in({"", "", "", ""});
  brokers[2].fenced = true;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Rng rng(seed, "placer");
    const ReplicaLists three = *place_replicas(12, 3, brokers, rng);
    for (const std::vector<NodeId>& replicas : three)
      CHECK(std::count(replicas.begin(), replicas.end(), NodeId{2}) == 0);
    const ReplicaLists four = *place_replicas(12, 4, brokers, rng);
    for (const std::vector<NodeId>& replicas : four) {
      CHECK(replicas.front() != NodeId{2});
      CHECK(replicas.back() == NodeId{2});
    }
  }
}

// The example of StripedReplicaPlacer's own description: racks A, B, C of three, starting at their first.
TEST_CASE("striping: the leader's rack, then the others in turn, one broker further on each time") {
  const std::vector<UsableBroker> brokers = brokers_in({"a", "a", "a", "b", "b", "b", "c", "c", "c"});
  bool found = false;
  for (std::uint64_t seed = 1; seed < 2000 && !found; ++seed) {
    Rng rng(seed, "placer");
    const ReplicaLists placed = *place_replicas(3, 3, brokers, rng);
    if (placed[0] != std::vector<NodeId>{NodeId{0}, NodeId{3}, NodeId{6}}) continue;
    found = true;
    CHECK(placed[1] == std::vector<NodeId>{NodeId{4}, NodeId{7}, NodeId{1}});
    CHECK(placed[2] == std::vector<NodeId>{NodeId{8}, NodeId{2}, NodeId{5}});
  }
  CHECK(found);
}

TEST_CASE("more replicas than racks: every rack once before any twice") {
  const std::vector<UsableBroker> brokers = brokers_in({"a", "a", "b", "b"});
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Rng rng(seed, "placer");
    const ReplicaLists placed = *place_replicas(8, 3, brokers, rng);
    for (const std::vector<NodeId>& replicas : placed) {
      CHECK((replicas[0].value() < 2) != (replicas[1].value() < 2));
    }
  }
}

}  // namespace
}  // namespace sim::controller
