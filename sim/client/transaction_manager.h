#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/time.h"
#include "client/config.h"
#include "client/producer_batch.h"
#include "client/producer_sequences.h"
#include "observe/fact.h"
#include "protocol/messages.h"

// The transactional half of Kafka's TransactionManager: where a transaction stands, which request is to be
// sent next, and what an answer means. Sequence numbers are ProducerSequences'; the Sender sends.
//
//   UNINITIALIZED -> INITIALIZING        initTransactions()
//   INITIALIZING -> READY                the coordinator has given the producer id and epoch
//   READY -> IN_TRANSACTION              beginTransaction()
//   IN_TRANSACTION -> COMMITTING         commitTransaction()
//   IN_TRANSACTION, ABORTABLE_ERROR -> ABORTING   abortTransaction()
//   COMMITTING, ABORTING -> READY        EndTxn was answered; by way of INITIALIZING if the client has to ask
//                                        for another epoch (KIP-360, before transaction version 2)
//   IN_TRANSACTION, COMMITTING, INITIALIZING -> ABORTABLE_ERROR   the application may abort and go on
//   any -> FATAL_ERROR                   nothing can be sent any more: the producer was fenced
// Any other transition is a fatal error, as in Kafka.
//
// At most one transactional request is under way, and while it is, no batch is sent. They go in this order:
// FindCoordinator, InitProducerId, AddPartitionsToTxn, AddOffsetsToTxn and TxnOffsetCommit, EndTxn, and an
// InitProducerId that bumps the epoch. EndTxn waits until the fate of every batch is known.
//
// With transaction version 2 (KIP-890 part 2) partitions and offsets are not added beforehand: the broker
// adds them to the transaction with the first batch or TxnOffsetCommit; and EndTxn answers the epoch to go on
// with.
//
// A call of the application has at most one result under way; a call that timed out (max.block.ms) may be
// made again and then waits for the same result.
//
// Left out: two-phase commit (KIP-939), authorization.
namespace sim::client {

using observe::ProducerTransactionState;

enum class TransactionCall : std::uint8_t { none, init, send_offsets, commit, abort };

// ConsumerGroupMetadata: who consumed what is produced. Only the group: what
// sendOffsetsToTransaction(offsets, groupId) of clients before KIP-447 gave, and no zombie is fenced by it.
struct GroupMetadata {
  std::string group;
  std::string member_id{};
  std::string group_instance_id{};
  Generation generation = kNoGeneration;
};

class TransactionManager {
 public:
  using Offsets = std::vector<OffsetCommitRequest::Partition>;
  struct Partition {
    TopicPartition tp;
    QueueIndex queue = 0;
  };

  struct Request {  // TxnRequestHandler
    using Body = std::variant<FindCoordinatorRequest, InitProducerIdRequest, AddPartitionsToTxnRequest,
                              AddOffsetsToTxnRequest, TxnOffsetCommitRequest, EndTxnRequest>;

    Body body;
    std::uint32_t call = 0;      // whose result it is; 0: nobody waits for it
    bool is_epoch_bump = false;  // of InitProducerId
    bool is_retry = false;       // it waits retry_backoff before it is sent
    Duration retry_backoff{};
    Offsets offsets{};  // of AddOffsetsToTxn and TxnOffsetCommit: what is still to be stored
    GroupMetadata group{};

    bool is_end() const { return std::holds_alternative<EndTxnRequest>(body); }
    std::int32_t priority() const;
    // Whom it is for; none: any broker.
    std::optional<CoordinatorType> coordinator() const;
    Message message() const;
  };
  struct Result {  // of a call
    TransactionCall call = TransactionCall::none;
    ErrorCode error = ErrorCode::none;
  };

  // REQUIRES: config.transactional_id is not empty
  explicit TransactionManager(const ProducerConfig& config);

  ProducerTransactionState state() const { return state_; }
  // Why the state is abortable_error or fatal_error.
  ErrorCode last_error() const { return last_error_; }
  const std::string& transactional_id() const { return transactional_id_; }
  bool has_error() const {
    return state_ == ProducerTransactionState::abortable_error ||
           state_ == ProducerTransactionState::fatal_error;
  }
  bool has_fatal_error() const { return state_ == ProducerTransactionState::fatal_error; }
  bool has_abortable_error() const { return state_ == ProducerTransactionState::abortable_error; }
  bool is_aborting() const { return state_ == ProducerTransactionState::aborting; }
  bool is_completing() const { return state_ == ProducerTransactionState::committing || is_aborting(); }
  bool has_ongoing_transaction() const {
    return state_ == ProducerTransactionState::in_transaction || is_completing() || has_abortable_error();
  }
  bool has_pending_requests() const { return !pending_.empty(); }
  // What EndTxn would end: something was, or may have been, added to the transaction.
  bool has_started() const { return started_; }

  // ---- The application's calls. Refused (an exception at once) with the error returned; otherwise the
  // result follows, see take_result().

  ErrorCode init_transactions();
  ErrorCode begin_transaction();
  ErrorCode send_offsets(Offsets offsets, GroupMetadata group, const ProducerSequences& sequences);
  ErrorCode begin_commit(const ProducerSequences& sequences);
  ErrorCode begin_abort(const ProducerSequences& sequences);
  // A record was appended. REQUIRES: in_transaction
  void add_partition(Partition partition, ProducerSequences& sequences);
  // The result of the call under way, once, as soon as there is one.
  std::optional<Result> take_result();
  // The application has stopped waiting (max.block.ms); its call may be made again.
  TransactionCall call_under_way() const { return waiting_ ? waiting_->call : TransactionCall::none; }

  // ---- For the sender

  // The level of transaction.version that brokers have told (ApiVersions). It counts from the next
  // transaction on; a producer that began below 2 then asks for a new epoch first.
  void see_version(TransactionVersion version) { seen_version_ = version; }
  TransactionSupport support() const {
    return version_2_ ? TransactionSupport::add_partition : TransactionSupport::generic_error;
  }

  // The next request to send. None: nothing is to be sent, or what was next has failed.
  std::optional<Request> next_request(bool has_incomplete_batches, const ProducerSequences& sequences);
  ProcessId coordinator(CoordinatorType type) const {
    return type == CoordinatorType::transaction ? transaction_coordinator_ : group_coordinator_;
  }
  // It could not be sent, or was lost: it is sent again, and first who its coordinator is is asked for.
  void find_coordinator_and_retry(Request request);
  void retry(Request request);
  void on_response(Request request, const Message& response, ProducerSequences& sequences);
  // A batch or a send() has failed for good (maybeTransitionToErrorState).
  void on_failure(ErrorCode error);
  // A gap in the sequences of a partition cannot be closed any more.
  void on_unresolved_sequences();

 private:
  struct Waiting {
    TransactionCall call;
    std::uint32_t id;
    bool is_done = false;
    ErrorCode error = ErrorCode::none;
  };

  static bool is_valid(ProducerTransactionState from, ProducerTransactionState to);
  void transition_to(ProducerTransactionState to, ErrorCode error = ErrorCode::none);
  void adopt_version(bool at_start);
  ErrorCode begin_completing(bool commit, const ProducerSequences& sequences);
  ErrorCode joined(TransactionCall call, bool& is_joined);
  std::uint32_t wait_for(TransactionCall call);
  void enqueue(Request request);
  void enqueue_add_partitions(const ProducerSequences& sequences);
  void enqueue_init(ProducerIdAndEpoch current, std::uint32_t call);
  Request txn_offset_commit(Offsets offsets, GroupMetadata group, std::uint32_t call,
                            const ProducerSequences& sequences) const;
  void look_up(CoordinatorType type, const std::string& key);
  void done(const Request& request) { finish(request, ErrorCode::none); }
  void finish(const Request& request, ErrorCode error);
  void fatal(const Request& request, ErrorCode error);
  void abortable(const Request& request, ErrorCode error);
  // KIP-360: by another epoch the producer gets out of it.
  void abortable_by_epoch_bump(const Request& request, ErrorCode error);
  void to_abortable_error(ErrorCode error);
  void to_fatal_error(ErrorCode error);
  void reset_transaction(ProducerSequences& sequences);
  // Errors that all requests to the transaction coordinator share. False: it is none of them.
  bool handled_in_common(Request& request, ErrorCode error);

  void on(Request& request, const FindCoordinatorResponse& response);
  void on(Request& request, const InitProducerIdResponse& response, ProducerSequences& sequences);
  void on(Request& request, const AddPartitionsToTxnResponse& response, ProducerSequences& sequences);
  void on(Request& request, const AddOffsetsToTxnResponse& response, const ProducerSequences& sequences);
  void on(Request& request, const TxnOffsetCommitResponse& response);
  void on(Request& request, const EndTxnResponse& response, ProducerSequences& sequences);

  std::string transactional_id_;
  std::int32_t transaction_timeout_ms_;
  Duration retry_backoff_;
  TransactionVersion seen_version_ = kTransactionVersion0;
  bool version_2_ = false;  // as taken over when initTransactions() or the last transaction ended

  ProducerTransactionState state_ = ProducerTransactionState::uninitialized;
  ErrorCode last_error_ = ErrorCode::none;
  std::vector<Request> pending_;  // by priority, then in the order in which they were asked for
  std::optional<Waiting> waiting_;
  std::uint32_t last_call_ = 0;
  ProcessId transaction_coordinator_ = kNoProcess;
  ProcessId group_coordinator_ = kNoProcess;
  std::vector<Partition> new_partitions_;      // to be added to the transaction
  std::vector<Partition> pending_partitions_;  // asked for
  std::vector<Partition> partitions_;          // of the transaction
  bool started_ = false;
  bool epoch_bump_required_ = false;
};

}  // namespace sim::client
