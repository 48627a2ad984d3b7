#include "sweep/situations.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <variant>

#include "protocol/error_code.h"

namespace sim::sweep {
namespace {

constexpr observe::QuorumRole kRoles[] = {observe::QuorumRole::unattached, observe::QuorumRole::prospective,
                                          observe::QuorumRole::candidate,  observe::QuorumRole::leader,
                                          observe::QuorumRole::follower,   observe::QuorumRole::resigned};

const char* word_of(observe::QuorumRole role) {
  switch (role) {
    case observe::QuorumRole::unattached: return "unattached";
    case observe::QuorumRole::prospective: return "prospective";
    case observe::QuorumRole::candidate: return "candidate";
    case observe::QuorumRole::leader: return "leader";
    case observe::QuorumRole::follower: return "follower";
    case observe::QuorumRole::resigned: return "resigned";
  }
  return "?";
}

std::string transition_word(observe::QuorumRole from, observe::QuorumRole to) {
  return std::string("quorum-") + word_of(from) + "-to-" + word_of(to);
}

// The table of transitions (raft/replica.h), pre-vote and what it was before.
struct Transition {
  observe::QuorumRole from, to;
};
constexpr Transition kTransitions[] = {
    {observe::QuorumRole::unattached, observe::QuorumRole::follower},
    {observe::QuorumRole::unattached, observe::QuorumRole::prospective},
    {observe::QuorumRole::unattached, observe::QuorumRole::unattached},  // a higher epoch
    {observe::QuorumRole::follower, observe::QuorumRole::prospective},
    {observe::QuorumRole::follower, observe::QuorumRole::unattached},
    {observe::QuorumRole::follower, observe::QuorumRole::follower},  // of another leader
    {observe::QuorumRole::prospective, observe::QuorumRole::candidate},
    {observe::QuorumRole::prospective, observe::QuorumRole::follower},
    {observe::QuorumRole::prospective, observe::QuorumRole::unattached},
    {observe::QuorumRole::candidate, observe::QuorumRole::leader},
    {observe::QuorumRole::candidate, observe::QuorumRole::prospective},
    {observe::QuorumRole::candidate, observe::QuorumRole::follower},
    {observe::QuorumRole::candidate, observe::QuorumRole::unattached},
    {observe::QuorumRole::leader, observe::QuorumRole::resigned},
    {observe::QuorumRole::leader, observe::QuorumRole::follower},
    {observe::QuorumRole::leader, observe::QuorumRole::unattached},
    {observe::QuorumRole::resigned, observe::QuorumRole::unattached},
    {observe::QuorumRole::resigned, observe::QuorumRole::follower},
};

// What a produce request, or send(), may be answered with, as far as it is modelled.
constexpr ErrorCode kOfProduce[] = {ErrorCode::not_leader_or_follower,
                                    ErrorCode::not_enough_replicas,
                                    ErrorCode::not_enough_replicas_after_append,
                                    ErrorCode::request_timed_out,
                                    ErrorCode::unknown_topic_or_partition,
                                    ErrorCode::kafka_storage_error,
                                    ErrorCode::network_exception,
                                    ErrorCode::message_too_large,
                                    ErrorCode::invalid_timestamp,
                                    ErrorCode::out_of_order_sequence_number};
constexpr ErrorCode kOfCommit[] = {ErrorCode::not_coordinator,   ErrorCode::coordinator_not_available,
                                   ErrorCode::network_exception, ErrorCode::coordinator_load_in_progress,
                                   ErrorCode::request_timed_out, ErrorCode::rebalance_in_progress,
                                   ErrorCode::unknown_member_id, ErrorCode::illegal_generation,
                                   ErrorCode::fenced_instance_id};
constexpr ErrorCode kOfOperators[] = {ErrorCode::election_not_needed,
                                      ErrorCode::preferred_leader_not_available,
                                      ErrorCode::eligible_leaders_not_available,
                                      ErrorCode::topic_already_exists,
                                      ErrorCode::unknown_topic_or_partition,
                                      ErrorCode::invalid_replica_assignment,
                                      ErrorCode::invalid_partitions,
                                      ErrorCode::invalid_replication_factor,
                                      ErrorCode::request_timed_out};

constexpr observe::RebalanceReason kReasons[] = {
    observe::RebalanceReason::member_joined, observe::RebalanceReason::member_rejoined,
    observe::RebalanceReason::member_left, observe::RebalanceReason::member_expelled,
    observe::RebalanceReason::static_member_replaced};
constexpr observe::DepartureReason kDepartures[] = {
    observe::DepartureReason::closed, observe::DepartureReason::poll_timeout,
    observe::DepartureReason::session_expired, observe::DepartureReason::join_timeout,
    observe::DepartureReason::sync_timeout};

// NOT_LEADER_OR_FOLLOWER -> produce-not-leader-or-follower
std::string with_dashes(std::string word, std::string_view text) {
  for (const char c : text)
    word += c == '_' ? '-' : static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return word;
}
std::string error_word(const char* of, ErrorCode error) {
  return with_dashes(of, name(error));
}

bool has(const std::vector<NodeId>& nodes, NodeId node) {
  return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

}  // namespace

void Situations::on(const observe::Observation& observation) {
  using namespace observe;
  const Fact& fact = observation.fact;
  if (const auto* role = std::get_if<QuorumRoleChanged>(&fact)) return on_fact(*role, observation.process);
  if (const auto* vote = std::get_if<QuorumVoteAnswered>(&fact)) return on_fact(*vote);
  if (const auto* batch = std::get_if<BatchAcknowledged>(&fact)) return on_fact(*batch);
  if (const auto* record = std::get_if<RecordFailed>(&fact)) return on_fact(*record);
  if (const auto* commit = std::get_if<CommitAcknowledged>(&fact)) return on_fact(*commit);
  if (const auto* partition = std::get_if<PartitionChanged>(&fact)) return on_fact(*partition);
  if (const auto* broker = std::get_if<BrokerStateChanged>(&fact)) return on_fact(*broker);
  if (const auto* controller = std::get_if<ControllerChanged>(&fact)) return on_fact(*controller);
  if (const auto* group = std::get_if<GroupStateChanged>(&fact)) return on_fact(*group);
  if (const auto* lost = std::get_if<LogLost>(&fact)) return on_fact(*lost);
  if (const auto* cut = std::get_if<LogTruncated>(&fact)) return on_fact(*cut);
  if (const auto* mark = std::get_if<HighWatermarkAdvanced>(&fact))
    return on_high_watermark(mark->tp, mark->broker, mark->to);
  if (const auto* mark = std::get_if<FollowerHighWatermarkAdvanced>(&fact))
    return on_high_watermark(mark->tp, mark->broker, mark->to);
  if (const auto* opened = std::get_if<ReplicaOpened>(&fact)) {
    high_watermarks_[opened->tp][opened->broker] = opened->high_watermark;
    return;
  }
  if (const auto* began = std::get_if<RebalanceBegan>(&fact))
    add(with_dashes("rebalance-", name(began->reason)));
  if (const auto* left = std::get_if<MemberDeparted>(&fact))
    add(with_dashes("departure-", name(left->reason)));
  if (const auto* answer = std::get_if<AdminAnswered>(&fact);
      answer != nullptr && answer->error != ErrorCode::none)
    add(error_word("admin-", answer->error));
  if (std::holds_alternative<ProcessStopped>(fact)) roles_.erase(observation.process);
  if (std::holds_alternative<LogStartRaised>(fact)) add("log-start-raised");
  if (std::holds_alternative<LogCleaned>(fact)) add("log-compacted");
  if (std::holds_alternative<MetadataTruncated>(fact)) add("metadata-log-truncated");
  if (std::holds_alternative<MetadataSnapshotFetched>(fact)) add("metadata-snapshot-fetched");
  if (std::holds_alternative<IsrProposalDropped>(fact)) add("isr-proposal-dropped");
  if (std::holds_alternative<PositionReset>(fact)) add("position-reset");
}

void Situations::on_fact(const observe::QuorumRoleChanged& fact, ProcessId process) {
  add(std::string("controller-") + word_of(fact.role));
  const auto [role, is_first] = roles_.try_emplace(process, fact.role);
  if (!is_first) add(transition_word(std::exchange(role->second, fact.role), fact.role));
}
void Situations::on_high_watermark(TopicPartition tp, NodeId broker, Offset to) {
  Offset& known = high_watermarks_[tp][broker];
  known = std::max(known, to);
}
// Whether what is cut was safe as far as this replica knew. Before followers went by epochs it never was.
void Situations::on_fact(const observe::LogTruncated& fact) {
  add("log-truncated");
  Offset& known = high_watermarks_[fact.tp][fact.broker];
  add(fact.to < known ? "log-truncated-below-high-watermark" : "log-truncated-above-high-watermark");
  if (fact.to == 0) add("log-truncated-to-nothing");
  known = std::min(known, fact.to);
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
      if (before.leader != kNoNode && fact.leader == fact.replicas.front()) add("leader-preferred");
      if (before.leader == kNoNode)
        add(fact.leader == before.last_leader ? "leader-again" : "leader-after-none");
    }
    if (!fact.elr.empty()) add("elr-not-empty");
  }
  before = {fact.leader, fact.leader == kNoNode ? before.last_leader : fact.leader, fact.isr, fact.elr, true};
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
    std::vector<std::string> names{"controller-renounced",
                                   "pre-vote-refused",
                                   "vote-refused",
                                   "log-truncated",
                                   "log-truncated-below-high-watermark",
                                   "log-truncated-above-high-watermark",
                                   "log-truncated-to-nothing",
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
                                   "leader-preferred",
                                   "leader-again",
                                   "leader-after-none",
                                   "elr-not-empty",
                                   "broker-fenced",
                                   "controlled-shutdown",
                                   "group-rebalanced",
                                   "group-reconciling",
                                   "group-empty",
                                   "log-wiped",
                                   "log-lost-unflushed",
                                   "log-start-raised",
                                   "log-compacted"};
    for (const observe::QuorumRole role : kRoles) names.push_back(std::string("controller-") + word_of(role));
    for (const Transition& one : kTransitions) names.push_back(transition_word(one.from, one.to));
    for (const ErrorCode error : kOfProduce) {
      names.push_back(error_word("produce-", error));
      names.push_back(error_word("failed-", error));
    }
    for (const ErrorCode error : kOfCommit) names.push_back(error_word("commit-", error));
    for (const ErrorCode error : kOfOperators) names.push_back(error_word("admin-", error));
    for (const observe::RebalanceReason reason : kReasons)
      names.push_back(with_dashes("rebalance-", name(reason)));
    for (const observe::DepartureReason reason : kDepartures)
      names.push_back(with_dashes("departure-", name(reason)));
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
