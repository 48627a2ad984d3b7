#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "client/client_metadata.h"
#include "client/config.h"
#include "client/producer_sequences.h"
#include "client/record_accumulator.h"
#include "node/network_client.h"
#include "node/node.h"

// What Kafka's producer does in its background thread (Sender): keeps metadata and the producer id, sends
// each server what is ready for it in one ProduceRequest, and decides what an answer, an error or a silence
// means for a batch: done, again, in parts, or failed.
//
// The thread's loop is `run`: it goes on until nothing more can be sent at this instant. As in Kafka, nothing
// is sent and nothing expires while an idempotent producer has no producer id.
namespace sim::client {

class Sender {
 public:
  struct Completed {  // for good
    TopicPartition tp;
    BatchDataPtr batch;
    ErrorCode error = ErrorCode::none;
    Offset base_offset = kNoOffset;  // none also for acks=0
  };

  Sender(ProcessId self, std::vector<ProcessId> bootstrap, const ProducerConfig& config,
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
  // Nothing waits to be sent or answered.
  bool is_idle() const { return !accumulator_.has_undrained() && requests_.empty(); }
  // Set once no record can be sent any more: the producer id was refused.
  std::optional<ErrorCode> fatal_error() const { return fatal_error_; }

 private:
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

  ProducerSequences* sequences() { return idempotent_ ? &sequences_ : nullptr; }

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
  void give_up_all(node::Effects& out, std::vector<Completed>& completed);

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
};

}  // namespace sim::client
