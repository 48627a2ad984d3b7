// Each invariant of the quorum on observations written by hand: what breaks it, and only it.
#include "check/raft_invariants.h"

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "protocol/batch_builder.h"

namespace sim::check {
namespace {

using observe::Fact;
using observe::QuorumRole;

constexpr NodeId kA{1}, kB{2}, kC{3}, kD{4};

Fact role(NodeId node, QuorumRole role, int epoch) {
  return observe::QuorumRoleChanged{node, role, QuorumEpoch{epoch}, kNoNode};
}
Fact leads(NodeId node, int epoch) {
  return role(node, QuorumRole::leader, epoch);
}
Fact votes(NodeId node, int epoch, NodeId whom) {
  return observe::QuorumStateStored{node, QuorumState{QuorumEpoch{epoch}, kNoNode, ReplicaKey{whom}}};
}
Fact follows(NodeId node, int epoch, NodeId leader) {
  return observe::QuorumStateStored{node, QuorumState{QuorumEpoch{epoch}, leader, {}}};
}
Fact opens(NodeId node, int epoch, NodeId voted, Offset end) {
  return observe::MetadataLogOpened{node, QuorumState{QuorumEpoch{epoch}, kNoNode, ReplicaKey{voted}}, 0,
                                    end};
}
// One record at `offset`, which says `value`.
Fact appends(NodeId node, Offset offset, int epoch, std::int64_t value) {
  std::vector<MetadataRecord> records{ProducerIdsRecord{NodeId{0}, BrokerEpoch{0}, ProducerId{value}}};
  return observe::MetadataAppended{node,
                                   Batch{offset, LeaderEpoch{epoch}, 1, make_batch(std::move(records), 0)}};
}
Fact truncates(NodeId node, Offset to) {
  return observe::MetadataTruncated{node, to};
}
Fact commits(NodeId node, int epoch, bool as_leader, Offset from, Offset to) {
  return observe::MetadataCommitted{node, QuorumEpoch{epoch}, as_leader, from, to};
}
Fact has_voters(NodeId node) {
  return observe::QuorumVotersChanged{node, {kA, kB, kC}};
}

std::vector<std::string> broken_by(const std::vector<Fact>& story) {
  RaftInvariants invariants;
  for (const Fact& fact : story)
    invariants.on(observe::Observation{{}, 0, 0, kNoProcess, Incarnation{0}, fact});
  std::vector<std::string> names;
  for (const auto& one : invariants.violations()) names.push_back(one.invariant);
  return names;
}

// A leads epoch 1 and commits what it and B hold below 2; C holds the first record.
std::vector<Fact> after_a_start(std::initializer_list<Fact> then) {
  std::vector<Fact> story{has_voters(kA),
                          has_voters(kB),
                          has_voters(kC),
                          leads(kA, 1),
                          appends(kA, 0, 1, 100),
                          appends(kB, 0, 1, 100),
                          appends(kC, 0, 1, 100),
                          appends(kA, 1, 1, 101),
                          appends(kB, 1, 1, 101),
                          commits(kA, 1, true, 0, 2),
                          commits(kB, 1, false, 0, 2)};
  story.insert(story.end(), then);
  return story;
}

TEST_CASE("what breaks each invariant of the quorum") {
  struct Row {
    const char* what;
    const char* invariant;
    std::vector<Fact> story;
  };
  const Row rows[] = {
      {"two lead an epoch", "single-leader", {leads(kA, 1), leads(kB, 1)}},
      {"two follow two leaders of one epoch", "single-leader", {follows(kC, 1, kA), follows(kD, 1, kB)}},
      {"a second vote", "one-vote-per-epoch", {votes(kC, 1, kA), votes(kC, 1, kB)}},
      {"a second vote, after a restart that forgot the first",
       "one-vote-per-epoch",
       {votes(kC, 1, kA), opens(kC, 1, kNoNode, 0), votes(kC, 1, kB)}},
      {"an epoch falls", "epochs-never-fall", {follows(kC, 2, kA), follows(kC, 1, kA)}},
      {"an epoch falls with a restart", "epochs-never-fall", {votes(kC, 2, kA), opens(kC, 1, kNoNode, 0)}},
      {"the same place and epoch, another record",
       "log-matching",
       {appends(kA, 0, 1, 100), appends(kB, 0, 1, 999)}},
      {"the same place and epoch after something else",
       "log-matching",
       {appends(kA, 0, 1, 100), appends(kA, 1, 2, 101), appends(kB, 0, 1, 100), appends(kB, 1, 1, 7),
        truncates(kB, 1), appends(kB, 1, 2, 101), appends(kC, 0, 0, 100), appends(kC, 1, 2, 101)}},
      {"a node commits another record", "committed-never-changed",
       after_a_start({truncates(kC, 0), appends(kC, 0, 2, 7), commits(kC, 2, false, 0, 1)})},
      {"a node commits another record behind one that it shares", "committed-never-changed",
       after_a_start({appends(kC, 1, 2, 7), commits(kC, 2, false, 0, 2)})},
      {"a leader lacks what is committed", "committed-never-lost", after_a_start({leads(kC, 2)})},
      {"a leader has something else there", "committed-never-lost",
       after_a_start({appends(kC, 1, 2, 7), leads(kC, 3)})},
      {"a node takes back a commit", "quorum-high-watermark", after_a_start({commits(kB, 1, false, 2, 1)})},
      {"the next leader's high watermark is below the last one's", "quorum-high-watermark",
       after_a_start({leads(kB, 2), commits(kB, 1, true, 0, 1)})},
      {"a leader commits before anything of its epoch", "high-watermark-own-epoch",
       after_a_start(
           {appends(kA, 2, 1, 102), appends(kB, 2, 1, 102), leads(kB, 2), commits(kB, 2, true, 2, 3)})},
      {"a minority holds what is committed", "majority-high-watermark",
       after_a_start({appends(kA, 2, 1, 102), commits(kA, 1, true, 2, 3)})},
  };
  for (const Row& row : rows) {
    const std::string what = row.what;
    CAPTURE(what);
    const std::vector<std::string> broken = broken_by(row.story);
    REQUIRE(!broken.empty());
    for (const std::string& name : broken) CHECK(name == row.invariant);
  }
}

TEST_CASE("what looks like a breach and is none") {
  CHECK(broken_by(after_a_start({})).empty());
  SUBCASE("the same vote again, and another in the next epoch") {
    CHECK(broken_by({votes(kC, 1, kA), votes(kC, 1, kA), votes(kC, 2, kB)}).empty());
  }
  SUBCASE("one leader in each of two epochs") {
    CHECK(broken_by({leads(kA, 1), leads(kB, 2)}).empty());
  }
  SUBCASE("what was not committed is replaced") {
    CHECK(broken_by(after_a_start({appends(kA, 2, 1, 102), leads(kB, 2), appends(kB, 2, 2, 103),
                                   truncates(kA, 2), appends(kA, 2, 2, 103), commits(kB, 2, true, 2, 3)}))
              .empty());
  }
  SUBCASE("a deposed leader learns late what its followers had") {
    CHECK(broken_by(
              after_a_start({appends(kA, 2, 1, 102), appends(kB, 2, 1, 102), leads(kB, 2),
                             appends(kB, 3, 2, 103), appends(kC, 1, 1, 101), appends(kC, 2, 1, 102),
                             appends(kC, 3, 2, 103), commits(kB, 2, true, 2, 4), commits(kA, 1, true, 2, 3)}))
              .empty());
  }
  SUBCASE("a node learns of commits anew after a restart") {
    CHECK(broken_by(after_a_start({opens(kB, 1, kNoNode, 2), commits(kB, 1, false, 0, 1)})).empty());
  }
  SUBCASE("a crash undoes what was not flushed") {
    CHECK(broken_by(after_a_start({appends(kC, 1, 1, 101), opens(kC, 1, kNoNode, 1), appends(kC, 1, 1, 101)}))
              .empty());
  }
  SUBCASE("a lost disk binds nobody") {
    RaftInvariants invariants;
    const auto on = [&](const Fact& fact) {
      invariants.on(observe::Observation{{}, 0, 0, kNoProcess, Incarnation{0}, fact});
    };
    on(votes(kC, 5, kA));
    invariants.forget(kC);
    on(opens(kC, 0, kNoNode, 0));
    on(votes(kC, 5, kB));
    CHECK(!invariants.broken());
  }
}

}  // namespace
}  // namespace sim::check
