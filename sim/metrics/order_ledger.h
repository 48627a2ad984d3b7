#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/chunked.h"
#include "metrics/service_set.h"
#include "observe/leaders.h"
#include "observe/observation.h"
#include "observe/partition_map.h"
#include "observe/replica_logs.h"

// One compact row per order: when it reached each stage of its way, and what became of it.
//
// Everything is learnt from facts. What the orders of one batch share (drained, received, appended, ...)
// is kept once per batch, so a million orders through three services take some 250 MiB. To find the
// order behind (partition, offset), four bytes per record are kept for the whole run: a redelivery may
// name any old offset.
//
// The way of an order to a service, in stamps that never decrease:
//   intended  accepted  batched  sent  received  dequeued  appended  high watermark  fetched  started  done
// What lies between two neighbours is a Stage, so the stages of one order add up exactly to its latency.
// `batched` is the first time its batch left the accumulator, `sent` the departure of the attempt that was
// appended; `fetched`, `started` and `done` belong to the first time the service handled it.
//
// The log is what its current leader's replica holds (observe::ReplicaLogs): another leader brings what it
// has and drops the rest. High watermarks of a leader that has been replaced do not count, and what it
// appends is in no log, unless it leads again with it: acknowledged (acks=1) and not sent again, it is lost.
// In the end the log of a partition that nobody leads is what its replicas could still bring back.
//
// What a service sends on is a record of the same order (protocol/ids.h). Who reads it is to do the order
// too: the stages of its way are those to the service that sent it on, and then the record's own. A service
// that does an order again sends another such record; the latest is the one that counts.
//
// Transactional records count once their transaction is committed. An order whose transaction was aborted has
// failed. Which batches belong to an aborted transaction is learnt from the markers that leaders append; of
// batches that a later leader brings back it is not known any more.
namespace sim::metrics {

inline constexpr std::int64_t kNever = -1;

enum class Stage : std::uint8_t {
  send_wait,       // intended -> accepted: the application or send() is blocked
  linger,          // -> batched: waiting in the accumulator
  retry,           // -> sent: earlier attempts and their back-off
  network,         // -> received by the leader's socket
  request_queue,   // -> dequeued by an I/O thread
  append,          // -> appended to the leader's log
  replication,     // -> below the high watermark
  fetch_wait,      // -> returned by the consumer's poll()
  consumer_queue,  // -> started: behind other orders of the same poll
  service,         // -> done
};
inline constexpr std::size_t kStages = 10;
const char* name(Stage stage);

enum class Outcome : std::uint8_t {
  fulfilled,  // every service has done it
  failed,     // the producer reported an error
  lost,       // acknowledged, but some service can no longer do it
  open,       // still under way when the run ended
};
const char* name(Outcome outcome);

struct LedgerSpec {
  std::size_t services = 0;
  std::vector<ServiceSet> services_of_flow;  // by FlowId: who is to do its orders, at whatever hop
  // By service. Empty: every service reads the orders themselves and sends nothing on.
  struct Hops {
    std::vector<std::int32_t> reads{};  // whose records it reads; 0: the orders themselves
    std::int32_t makes = 0;             // 0: it sends nothing on
  };
  std::vector<Hops> hops{};
  // By service, false beyond the end: its members have several workers, and may begin an order after those
  // behind it.
  std::vector<bool> works_out_of_order{};
};

class OrderLedger {
 public:
  using Index = std::uint32_t;  // of an order: its place in order of being placed
  static constexpr Index kNone = 0xFFFFFFFF;

  struct Order {
    RecordId id;
    std::int64_t key = -1;
    std::int64_t intended = kNever;
    std::int64_t accepted = kNever;
    std::int64_t failed = kNever;
    std::int32_t value_bytes = 0;
    Index batch = kNone;
    std::uint32_t index_in_batch = 0;
    ErrorCode error = ErrorCode::none;
    std::uint16_t services_left = 0;
  };
  struct Batch {
    TopicPartition tp;
    Offset base_offset = kNoOffset;
    std::int64_t batched = kNever;
    std::int64_t sent = kNever;
    std::int64_t received = kNever;
    std::int64_t dequeued = kNever;
    std::int64_t appended = kNever;
    std::int64_t high_watermark = kNever;
    std::int64_t acknowledged = kNever;
    std::uint32_t record_count = 0;
    ProcessId leader = kNoProcess;  // that appended it
    std::uint16_t isr = 0;          // when the high watermark passed it, see isr_of()
    std::uint16_t attempts = 0;
    bool in_log = false;
    bool is_aborted = false;  // its transaction was

    bool is_live() const { return in_log && !is_aborted; }
  };
  struct Service {
    std::int64_t fetched = kNever;
    std::int64_t started = kNever;
    std::int64_t done = kNever;
    std::int64_t committed = kNever;
    std::int16_t member = -1;  // that did it first
    std::uint16_t times = 0;   // how often it was done
  };
  struct Totals {
    std::uint64_t placed = 0;
    std::uint64_t acknowledged = 0;
    std::uint64_t failed = 0;
    std::uint64_t fulfilled = 0;
    std::uint64_t ended = 0;    // fulfilled, failed or both
    std::uint64_t retried = 0;  // orders whose batch was sent more than once
  };

  explicit OrderLedger(LedgerSpec spec);

  void on(const observe::OrderPlaced& fact);
  void on(const observe::RecordAccepted& fact, const observe::Observation& seen);
  void on(const observe::RecordFailed& fact, const observe::Observation& seen);
  void on(const observe::BatchDrained& fact, const observe::Observation& seen);
  void on(const observe::RequestProgress& fact, const observe::Observation& seen);
  void on(const observe::BatchAppended& fact, const observe::Observation& seen);
  void on(const observe::BatchAcknowledged& fact, const observe::Observation& seen);
  void on(const observe::HighWatermarkAdvanced& fact, const observe::Observation& seen);
  // Told before TookOver if that is what made it: what the new leader has comes before what it begins.
  void on(const observe::LeaderLogChange& change, const observe::Observation& seen);
  void on(const observe::TookOver& change, const observe::Observation& seen);
  void on(const observe::IsrChanged& fact);
  void on(const observe::RecordsPolled& fact, const observe::Observation& seen);
  void on(const observe::ProcessingStarted& fact, const observe::Observation& seen);
  void on(const observe::ProcessingDone& fact, const observe::Observation& seen);
  void on(const observe::CommitAcknowledged& fact, const observe::Observation& seen);
  void on(const observe::PositionReset& fact, const observe::Observation& seen);
  void on(const observe::LogStartRaised& fact, const observe::Observation& seen);
  void on(const observe::LogCleaned& fact, const observe::Observation& seen);
  void on(const observe::ProcessStopped& fact, const observe::Observation& seen);
  // The run is over. Settled: nothing is under way any more, so what is not done never will be. `logs`, if
  // given, say where the logs of partitions that nobody leads end.
  void finish(Instant end, bool settled, const observe::ReplicaLogs* logs = nullptr);

  std::size_t size() const { return orders_.size(); }
  std::size_t services() const { return spec_.services; }
  const Order& order(Index index) const { return orders_[index]; }
  // Its batch; a row without stamps if it never left the accumulator.
  const Batch& batch_of(const Order& order) const;
  const Service& service(Index index, std::size_t service) const;
  // Of the record of this order that the service reads; a row without stamps if there is none.
  const Batch& batch_read(Index index, std::size_t service) const;
  Offset offset_read(Index index, std::size_t service) const;
  // Who sent on the record of this order that the service reads; services(): it reads the orders themselves.
  std::size_t upstream(Index index, std::size_t service) const;
  bool wants(const Order& order, std::size_t service) const;
  // The process of a member that has polled; kNoProcess of others.
  ProcessId process_of(std::size_t service, std::int32_t member) const;
  Offset offset_of(const Order& order) const;
  const Totals& totals() const { return totals_; }
  // kNone if there is no such order.
  Index find(RecordId id) const;

  Outcome outcome(Index index) const;
  bool lost_for(Index index, std::size_t service) const;
  // Acknowledged, and not in the final log of its partition. What retention has deleted from it counts as in
  // it.
  bool lost_acked(Index index) const;
  // Acknowledged and in the final log, but its group can no longer do it.
  bool lost_for_group(Index index, std::size_t service) const;
  // Its leader has deleted it, with everything below a later offset, since; when it did, kNever if not.
  bool is_deleted(const Order& order) const;
  std::int64_t deleted_at(const Order& order) const;
  // The service's position was last reset past it, and when.
  bool is_skipped(Index index, std::size_t service) const;
  std::int64_t skipped_at(Index index, std::size_t service) const;
  // The service has gone on behind it since it was read: compaction had taken it out of what was read.
  bool is_passed_over(Index index, const Service& row, std::size_t service) const;
  // When compaction first went over where it lies in the log, by the latest leader or, if that never did, by
  // another replica; kNever if none has.
  std::int64_t compacted_at(const Order& order) const;
  // Who appended it although others had elected another leader: it got into no log but its own. Null: not so.
  struct ReplacedLeader {
    NodeId broker = kNoNode;
    LeaderEpoch leader_epoch = kNoLeaderEpoch;
    NodeId successor = kNoNode;
    LeaderEpoch successor_epoch = kNoLeaderEpoch;
    std::int64_t successor_since = kNever;
  };
  const ReplacedLeader* replaced_leader(const Order& order) const;
  // Records of the final log whose order the log already holds below, by partition and offset; once finished.
  struct Duplicate {
    Index order = kNone;
    TopicPartition tp;
    Offset offset = 0;
    std::int64_t at = kNever;  // when the log came to hold it again, as far as known
  };
  const std::vector<Duplicate>& duplicates() const { return duplicates_; }
  // Records that a service has handled and whose transaction was aborted, in order of time. Once finished.
  struct AbortedRead {
    Index order = kNone;
    std::uint32_t service = 0;
    TopicPartition tp;
    Offset offset = 0;
    std::int64_t at = kNever;
    bool is_aborted = false;
  };
  const std::vector<AbortedRead>& aborted_reads() const { return unstable_reads_; }
  // When the service did it for the second time; kNever: not. Once finished.
  std::int64_t done_again_at(Index index, std::size_t service) const;
  // When a partition was last told not to take an order, to be sent again or not; kNever: never.
  std::int64_t last_refused(TopicPartition tp) const;
  // A partition whose leader took no orders, for want of in-sync replicas or with its disk: from the first
  // that it refused until the next that it acknowledged.
  struct Refusal {
    TopicPartition tp;
    ErrorCode error = ErrorCode::none;  // the first
    std::int64_t from = kNever;
    std::int64_t to = kNever;  // kNever: it still does
  };
  const std::vector<Refusal>& refusals() const { return refusals_; }
  // Keys whose orders this service did, for the first time each, in another order than they were placed in:
  // of each the first that was done before one placed earlier.
  std::vector<Index> reordered(std::size_t service) const;
  // When all who were to handle it had, or that service had. What never comes to that, because it failed, was
  // lost or is still under way, is as old as the run lets it grow: a failure must not pass for a quick order.
  std::int64_t ended(Index index) const;
  std::int64_t ended(Index index, std::size_t service) const;
  // The producer's answer: acknowledged, failed, or the end of the run.
  std::int64_t answered(Index index) const;
  // The service that did it last; services() if there is none.
  std::size_t last_service(Index index) const;
  // Sums to ended(index, s) - intended. What is not done spends the rest of its time in the first stage it
  // has not left.
  std::array<std::int64_t, kStages> stages(Index index, std::size_t service) const;

  // How far a partition is, for lag. Partitions that never held an order have end 0.
  Offset high_watermark(TopicPartition tp) const;
  // Behind the last record below the high watermark that a service may come to: what lies behind it are
  // markers and aborted records.
  Offset readable_end(TopicPartition tp) const;
  Offset committed(TopicPartition tp, std::size_t service) const;
  // Whether the partition holds orders that the service is to do.
  bool reads(TopicPartition tp, std::size_t service) const;
  // When the record at this offset was appended; kNever if unknown.
  std::int64_t appended_at(TopicPartition tp, Offset offset) const;
  template <class Visit>
  void for_each_partition(Visit visit) const {
    partitions_.for_each([&](TopicPartition tp, const Partition& partition) {
      if (!partition.orders.empty()) visit(tp);
    });
  }

  // "1;2;3", as numbered in Batch::isr; empty for 0.
  const std::string& isr_of(std::uint16_t number) const { return isrs_[number]; }

 private:
  // A further departure of a batch whose earlier one may still be appended.
  struct Attempt {
    std::int64_t sent = kNever;
    std::int64_t received = kNever;
    std::int64_t dequeued = kNever;
    ProcessId broker = kNoProcess;
  };
  struct AwaitingHighWatermark {
    Offset base_offset = 0;
    Index batch = kNone;
  };
  struct Reached {
    Offset offset = 0;
    std::int64_t at = kNever;
  };
  struct Cleaned {
    ProcessId broker = kNoProcess;
    Reached end;
  };
  struct DoneAgain {
    Index order = kNone;
    std::uint32_t service = 0;
    std::int64_t at = kNever;
  };
  struct OffsetRange {
    Offset from = 0;
    Offset to = 0;
  };
  struct OpenTransaction {
    ProducerId producer_id;
    std::vector<OffsetRange> ranges;
  };
  struct Partition {
    std::vector<Index> orders;         // by offset
    std::vector<std::uint8_t> hops{};  // by offset, as far as any is above 0
    std::vector<OpenTransaction> open{};
    std::vector<OffsetRange> aborted{};  // rising
    std::deque<AwaitingHighWatermark> awaiting;
    std::vector<Offset> committed;      // by service
    std::vector<Offset> skipped_below;  // by service: where its position was last reset to
    std::vector<std::int64_t> skipped_at;
    struct Started {
      Offset offset = kNoOffset;
      std::int64_t at = kNever;
    };
    std::vector<Started> started;  // by service: the latest
    Offset high_watermark = 0;
    std::vector<Reached> log_starts;  // rising
    std::vector<Cleaned> cleaned;     // by each broker rising
    std::int64_t last_refused = kNever;
    Index refusal = kNone;  // the last
    std::int64_t leader_since = kNever;
    NodeId leader_id = kNoNode;
    ProcessId leader = kNoProcess;
    LeaderEpoch leader_epoch = kNoLeaderEpoch;
    std::uint16_t isr = 0;
    ServiceSet services;  // that are to do what it holds
  };

  void answered(TopicPartition tp, ErrorCode error, std::int64_t at);
  Index batch_index(const BatchDataPtr& data) const;
  Index open_batch(const observe::BatchDrained& fact, std::int64_t at);
  void sent_again(Index index, std::int64_t at);
  // Where the stamps of an arrival at this broker belong: sets received or dequeued.
  void arrived(Index index, observe::RequestStage stage, std::int64_t at, ProcessId broker);
  // Makes the attempt that this broker has appended the batch's own.
  void choose_attempt(Index index, ProcessId broker);
  void map_offsets(Partition& partition, const sim::Batch& appended);
  void end_transaction(Partition& partition, const sim::Batch& marker, std::int64_t at);
  void abort(Partition& partition, OffsetRange range, std::int64_t at);
  static std::int32_t hop_at(const Partition& partition, std::size_t offset) {
    return offset < partition.hops.size() ? partition.hops[offset] : 0;
  }
  static bool is_aborted_at(const Partition& partition, Offset offset);
  static bool is_open_at(const Partition& partition, Offset offset);
  // Where the record of this order and hop lies.
  struct RecordRow {
    Index batch = kNone;
    std::uint32_t index_in_batch = 0;
    std::int64_t accepted = kNever;
    std::int64_t failed = kNever;
  };
  RecordRow row_of(Index order, std::int32_t hop) const;
  RecordRow& derived_row(Index order, std::int32_t hop);
  RecordRow row_read(Index index, std::size_t service) const;
  Index batch_of_record(RecordId id) const;
  void drop_from(Partition& partition, Offset end);
  void set_apart(const Partition& partition, const observe::LogEntry& entry);
  void bring_back(TopicPartition tp, const observe::LogEntry& entry, std::int64_t at);
  void find_duplicates();
  std::int64_t copied_at(TopicPartition tp, Offset base_offset) const;
  Service& service_row(Index index, std::size_t service) {
    return service_rows_[index * spec_.services + service];
  }
  const ServiceSet& wanted_by(RecordId id) const;
  bool is_fulfilled(const Order& order) const;
  bool in_hand(Index index, const Service& row, std::size_t service) const;
  std::int64_t stopped_at(ProcessId process) const;

  LedgerSpec spec_;
  Chunked<Order> orders_;
  Chunked<Batch> batches_;
  Chunked<Service> service_rows_;             // order * services + service
  std::vector<std::vector<Index>> index_of_;  // by flow, then number
  observe::PartitionMap<Partition> partitions_;
  std::map<Index, std::vector<Attempt>> more_attempts_;  // of batches on their way; seldom any
  std::vector<std::vector<ProcessId>> members_;          // by service, then member
  std::vector<std::int64_t> stopped_;                    // by process: when it last stopped
  struct Apart {
    std::vector<Index> orders;
    std::int32_t hop = 0;
  };
  std::map<std::uint64_t, Apart> apart_;         // by content: batches of replicas that do not lead
  std::vector<std::vector<RecordRow>> derived_;  // by hop - 1, then order
  std::vector<AbortedRead> unstable_reads_;      // of open transactions; once finished of aborted ones
  std::map<Index, ReplacedLeader> replaced_;     // by batch
  std::map<std::pair<TopicPartition, Offset>, std::int64_t>
      copies_;                         // batches that a log got again, by base offset
  std::vector<DoneAgain> done_again_;  // once finished by order and service
  std::vector<Duplicate> duplicates_;
  std::vector<Refusal> refusals_;
  std::vector<std::string> isrs_;
  Totals totals_;
  std::int64_t end_ = kNever;
  bool settled_ = false;
};

}  // namespace sim::metrics
