#include "sweep/situations.h"

#include <algorithm>
#include <variant>

#include "protocol/error_code.h"

namespace sim::sweep {
namespace {

const char* word_of(observe::QuorumRole role) {
  switch (role) {
    case observe::QuorumRole::unattached: return "controller-unattached";
    case observe::QuorumRole::prospective: return "controller-prospective";
    case observe::QuorumRole::candidate: return "controller-candidate";
    case observe::QuorumRole::leader: return "controller-leader";
    case observe::QuorumRole::follower: return "controller-follower";
    case observe::QuorumRole::resigned: return "controller-resigned";
  }
  return "?";
}

// NOT_LEADER_OR_FOLLOWER -> produce-not-leader-or-follower
std::string error_word(const char* of, ErrorCode error) {
  std::string word = of;
  for (const char c : std::string(name(error)))
    word += c == '_' ? '-' : static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return word;
}

bool has(const std::vector<NodeId>& nodes, NodeId node) {
  return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

}  // namespace

void Situations::on(const observe::Observation& observation) {
  using namespace observe;
  const Fact& fact = observation.fact;
  if (const auto* role = std::get_if<QuorumRoleChanged>(&fact)) return on_fact(*role);
  if (const auto* vote = std::get_if<QuorumVoteAnswered>(&fact)) return on_fact(*vote);
  if (const auto* batch = std::get_if<BatchAcknowledged>(&fact)) return on_fact(*batch);
  if (const auto* record = std::get_if<RecordFailed>(&fact)) return on_fact(*record);
  if (const auto* commit = std::get_if<CommitAcknowledged>(&fact)) return on_fact(*commit);
  if (const auto* partition = std::get_if<PartitionChanged>(&fact)) return on_fact(*partition);
  if (const auto* broker = std::get_if<BrokerStateChanged>(&fact)) return on_fact(*broker);
  if (const auto* controller = std::get_if<ControllerChanged>(&fact)) return on_fact(*controller);
  if (const auto* group = std::get_if<GroupStateChanged>(&fact)) return on_fact(*group);
  if (const auto* lost = std::get_if<LogLost>(&fact)) return on_fact(*lost);
  if (std::holds_alternative<LogTruncated>(fact)) add("log-truncated");
  if (std::holds_alternative<MetadataTruncated>(fact)) add("metadata-log-truncated");
  if (std::holds_alternative<MetadataSnapshotFetched>(fact)) add("metadata-snapshot-fetched");
  if (std::holds_alternative<IsrProposalDropped>(fact)) add("isr-proposal-dropped");
  if (std::holds_alternative<PositionReset>(fact)) add("position-reset");
}

void Situations::on_fact(const observe::QuorumRoleChanged& fact) {
  add(word_of(fact.role));
}
void Situations::on_fact(const observe::QuorumVoteAnswered& fact) {
  if (!fact.granted) add(fact.pre_vote ? "pre-vote-refused" : "vote-refused");
}
void Situations::on_fact(const observe::BatchAcknowledged& fact) {
  if (fact.error != ErrorCode::none) add(error_word("produce-", fact.error));
  if (fact.will_retry) add("batch-retried");
}
void Situations::on_fact(const observe::RecordFailed& fact) {
  add(error_word("failed-", fact.error));
}
void Situations::on_fact(const observe::CommitAcknowledged& fact) {
  if (fact.error != ErrorCode::none) add(error_word("commit-", fact.error));
}

void Situations::on_fact(const observe::PartitionChanged& fact) {
  Partition& before = partitions_[fact.tp];
  if (before.is_known) {
    if (fact.isr.size() < before.isr.size()) add("isr-shrunk");
    if (fact.isr.size() > before.isr.size()) add("isr-expanded");
    if (fact.leader == kNoNode && before.leader != kNoNode) add("partition-without-leader");
    if (fact.leader != kNoNode && fact.leader != before.leader) {
      add(has(before.isr, fact.leader)   ? "leader-from-isr"
          : has(before.elr, fact.leader) ? "leader-from-elr"
                                         : "leader-from-neither");
    }
    if (!fact.elr.empty()) add("elr-not-empty");
  }
  before = {fact.leader, fact.isr, fact.elr, true};
}
void Situations::on_fact(const observe::BrokerStateChanged& fact) {
  if (fact.fenced) add("broker-fenced");
  if (fact.in_controlled_shutdown) add("controlled-shutdown");
}
void Situations::on_fact(const observe::ControllerChanged& fact) {
  if (!fact.active) add("controller-renounced");
}
void Situations::on_fact(const observe::GroupStateChanged& fact) {
  if (fact.state == observe::GroupState::preparing_rebalance) add("group-rebalanced");
  if (fact.state == observe::GroupState::reconciling) add("group-reconciling");
  if (fact.state == observe::GroupState::empty) add("group-empty");
}
void Situations::on_fact(const observe::LogLost& fact) {
  add(fact.cause == observe::LossOfLog::wiped ? "log-wiped" : "log-lost-unflushed");
}

const std::vector<std::string>& known_situations() {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> names{"controller-unattached",
                                   "controller-prospective",
                                   "controller-candidate",
                                   "controller-leader",
                                   "controller-follower",
                                   "controller-resigned",
                                   "controller-renounced",
                                   "pre-vote-refused",
                                   "vote-refused",
                                   "log-truncated",
                                   "metadata-log-truncated",
                                   "metadata-snapshot-fetched",
                                   "isr-proposal-dropped",
                                   "position-reset",
                                   "batch-retried",
                                   "isr-shrunk",
                                   "isr-expanded",
                                   "partition-without-leader",
                                   "leader-from-isr",
                                   "leader-from-elr",
                                   "leader-from-neither",
                                   "elr-not-empty",
                                   "broker-fenced",
                                   "controlled-shutdown",
                                   "group-rebalanced",
                                   "group-reconciling",
                                   "group-empty",
                                   "log-wiped",
                                   "log-lost-unflushed"};
    for (const ErrorCode error :
         {ErrorCode::not_leader_or_follower, ErrorCode::not_enough_replicas,
          ErrorCode::not_enough_replicas_after_append, ErrorCode::request_timed_out}) {
      names.push_back(error_word("produce-", error));
      names.push_back(error_word("failed-", error));
    }
    for (const ErrorCode error :
         {ErrorCode::not_coordinator, ErrorCode::coordinator_load_in_progress,
          ErrorCode::rebalance_in_progress, ErrorCode::unknown_member_id, ErrorCode::illegal_generation})
      names.push_back(error_word("commit-", error));
    for (const char* kind : {"kill", "powerloss", "wipe", "stop", "restart", "pause", "partition", "delay",
                             "loss", "hold", "bandwidth", "reset", "io-delay", "io-error", "disk-full",
                             "slow-cpu", "time-offset", "drift", "admin"})
      names.push_back(std::string("fault-") + kind);
    std::sort(names.begin(), names.end());
    return names;
  }();
  return all;
}

}  // namespace sim::sweep
