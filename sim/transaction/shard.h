#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "coordinator/runtime.h"
#include "protocol/messages.h"
#include "server/config.h"
#include "server/reply_to.h"
#include "transaction/metadata.h"

// The transactional ids of one partition of __transaction_state, and what producers and other brokers ask of
// their coordinator (TransactionCoordinator, TransactionStateManager in Kafka 4.1.2). A shard of
// coordinator::Runtime, which sees to its log, its timers and its elections.
//
// A transition takes effect when its record is committed, and not before; then whoever asked for it is
// answered, and after a decision the markers are to be sent (take_markers()). EndTxn is thus answered before
// any marker is written.
//
// After an election a transaction whose decision is in the log is completed: its markers are sent again.
//
// Differs from Kafka: a record that was appended while too few replicas were in sync counts once it is
// committed (there COORDINATOR_NOT_AVAILABLE is answered); a completion that could not be written is tried
// again after a second (there whenever the sender's thread wakes).
namespace sim::transaction {

using server::BrokerConfig;
using server::ReplyTo;

// nullopt: the broker has none left, and the producer must ask again (COORDINATOR_LOAD_IN_PROGRESS).
using GenerateProducerId = std::function<std::optional<ProducerId>()>;

// Which of the transactions of an AddPartitionsToTxn (or AddOffsetsToTxn) request that waits.
struct AddAnswer {
  std::uint64_t request = 0;
  std::size_t index = 0;
};

// Who hears of the end of a transaction.
struct EndAnswer {
  enum class Whom : std::uint8_t {
    nobody,          // the coordinator aborts what has been open for too long
    client,          // EndTxn
    initialisation,  // InitProducerId that has found a transaction open: it is to be asked again
  };
  Whom whom = Whom::nobody;
  ReplyTo to{};
};

struct MarkersToSend {
  std::string transactional_id;
  CoordinatorEpoch coordinator_epoch;
  ProducerId producer_id;
  ProducerEpoch producer_epoch;
  bool committed = false;
  TransactionVersion client_version = kTransactionVersion0;
  std::vector<TopicPartition> partitions;
};
struct AddOutcome {
  AddAnswer answer;
  ErrorCode error = ErrorCode::none;
};

class TransactionShard {
 public:
  using Config = BrokerConfig;
  using Record = TransactionLogRecord;
  struct Changes {  // nothing takes effect before it is committed
    void clear() {}
  };
  struct Timer {};  // completions to be written again
  using Step = coordinator::Step<TransactionShard>;

  // ---- What is left to do when a record is committed
  struct InitWritten {
    std::string id;
    TransactionFields fields;
    ReplyTo to;
  };
  struct PartitionsWritten {
    std::string id;
    TransactionFields fields;
    AddAnswer answer;
  };
  struct EndWritten {
    std::string id;
    TransactionFields fields;
    ProducerIdAndEpoch asked_by;
    bool committed = false;
    bool is_epoch_fence = false;
    bool bumps_epoch = false;
    EndAnswer answer;
  };
  struct CompletionWritten {
    std::string id;
    TransactionFields fields;
  };
  struct ExpiryWritten {
    std::string id;
    ProducerEpoch epoch;
  };
  using Deferred = std::variant<InitWritten, PartitionsWritten, EndWritten, CompletionWritten, ExpiryWritten>;

  TransactionShard(const Config&, std::int32_t /*partition*/) {}

  // ---- For the runtime
  void replay(const Record& record, Changes* uncommitted);
  void loaded(const Step& step);
  void unloaded(const Step&) {}
  void commit(const Changes&) {}
  void committed(const Changes&, const Step&) {}
  void revert(const Changes&, const std::vector<const Changes*>&, bool, ErrorCode, const Step&) {}
  void succeeded(Deferred& work, const Step& step);
  void failed(Deferred& work, ErrorCode error, const Step& step);
  void timer_passed(const Timer&, const Step& step);

  // ---- Requests; answered now or later

  // REQUIRES: its transactional id is not empty, and its timeout is allowed
  void init_producer_id(const InitProducerIdRequest& request, const ReplyTo& to,
                        const GenerateProducerId& generate, const Step& step);
  struct Transaction {
    std::string id;
    ProducerIdAndEpoch producer;
    std::vector<TopicPartition> partitions;
  };
  void add_partitions(const Transaction& what, TransactionVersion client_version, const AddAnswer& answer,
                      const Step& step);
  // Of each partition, in order.
  std::vector<AddPartitionsToTxnResponse::Partition> verify(const Transaction& what, const Step& step) const;
  void end_transaction(const EndTxnRequest& request, const ReplyTo& to, const GenerateProducerId& generate,
                       const Step& step);

  // ---- By time
  void abort_timed_out(const GenerateProducerId& generate, const Step& step);
  void remove_expired(const Step& step);

  // ---- Markers

  // It is still this coordinator's, in the same leadership, to send markers of the id.
  bool may_send_markers(const std::string& id, CoordinatorEpoch coordinator_epoch, const Step& step) const;
  // The partition needs no marker (any more): it is written, or the partition is gone.
  void marker_done(const std::string& id, TopicPartition tp);
  void maybe_complete(const std::string& id, const Step& step);
  // The markers are not sent any more: the next coordinator will.
  void give_up_markers(const std::string& id);

  std::vector<MarkersToSend> take_markers() { return std::exchange(markers_, {}); }
  std::vector<AddOutcome> take_added() { return std::exchange(added_, {}); }

  // Null if there is none.
  const TransactionMetadata* find(const std::string& id) const;
  bool empty() const { return transactions_.empty(); }

 private:
  struct End {
    const std::string& id;
    ProducerIdAndEpoch producer;
    bool committed = false;
    bool is_from_client = false;
  };
  TransactionMetadata* find(const std::string& id);
  void write(const std::string& id, const TransactionFields& fields, Deferred work, const Step& step);
  ErrorCode prepare_init(TransactionMetadata& metadata, const InitProducerIdRequest& request,
                         const GenerateProducerId& generate, TransactionFields& fields, const Step& step);
  void end(const End& what, bool bumps_epoch, const EndAnswer& answer, const GenerateProducerId& generate,
           const Step& step);
  ErrorCode prepare_end(TransactionMetadata& metadata, const End& what, TransactionFields& fields,
                        bool& is_epoch_fence, const Step& step);
  ErrorCode prepare_end_with_bump(TransactionMetadata& metadata, const End& what,
                                  const GenerateProducerId& generate, TransactionFields& fields,
                                  bool& is_epoch_fence, const Step& step);
  static void answer_end(const EndAnswer& answer, ErrorCode error, const ProducerIdAndEpoch& producer,
                         node::Effects& out);
  void decided(EndWritten& work, const Step& step);
  void send_markers(const std::string& id, TransactionMetadata& metadata, const Step& step);
  void complete(const std::string& id, TransactionMetadata& metadata, const TransactionFields& fields,
                const Step& step);
  static void report_fenced(const std::string& id, const ProducerIdAndEpoch& producer,
                            const TransactionMetadata& metadata, node::Effects& out);

  std::map<std::string, TransactionMetadata> transactions_;
  std::vector<MarkersToSend> markers_;
  std::vector<AddOutcome> added_;
  std::vector<std::string> completions_to_retry_;
  coordinator::DeadlineHandle retry_;
};

}  // namespace sim::transaction
