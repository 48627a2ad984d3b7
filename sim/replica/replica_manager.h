#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "fetcher/replica_fetcher.h"
#include "log/compaction.h"
#include "node/durable_image.h"
#include "partition/partition_table.h"
#include "quota/client_quota_manager.h"
#include "quota/replication_quota.h"
#include "replica/alter_partition.h"
#include "replica/directory_assignments.h"
#include "replica/fetch_session.h"
#include "replica/log_directories.h"
#include "replica/log_flusher.h"
#include "replica/log_retention.h"
#include "replica/pending_append.h"
#include "replica/purgatory.h"
#include "replica/tasks.h"
#include "server/context.h"
#include "server/deadline_queue.h"
#include "server/timers.h"

// All partitions of a broker and what is done with them (ReplicaManager in Kafka): produce, fetch, following
// other brokers, the ISR's shrinking, the high watermark's checkpoints, retention and compaction.
//
// What must be noticed after a change (delayed fetches, delayed produces) is noted while a step runs and
// looked at once at its end, by finish_step(), as Kafka's ActionQueue does for appends.
//
// Left out: moving a replica to another log directory. A fetch is not cut short because it reads an older
// segment.
namespace sim::replica {

using fetcher::ReplicaFetcher;
using partition::IsrChange;
using partition::Partition;
using partition::PlacedBatch;
using quota::ClientQuotaManager;
using quota::ReplicationQuota;
using server::BrokerConfig;
using server::Context;
using server::DeadlineQueue;
using server::PeriodicTimer;
using server::TaskPhases;

// Names one verification of a transaction's partitions; unique within an incarnation.
using VerificationId = std::uint64_t;

class ReplicaManager {
 public:
  // What the owner is to know, in order of happening.
  // Of partitions of internal topics: this broker leads it from now on, or no longer; its high watermark.
  struct Elected {
    TopicPartition tp;
    LeaderEpoch leader_epoch;
  };
  struct Resigned {
    TopicPartition tp;
  };
  struct HighWatermarkAdvanced {
    TopicPartition tp;
    Offset high_watermark = 0;
  };
  // What became of append().
  struct Appended {
    TopicPartition tp;
    AppendId id;
    ErrorCode error = ErrorCode::none;
  };
  struct DirectoryFailed {
    DirectoryId directory;
  };
  // The coordinator of the transactional id is to be asked about these partitions; verified() takes what it
  // says.
  struct VerificationAsked {
    VerificationId id = 0;
    std::string transactional_id;
    ProducerId producer_id;
    ProducerEpoch producer_epoch;
    std::vector<TopicPartition> partitions;
    TransactionSupport support = TransactionSupport::add_partition;
  };
  // What became of verify().
  struct Verified {
    VerificationId id = 0;
    ErrorCode error = ErrorCode::none;
    partition::VerificationGuard guard = partition::kNoGuard;
  };
  using Event = std::variant<Elected, Resigned, HighWatermarkAdvanced, Appended, DirectoryFailed,
                             VerificationAsked, Verified>;

  ReplicaManager(ProcessId self, NodeId id, const BrokerConfig& config, const node::DurableImage& image);

  // With the first metadata. From here on a crash is a crash: the mark of a clean shutdown is removed. It may
  // take time, until is_loaded(); nothing is applied before.
  void load(TaskPhases phases, const Context& context);
  bool is_loaded() const { return is_loaded_; }
  // What nobody has asked for. REQUIRES: all that is known of the metadata was applied
  void delete_stray_logs(const Context& context);
  // The image has moved on by what `delta` tells: deletes, then leaders, then followers.
  void apply(const metadata::MetadataDelta& delta, const Context& context);
  void set_controller(ProcessId controller, const Context& context) {
    alter_partition_.set_controller(controller, context);
    assignments_.set_controller(controller, context);
  }

  void on(ProduceRequest& request, const Envelope& from, const Context& context);
  void on(const FetchRequest& request, const Envelope& from, const Context& context);
  ListOffsetsResponse on(const ListOffsetsRequest& request, const Context& context) const;
  OffsetForLeaderEpochResponse on(const OffsetForLeaderEpochRequest& request, const Context& context) const;
  // Appends with acks=all for a coordinator, whose broker hears of it as Appended. `guard`: of the
  // transaction that the batch begins here; `marker_version`: of a transaction's marker.
  struct CoordinatorAppend {
    partition::VerificationGuard guard = partition::kNoGuard;
    TransactionVersion marker_version = kTransactionVersion0;
    LocalTime deadline = LocalTime::max();  // REQUEST_TIMED_OUT
  };
  void append(AppendId id, TopicPartition tp, BatchDataPtr batch, const Context& context,
              const CoordinatorAppend& how);
  void append(AppendId id, TopicPartition tp, BatchDataPtr batch, const Context& context) {
    append(id, tp, std::move(batch), context, CoordinatorAppend{});
  }

  // ---- Transactions (replica_manager_transactions.cc)

  // Before a coordinator writes to `tp` in a producer's transaction; answered by Verified{id}, now or later.
  VerificationId verify(TopicPartition tp, const std::string& transactional_id, ProducerId producer_id,
                        ProducerEpoch producer_epoch, TransactionSupport support, const Context& context);
  struct NotVerified {
    TopicPartition tp;
    ErrorCode error = ErrorCode::none;
  };
  void verified(VerificationId id, const std::vector<NotVerified>& errors, const Context& context);

  // ---- Inputs that are no requests
  void written(const node::Persisted& done, const Context& context);
  void timer_fired(Task task, const Context& context);
  void step_alter_partition(node::Input& input, const Context& context);
  void step_assignments(node::Input& input, const Context& context) { assignments_.step(input, context); }
  void step_fetcher(node::Input& input, const Context& context);
  // At the end of each step of the broker.
  void finish_step(const Context& context);
  std::vector<Event> take_events() { return std::exchange(events_, {}); }

  // What a client's request costs it that is neither Produce nor Fetch (which see to it themselves): 0, or so
  // many milliseconds.
  std::int32_t throttle_for_time(const Envelope& request, const Context& context);

  const Partition* partition(TopicPartition tp) const;
  const LogDirectories& directories() const { return directories_; }

  // The wall clock was set: ages are not what they were.
  void clock_stepped(const Context& context);

  // Partitions that lose their leader, or have this broker out of their ISR, are no longer followed.
  void begin_controlled_shutdown() { in_controlled_shutdown_ = true; }
  // Writes down and flushes everything, for a restart that finds all of it; when this was persisted, the mark
  // that says so.
  node::PersistId close(const Context& context);
  node::PersistId mark_clean_shutdown(const Context& context);
  // What was under way when it closed reaches the logs, though nobody is told.
  // The process dies, and has not heard that these writes were performed: what of them is in `image`.
  void report_performed(const std::vector<node::PersistId>& ids, const node::DurableImage& image,
                        node::Effects& out) const;
  void written_while_closing(node::PersistId id, const Context& context) { persisted(id, context); }

 private:
  // ---- replica_manager.cc
  LocalIndex find_or_create(TopicPartition tp, const Context& context);
  void remove_topic(TopicId topic, const Context& context);
  void remove(LocalIndex local, const Context& context);
  void make_leader(TopicPartition tp, const metadata::PartitionRegistration& registration,
                   const Context& context);
  void make_follower(TopicPartition tp, const metadata::PartitionRegistration& registration,
                     const Context& context);
  void resign(LocalIndex local);
  ErrorCode missing(TopicPartition tp, const Context& context) const;
  LeaderHint leader_hint(TopicPartition tp, const Context& context) const;

  void perform(PendingAppend& done, const Context& context);
  // False: its place is gone.
  bool append(PlacedBatch& placed, const Context& context);
  node::PersistId next_write() { return {node::Part::replica_manager, ++writes_asked_for_}; }
  static void has_no_place(const PlacedBatch& placed, PendingAppend& append);
  void high_watermark_changed(LocalIndex local, const Context& context);
  void checkpoint(const Context& context);
  void expire(const Context& context);

  // ---- replica_manager_following.cc
  void start_fetcher(LocalIndex local, const Context& context);
  void cut_to_high_watermark(LocalIndex local, const Context& context);
  void stop_fetcher(LocalIndex local);
  void follow(const Context& context);
  ReplicaFetcher& fetcher_for(NodeId source, ProcessId endpoint, std::int32_t index, const Context& context);
  void carry_out(std::uint32_t fetcher, ReplicaFetcher::Work& work, const Context& context);

  // ---- replica_manager_isr.cc
  void submit(const IsrChange& change, const Context& context);
  void on_isr_answers(AlterPartitionManager::Answers& answers, const Context& context);
  void shrink_isrs(const Context& context);

  // ---- replica_manager_retention.cc
  void delete_old_segments(const Context& context);
  void note_for_cleaner(const Partition& partition, const Context& context);
  void clean_filthiest(const Context& context);
  void clean(LocalIndex local, const log::CleanableLog& what, const Context& context);
  void log_start_raised(LocalIndex local, Offset from, const Context& context);

  // ---- replica_manager_disk.cc
  void loaded(const Context& context);
  void write(std::vector<log::LogWrite> writes, const Context& context);
  void flush_below(LocalIndex local, Offset base_offset, const Context& context);
  void add_due_flushes(PendingAppend& pending, std::vector<log::LogWrite>& writes);
  void flush_dirty_logs(const Context& context);
  void checkpoint_recovery_points(const Context& context);
  void persisted(node::PersistId id, const Context& context);
  void perform_what_may_be(const Context& context);

  // ---- replica_manager_directories.cc
  void leave_out_failed_directories();
  LocalIndex open_in_directory(TopicPartition tp, const Context& context);
  void tell_directory(LocalIndex local, const metadata::PartitionRegistration& registration,
                      const Context& context);
  void writes_failed(const node::Persisted& done, const Context& context);
  void fail_directory(std::int32_t directory, const Context& context);
  void take_offline(LocalIndex local, const Context& context);

  // ---- replica_manager_produce.cc
  struct VerifiedPartitions {  // what the verification of a transaction has brought
    std::vector<NotVerified> errors;
    std::vector<std::pair<TopicPartition, partition::VerificationGuard>> guards;
  };
  void append_produced(ProduceRequest& request, const ReplyTo& to, const VerifiedPartitions* verification,
                       const Context& context);
  bool place(TopicPartition tp, BatchDataPtr batch, std::int16_t acks,
             const partition::ProducerStates::Append& append, PendingAppend& pending,
             std::vector<log::LogWrite>& writes, const Context& context);
  void start_append(PendingAppend pending, std::vector<log::LogWrite> writes, const Context& context);
  void appended(ProducedAppend& append, const Context& context);
  void answer(AppendOutcome& outcome, std::int16_t acks, const Context& context);

  // ---- replica_manager_transactions.cc

  // A question to a transaction's coordinator, and what waits for it: a produce request, or a coordinator of
  // this broker.
  struct Verification {
    std::string transactional_id;
    ProducerId producer_id;
    ProducerEpoch producer_epoch;
    TransactionSupport support = TransactionSupport::add_partition;
    std::vector<std::pair<TopicPartition, std::int32_t>> partitions;  // with the first sequence number
    LocalTime began{};
    VerifiedPartitions outcome;
    struct Produce {
      ProduceRequest request;
      ReplyTo to;
    };
    std::optional<Produce> produce;
  };
  bool must_verify(const ProduceRequest& request, const Context& context) const;
  void verify_then_append(ProduceRequest& request, const ReplyTo& to, const Context& context);
  void begin_verification(VerificationId id, Verification verification, const Context& context);
  void finish_verification(VerificationId id, Verification verification, const Context& context);
  void retry_verifications(const Context& context);
  void expire_producers(const Context& context);

  // ---- replica_manager_fetch.cc
  // What a fetch would be answered now, and whether it must be at once.
  struct Draft {
    FetchResponse response;
    std::vector<std::int32_t> sources;  // of the response's partitions: index in the session
    std::int64_t bytes = 0;
    bool urgent = false;  // an error, or a log to be truncated
  };
  Draft draft(FetchSessions::Slot slot, std::int64_t max_bytes, const FetchRequest* request,
              const Context& context);
  FetchResponse::Partition read(const FetchSession& session, const FetchedPartition& wanted,
                                std::int64_t max_bytes, bool at_least_one, const FetchRequest* request,
                                const Context& context);
  void send(FetchSessions::Slot slot, Draft draft, const ReplyTo& to, const Context& context);
  void send_throttled(FetchSessions::Slot slot, const ReplyTo& to, std::int32_t throttle_ms,
                      const Context& context);
  bool holds_back(const Partition& partition, NodeId replica, const Context& context);
  void count_throttled(const FetchResponse& response, const Context& context);
  void settle(FetchSessions::Slot slot, const Draft& draft);
  void wait(FetchSessions::Slot slot, WaitingFetch waiting, Duration max_wait, const Context& context);
  void complete(FetchSessions::Slot slot, const Context& context);
  // True if the waiting fetch is to be answered now.
  bool consider(FetchSession& session, FetchedPartition& wanted, const Context& context);
  void log_end_will_advance(LocalIndex local);
  void wake_all(LocalIndex local);

  ProcessId self_;
  NodeId id_;
  PartitionTable table_;
  std::map<TopicPartition, log::LogImage> found_;  // on disk at the start, and not yet claimed
  FetchSessions sessions_;
  ProducePurgatory produces_;
  DeadlineQueue deadlines_{timer_of(Task::expire_requests)};
  ClientQuotaManager client_quotas_;
  ReplicationQuota leader_quota_;
  ReplicationQuota follower_quota_;
  AlterPartitionManager alter_partition_;
  LogDirectories directories_;
  DirectoryAssignments assignments_;
  std::vector<ReplicaFetcher> fetchers_;
  std::deque<PendingAppend> pending_;
  std::uint64_t writes_asked_for_ = 0;
  std::size_t out_of_order_ = 0;  // of pending_: written, and held up by one of the same log before it
  bool was_shut_down_cleanly_ = false;
  bool is_loaded_ = false;
  std::optional<node::PersistId> loading_;  // the logs are being read ...
  std::int32_t directories_loading_ = 0;    // ... in so many directories
  std::vector<TopicPartition> to_cut_;      // logs on disk that held too much
  bool in_controlled_shutdown_ = false;
  bool is_closing_ = false;
  TaskPhases phases_;
  PeriodicTimer isr_timer_;
  PeriodicTimer checkpoint_timer_;
  LogRetention retention_;
  LogFlusher flusher_;
  PeriodicTimer cleaner_timer_;
  std::optional<node::PersistId> cleaning_;  // what the cleaner's thread is at
  PeriodicTimer producer_expiry_timer_;
  std::map<VerificationId, Verification> verifying_;
  VerificationId next_verification_ = 1;
  struct Retry {
    LocalTime due;
    VerificationId id = 0;
  };
  std::deque<Retry> verifications_to_retry_;  // in order of time: the back-off is always the same
  std::vector<LocalIndex> to_checkpoint_;
  std::vector<std::uint8_t> is_to_checkpoint_;  // by local index
  // Once what they were assigned before is written: partitions to be followed, and to be coordinated by
  std::vector<LocalIndex> to_follow_;
  std::vector<LocalIndex> to_elect_;

  // Noted during a step
  std::vector<FetchWatcher> woken_;
  std::vector<log::LogWrite> noted_epochs_;
  std::vector<LocalIndex> to_check_;  // delayed produces whose partition has moved
  std::vector<Event> events_;
};

}  // namespace sim::replica
