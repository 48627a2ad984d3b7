#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "base/check.h"
#include "coordinator/deadlines.h"
#include "log/partition_log.h"
#include "node/node.h"
#include "protocol/batch_builder.h"
#include "protocol/record_batch.h"

// What every coordinator of a broker needs, whatever it coordinates (CoordinatorRuntime in Kafka): groups
// have
// __consumer_offsets, transactions __transaction_state. A coordinator's state is divided into shards, one for
// each partition of its topic that this broker leads; the runtime owns the shards and whatever stands between
// them and the log:
//
//   not_led --elected()--> loading --loaded()--> active;   any --resigned()--> not_led
//
// Loading: after an election the partition's log is replayed from its start to its end. What lies at or above
// the high watermark is not committed and waits for it like the shard's own writes. Until then requests hear
// COORDINATOR_LOAD_IN_PROGRESS; NOT_COORDINATOR where this broker does not lead. (Kafka's FAILED cannot
// happen; its INITIAL and CLOSED are not_led.)
//
// Writing: only the shard writes to its partition. Records gather in one batch, which the first of them opens
// and which is handed to the owner (take_writes()) when append_linger has passed or it is full; the owner
// appends it with acks=all and tells the outcome with written(). Several batches may be in flight. Once a
// batch is in the log only the high watermark counts: NOT_ENOUGH_REPLICAS_AFTER_APPEND is as good as no
// error, and after REQUEST_TIMED_OUT the batch stays pending. What a batch changed is committed with it, or
// reverted if its append failed.
//
// Waiting: an answer waits until what was written before it in its partition is committed, its own or not
// (DeferredEventQueue), for write_timeout at most; it may time out although its records are in the log.
//
// Timers: one timer of the process stands for all deadlines of all shards, and the runtime's own. A shard's
// die with it.
//
// Fencing: resigned() answers whoever waits with NOT_COORDINATOR, and the shard is destroyed. Writes of an
// earlier leadership are not recognised any more.
//
// It is a value, and so must the shard be:
//
//   struct Shard {
//     using Config, Record;  // of the coordinator; what its topic's batches hold (see BatchData)
//     using Changes;         // what the records of one batch changed; default: nothing
//     using Deferred;        // what is left to do when a batch is committed or has failed
//     using Timer;           // names one of its deadlines
//     Shard(const Config&, std::int32_t partition);
//     // Applies a record, from the log or its own; notes in `uncommitted`, if given, what it changed.
//     void replay(const Record&, Changes* uncommitted);
//     void loaded(const Step<Shard>&);          // all of the log was replayed
//     void unloaded(const Step<Shard>&);        // answers whoever waits in it; it is destroyed next
//     void commit(const Changes&);              // they can no longer be reverted
//     void committed(const Changes&, const Step<Shard>&);  // the same, but tells it; not while loading
//     // Undoes what a failed batch changed, but not what the batches that still stand did, earlier ones and
//     // later ones; `is_newest`: there are no later ones.
//     void revert(const Changes& failed, const std::vector<const Changes*>& standing, bool is_newest,
//     ErrorCode,
//                 const Step<Shard>&);
//     void succeeded(Deferred&, const Step<Shard>&);
//     void failed(Deferred&, ErrorCode, const Step<Shard>&);
//     void timer_passed(const Timer&, const Step<Shard>&);
//     // Only of a coordinator to whose partitions transactions write:
//     void replay_pending(const Record&, ProducerId, Changes* uncommitted);  // counts if that one commits
//     void replay_marker(ProducerId, bool committed, Changes* uncommitted);
//   };
//
// Transactions: what run_transactional() writes is a batch of its own, in the name of the producer whose
// transaction it is part of, and complete_transaction() writes the marker that ends it, as every leader of a
// partition in the transaction does (scheduleTransactionalWriteOperation, scheduleTransactionCompletion).
//
// Left out: reads at the last committed state other than by the shard's own means, background executors. A
// shard's state keeps no snapshots (Kafka's timeline structures): Changes is enough to return to the last
// committed state.
namespace sim::coordinator {

struct RuntimeConfig {
  node::TimerId timer;
  std::int32_t partitions = 1;  // of the coordinator's topic; their numbers lie below
  // How long a batch is open: 0: to the end of the operation that opened it; negative (adaptive): until all
  // that had come by then is done (CoordinatorRuntime.enqueueAdaptiveFlush).
  Duration append_linger{};
  std::int64_t max_batch_bytes = 0;
  Duration write_timeout{};
};

// In whose transaction a batch is written. `guard`: what the verification of its partition brought.
struct TransactionalWriter {
  ProducerId producer_id = kNoProducerId;
  ProducerEpoch producer_epoch = kNoProducerEpoch;
  std::uint64_t guard = 0;
};

template <class Shard>
class Runtime;

// One call of a shard: the world's side of it, its partition's log, and its timers. Never kept.
template <class Shard>
class Step {
 public:
  using Record = typename Shard::Record;
  using Changes = typename Shard::Changes;

  Step(node::Env of, node::Effects& effects, Runtime<Shard>& runtime, std::int32_t partition)
      : env(of), out(effects), runtime_(runtime), partition_(partition) {}

  node::Env env;
  node::Effects& out;
  const typename Shard::Config& config() const { return runtime_.config_; }

  // Writes a record whose effect the shard itself sees to (CoordinatorResult with replayRecords=false); the
  // changes of the batch that took it.
  Changes& append(Record record) const {
    return runtime_.append(partition_, std::move(record), *this).changes;
  }
  // Writes a record and replays it.
  void write(Record record) const {
    auto& batch = runtime_.append(partition_, std::move(record), *this);
    runtime_.replay_record(runtime_.shard(partition_), batch.records.back(), batch.writer, &batch.changes);
  }
  // The changes of the batch that takes the next record, unless that is too large for it. REQUIRES: a record
  // follows in the same operation
  Changes& open_batch() const { return runtime_.open_batch(partition_, *this).changes; }
  // When everything written so far is committed: at once if it is.
  void defer(typename Shard::Deferred work) const {
    runtime_.defer(partition_, std::move(work), runtime_.settings_.write_timeout, *this);
  }
  // The same, with a write timeout of its own.
  void defer(typename Shard::Deferred work, Duration timeout) const {
    runtime_.defer(partition_, std::move(work), timeout, *this);
  }
  // That of the partition's leadership.
  CoordinatorEpoch coordinator_epoch() const {
    return CoordinatorEpoch{runtime_.at(partition_).leader_epoch.value()};
  }

  // Replaces an earlier setting.
  void arm(DeadlineHandle& handle, const typename Shard::Timer& timer, Duration delay) const {
    runtime_.deadlines_.arm(handle, {partition_, timer}, env.now + delay);
  }
  void cancel(DeadlineHandle& handle) const { runtime_.deadlines_.cancel(handle); }
  bool is_armed(DeadlineHandle handle) const { return runtime_.deadlines_.is_armed(handle); }

 private:
  friend class Runtime<Shard>;

  Runtime<Shard>& runtime_;
  std::int32_t partition_;
};

template <class Shard>
class Runtime {
 public:
  using Config = typename Shard::Config;
  using Record = typename Shard::Record;
  using Changes = typename Shard::Changes;
  using Deferred = typename Shard::Deferred;
  using WriteId = std::uint64_t;
  enum class State : std::uint8_t { not_led, loading, active };
  struct Write {  // to be appended to `tp` as one batch
    WriteId id = 0;
    TopicPartition tp;
    std::vector<Record> records;
    std::optional<TransactionalWriter> writer{};   // none: it is part of no transaction
    std::optional<EndTransactionMarker> marker{};  // instead of records
  };

  Runtime(const RuntimeConfig& settings, const Config& config)
      : settings_(settings), config_(config), partitions_(static_cast<std::size_t>(settings.partitions)) {}

  const Config& config() const { return config_; }
  std::int32_t partitions() const { return settings_.partitions; }

  // ---- Elections and loading

  // This broker now leads `tp`. True: its log is to be loaded; false: it led it already.
  bool elected(TopicPartition tp, LeaderEpoch leader_epoch) {
    Partition& partition = at(tp.partition);
    SIM_CHECK(partition.state == State::not_led || partition.tp == tp,
              "it resigns before it is elected to another");
    partition.tp = tp;
    partition.leader_epoch = leader_epoch;
    if (partition.state != State::not_led) return false;
    partition.state = State::loading;
    partition.shard.emplace(config_, tp.partition);
    return true;
  }
  // Replays the log in pieces of `buffer_bytes` to its end, which takes no time here (CoordinatorLoaderImpl).
  void load(TopicPartition tp, const log::PartitionLog& log, Offset high_watermark, std::int32_t buffer_bytes,
            node::Env env, node::Effects& out) {
    for (Offset offset = log.log_start_offset(); offset < log.log_end_offset();) {
      const std::vector<Batch> piece = log.read(offset, log.log_end_offset(), buffer_bytes, true);
      if (piece.empty()) break;  // compaction has left nothing up to the end
      replay(tp, piece, high_watermark);
      offset = piece.back().end_offset();
    }
    loaded(tp, env, out);
  }
  // The next batches of the log, in order; what lies at or above `high_watermark` is not yet committed.
  void replay(TopicPartition tp, const std::vector<Batch>& batches, Offset high_watermark) {
    Partition& partition = at(tp.partition);
    SIM_CHECK(partition.state == State::loading, "only a newly elected leader loads");
    while (!partition.pending.empty() && partition.pending.front().end_offset <= high_watermark) {
      partition.shard->commit(partition.pending.front().changes);
      partition.pending.erase(partition.pending.begin());
    }
    for (const Batch& batch : batches) {
      const auto* records = std::get_if<std::vector<Record>>(&batch.data->records);
      const EndTransactionMarker* marker = batch.data->end_transaction_marker();
      if (records == nullptr && marker == nullptr) continue;
      Changes* uncommitted = nullptr;
      if (batch.end_offset() > high_watermark) {
        partition.pending.emplace_back().end_offset = batch.end_offset();
        uncommitted = &partition.pending.back().changes;
      }
      if (marker != nullptr) {
        replay_marker(*partition.shard, batch.data->producer_id, marker->committed, uncommitted);
        continue;
      }
      std::optional<TransactionalWriter> writer;
      if (batch.data->transactional) writer.emplace().producer_id = batch.data->producer_id;
      for (const Record& record : *records) replay_record(*partition.shard, record, writer, uncommitted);
    }
  }
  void loaded(TopicPartition tp, node::Env env, node::Effects& out) {
    Partition& partition = at(tp.partition);
    SIM_CHECK(partition.state == State::loading, "a log is loaded once per election");
    partition.state = State::active;
    partition.shard->loaded(step(tp.partition, env, out));
    end_operation(tp.partition);
    set_timer(out);
  }
  // No longer leads it. Ignored unless it did.
  void resigned(TopicPartition tp, node::Env env, node::Effects& out) {
    if (!leads(tp)) return;
    Partition& partition = at(tp.partition);
    const Step<Shard> last = step(tp.partition, env, out);
    partition.shard->unloaded(last);
    for (Pending& batch : std::exchange(partition.pending, {})) {
      for (Waiting& waiting : batch.waiting) {
        if (!waiting.done) partition.shard->failed(waiting.work, ErrorCode::not_coordinator, last);
      }
    }
    deadlines_.cancel_if([&](const Due& due) { return due.partition == tp.partition; });
    partition = Partition{};
    std::erase_if(writes_, [&](const Write& write) { return write.tp == tp; });
    set_timer(out);
  }
  bool leads(TopicPartition tp) const {
    return tp.partition >= 0 && tp.partition < settings_.partitions && at(tp.partition).tp == tp &&
           at(tp.partition).state != State::not_led;
  }

  // ---- The log

  // What is to be written by now; the owner takes it after every call.
  std::vector<Write> take_writes() { return std::exchange(writes_, {}); }
  // ErrorCode::none: the high watermark has passed the batch's end, and so that of all batches before it.
  // Otherwise its append failed. May be called again for a batch that has timed out.
  void written(TopicPartition tp, WriteId id, ErrorCode error, node::Env env, node::Effects& out) {
    if (!leads(tp)) return;
    const std::vector<Pending>& pending = at(tp.partition).pending;
    const auto it =
        std::find_if(pending.begin(), pending.end(), [id](const Pending& one) { return one.id == id; });
    if (it == pending.end()) return;  // of an earlier leadership
    const auto index = static_cast<std::size_t>(it - pending.begin());
    switch (error) {
      case ErrorCode::none:
      case ErrorCode::not_enough_replicas_after_append:
        commit(index + 1, step(tp.partition, env, out));
        break;
      case ErrorCode::request_timed_out:
        break;  // it is in the log; who waits for it has a deadline of his own
      default: fail(index, error, step(tp.partition, env, out)); break;
    }
    end_operation(tp.partition);
    set_timer(out);
  }
  // Only what loading brought and was not committed then waits for this; its own writes are told by
  // written().
  void high_watermark_advanced(TopicPartition tp, Offset high_watermark, node::Env env, node::Effects& out) {
    if (!leads(tp)) return;
    const std::vector<Pending>& pending = at(tp.partition).pending;
    const auto first_above = std::find_if(pending.begin(), pending.end(), [&](const Pending& one) {
      return one.id != 0 || one.end_offset > high_watermark;
    });
    if (first_above == pending.begin()) return;
    commit(static_cast<std::size_t>(first_above - pending.begin()), step(tp.partition, env, out));
    end_operation(tp.partition);
    set_timer(out);
  }

  // ---- Operations

  // none: requests of this partition are served here.
  ErrorCode check(std::int32_t partition) const {
    switch (at(partition).state) {
      case State::not_led: return ErrorCode::not_coordinator;
      case State::loading: return ErrorCode::coordinator_load_in_progress;
      case State::active: return ErrorCode::none;
    }
    return ErrorCode::not_coordinator;
  }
  // Calls operation(shard, step). REQUIRES: check(partition) == none
  template <class Operation>
  void run(std::int32_t partition, node::Env env, node::Effects& out, Operation operation) {
    SIM_CHECK(check(partition) == ErrorCode::none, "operations are for shards that are loaded");
    operation(shard(partition), step(partition, env, out));
    end_operation(partition);
    set_timer(out);
  }
  // The same; what it writes is part of a transaction.
  template <class Operation>
  void run_transactional(std::int32_t number, const TransactionalWriter& writer, node::Env env,
                         node::Effects& out, Operation operation) {
    SIM_CHECK(check(number) == ErrorCode::none, "operations are for shards that are loaded");
    Partition& partition = at(number);
    if (partition.open) flush(number);
    partition.writer = writer;
    operation(*partition.shard, step(number, env, out));
    partition.writer.reset();
    if (partition.open) flush(number);
    set_timer(out);
  }
  // Writes the marker of a transaction; its outcome is told like that of every write. REQUIRES: as for run()
  WriteId complete_transaction(std::int32_t number, const TransactionalWriter& writer,
                               const EndTransactionMarker& marker, node::Effects& out) {
    SIM_CHECK(check(number) == ErrorCode::none, "operations are for shards that are loaded");
    Partition& partition = at(number);
    if (partition.open) flush(number);
    Pending& batch = partition.pending.emplace_back();
    batch.id = next_write_++;
    replay_marker(*partition.shard, writer.producer_id, marker.committed, &batch.changes);
    writes_.push_back(Write{batch.id, partition.tp, {}, writer, marker});
    set_timer(out);
    return batch.id;
  }
  // The same as run() for every shard that is loaded.
  template <class Operation>
  void run_all(node::Env env, node::Effects& out, Operation operation) {
    for (std::int32_t partition = 0; partition < settings_.partitions; ++partition) {
      if (at(partition).state != State::active) continue;
      operation(shard(partition), step(partition, env, out));
      end_operation(partition);
    }
    set_timer(out);
  }
  void timer_fired(node::Env env, node::Effects& out) {
    timer_set_.reset();
    while (const std::optional<Due> due = deadlines_.pop(env.now)) {
      std::visit(Passed{*this, step(due->partition, env, out), due->partition}, due->what);
      end_operation(due->partition);
    }
    set_timer(out);
  }

  // For what shards hand out beside their log: called for each that there is, loaded or not.
  template <class Visit>
  void for_each_shard(Visit visit) {
    for (std::int32_t partition = 0; partition < settings_.partitions; ++partition) {
      if (at(partition).shard) visit(partition, shard(partition));
    }
  }

  // For tests and inspection: null if there is none.
  const Shard* find_shard(std::int32_t partition) const {
    return at(partition).shard ? &*at(partition).shard : nullptr;
  }
  std::size_t queued_deadlines() const { return deadlines_.entries(); }

 private:
  friend class Step<Shard>;

  struct LingerOver {};      // of the open batch
  struct WaitingTooLong {};  // somebody, for a write
  struct Due {
    std::int32_t partition = 0;
    std::variant<LingerOver, WaitingTooLong, typename Shard::Timer> what;
  };
  struct Waiting {
    LocalTime deadline;
    bool done = false;  // it has failed on its deadline; its records are in the log all the same
    Deferred work;
  };
  // A batch from its first record until it is committed.
  struct Pending {
    WriteId id = 0;         // 0 = not ours: found in the log above the high watermark after an election
    Offset end_offset = 0;  // of one that is not ours
    std::int64_t size_bytes = 0;
    std::vector<Record> records;  // until it is handed over
    Changes changes;
    std::vector<Waiting> waiting;
    std::optional<TransactionalWriter> writer;
  };
  struct Partition {
    State state = State::not_led;
    TopicPartition tp;
    LeaderEpoch leader_epoch = kNoLeaderEpoch;
    std::optional<Shard> shard;                 // unless not led
    std::vector<Pending> pending;               // in order of the log
    bool open = false;                          // records may still join the last of them
    std::optional<TransactionalWriter> writer;  // of the operation that is running
    DeadlineHandle linger;
    DeadlineHandle waiting_too_long;  // the first deadline of those that are not done
    LocalTime waiting_until{};        // if it is armed
  };
  struct Passed {
    Runtime& runtime;
    const Step<Shard>& step;
    std::int32_t partition;
    void operator()(const LingerOver&) const { runtime.flush(partition); }
    void operator()(const WaitingTooLong&) const { runtime.time_out(partition, step); }
    void operator()(const typename Shard::Timer& timer) const {
      runtime.shard(partition).timer_passed(timer, step);
    }
  };

  Partition& at(std::int32_t partition) { return partitions_[static_cast<std::size_t>(partition)]; }
  const Partition& at(std::int32_t partition) const {
    return partitions_[static_cast<std::size_t>(partition)];
  }
  Shard& shard(std::int32_t partition) { return *at(partition).shard; }
  Step<Shard> step(std::int32_t partition, node::Env env, node::Effects& out) {
    return Step<Shard>(env, out, *this, partition);
  }

  static void replay_record(Shard& shard, const Record& record,
                            const std::optional<TransactionalWriter>& writer, Changes* uncommitted) {
    if constexpr (requires { shard.replay_pending(record, ProducerId{}, uncommitted); }) {
      if (writer) return shard.replay_pending(record, writer->producer_id, uncommitted);
    }
    shard.replay(record, uncommitted);
  }
  static void replay_marker(Shard& shard, ProducerId producer_id, bool committed, Changes* uncommitted) {
    if constexpr (requires { shard.replay_marker(producer_id, committed, uncommitted); })
      shard.replay_marker(producer_id, committed, uncommitted);
  }

  // ---- Batches

  Pending& open_batch(std::int32_t number, const Step<Shard>& step) {
    Partition& partition = at(number);
    if (partition.open) return partition.pending.back();
    partition.open = true;
    partition.pending.push_back(std::exchange(spare_, {}));
    Pending& batch = partition.pending.back();
    batch.records.reserve(records_in_last_);
    batch.id = next_write_++;
    batch.size_bytes = kBatchHeaderBytes;
    batch.writer = partition.writer;
    if (settings_.append_linger != Duration{}) {
      const Duration linger = std::max(Duration{}, settings_.append_linger);
      deadlines_.arm(partition.linger, Due{number, LingerOver{}}, step.env.now + linger);
    }
    return batch;
  }
  // The batch that took the record; a full one is written first.
  Pending& append(std::int32_t number, Record record, const Step<Shard>& step) {
    Pending* batch = &open_batch(number, step);
    std::int32_t size = record_size(record, std::ssize(batch->records));
    if (!batch->records.empty() && batch->size_bytes + size > settings_.max_batch_bytes) {
      flush(number);
      batch = &open_batch(number, step);
      size = record_size(record, 0);
    }
    batch->size_bytes += size;
    batch->records.push_back(std::move(record));
    return *batch;
  }
  void flush(std::int32_t number) {
    Partition& partition = at(number);
    SIM_CHECK(partition.open, "the linger deadline dies with its batch");
    partition.open = false;
    deadlines_.cancel(partition.linger);
    Pending& batch = partition.pending.back();
    records_in_last_ = std::min<std::size_t>(batch.records.size(), kMostRecordsExpected);
    writes_.push_back(Write{batch.id, partition.tp, std::exchange(batch.records, {}), batch.writer, {}});
  }
  // The operation has written all it will.
  void end_operation(std::int32_t number) {
    if (at(number).open && settings_.append_linger == Duration{}) flush(number);
  }
  void defer(std::int32_t number, Deferred work, Duration timeout, const Step<Shard>& step) {
    Partition& partition = at(number);
    if (partition.pending.empty()) return partition.shard->succeeded(work, step);
    const LocalTime deadline = step.env.now + timeout;
    partition.pending.back().waiting.push_back(Waiting{deadline, false, std::move(work)});
    if (!deadlines_.is_armed(partition.waiting_too_long) || deadline < partition.waiting_until)
      await(number, deadline);
  }
  void await(std::int32_t number, LocalTime deadline) {
    at(number).waiting_until = deadline;
    deadlines_.arm(at(number).waiting_too_long, Due{number, WaitingTooLong{}}, deadline);
  }

  // ---- Outcomes

  // The first `count` of the pending batches are committed.
  void commit(std::size_t count, const Step<Shard>& step) {
    Partition& partition = at(step.partition_);
    for (; count > 0; --count) {
      Pending batch = std::move(partition.pending.front());
      partition.pending.erase(partition.pending.begin());
      partition.shard->committed(batch.changes, step);
      for (Waiting& waiting : batch.waiting) {
        if (!waiting.done) partition.shard->succeeded(waiting.work, step);
      }
      batch.changes.clear();
      batch.waiting.clear();
      batch.writer.reset();
      spare_ = std::move(batch);  // the next batch is likely to be as large
    }
  }
  void fail(std::size_t index, ErrorCode error, const Step<Shard>& step) {
    Partition& partition = at(step.partition_);
    Pending batch = std::move(partition.pending[index]);
    partition.pending.erase(partition.pending.begin() + static_cast<std::ptrdiff_t>(index));
    std::vector<const Changes*> standing;
    for (const Pending& other : partition.pending) standing.push_back(&other.changes);
    partition.shard->revert(batch.changes, standing, index == partition.pending.size(), error, step);
    for (Waiting& waiting : batch.waiting) {
      if (!waiting.done) partition.shard->failed(waiting.work, error, step);
    }
  }
  // Whoever has waited too long for a write hears of it; the rest goes on waiting.
  void time_out(std::int32_t number, const Step<Shard>& step) {
    Partition& partition = at(number);
    std::vector<Deferred> given_up;
    std::optional<LocalTime> next;
    for (Pending& batch : partition.pending) {
      for (Waiting& waiting : batch.waiting) {
        if (waiting.done) continue;
        if (waiting.deadline > step.env.now) {
          next = std::min(next.value_or(waiting.deadline), waiting.deadline);
        } else {
          waiting.done = true;
          given_up.push_back(std::move(waiting.work));
        }
      }
    }
    for (Deferred& work : given_up) partition.shard->failed(work, ErrorCode::request_timed_out, step);
    if (next) await(number, *next);
  }

  // The process's timer stands at or before the next deadline; it is moved only to an earlier time.
  void set_timer(node::Effects& out) {
    const std::optional<LocalTime> next = deadlines_.next_entry();
    if (!next) {
      if (timer_set_) out.emplace_back(node::CancelTimer{settings_.timer});
      timer_set_.reset();
    } else if (!timer_set_ || *next < *timer_set_) {
      out.emplace_back(node::SetTimer{settings_.timer, *next});
      timer_set_ = next;
    }
  }

  static constexpr std::size_t kMostRecordsExpected = 64;

  RuntimeConfig settings_;
  Config config_;
  std::vector<Partition> partitions_;
  std::optional<LocalTime> timer_set_;
  Deadlines<Due> deadlines_;
  WriteId next_write_ = 1;
  std::vector<Write> writes_;
  Pending spare_;  // empty, but for what its vectors have allocated
  std::size_t records_in_last_ = 0;
};

}  // namespace sim::coordinator
