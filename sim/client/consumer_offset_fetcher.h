#pragma once

#include <vector>

#include "client/consumer_context.h"

// Finds positions that only partition leaders know: where auto.offset.reset leads (ListOffsets), and whether
// a position still exists in the log of a new leader (OffsetForLeaderEpoch, KIP-320). OffsetFetcher in Kafka.
//
// What fails is tried again retry.backoff.ms later with fresh metadata, always from within poll().
namespace sim::client {

class OffsetFetcher {
 public:
  // Positions whose leader is no longer the one that metadata tells go to validation.
  void validate_positions_on_metadata_change(ConsumerContext& context);
  // Asks the leaders of positions that await validation. Returns a truncation that only the application can
  // resolve.
  ConsumerError validate_positions(ConsumerContext& context);
  void reset_positions(ConsumerContext& context);

  // True if the completion was of one of its requests.
  bool on_completion(ConsumerNetwork::Completion& completion, ConsumerContext& context);

 private:
  struct ResetRequest {
    ConsumerNetwork::RequestId id;
    AutoOffsetReset strategy;
    std::vector<TopicPartition> partitions;
  };
  struct ValidationRequest {
    ConsumerNetwork::RequestId id;
    std::vector<std::pair<TopicPartition, FetchPosition>> positions;
  };

  static std::int64_t reset_timestamp(AutoOffsetReset strategy, const ConsumerContext& context);
  void on_reset(const ResetRequest& request, const ListOffsetsResponse* response, ConsumerContext& context);
  void on_validation(const ValidationRequest& request, const OffsetForLeaderEpochResponse* response,
                     ConsumerContext& context);

  std::vector<ResetRequest> resets_;
  std::vector<ValidationRequest> validations_;
  std::uint64_t metadata_version_ = 0;
  ConsumerError pending_error_ = ConsumerError::none;
};

}  // namespace sim::client
