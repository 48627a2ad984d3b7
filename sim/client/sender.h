#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "client/client_metadata.h"
#include "client/config.h"
#include "client/producer_sequences.h"
#include "client/record_accumulator.h"
#include "client/transaction_manager.h"
#include "node/network_client.h"
#include "node/node.h"

// What Kafka's producer does in its background thread (Sender): keeps metadata and the producer id, sends
// each server what is ready for it in one ProduceRequest, and decides what an answer, an error or a silence
// means for a batch: done, again, in parts, or failed.
//
// The thread's loop is `run`: it goes on until nothing more can be sent at this instant. As in Kafka, nothing
// is sent and nothing expires while an idempotent producer has no producer id, and while a transactional
// request is under way, waits for its server to be connected, or is about to be sent again: the thread sleeps
// then for retry.backoff.ms.
//
// Other than Kafka: an answer that arrives while the thread sleeps is looked at at once.
namespace sim::client {

class Sender {
 public:
  struct Completed {  // for good
    TopicPartition tp;
    BatchDataPtr batch;
    ErrorCode error = ErrorCode::none;
    Offset base_offset = kNoOffset;  // none also for acks=0
  };

  Sender(ProcessId self, std::vector<ProcessId> bootstrap, const ProducerConfig& config, Lane lane,
         node::TimerId network_timer);

  void step(node::Input& input, node::Env env, node::Effects& out, std::vector<Completed>& completed);
  void run(node::Env env, node::Effects& out, std::vector<Completed>& completed);
  // When run() has something to do although no input came and nothing was appended.
  LocalTime next_run_at() const;
  // Tells the accumulator of partitions and leaders that metadata has learnt.
  void follow_metadata();

  MetadataClient& metadata() { return metadata_; }
  const MetadataClient& metadata() const { return metadata_; }
  RecordAccumulator& accumulator() { return accumulator_; }
  const RecordAccumulator& accumulator() const { return accumulator_; }
  // Nothing waits to be sent or answered, and no transaction is open.
  bool is_idle() const;
  // Set once no record can be sent any more: the producer id was refused, or the producer was fenced.
  std::optional<ErrorCode> fatal_error() const;

  // ---- Transactions. REQUIRES of all: is_transactional()

  bool is_transactional() const { return transactions_.has_value(); }
  TransactionManager& transactions() { return *transactions_; }
  const TransactionManager& transactions() const { return *transactions_; }
  const ProducerSequences& sequence_state() const { return sequences_; }
  ErrorCode init_transactions() { return transactions_->init_transactions(); }
  ErrorCode send_offsets(TransactionManager::Offsets offsets, GroupMetadata group) {
    return transactions_->send_offsets(std::move(offsets), std::move(group), sequences_);
  }
  ErrorCode commit() { return transactions_->begin_commit(sequences_); }
  ErrorCode abort() { return transactions_->begin_abort(sequences_); }
  void add_to_transaction(TopicPartition tp, QueueIndex queue) {
    transactions_->add_partition({tp, queue}, sequences_);
  }
  // Nothing more comes: a transaction that is open when all has been sent is aborted.
  void close() {
    accumulator_.close();
    closing_ = true;
  }

 private:
  using NetworkClient = node::NetworkClient;
  struct SentBatch {
    BatchRef ref;
    TopicPartition tp;
    BatchDataPtr data;  // as it was sent
  };
  struct Request {
    ProcessId server;
    CorrelationId correlation = 0;
    std::vector<SentBatch> batches;
  };

  struct InFlightTransactional {
    CorrelationId correlation = 0;
    ProcessId server = kNoProcess;
    TransactionManager::Request request;
  };

  ProducerSequences* sequences() { return idempotent_ ? &sequences_ : nullptr; }

  void run_transactional(node::Env env, node::Effects& out, std::vector<Completed>& completed);
  bool may_send_batches(node::Env env, node::Effects& out, std::vector<Completed>& completed);
  bool send_transactional_request(node::Env env, node::Effects& out);
  bool take_transactional(const NetworkClient::Event& event, node::Env env);
  void fail_undrained(ErrorCode error, node::Effects& out, std::vector<Completed>& completed);

  bool have_producer_id(node::Env env, node::Effects& out, std::vector<Completed>& completed);
  void on_producer_id(const InitProducerIdResponse& response, LocalTime now);
  bool send_ready_batches(node::Env env, node::Effects& out, std::vector<Completed>& completed);
  void send_request(Request request, node::Env env, node::Effects& out, std::vector<Completed>& completed);
  void expire(node::Env env, node::Effects& out, std::vector<Completed>& completed);

  std::optional<Request> take_request(CorrelationId correlation);
  void on_response(const Request& request, const ProduceResponse& response, node::Env env, node::Effects& out,
                   std::vector<Completed>& completed);
  void answered(const SentBatch& sent, const ProduceResponse::Partition& answer, node::Env env,
                node::Effects& out, std::vector<Completed>& completed);
  bool can_retry(const ProducerBatch& batch, const ProduceResponse::Partition& answer, LocalTime now);
  void succeed(const SentBatch& sent, const ProduceResponse::Partition& answer, node::Effects& out,
               std::vector<Completed>& completed);
  void fail(BatchRef ref, ErrorCode error, bool adjust_sequences, node::Effects& out,
            std::vector<Completed>& completed);
  // Because its transaction or its producer has failed already (ProducerBatch.abort).
  void abort_batch(BatchRef ref, ErrorCode error, node::Effects& out, std::vector<Completed>& completed);
  void fail_records(BatchRef ref, ErrorCode error, node::Effects& out, std::vector<Completed>& completed);
  void give_up_all(ErrorCode error, node::Effects& out, std::vector<Completed>& completed);

  std::int16_t acks_;
  std::int32_t retries_;
  std::int32_t request_timeout_ms_;
  Duration retry_backoff_;
  Duration retry_backoff_max_;
  bool idempotent_;
  bool strict_order_;  // max.in.flight.requests.per.connection=1: a partition is muted while a batch is under
                       // way

  node::NetworkClient network_;
  node::NetworkClient::Events events_;  // empty between steps
  MetadataClient metadata_;
  std::uint64_t metadata_version_ = 0;  // followed
  RecordAccumulator accumulator_;
  ProducerSequences sequences_;
  std::vector<Request> requests_;  // in flight; few
  RecordAccumulator::Ready ready_;
  std::optional<CorrelationId> id_request_;
  LocalTime id_retry_at_ = LocalTime::min();
  LocalTime next_id_attempt_ = LocalTime::max();  // by itself, not because the network brought something
  std::optional<ErrorCode> fatal_error_;

  std::optional<TransactionManager> transactions_;
  std::optional<TransactionManager::Request> next_transactional_;  // taken up, not sent yet
  std::optional<InFlightTransactional> transactional_in_flight_;
  LocalTime asleep_until_ = LocalTime::min();  // the thread
  bool has_slept_ = false;                     // for the request that was taken up
  bool batches_wait_ = false;                  // for a transactional request
  bool closing_ = false;
};

}  // namespace sim::client
