#include "observe/fact.h"

#include <utility>

namespace sim::observe {
namespace {

const char* name_of(const OrderPlaced&) {
  return "OrderPlaced";
}
const char* name_of(const RecordAccepted&) {
  return "RecordAccepted";
}
const char* name_of(const RecordFailed&) {
  return "RecordFailed";
}
const char* name_of(const BatchDrained&) {
  return "BatchDrained";
}
const char* name_of(const BatchAppended&) {
  return "BatchAppended";
}
const char* name_of(const BatchAcknowledged&) {
  return "BatchAcknowledged";
}
const char* name_of(const RequestProgress&) {
  return "RequestProgress";
}
const char* name_of(const HighWatermarkAdvanced&) {
  return "HighWatermarkAdvanced";
}
const char* name_of(const BecameLeader&) {
  return "BecameLeader";
}
const char* name_of(const BecameFollower&) {
  return "BecameFollower";
}
const char* name_of(const IsrChanged&) {
  return "IsrChanged";
}
const char* name_of(const IsrProposed&) {
  return "IsrProposed";
}
const char* name_of(const LogTruncated&) {
  return "LogTruncated";
}
const char* name_of(const ReplicaAppended&) {
  return "ReplicaAppended";
}
const char* name_of(const TopicCreated&) {
  return "TopicCreated";
}
const char* name_of(const RecordsPolled&) {
  return "RecordsPolled";
}
const char* name_of(const ProcessingStarted&) {
  return "ProcessingStarted";
}
const char* name_of(const ProcessingDone&) {
  return "ProcessingDone";
}
const char* name_of(const CommitSent&) {
  return "CommitSent";
}
const char* name_of(const CommitAcknowledged&) {
  return "CommitAcknowledged";
}
const char* name_of(const OffsetsStored&) {
  return "OffsetsStored";
}
const char* name_of(const PositionReset&) {
  return "PositionReset";
}
const char* name_of(const GroupStateChanged&) {
  return "GroupStateChanged";
}
const char* name_of(const AssignmentReceived&) {
  return "AssignmentReceived";
}
const char* name_of(const TransactionStateChanged&) {
  return "TransactionStateChanged";
}
const char* name_of(const TransactionMarkerWritten&) {
  return "TransactionMarkerWritten";
}
const char* name_of(const LastStableOffsetAdvanced&) {
  return "LastStableOffsetAdvanced";
}
const char* name_of(const ProducerFenced&) {
  return "ProducerFenced";
}
const char* name_of(const RebalanceBegan&) {
  return "RebalanceBegan";
}
const char* name_of(const MemberDeparted&) {
  return "MemberDeparted";
}
const char* name_of(const PartitionsRevoked&) {
  return "PartitionsRevoked";
}
const char* name_of(const MemberAssignmentChanged&) {
  return "MemberAssignmentChanged";
}
const char* name_of(const MessageSent&) {
  return "MessageSent";
}
const char* name_of(const MessageDelivered&) {
  return "MessageDelivered";
}
const char* name_of(const ConnectionOpened&) {
  return "ConnectionOpened";
}
const char* name_of(const ConnectionClosed&) {
  return "ConnectionClosed";
}
const char* name_of(const ProcessStarted&) {
  return "ProcessStarted";
}
const char* name_of(const ProcessStopped&) {
  return "ProcessStopped";
}
const char* name_of(const QuorumRoleChanged&) {
  return "QuorumRoleChanged";
}
const char* name_of(const QuorumStateStored&) {
  return "QuorumStateStored";
}
const char* name_of(const QuorumVoteAnswered&) {
  return "QuorumVoteAnswered";
}
const char* name_of(const QuorumVotersChanged&) {
  return "QuorumVotersChanged";
}
const char* name_of(const MetadataLogOpened&) {
  return "MetadataLogOpened";
}
const char* name_of(const MetadataAppended&) {
  return "MetadataAppended";
}
const char* name_of(const MetadataTruncated&) {
  return "MetadataTruncated";
}
const char* name_of(const MetadataSnapshotFetched&) {
  return "MetadataSnapshotFetched";
}
const char* name_of(const MetadataCommitted&) {
  return "MetadataCommitted";
}
const char* name_of(const MetadataReplayed&) {
  return "MetadataReplayed";
}
const char* name_of(const ControllerChanged&) {
  return "ControllerChanged";
}
const char* name_of(const BrokerStateChanged&) {
  return "BrokerStateChanged";
}
const char* name_of(const PartitionChanged&) {
  return "PartitionChanged";
}
const char* name_of(const AdminAnswered&) {
  return "AdminAnswered";
}
const char* name_of(const OffsetsReset&) {
  return "OffsetsReset";
}
const char* name_of(const TopicDeleted&) {
  return "TopicDeleted";
}
const char* name_of(const FaultStruck&) {
  return "FaultStruck";
}
const char* name_of(const RoleMissed&) {
  return "RoleMissed";
}
const char* name_of(const FaultEnded&) {
  return "FaultEnded";
}
const char* name_of(const FollowerHighWatermarkAdvanced&) {
  return "FollowerHighWatermarkAdvanced";
}
const char* name_of(const IsrProposalDropped&) {
  return "IsrProposalDropped";
}
const char* name_of(const ReplicaOpened&) {
  return "ReplicaOpened";
}
const char* name_of(const LogStartRaised&) {
  return "LogStartRaised";
}
const char* name_of(const LogCleaned&) {
  return "LogCleaned";
}
const char* name_of(const LogDeleted&) {
  return "LogDeleted";
}
const char* name_of(const LogLost&) {
  return "LogLost";
}
const char* name_of(const ClientThrottled&) {
  return "ClientThrottled";
}
const char* name_of(const ProducerTransactionChanged&) {
  return "ProducerTransactionChanged";
}
const char* name_of(const RecordDerived&) {
  return "RecordDerived";
}
const char* name_of(const OffsetsAddedToTransaction&) {
  return "OffsetsAddedToTransaction";
}

}  // namespace

std::string_view name(RebalanceReason reason) {
  switch (reason) {
    case RebalanceReason::member_joined: return "member_joined";
    case RebalanceReason::member_rejoined: return "member_rejoined";
    case RebalanceReason::member_left: return "member_left";
    case RebalanceReason::member_expelled: return "member_expelled";
    case RebalanceReason::static_member_replaced: return "static_member_replaced";
    case RebalanceReason::assignment_not_stored: return "assignment_not_stored";
    case RebalanceReason::group_over_capacity: return "group_over_capacity";
    case RebalanceReason::topics_changed: return "topics_changed";
    case RebalanceReason::protocol_changed: return "protocol_changed";
  }
  return "?";
}

std::string_view name(DepartureReason reason) {
  switch (reason) {
    case DepartureReason::closed: return "closed";
    case DepartureReason::poll_timeout: return "poll_timeout";
    case DepartureReason::removed: return "removed";
    case DepartureReason::session_expired: return "session_expired";
    case DepartureReason::join_timeout: return "join_timeout";
    case DepartureReason::sync_timeout: return "sync_timeout";
    case DepartureReason::over_capacity: return "over_capacity";
    case DepartureReason::revocation_timeout: return "revocation_timeout";
  }
  return "?";
}

std::string_view name(ProducerTransactionState state) {
  switch (state) {
    case ProducerTransactionState::uninitialized: return "uninitialized";
    case ProducerTransactionState::initializing: return "initializing";
    case ProducerTransactionState::ready: return "ready";
    case ProducerTransactionState::in_transaction: return "in_transaction";
    case ProducerTransactionState::committing: return "committing";
    case ProducerTransactionState::aborting: return "aborting";
    case ProducerTransactionState::abortable_error: return "abortable_error";
    case ProducerTransactionState::fatal_error: return "fatal_error";
  }
  return "?";
}

const char* name(const Fact& fact) {
  return std::visit([](const auto& one) { return name_of(one); }, fact);
}

Fact::Fact(const Fact&) = default;
Fact::Fact(Fact&&) noexcept = default;
Fact& Fact::operator=(const Fact&) = default;
Fact& Fact::operator=(Fact&&) noexcept = default;
Fact::~Fact() = default;

template <AlternativeOf<AnyFact> F>
Fact::Fact(F fact) : AnyFact(std::in_place_type<F>, std::move(fact)) {}
template Fact::Fact(OrderPlaced);
template Fact::Fact(RecordAccepted);
template Fact::Fact(RecordFailed);
template Fact::Fact(BatchDrained);
template Fact::Fact(BatchAppended);
template Fact::Fact(BatchAcknowledged);
template Fact::Fact(RequestProgress);
template Fact::Fact(HighWatermarkAdvanced);
template Fact::Fact(BecameLeader);
template Fact::Fact(BecameFollower);
template Fact::Fact(IsrChanged);
template Fact::Fact(LogTruncated);
template Fact::Fact(ReplicaAppended);
template Fact::Fact(TopicCreated);
template Fact::Fact(RecordsPolled);
template Fact::Fact(ProcessingStarted);
template Fact::Fact(ProcessingDone);
template Fact::Fact(CommitSent);
template Fact::Fact(CommitAcknowledged);
template Fact::Fact(OffsetsStored);
template Fact::Fact(PositionReset);
template Fact::Fact(GroupStateChanged);
template Fact::Fact(AssignmentReceived);
template Fact::Fact(RebalanceBegan);
template Fact::Fact(MemberDeparted);
template Fact::Fact(PartitionsRevoked);
template Fact::Fact(MemberAssignmentChanged);
template Fact::Fact(MessageSent);
template Fact::Fact(MessageDelivered);
template Fact::Fact(ConnectionOpened);
template Fact::Fact(ConnectionClosed);
template Fact::Fact(ProcessStarted);
template Fact::Fact(ProcessStopped);
template Fact::Fact(QuorumRoleChanged);
template Fact::Fact(QuorumStateStored);
template Fact::Fact(QuorumVoteAnswered);
template Fact::Fact(QuorumVotersChanged);
template Fact::Fact(MetadataLogOpened);
template Fact::Fact(MetadataAppended);
template Fact::Fact(MetadataTruncated);
template Fact::Fact(MetadataSnapshotFetched);
template Fact::Fact(MetadataCommitted);
template Fact::Fact(MetadataReplayed);
template Fact::Fact(ControllerChanged);
template Fact::Fact(BrokerStateChanged);
template Fact::Fact(PartitionChanged);
template Fact::Fact(AdminAnswered);
template Fact::Fact(OffsetsReset);
template Fact::Fact(TransactionStateChanged);
template Fact::Fact(TransactionMarkerWritten);
template Fact::Fact(LastStableOffsetAdvanced);
template Fact::Fact(ProducerFenced);
template Fact::Fact(TopicDeleted);
template Fact::Fact(FaultStruck);
template Fact::Fact(FaultEnded);
template Fact::Fact(RoleMissed);
template Fact::Fact(ClientThrottled);
template Fact::Fact(IsrProposed);
template Fact::Fact(FollowerHighWatermarkAdvanced);
template Fact::Fact(IsrProposalDropped);
template Fact::Fact(ReplicaOpened);
template Fact::Fact(LogStartRaised);
template Fact::Fact(LogCleaned);
template Fact::Fact(LogDeleted);
template Fact::Fact(LogLost);
template Fact::Fact(ProducerTransactionChanged);
template Fact::Fact(RecordDerived);
template Fact::Fact(OffsetsAddedToTransaction);

}  // namespace sim::observe
