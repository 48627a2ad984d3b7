#include "workload/pooled_member.h"

#include <algorithm>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/contains.h"
#include "client/consumer.h"

namespace sim::workload {
namespace {

using client::Consumer;
using client::PolledRecords;

constexpr node::TimerId kPoolStartTimer{node::Part::application, 0};
node::TimerId worker_timer(std::size_t worker) {
  return {node::Part::application, static_cast<std::uint16_t>(worker + 1)};
}

class PooledMember final : public node::Node {
 public:
  explicit PooledMember(const ServiceMemberBoot& boot)
      : service_(boot.service),
        member_(boot.member),
        spec_(boot.spec),
        service_times_(boot.rng.child("service-time")),
        consumer_(consumer_config(boot), client::ConsumerIdentity{boot.service, boot.member}, boot.self,
                  boot.bootstrap),
        workers_(static_cast<std::size_t>(boot.spec.workers)) {}

  std::unique_ptr<node::Node> clone() const override { return std::make_unique<PooledMember>(*this); }

  void step(node::Input& input, node::Env env, node::Effects& out) override {
    handle(input, env, out);
    if (stopping_ && (stage_ == Stage::before_start || consumer_.closed())) out.emplace_back(node::Exit{});
  }

 private:
  enum class Stage : std::uint8_t { before_start, polling, draining, committing, closing };
  struct Task {
    TopicPartition tp;
    Offset offset = 0;
    LeaderEpoch leader_epoch = kNoLeaderEpoch;
    RecordId record;
    std::int64_t key = -1;
  };
  struct Progress {  // of a partition
    std::set<Offset> unfinished;
    Offset next = 0;                            // behind the last that was polled
    Offset highest = kNoOffset;                 // behind the last that is finished
    LeaderEpoch leader_epoch = kNoLeaderEpoch;  // of what was polled last
    Offset committed = kNoOffset;               // asked for last
  };

  void handle(node::Input& input, node::Env env, node::Effects& out) {
    if (std::holds_alternative<node::Started>(input)) return start_later(env, out);
    if (std::holds_alternative<node::StopRequested>(input)) {
      stopping_ = true;
      if (stage_ == Stage::polling) drain(env, out);
      return;
    }
    if (const auto* fired = std::get_if<node::TimerFired>(&input);
        fired != nullptr && fired->timer.part == node::Part::application) {
      if (fired->timer == kPoolStartTimer) return start(env, out);
      for (std::size_t worker = 0; worker < workers_.size(); ++worker) {
        if (fired->timer == worker_timer(worker)) return finished(worker, env, out);
      }
      return;
    }
    const bool call_poll = consumer_.step(input, env, out);
    if (call_poll && stage_ == Stage::polling) poll(env, out);
    if (stage_ == Stage::committing && consumer_.take_commit_result()) close(env, out);
  }

  void start_later(node::Env env, node::Effects& out) {
    if (spec_.start_at <= env.now.time_since_epoch()) return start(env, out);
    out.emplace_back(node::SetTimer{kPoolStartTimer, LocalTime{spec_.start_at}});
  }
  void start(node::Env env, node::Effects& out) {
    stage_ = Stage::polling;
    next_commit_ = env.now + from_millis(spec_.consumer.auto_commit_interval_ms);
    consumer_.subscribe({spec_.topic}, env, out);
    poll(env, out);
  }

  // ---- The thread that polls

  void poll(node::Env env, node::Effects& out) {
    for (;;) {
      if (has_room()) {
        consumer_.resume();
      } else {
        consumer_.pause();
      }
      const Consumer::Poll result = consumer_.poll(polled_, env, out);
      forget_revoked();
      if (result == Consumer::Poll::failed) return close(env, out);
      if (result == Consumer::Poll::waiting) return;
      for (const PolledRecords& range : polled_) enqueue(range);
      dispatch(env, out);
    }
  }

  // It polls ahead of its workers, up to what one more poll() may return.
  bool has_room() const { return std::cmp_less(queue_.size(), spec_.consumer.max_poll_records); }

  void enqueue(const PolledRecords& range) {
    Progress& progress = progress_[range.tp];
    progress.leader_epoch = range.leader_epoch;
    for (std::int32_t index = range.first; index < range.end; ++index) {
      const auto at = static_cast<std::size_t>(index);
      const Record& record = range.batch->application_records()[at];
      const Offset offset = range.base_offset + range.batch->offset_delta(at);
      progress.unfinished.insert(offset);
      progress.next = offset + 1;
      queue_.push_back(Task{range.tp, offset, range.leader_epoch, record.id, record.key});
    }
  }

  // What was taken away is not committed any more, whoever finishes it.
  void forget_revoked() {
    for (const client::RebalanceEvent& event : consumer_.take_rebalance_events()) {
      if (event.kind == client::RebalanceEvent::Kind::assigned) continue;
      for (const TopicPartition tp : event.partitions) progress_.erase(tp);
    }
  }

  // Commits what has been finished since the last time (commitAsync).
  void commit_finished(node::Env env, node::Effects& out) {
    std::vector<OffsetCommitRequest::Partition> offsets = finished_offsets();
    if (!offsets.empty()) consumer_.commit_async(std::move(offsets), env, out);
  }
  std::vector<OffsetCommitRequest::Partition> finished_offsets() {
    std::vector<OffsetCommitRequest::Partition> offsets;
    if (spec_.commit != CommitMode::after_batch) return offsets;
    for (auto& [tp, progress] : progress_) {
      const Offset low_water = progress.unfinished.empty() ? progress.next : *progress.unfinished.begin();
      const Offset position = spec_.commit_position == CommitPosition::highest ? progress.highest : low_water;
      if (position <= progress.committed || progress.highest == kNoOffset) continue;
      progress.committed = position;
      offsets.push_back(OffsetCommitRequest::Partition{tp, position, progress.leader_epoch});
    }
    return offsets;
  }

  // ---- Workers

  // Gives work to whoever has none, in the order of arrival as far as WorkOrder allows.
  void dispatch(node::Env env, node::Effects& out) {
    for (std::size_t worker = 0; worker < workers_.size(); ++worker) {
      while (!workers_[worker]) {
        const auto next = next_task();
        if (next == queue_.end()) return;
        const Task task = *next;
        queue_.erase(next);
        node::report(out, observe::ProcessingStarted{service_, member_, task.tp, task.offset, task.record});
        const Duration time = scaled(Duration{spec_.service_time.sample(service_times_)}, env.cpu_factor);
        if (time <= Duration{0}) {
          done(task, out);
          continue;
        }
        workers_[worker] = task;
        out.emplace_back(node::SetTimer{worker_timer(worker), env.now + time});
      }
    }
  }
  std::deque<Task>::iterator next_task() {
    if (spec_.order == WorkOrder::none) return queue_.begin();
    std::vector<std::pair<TopicPartition, std::int64_t>> busy;
    for (const std::optional<Task>& task : workers_) {
      if (task) busy.push_back(lane_of(*task));
    }
    return std::find_if(queue_.begin(), queue_.end(), [&](const Task& task) {
      if (spec_.order == WorkOrder::key && task.key < 0) return true;
      return !contains(busy, lane_of(task));
    });
  }
  // Two tasks of one lane are not handled side by side. The first of a lane in the queue is its oldest.
  std::pair<TopicPartition, std::int64_t> lane_of(const Task& task) const {
    if (spec_.order == WorkOrder::partition) return {task.tp, -1};
    return {TopicPartition{}, task.key};
  }

  void finished(std::size_t worker, node::Env env, node::Effects& out) {
    done(*std::exchange(workers_[worker], std::nullopt), out);
    dispatch(env, out);
    if (stage_ == Stage::draining) return drain(env, out);
    if (stage_ != Stage::polling) return;
    if (queue_.empty() || env.now >= next_commit_) {
      next_commit_ = env.now + from_millis(spec_.consumer.auto_commit_interval_ms);
      commit_finished(env, out);
    }
    if (has_room()) poll(env, out);
  }
  void done(const Task& task, node::Effects& out) {
    node::report(out, observe::ProcessingDone{service_, member_, task.tp, task.offset, task.record});
    const auto progress = progress_.find(task.tp);
    if (progress == progress_.end()) return;
    progress->second.unfinished.erase(task.offset);
    progress->second.highest = std::max(progress->second.highest, task.offset + 1);
  }

  // ---- The end

  void drain(node::Env env, node::Effects& out) {
    stage_ = Stage::draining;
    const bool idle =
        std::none_of(workers_.begin(), workers_.end(), [](const auto& one) { return one.has_value(); });
    if (!queue_.empty() || !idle) return;
    std::vector<OffsetCommitRequest::Partition> offsets = finished_offsets();
    if (offsets.empty()) return close(env, out);
    stage_ = Stage::committing;
    consumer_.leave_poll();
    consumer_.commit_sync(std::move(offsets), env, out);
    if (consumer_.take_commit_result()) close(env, out);
  }
  void close(node::Env env, node::Effects& out) {
    stage_ = Stage::closing;
    consumer_.close(env, out);
  }

  observe::ServiceId service_;
  std::int32_t member_;
  ServiceSpec spec_;
  Rng service_times_;
  Consumer consumer_;
  Stage stage_ = Stage::before_start;
  bool stopping_ = false;
  std::vector<PolledRecords> polled_;
  std::deque<Task> queue_;  // waits for a worker
  std::vector<std::optional<Task>> workers_;
  std::map<TopicPartition, Progress> progress_;
  LocalTime next_commit_{};
};

}  // namespace

std::unique_ptr<node::Node> boot_pooled_member(const ServiceMemberBoot& boot) {
  return std::make_unique<PooledMember>(boot);
}

}  // namespace sim::workload
