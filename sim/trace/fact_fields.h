#pragma once

#include <string_view>
#include <vector>

#include "observe/fact.h"

// What each fact says, field by field under the names that events.jsonl uses: the one table from which the
// lines of the event log and the fingerprint of meaning are made.
//
// describe(fact, out) hands the fields to `out` in the order in which they are written. An Out has
//   number(key, integer), text(key, string), flag(key, bool), nodes(key, node ids), error(code),
//   partition(tp), partitions(key, tps), topic(id), process(key, id), processes(key, ids), fault(id),
//   order(record), who(service, member), batch(data), channel(channel), message(envelope).
// Left out: the digest of MetadataReplayed, which is of how an image is kept and not of what it says.
namespace sim::trace {

// ---- Words for states

inline std::string_view text_of(observe::RequestStage stage) {
  switch (stage) {
    case observe::RequestStage::received: return "received";
    case observe::RequestStage::queued: return "queued";
    case observe::RequestStage::dequeued: return "dequeued";
    case observe::RequestStage::completed: return "completed";
    case observe::RequestStage::sent: return "sent";
  }
  return "?";
}

inline std::string_view text_of(observe::QuorumRole role) {
  switch (role) {
    case observe::QuorumRole::unattached: return "Unattached";
    case observe::QuorumRole::prospective: return "Prospective";
    case observe::QuorumRole::candidate: return "Candidate";
    case observe::QuorumRole::leader: return "Leader";
    case observe::QuorumRole::follower: return "Follower";
    case observe::QuorumRole::resigned: return "Resigned";
  }
  return "?";
}

inline std::string_view text_of(observe::GroupState state) {
  switch (state) {
    case observe::GroupState::empty: return "Empty";
    case observe::GroupState::preparing_rebalance: return "PreparingRebalance";
    case observe::GroupState::completing_rebalance: return "CompletingRebalance";
    case observe::GroupState::stable: return "Stable";
    case observe::GroupState::dead: return "Dead";
    case observe::GroupState::assigning: return "Assigning";
    case observe::GroupState::reconciling: return "Reconciling";
  }
  return "?";
}

inline std::string_view text_of(Lane lane) {
  switch (lane) {
    case Lane::data: return "data";
    case Lane::coordinator: return "coordinator";
    case Lane::replica_fetcher: return "replica_fetcher";
    case Lane::heartbeat: return "heartbeat";
    case Lane::alter_partition: return "alter_partition";
    case Lane::directory_assignments: return "directory-assignments";
    case Lane::controller_registration: return "controller-registration";
    case Lane::forwarding: return "forwarding";
    case Lane::raft: return "raft";
    case Lane::producer: return "producer";
    case Lane::transaction_markers: return "transaction-markers";
    case Lane::add_partitions_to_txn: return "add-partitions-to-txn";
  }
  return "replica_fetcher";  // + its index
}

// ---- Orders, brokers, partitions, groups, the network

template <class Out>
void describe(const observe::OrderPlaced& fact, Out& out) {
  out.order(fact.record);
  out.number("intended", fact.intended_ns);
  if (fact.key >= 0) out.number("key", fact.key);
  out.number("value_bytes", fact.value_bytes);
}
template <class Out>
void describe(const observe::RecordAccepted& fact, Out& out) {
  out.order(fact.record);
  out.partition(fact.tp);
}
template <class Out>
void describe(const observe::RecordFailed& fact, Out& out) {
  out.order(fact.record);
  out.error(fact.error);
}
template <class Out>
void describe(const observe::BatchDrained& fact, Out& out) {
  out.partition(fact.tp);
  out.number("attempt", fact.attempt);
  out.batch(*fact.batch);
}
template <class Out>
void describe(const observe::BatchAppended& fact, Out& out) {
  out.partition(fact.tp);
  out.number("offset", fact.batch.base_offset);
  out.number("leader_epoch", fact.batch.leader_epoch.value());
  out.batch(*fact.batch.data);
}
template <class Out>
void describe(const observe::BatchAcknowledged& fact, Out& out) {
  out.partition(fact.tp);
  out.error(fact.error);
  out.number("offset", fact.base_offset);
  if (fact.will_retry) out.flag("will_retry", true);
  out.batch(*fact.batch);
}
template <class Out>
void describe(const observe::RequestProgress& fact, Out& out) {
  out.text("stage", text_of(fact.stage));
  out.channel(fact.channel);
  out.number("correlation", fact.correlation);
  if (fact.request != nullptr) out.text("msg", sim::name(fact.request->message));
}
template <class Out>
void describe(const observe::HighWatermarkAdvanced& fact, Out& out) {
  out.partition(fact.tp);
  out.number("from", fact.from);
  out.number("to", fact.to);
  out.number("min_isr", fact.min_isr);
}
template <class Out>
void describe(const observe::BecameLeader& fact, Out& out) {
  out.partition(fact.tp);
  out.number("broker", fact.broker.value());
  out.number("leader_epoch", fact.leader_epoch.value());
  out.number("epoch_start", fact.epoch_start);
  out.number("min_isr", fact.min_isr);
}
template <class Out>
void describe(const observe::BecameFollower& fact, Out& out) {
  out.partition(fact.tp);
  out.number("broker", fact.broker.value());
  out.number("leader_epoch", fact.leader_epoch.value());
  out.number("leader", fact.leader.value());
}
template <class Out>
void describe(const observe::IsrChanged& fact, Out& out) {
  out.partition(fact.tp);
  out.nodes("isr", fact.isr);
  out.number("partition_epoch", fact.partition_epoch.value());
}
template <class Out>
void describe(const observe::IsrProposed& fact, Out& out) {
  out.partition(fact.tp);
  out.nodes("isr", fact.isr);
  out.number("partition_epoch", fact.partition_epoch.value());
}
template <class Out>
void describe(const observe::LogTruncated& fact, Out& out) {
  out.partition(fact.tp);
  out.number("broker", fact.broker.value());
  out.number("from", fact.from);
  out.number("to", fact.to);
}
template <class Out>
void describe(const observe::ReplicaAppended& fact, Out& out) {
  out.partition(fact.tp);
  out.number("broker", fact.broker.value());
  out.number("log_end_offset", fact.log_end_offset);
  out.number("leader_epoch", fact.batch.leader_epoch.value());
}
template <class Out>
void describe(const observe::IsrProposalDropped& fact, Out& out) {
  out.partition(fact.tp);
  out.number("broker", fact.broker.value());
}
template <class Out>
void describe(const observe::FollowerHighWatermarkAdvanced& fact, Out& out) {
  out.partition(fact.tp);
  out.number("broker", fact.broker.value());
  out.number("to", fact.to);
}
template <class Out>
void describe(const observe::ReplicaOpened& fact, Out& out) {
  out.partition(fact.tp);
  out.number("broker", fact.broker.value());
  out.number("log_start_offset", fact.log_start_offset);
  out.number("log_end_offset", fact.log_end_offset);
  out.number("high_watermark", fact.high_watermark);
}
template <class Out>
void describe(const observe::LogStartRaised& fact, Out& out) {
  out.partition(fact.tp);
  out.number("broker", fact.broker.value());
  out.number("from", fact.from);
  out.number("to", fact.to);
}
template <class Out>
void describe(const observe::LogCleaned& fact, Out& out) {
  out.partition(fact.tp);
  out.number("broker", fact.broker.value());
  out.number("end", fact.end);
  out.number("bytes_before", fact.bytes_before);
  out.number("bytes_after", fact.bytes_after);
}
template <class Out>
void describe(const observe::LogDeleted& fact, Out& out) {
  out.partition(fact.tp);
  out.number("broker", fact.broker.value());
}
template <class Out>
void describe(const observe::LogLost& fact, Out& out) {
  out.partition(fact.tp);
  out.number("broker", fact.broker.value());
  out.number("from", fact.from);
  out.number("to", fact.to);
  out.text("lost_by", fact.cause == observe::LossOfLog::wiped ? "wipe" : "power_loss");
}
template <class Out>
void describe(const observe::TopicCreated& fact, Out& out) {
  out.text("topic", fact.name);
  out.number("id", fact.id.value());
  out.number("partitions", fact.partitions);
  out.number("replication_factor", fact.replication_factor);
}
template <class Out>
void describe(const observe::RecordsPolled& fact, Out& out) {
  out.who(fact.service, fact.member);
  out.partition(fact.tp);
  out.number("from", fact.from);
  out.number("to", fact.to);
  out.number("broker", fact.broker.value());
}
template <class Out>
void describe(const observe::ProcessingStarted& fact, Out& out) {
  out.who(fact.service, fact.member);
  out.partition(fact.tp);
  out.number("offset", fact.offset);
  out.order(fact.record);
}
template <class Out>
void describe(const observe::ProcessingDone& fact, Out& out) {
  out.who(fact.service, fact.member);
  out.partition(fact.tp);
  out.number("offset", fact.offset);
  out.order(fact.record);
}
template <class Out>
void describe(const observe::CommitSent& fact, Out& out) {
  out.who(fact.service, fact.member);
  out.partition(fact.tp);
  out.number("offset", fact.offset);
}
template <class Out>
void describe(const observe::CommitAcknowledged& fact, Out& out) {
  out.who(fact.service, fact.member);
  out.partition(fact.tp);
  out.number("offset", fact.offset);
  out.error(fact.error);
}
template <class Out>
void describe(const observe::OffsetsStored& fact, Out& out) {
  out.text("group", fact.group);
  out.partition(fact.tp);
  out.number("offset", fact.offset);
}
template <class Out>
void describe(const observe::PositionReset& fact, Out& out) {
  out.who(fact.service, fact.member);
  out.partition(fact.tp);
  out.number("to", fact.to);
}
template <class Out>
void describe(const observe::GroupStateChanged& fact, Out& out) {
  out.text("group", fact.group);
  out.text("state", text_of(fact.state));
  out.number("generation", fact.generation.value());
  out.number("members", fact.members);
}
template <class Out>
void describe(const observe::AssignmentReceived& fact, Out& out) {
  out.who(fact.service, fact.member);
  out.number("generation", fact.generation.value());
  out.partitions("partitions", fact.partitions);
}
template <class Out>
void describe(const observe::RebalanceBegan& fact, Out& out) {
  out.text("group", fact.group);
  out.number("generation", fact.generation.value());
  out.text("reason", observe::name(fact.reason));
  if (!fact.member.empty()) out.text("member_id", fact.member);
}
template <class Out>
void describe(const observe::MemberDeparted& fact, Out& out) {
  out.text("group", fact.group);
  out.text("member_id", fact.member);
  out.text("reason", observe::name(fact.reason));
}
template <class Out>
void describe(const observe::PartitionsRevoked& fact, Out& out) {
  out.who(fact.service, fact.member);
  out.partitions("partitions", fact.partitions);
  if (fact.lost) out.flag("lost", true);
}
template <class Out>
void describe(const observe::TransactionStateChanged& fact, Out& out) {
  out.text("transactional_id", fact.transactional_id);
  out.number("producer_id", fact.producer_id.value());
  out.number("producer_epoch", fact.producer_epoch.value());
  out.text("state", sim::name(fact.state));
  out.partitions("partitions", fact.partitions);
}
template <class Out>
void describe(const observe::TransactionMarkerWritten& fact, Out& out) {
  out.text("transactional_id", fact.transactional_id);
  out.number("producer_id", fact.producer_id.value());
  out.partition(fact.tp);
  out.flag("committed", fact.committed);
}
template <class Out>
void describe(const observe::LastStableOffsetAdvanced& fact, Out& out) {
  out.partition(fact.tp);
  out.number("broker", fact.broker.value());
  out.number("from", fact.from);
  out.number("to", fact.to);
  out.number("high_watermark", fact.high_watermark);
}
template <class Out>
void describe(const observe::ProducerFenced& fact, Out& out) {
  if (!fact.transactional_id.empty()) out.text("transactional_id", fact.transactional_id);
  out.number("producer_id", fact.producer_id.value());
  out.number("producer_epoch", fact.producer_epoch.value());
  out.number("current_producer_epoch", fact.current_producer_epoch.value());
  if (fact.tp.topic != kNoTopic) out.partition(fact.tp);
}
template <class Out>
void describe(const observe::MemberAssignmentChanged& fact, Out& out) {
  out.text("group", fact.group);
  out.text("member_id", fact.member);
  out.number("group_epoch", fact.group_epoch.value());
  out.number("member_epoch", fact.member_epoch.value());
  out.partitions("partitions", fact.assigned);
  if (!fact.pending_revocation.empty()) out.partitions("pending_revocation", fact.pending_revocation);
}
template <class Out>
void describe(const observe::MessageSent& fact, Out& out) {
  out.message(*fact.envelope);
  out.number("bytes", fact.bytes);
}
template <class Out>
void describe(const observe::MessageDelivered& fact, Out& out) {
  out.message(*fact.envelope);
}
template <class Out>
void describe(const observe::ConnectionOpened& fact, Out& out) {
  out.channel(fact.channel);
}
template <class Out>
void describe(const observe::ConnectionClosed& fact, Out& out) {
  out.channel(fact.channel);
}
template <class Out>
void describe(const observe::ClientThrottled& fact, Out& out) {
  constexpr std::string_view kQuotas[] = {"produce", "fetch", "request"};
  out.process("client", fact.client);
  out.text("quota", kQuotas[static_cast<std::size_t>(fact.quota)]);
  out.number("throttle_ms", fact.throttle_ms);
}

// ---- Transactions, told by the clients
template <class Out>
void describe(const observe::ProducerTransactionChanged& fact, Out& out) {
  out.text("transactional_id", fact.transactional_id);
  out.text("state", observe::name(fact.state));
  out.number("producer_id", fact.producer_id.value());
  out.number("producer_epoch", fact.producer_epoch.value());
  if (fact.error != ErrorCode::none) out.error(fact.error);
}
template <class Out>
void describe(const observe::RecordDerived& fact, Out& out) {
  out.who(fact.service, fact.member);
  out.order(fact.record);
}
template <class Out>
void describe(const observe::OffsetsAddedToTransaction& fact, Out& out) {
  out.who(fact.service, fact.member);
  out.number("producer_id", fact.producer_id.value());
  out.number("producer_epoch", fact.producer_epoch.value());
  out.partition(fact.tp);
  out.number("offset", fact.offset);
}

// ---- The quorum
template <class Out>
void describe(const observe::QuorumRoleChanged& fact, Out& out) {
  out.text("role", text_of(fact.role));
  out.number("epoch", fact.quorum_epoch.value());
  out.number("leader", fact.leader.value());
}
template <class Out>
void describe(const observe::QuorumStateStored& fact, Out& out) {
  out.number("epoch", fact.state.quorum_epoch.value());
  out.number("leader", fact.state.leader.value());
  out.number("voted", fact.state.voted.id.value());
}
template <class Out>
void describe(const observe::QuorumVoteAnswered& fact, Out& out) {
  out.number("candidate", fact.candidate.value());
  out.number("epoch", fact.quorum_epoch.value());
  out.flag("pre_vote", fact.pre_vote);
  out.flag("granted", fact.granted);
}
template <class Out>
void describe(const observe::QuorumVotersChanged& fact, Out& out) {
  out.nodes("voters", fact.voters);
}
template <class Out>
void describe(const observe::MetadataLogOpened& fact, Out& out) {
  out.number("epoch", fact.state.quorum_epoch.value());
  out.number("start", fact.log_start_offset);
  out.number("leo", fact.log_end_offset);
}
template <class Out>
void describe(const observe::MetadataAppended& fact, Out& out) {
  out.number("base", fact.batch.base_offset);
  out.number("epoch", fact.batch.leader_epoch.value());
  out.batch(*fact.batch.data);
}
template <class Out>
void describe(const observe::MetadataTruncated& fact, Out& out) {
  out.number("to", fact.to);
}
template <class Out>
void describe(const observe::MetadataSnapshotFetched& fact, Out& out) {
  out.number("offset", fact.id.end_offset);
  out.number("epoch", fact.id.leader_epoch.value());
}
template <class Out>
void describe(const observe::MetadataCommitted& fact, Out& out) {
  out.number("from", fact.from);
  out.number("to", fact.to);
  out.number("epoch", fact.quorum_epoch.value());
  out.flag("leads", fact.leads);
}

template <class Out>
void describe(const observe::MetadataReplayed& fact, Out& out) {
  out.number("end", fact.end_offset);
}

// ---- Decisions of the active controller
template <class Out>
void describe(const observe::ControllerChanged& fact, Out& out) {
  out.number("controller", fact.node.value());
  out.number("epoch", fact.quorum_epoch.value());
  out.flag("active", fact.active);
}
template <class Out>
void describe(const observe::BrokerStateChanged& fact, Out& out) {
  out.number("broker", fact.broker.value());
  out.number("broker_epoch", fact.broker_epoch.value());
  out.flag("fenced", fact.fenced);
  if (fact.in_controlled_shutdown) out.flag("in_controlled_shutdown", true);
  out.number("offset", fact.offset);
}
template <class Out>
void describe(const observe::PartitionChanged& fact, Out& out) {
  out.partition(fact.tp);
  out.number("leader", fact.leader.value());
  out.number("leader_epoch", fact.leader_epoch.value());
  out.number("partition_epoch", fact.partition_epoch.value());
  out.nodes("replicas", fact.replicas);
  if (!fact.adding.empty()) out.nodes("adding", fact.adding);
  out.nodes("isr", fact.isr);
  if (!fact.elr.empty()) out.nodes("elr", fact.elr);
  out.number("offset", fact.offset);
}

// ---- Faults
template <class Out>
void describe(const observe::FaultStruck& fact, Out& out) {
  out.fault(fact.fault);
  out.processes("touched", fact.touched);
}
template <class Out>
void describe(const observe::RoleMissed& fact, Out& out) {
  out.fault(fact.fault);
  out.text("role", fact.role);
  if (fact.player != kNoProcess) out.process("player", fact.player);
}
template <class Out>
void describe(const observe::FaultEnded& fact, Out& out) {
  out.fault(fact.fault);
  out.number("effects", fact.effects);
}
template <class Out>
void describe(const observe::TopicDeleted& fact, Out& out) {
  out.topic(fact.id);
}
template <class Out>
void describe(const observe::AdminAnswered& fact, Out& out) {
  out.fault(fact.fault);
  out.text("resource", fact.resource);
  out.error(fact.error);
}
template <class Out>
void describe(const observe::OffsetsReset& fact, Out& out) {
  out.fault(fact.fault);
  out.text("group", fact.group);
  out.text("topic", fact.topic);
}

template <class Out>
void describe(const observe::ProcessStarted&, Out&) {}
template <class Out>
void describe(const observe::ProcessStopped&, Out&) {}

}  // namespace sim::trace
