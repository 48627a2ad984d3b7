#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "client/consumer_context.h"
#include "client/fetcher_session.h"

// Fetches what a consumer may read, ahead of its application (Fetcher, AbstractFetch, FetchCollector in
// Kafka).
//
// At most one fetch is in flight to a broker, for all fetchable partitions it serves. A broker of which data
// is still buffered is not asked again: leaving out the buffered partitions would drop them from the fetch
// session (KAFKA-17182). Answers are buffered in order of arrival and handed out partition by partition, at
// most max.poll.records at a time; a buffered answer whose partition was revoked or repositioned meanwhile is
// dropped.
//
// Records are never copied: what is handed out are ranges of the shared batches.
//
// With isolation.level=read_committed batches of aborted transactions are passed over: an answer names the
// producers and from which offset on, and the transaction's abort marker ends it (CompletedFetch). Control
// batches are never handed out; the position goes behind them.
//
// Left out: check.crcs.
namespace sim::client {

// Records of one batch, application_records()[first .. end), at offsets base_offset + offset_delta(index).
struct PolledRecords {
  TopicPartition tp;
  BatchDataPtr batch;
  Offset base_offset = 0;
  LeaderEpoch leader_epoch = kNoLeaderEpoch;
  std::int32_t first = 0;
  std::int32_t end = 0;
};

class Fetcher {
 public:
  void send_fetches(ConsumerContext& context);
  // True if the completion was of a fetch.
  bool on_completion(ConsumerNetwork::Completion& completion, ConsumerContext& context);

  // Appends up to max.poll.records records and moves the positions behind them. An error is returned only if
  // nothing was appended.
  ConsumerError collect(std::vector<PolledRecords>& into, ConsumerContext& context);

  void close_sessions(ConsumerContext& context);

 private:
  struct Node {
    NodeId id;
    FetchSession session;
    ConsumerNetwork::RequestId in_flight = 0;
    bool skip = false;  // in the round of requests being made
  };
  static constexpr std::size_t kNoBatch = static_cast<std::size_t>(-1);
  struct CompletedFetch {
    NodeId broker = kNoNode;
    FetchResponse::Partition data;
    Offset next_fetch_offset = 0;
    LeaderEpoch last_epoch = kNoLeaderEpoch;
    std::size_t next_batch = 0;
    std::int32_t records_read = 0;
    // Of read_committed: aborted transactions that the batches have not come to yet, and those they are in.
    std::size_t next_aborted = 0;
    std::size_t batch_begun = kNoBatch;  // that was looked at already, and not passed over
    std::vector<ProducerId> aborted_producers{};
  };

  ConsumerError collect(std::vector<PolledRecords>& into, std::int32_t remaining,
                        std::deque<CompletedFetch>& of_paused, ConsumerContext& context);
  Node& node_of(NodeId id);
  static bool is_online_replica(TopicPartition tp, NodeId node, const ConsumerContext& context);
  NodeId select_read_replica(const SubscriptionState::Partition& partition, ConsumerContext& context);
  void skip_nodes(ConsumerContext& context);
  void send(Node& node, ConsumerContext& context);
  void on_response(Node& node, FetchResponse& response, ConsumerContext& context);
  bool initialize(CompletedFetch& fetch, ConsumerContext& context, ConsumerError& error);
  ConsumerError on_error(const CompletedFetch& fetch, ConsumerContext& context);
  std::int32_t take(CompletedFetch& fetch, std::int32_t at_most, std::vector<PolledRecords>& into,
                    ConsumerContext& context);
  static void report_polled(const CompletedFetch& fetch, Offset from, const PolledRecords* first,
                            const PolledRecords* last, ConsumerContext& context);
  static std::int32_t records_before(const Batch& batch, Offset offset);
  static bool is_aborted(CompletedFetch& fetch, const Batch& batch);
  static std::int32_t read(CompletedFetch& fetch, std::int32_t at_most, bool read_committed,
                           std::vector<PolledRecords>& into);

  std::vector<Node> nodes_;  // sorted by id
  std::deque<CompletedFetch> completed_;
  std::optional<CompletedFetch> next_in_line_;
};

}  // namespace sim::client
