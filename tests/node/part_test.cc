#include "node/part.h"

#include <doctest/doctest.h>

#include <vector>

#include "node/node.h"

namespace sim::node {
namespace {

constexpr ProcessId kHere{1};
constexpr ProcessId kThere{2};

std::vector<Part> parts_of(const Input& input) {
  std::vector<Part> found;
  for_each_part(input, kHere, [&](Part part) { found.push_back(part); });
  return found;
}

using Parts = std::vector<Part>;

TEST_CASE("a timer and a write come back to the part that asked for them") {
  CHECK(parts_of(TimerFired{TimerId{Part::lifecycle, 3}}) == Parts{Part::lifecycle});
  CHECK(parts_of(Persisted{PersistId{Part::raft, 7}}) == Parts{Part::raft});
}

TEST_CASE("a request is for the part that answers on its lane, a response for the one that asks on it") {
  struct Row {
    const char* lane;
    int number;
    Part asks;
    Part answers;
  };
  const Row rows[] = {
      {"data", int(Lane::data), Part::client, Part::broker},
      {"coordinator", int(Lane::coordinator), Part::client, Part::broker},
      {"replica_fetcher", int(Lane::replica_fetcher), Part::fetchers, Part::broker},
      {"replica_fetcher + 5", int(Lane::replica_fetcher) + 5, Part::fetchers, Part::broker},
      {"heartbeat", int(Lane::heartbeat), Part::lifecycle, Part::controller},
      {"alter_partition", int(Lane::alter_partition), Part::alter_partition, Part::controller},
      {"forwarding", int(Lane::forwarding), Part::forwarding, Part::controller},
      {"raft", int(Lane::raft), Part::raft, Part::raft},
      {"directory_assignments", int(Lane::directory_assignments), Part::directory_assignments,
       Part::controller},
      {"controller_registration", int(Lane::controller_registration), Part::controller_registration,
       Part::controller},
  };
  for (const Row& row : rows) {
    CAPTURE(row.lane);
    const Lane lane = static_cast<Lane>(row.number);
    CHECK(parts_of(Received{Envelope{Channel{kThere, kHere, lane}, 0, false, MetadataRequest{}}}) ==
          Parts{row.answers});
    CHECK(parts_of(Received{Envelope{Channel{kHere, kThere, lane}, 0, true, MetadataResponse{}}}) ==
          Parts{row.asks});
    CHECK(parts_of(Connected{Channel{kHere, kThere, lane}}) == Parts{row.asks});
  }
}

TEST_CASE("the end of a connection is for whoever is at this end of it, and for both if both are here") {
  CHECK(parts_of(Disconnected{Channel{kHere, kThere, Lane::heartbeat}}) == Parts{Part::lifecycle});
  CHECK(parts_of(Disconnected{Channel{kThere, kHere, Lane::heartbeat}}) == Parts{Part::controller});
  CHECK(parts_of(Disconnected{Channel{kHere, kHere, Lane::heartbeat}}) ==
        Parts{Part::controller, Part::lifecycle});
  CHECK(parts_of(Disconnected{Channel{kHere, kHere, Lane::raft}}) ==
        Parts{Part::raft});  // it hears of it once
}

}  // namespace
}  // namespace sim::node
