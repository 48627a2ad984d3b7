// Who leads, who is in sync, who is eligible: every decision of PartitionChangeBuilder.
#include "controller/partition_change_builder.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "controller/nodes.h"

namespace sim::controller {
namespace partition_change_builder_test {

using metadata::PartitionRegistration;
using test::Nodes;
using test::nodes;
constexpr TopicPartition kTp{TopicId{1}, 0};

PartitionRegistration partition(Nodes replicas, Nodes isr, std::int32_t leader) {
  PartitionRegistration result;
  result.replicas = std::move(replicas);
  result.isr = std::move(isr);
  result.leader = NodeId{leader};
  result.leader_epoch = LeaderEpoch{7};
  result.partition_epoch = PartitionEpoch{70};
  return result;
}

PartitionRegistration after(const PartitionRegistration& before,
                            const std::optional<PartitionChangeRecord>& record) {
  PartitionRegistration result = before;
  if (record) result.merge(*record);
  return result;
}

constexpr std::int32_t kUnchanged = -2;

TEST_CASE("which leader each kind of election picks") {
  struct Row {
    const char* what;
    Election election;
    Nodes isr;
    std::int32_t leader;
    Nodes acceptable;
    std::int32_t want;  // kUnchanged: no election took place
    bool unclean = false;
  };
  // Replicas are 2, 1, 3; the preferred leader is 2.
  const Row rows[] = {
      {"a leader that may stay stays", Election::online, nodes({1, 2, 3}), 1, nodes({1, 2, 3}), kUnchanged},
      {"the next in order of replicas", Election::online, nodes({1, 3}), 2, nodes({1, 3}), 1},
      {"order of replicas, not of the ISR", Election::online, nodes({3, 1}), 2, nodes({3, 1}), 1},
      {"not one that is not alive", Election::online, nodes({1, 3}), 2, nodes({3}), 3},
      {"not one out of sync", Election::online, nodes({3}), 2, nodes({1, 3}), 3},
      {"none", Election::online, nodes({3}), 3, nodes({1, 2}), -1},
      {"none still", Election::online, nodes({3}), -1, nodes({1, 2}), kUnchanged},
      {"a leader after a time without", Election::online, nodes({3}), -1, nodes({1, 3}), 3},
      {"the preferred one, from a leader that could stay", Election::preferred, nodes({1, 2, 3}), 1,
       nodes({1, 2, 3}), 2},
      {"the preferred one leads already", Election::preferred, nodes({1, 2}), 2, nodes({1, 2}), kUnchanged},
      {"preferred but dead: the present one stays", Election::preferred, nodes({1, 2, 3}), 3, nodes({1, 3}),
       kUnchanged},
      {"preferred out of sync: the present one stays", Election::preferred, nodes({1, 3}), 3,
       nodes({1, 2, 3}), kUnchanged},
      {"neither: the first valid one", Election::preferred, nodes({1, 3}), 3, nodes({1}), 1},
      {"preferred never picks an unclean one", Election::preferred, nodes({3}), 3, nodes({1}), -1},
      {"unclean prefers those in sync", Election::unclean, nodes({3}), 2, nodes({1, 3}), 3},
      {"unclean keeps a valid leader", Election::unclean, nodes({3}), 3, nodes({1, 2, 3}), kUnchanged},
      {"unclean when nobody in sync is left", Election::unclean, nodes({3}), 3, nodes({1, 2}), 2, true},
      {"unclean after a time without", Election::unclean, nodes({3}), -1, nodes({1}), 1, true},
      {"unclean needs somebody alive", Election::unclean, nodes({3}), 3, nodes({}), -1},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const PartitionRegistration before = partition(nodes({2, 1, 3}), row.isr, row.leader);
    PartitionChangeBuilder builder(kTp, before, row.acceptable, 2);
    const auto record = builder.set_election(row.election).build();
    if (row.want == kUnchanged) {
      CHECK_FALSE(record.has_value());
      continue;
    }
    REQUIRE(record.has_value());
    CHECK(record->leader == NodeId{row.want});
    const PartitionRegistration now = after(before, record);
    CHECK(now.leader_epoch == LeaderEpoch{8});
    CHECK(now.partition_epoch == PartitionEpoch{71});
    if (row.unclean) {
      CHECK(now.isr == Nodes{NodeId{row.want}});
      CHECK(now.recovery == LeaderRecoveryState::recovering);
    } else {
      CHECK(now.isr == row.isr);
      CHECK(now.recovery == LeaderRecoveryState::recovered);
    }
  }
}

TEST_CASE(
    "every combination: a clean leader is alive and in sync; an unclean one only if there is no clean one") {
  const Nodes replicas = nodes({1, 2, 3});
  const auto subset = [&replicas](unsigned bits) {
    Nodes result;
    for (unsigned i = 0; i < 3; ++i) {
      if ((bits & (1u << i)) != 0) result.push_back(replicas[i]);
    }
    return result;
  };
  int unclean = 0;
  for (const Election election : {Election::preferred, Election::online, Election::unclean}) {
    for (unsigned isr_bits = 1; isr_bits < 8; ++isr_bits) {
      for (unsigned alive_bits = 0; alive_bits < 8; ++alive_bits) {
        for (const std::int32_t leader : {-1, 1, 2, 3}) {
          const Nodes isr = subset(isr_bits);
          const Nodes alive = subset(alive_bits);
          if (leader > 0 && std::find(isr.begin(), isr.end(), NodeId{leader}) == isr.end()) continue;
          const PartitionRegistration before = partition(replicas, isr, leader);
          PartitionChangeBuilder builder(kTp, before, alive, 1);
          const PartitionRegistration now = after(before, builder.set_election(election).build());
          const Nodes valid = subset(isr_bits & alive_bits);
          CAPTURE(static_cast<int>(election));
          CAPTURE(isr_bits);
          CAPTURE(alive_bits);
          CAPTURE(leader);
          if (!valid.empty()) {
            CHECK(std::find(valid.begin(), valid.end(), now.leader) != valid.end());
            CHECK(now.isr == isr);
          } else if (election == Election::unclean && !alive.empty()) {
            CHECK(now.leader == alive.front());
            CHECK(now.isr == Nodes{now.leader});
            ++unclean;
          } else {
            CHECK(now.leader == kNoNode);
            CHECK(now.isr == isr);
          }
          CHECK((now.leader_epoch != before.leader_epoch) == (now.leader != before.leader));
          const bool led_well =
              leader > 0 && std::find(alive.begin(), alive.end(), NodeId{leader}) != alive.end();
          if (led_well && election != Election::preferred) CHECK(now.leader == NodeId{leader});
        }
      }
    }
  }
  CHECK(unclean > 0);
}

TEST_CASE("a changed ISR bumps the partition epoch only") {
  const PartitionRegistration before = partition(nodes({1, 2, 3}), nodes({1, 2, 3}), 1);
  for (const Nodes& isr : {nodes({1, 2}), nodes({1})}) {
    PartitionChangeBuilder builder(kTp, before, nodes({1, 2, 3}), 1);
    const auto record = builder.set_target_isr(isr).build();
    REQUIRE(record.has_value());
    CHECK(record->leader == kLeaderUnchanged);
    const PartitionRegistration now = after(before, record);
    CHECK(now.isr == isr);
    CHECK(now.leader_epoch == LeaderEpoch{7});
    CHECK(now.partition_epoch == PartitionEpoch{71});
  }
}

TEST_CASE("without ELR the last one in sync stays in the ISR though it leads no more") {
  const PartitionRegistration before = partition(nodes({1, 2, 3}), nodes({1}), 1);
  PartitionChangeBuilder builder(kTp, before, nodes({2, 3}), 1);
  const PartitionRegistration now = after(before, builder.set_target_isr({}).build());
  CHECK(now.leader == kNoNode);
  CHECK(now.isr == nodes({1}));
  CHECK(now.elr.empty());
  CHECK(now.leader_epoch == LeaderEpoch{8});
}

PartitionChangeBuilder with_elr(const PartitionRegistration& before, Nodes acceptable, std::int32_t min_isr) {
  PartitionChangeBuilder builder(kTp, before, std::move(acceptable), min_isr);
  builder.set_elr_enabled(true);
  return builder;
}

TEST_CASE("who is eligible: those that left the ISR since it fell below min.insync.replicas") {
  struct Row {
    const char* what;
    Nodes isr, elr, target_isr;
    std::int32_t min_isr;
    Nodes want_elr;
    std::int32_t unclean_shutdown = -1;
  };
  const Row rows[] = {
      {"still enough in sync", nodes({1, 2, 3}), {}, nodes({1, 2}), 2, {}},
      {"one too few", nodes({1, 2}), {}, nodes({1}), 2, nodes({2})},
      {"two at once", nodes({1, 2, 3}), {}, nodes({1}), 2, nodes({2, 3})},
      {"another one, later", nodes({1, 2}), nodes({3}), nodes({1}), 3, nodes({2, 3})},
      {"one comes back, still too few", nodes({1}), nodes({2, 3}), nodes({1, 2}), 3, nodes({3})},
      {"enough again: all is forgotten", nodes({1}), nodes({2, 3}), nodes({1, 2}), 2, {}},
      {"it went down uncleanly", nodes({1, 2}), {}, nodes({1}), 2, {}, 2},
      {"an eligible one went down uncleanly", nodes({1}), nodes({2, 3}), nodes({1}), 2, nodes({3}), 2},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    PartitionRegistration before = partition(nodes({1, 2, 3}), row.isr, 1);
    before.elr = row.elr;
    PartitionChangeBuilder builder = with_elr(before, nodes({1}), row.min_isr);
    builder.set_target_isr(row.target_isr).set_unclean_shutdown(NodeId{row.unclean_shutdown});
    const PartitionRegistration now = after(before, builder.build());
    CHECK(now.isr == row.target_isr);
    CHECK(now.elr == row.want_elr);
    CHECK(now.leader == NodeId{1});
  }
}

TEST_CASE("with ELR the ISR may become empty, and an eligible replica leads again without loss") {
  const PartitionRegistration alone = partition(nodes({1, 2, 3}), nodes({1}), 1);
  PartitionChangeBuilder fenced = with_elr(alone, {}, 2);
  PartitionRegistration now = after(alone, fenced.set_target_isr({}).build());
  CHECK(now.leader == kNoNode);
  CHECK(now.isr.empty());
  CHECK(now.elr == nodes({1}));
  CHECK(now.last_known_elr == nodes({1}));  // where the last known leader is kept

  const PartitionRegistration leaderless = now;
  PartitionChangeBuilder others = with_elr(leaderless, nodes({2, 3}), 2);  // alive, but not eligible
  CHECK_FALSE(others.build().has_value());

  PartitionChangeBuilder back = with_elr(leaderless, nodes({1, 2, 3}), 2);
  now = after(leaderless, back.build());
  CHECK(now.leader == NodeId{1});
  CHECK(now.isr == nodes({1}));
  CHECK(now.elr.empty());
  CHECK(now.last_known_elr.empty());
  CHECK(now.recovery == LeaderRecoveryState::recovered);
}

TEST_CASE(
    "a replica that a reassignment took away stays in the ELR: nobody is elected at the price of data") {
  // Replicas were 1, 2, 3, and only 3 is left of them; 1 and 2 are eligible.
  PartitionRegistration before = partition(nodes({3, 4}), nodes({}), -1);
  before.elr = nodes({1, 2});
  before.last_known_elr = nodes({3});
  PartitionChangeBuilder returned = with_elr(before, nodes({3, 4}), 2);
  CHECK_FALSE(returned.build().has_value());
}

TEST_CASE("an eligible replica other than the last leader takes over, the rest stays eligible") {
  PartitionRegistration before = partition(nodes({1, 2, 3}), nodes({}), -1);
  before.elr = nodes({1, 3});
  before.last_known_elr = nodes({1});
  PartitionChangeBuilder builder = with_elr(before, nodes({2, 3}), 2);
  const PartitionRegistration now = after(before, builder.build());
  CHECK(now.leader == NodeId{3});
  CHECK(now.isr == nodes({3}));
  CHECK(now.elr == nodes({1}));
  CHECK(now.last_known_elr.empty());
  CHECK(now.recovery == LeaderRecoveryState::recovered);
}

TEST_CASE("the last known leader comes back at a price, alive, and only when nobody is eligible") {
  PartitionRegistration before = partition(nodes({1, 2, 3}), nodes({}), -1);
  before.last_known_elr = nodes({1});
  PartitionChangeBuilder alive = with_elr(before, nodes({1, 2}), 2);
  const PartitionRegistration now = after(before, alive.build());
  CHECK(now.leader == NodeId{1});
  CHECK(now.isr == nodes({1}));
  CHECK(now.recovery == LeaderRecoveryState::recovering);
  CHECK(now.last_known_elr.empty());

  PartitionChangeBuilder dead = with_elr(before, nodes({2}), 2);
  CHECK_FALSE(dead.build().has_value());

  PartitionRegistration eligible = before;
  eligible.elr = nodes({3});
  PartitionChangeBuilder waits = with_elr(eligible, nodes({1, 2}), 2);
  CHECK_FALSE(waits.build().has_value());

  PartitionRegistration several = before;
  several.last_known_elr = nodes({1, 2});
  PartitionChangeBuilder unknown = with_elr(several, nodes({1, 2}), 2);
  CHECK_FALSE(unknown.build().has_value());
}

TEST_CASE("an unclean election clears the ELR") {
  PartitionRegistration before = partition(nodes({1, 2, 3}), nodes({1}), 1);
  before.elr = nodes({2});
  PartitionChangeBuilder builder = with_elr(before, nodes({3}), 2);
  builder.set_election(Election::unclean).set_target_isr({});
  const PartitionRegistration now = after(before, builder.build());
  CHECK(now.leader == NodeId{3});
  CHECK(now.isr == nodes({3}));
  CHECK(now.elr.empty());
  CHECK(now.recovery == LeaderRecoveryState::recovering);
}

TEST_CASE("a leader reports that it has recovered") {
  PartitionRegistration before = partition(nodes({1, 2, 3}), nodes({1}), 1);
  before.recovery = LeaderRecoveryState::recovering;
  PartitionChangeBuilder builder(kTp, before, nodes({1, 2, 3}), 1);
  builder.set_target_isr(nodes({1, 2})).set_target_recovery(LeaderRecoveryState::recovered);
  const PartitionRegistration now = after(before, builder.build());
  CHECK(now.recovery == LeaderRecoveryState::recovered);
  CHECK(now.isr == nodes({1, 2}));
  CHECK(now.leader_epoch == LeaderEpoch{7});
}

TEST_CASE("a reassignment ends when all that are to stay are in sync") {
  PartitionRegistration before = partition(nodes({3, 4, 1, 2}), nodes({1, 2, 3}), 1);
  before.removing = nodes({1, 2});
  before.adding = nodes({3, 4});
  PartitionChangeBuilder early(kTp, before, nodes({1, 2, 3, 4}), 1);
  CHECK_FALSE(early.build().has_value());

  PartitionChangeBuilder done(kTp, before, nodes({1, 2, 3, 4}), 1);
  const PartitionRegistration now = after(before, done.set_target_isr(nodes({1, 2, 3, 4})).build());
  CHECK(now.replicas == nodes({3, 4}));
  CHECK(now.isr == nodes({3, 4}));
  CHECK(now.removing.empty());
  CHECK(now.adding.empty());
  CHECK(now.leader == NodeId{3});
  CHECK(now.leader_epoch == LeaderEpoch{8});

  before.leader = NodeId{3};  // the leader stays, yet those that left must hear of it
  PartitionChangeBuilder kept(kTp, before, nodes({1, 2, 3, 4}), 1);
  const PartitionRegistration bumped = after(before, kept.set_target_isr(nodes({1, 2, 3, 4})).build());
  CHECK(bumped.leader == NodeId{3});
  CHECK(bumped.leader_epoch == LeaderEpoch{8});
}

}  // namespace partition_change_builder_test
}  // namespace sim::controller
