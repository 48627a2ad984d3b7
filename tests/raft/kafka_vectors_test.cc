// Votes against the answers of Kafka's own states (tests/vectors).
#include <doctest/doctest.h>

#include <cstdint>
#include <string>

#include "raft/roles.h"
#include "vectors/vector_table.h"

namespace sim::raft {
namespace kafka_vectors_test {

using vectors::VectorRow;

ReplicaKey key(std::int64_t id, std::int64_t directory) {
  return ReplicaKey{NodeId{static_cast<std::int32_t>(id)},
                    DirectoryId{static_cast<std::uint64_t>(directory)}};
}

Role role_of(const VectorRow& row) {
  const std::string& name = row.text("role");
  const VoterSet voters({QuorumVoter{key(row.number("self"), 1), ProcessId{0}}});
  const Election election(voters, NodeId{static_cast<std::int32_t>(row.number("self"))});
  if (name == "unattached") return Unattached{};
  if (name == "prospective") return Prospective{election, {}};
  if (name == "candidate") return Candidate{election, {}};
  if (name == "leader") return Leader{};
  if (name == "resigned") return Resigned{};
  REQUIRE(name == "follower");
  Follower follower{};
  follower.has_fetched = row.flag("has_fetched");
  return follower;
}

TEST_CASE("votes are granted as Kafka's states grant them") {
  vectors::check_vectors("vote", "kafka_granted", [](const VectorRow& row) {
    QuorumState state;
    state.leader = NodeId{static_cast<std::int32_t>(row.number("leader"))};
    if (row.number("voted_id") >= 0) state.voted = key(row.number("voted_id"), row.number("voted_directory"));
    const bool granted = can_grant_vote(role_of(row), state,
                                        key(row.number("candidate_id"), row.number("candidate_directory")),
                                        row.flag("log_up_to_date"), row.flag("pre_vote"));
    return std::string(granted ? "1" : "0");
  });
}

}  // namespace kafka_vectors_test
}  // namespace sim::raft
