// What became of orders, once the facts are known: whether they were lost, why, and how long each stage of
// their way took.
#include <algorithm>
#include <unordered_map>
#include <utility>

#include "base/contains.h"
#include "metrics/order_ledger.h"

namespace sim::metrics {

const char* name(Stage stage) {
  switch (stage) {
    case Stage::send_wait: return "send_wait";
    case Stage::linger: return "linger";
    case Stage::retry: return "retry";
    case Stage::network: return "network";
    case Stage::request_queue: return "request_queue";
    case Stage::append: return "append";
    case Stage::replication: return "replication";
    case Stage::fetch_wait: return "fetch_wait";
    case Stage::consumer_queue: return "consumer_queue";
    case Stage::service: return "service";
  }
  return "?";
}

const char* name(Outcome outcome) {
  switch (outcome) {
    case Outcome::fulfilled: return "fulfilled";
    case Outcome::failed: return "failed";
    case Outcome::lost: return "lost";
    case Outcome::open: return "open";
  }
  return "?";
}

const ServiceSet& OrderLedger::wanted_by(RecordId id) const {
  static const ServiceSet nobody;
  const auto flow = static_cast<std::size_t>(flow_of(id).value());
  return flow < spec_.services_of_flow.size() ? spec_.services_of_flow[flow] : nobody;
}

void OrderLedger::finish(Instant end, bool settled, const observe::ReplicaLogs* logs) {
  end_ = nanos(end);
  settled_ = settled;
  if (logs != nullptr) {
    logs->partitions().for_each([&](TopicPartition tp, const observe::ReplicaLogs::Partition& log) {
      Partition* partition = partitions_.find(tp);
      const Offset last = logs->final_end(log);
      if (partition != nullptr && last < std::ssize(partition->orders)) drop_from(*partition, last);
    });
  }
  find_duplicates();
  for (AbortedRead& one : unstable_reads_)
    one.is_aborted = is_aborted_at(*partitions_.find(one.tp), one.offset);
  std::erase_if(unstable_reads_, [](const AbortedRead& one) { return !one.is_aborted; });
  std::sort(done_again_.begin(), done_again_.end(), [](const DoneAgain& a, const DoneAgain& b) {
    return std::pair(a.order, a.service) < std::pair(b.order, b.service);
  });
}

void OrderLedger::find_duplicates() {
  duplicates_.clear();
  std::vector<std::vector<bool>> seen(derived_.size() + 1);  // by hop
  partitions_.for_each([&](TopicPartition tp, const Partition& partition) {
    for (std::size_t offset = 0; offset < partition.orders.size(); ++offset) {
      const Index order = partition.orders[offset];
      if (order == kNone) continue;
      const auto here = static_cast<Offset>(offset);
      if (!partition.aborted.empty() && is_aborted_at(partition, here)) continue;
      const std::int32_t hop = hop_at(partition, offset);
      std::vector<bool>& of_hop = seen[static_cast<std::size_t>(hop)];
      if (of_hop.empty()) of_hop.resize(orders_.size(), false);
      if (of_hop[order]) {
        duplicates_.push_back(
            Duplicate{order, tp, here, copied_at(tp, here - row_of(order, hop).index_in_batch)});
      }
      of_hop[order] = true;
    }
  });
}

std::int64_t OrderLedger::copied_at(TopicPartition tp, Offset base_offset) const {
  const auto found = copies_.find({tp, base_offset});
  return found == copies_.end() ? kNever : found->second;
}

const OrderLedger::Batch& OrderLedger::batch_of(const Order& order) const {
  static const Batch none{};
  return order.batch == kNone ? none : batches_[order.batch];
}

const OrderLedger::Service& OrderLedger::service(Index index, std::size_t service) const {
  return service_rows_[index * spec_.services + service];
}

OrderLedger::RecordRow OrderLedger::row_read(Index index, std::size_t s) const {
  if (spec_.hops.empty()) return row_of(index, 0);
  const std::size_t maker = upstream(index, s);
  return row_of(index, maker == spec_.services ? 0 : spec_.hops[maker].makes);
}

std::size_t OrderLedger::upstream(Index index, std::size_t s) const {
  if (spec_.hops.empty() || contains(spec_.hops[s].reads, 0)) return spec_.services;
  std::size_t found = spec_.services;
  for (std::size_t maker = 0; maker < spec_.services; ++maker) {
    const std::int32_t hop = spec_.hops[maker].makes;
    if (hop == 0 || !contains(spec_.hops[s].reads, hop)) continue;
    if (row_of(index, hop).batch != kNone) return maker;
    if (found == spec_.services) found = maker;
  }
  return found;
}

const OrderLedger::Batch& OrderLedger::batch_read(Index index, std::size_t s) const {
  static const Batch none{};
  const RecordRow row = row_read(index, s);
  return row.batch == kNone ? none : batches_[row.batch];
}

Offset OrderLedger::offset_read(Index index, std::size_t s) const {
  const Batch& batch = batch_read(index, s);
  return batch.base_offset == kNoOffset ? kNoOffset : batch.base_offset + row_read(index, s).index_in_batch;
}

bool OrderLedger::wants(const Order& order, std::size_t service) const {
  return wanted_by(order.id).has(service);
}

ProcessId OrderLedger::process_of(std::size_t s, std::int32_t member) const {
  if (s >= members_.size() || member < 0 || std::cmp_greater_equal(member, members_[s].size()))
    return kNoProcess;
  return members_[s][static_cast<std::size_t>(member)];
}

bool OrderLedger::is_fulfilled(const Order& order) const {
  return order.services_left == 0 && (!wanted_by(order.id).empty() || batch_of(order).acknowledged != kNever);
}

Offset OrderLedger::offset_of(const Order& order) const {
  const Batch& batch = batch_of(order);
  return batch.base_offset == kNoOffset ? kNoOffset : batch.base_offset + order.index_in_batch;
}

std::int64_t OrderLedger::stopped_at(ProcessId process) const {
  const auto index = static_cast<std::size_t>(process.value());
  return process != kNoProcess && index < stopped_.size() ? stopped_[index] : kNever;
}

// Returned by poll() to a member that still lives: it will be handled, whatever was committed.
bool OrderLedger::in_hand(Index index, const Service& row, std::size_t service) const {
  if (settled_ || row.fetched == kNever || row.done != kNever || is_passed_over(index, row, service))
    return false;
  return row.fetched > stopped_at(members_[service][static_cast<std::size_t>(row.member)]);
}

bool OrderLedger::lost_for(Index index, std::size_t service) const {
  const Order& order = orders_[index];
  const std::size_t maker = upstream(index, service);
  const Batch& batch = batch_read(index, service);
  const Service& row = service_rows_[index * spec_.services + service];
  if (!wants(order, service) || row.done != kNever) return false;
  if (maker != spec_.services && !batch.is_live()) {  // nothing was sent on, and nothing will be
    if (lost_for(index, maker)) return true;
    const Batch& read = batch_read(index, maker);
    return read.is_live() && offset_read(index, maker) < committed(read.tp, maker) &&
           service_rows_[index * spec_.services + maker].done != kNever;
  }
  if (batch.acknowledged == kNever && maker == spec_.services) return false;
  if (batch.is_aborted) return false;
  if (in_hand(index, row, service)) return false;
  if (!batch.in_log) return batch.appended != kNever || settled_;  // acks=0 does not wait for the append
  // Its group has committed past it: perhaps before the log lost what was there, and this took its place.
  if (offset_read(index, service) < committed(batch.tp, service)) return true;
  return (maker == spec_.services && is_deleted(order)) || is_skipped(index, service);
}

bool OrderLedger::is_passed_over(Index index, const Service& row, std::size_t s) const {
  const Partition* partition = partitions_.find(batch_read(index, s).tp);
  if (partition == nullptr || s >= partition->started.size() || row.fetched == kNever ||
      row.started != kNever || (s < spec_.works_out_of_order.size() && spec_.works_out_of_order[s]))
    return false;
  const Partition::Started& latest = partition->started[s];
  return latest.at >= row.fetched && latest.offset > offset_read(index, s);
}

bool OrderLedger::is_deleted(const Order& order) const {
  return deleted_at(order) != kNever;
}

std::int64_t OrderLedger::deleted_at(const Order& order) const {
  const Batch& batch = batch_of(order);
  const Partition* partition = partitions_.find(batch.tp);
  if (partition == nullptr || !batch.in_log) return kNever;
  const auto& starts = partition->log_starts;
  const auto above =
      std::upper_bound(starts.begin(), starts.end(), offset_of(order),
                       [](Offset offset, const Reached& start) { return offset < start.offset; });
  return above == starts.end() ? kNever : above->at;
}

std::int64_t OrderLedger::compacted_at(const Order& order) const {
  const Batch& batch = batch_of(order);
  const Partition* partition = partitions_.find(batch.tp);
  if (partition == nullptr || !batch.in_log) return kNever;
  std::int64_t by_another = kNever;
  for (const Cleaned& one : partition->cleaned) {
    if (one.end.offset <= offset_of(order) || one.end.at < batch.appended) continue;
    if (one.broker == partition->leader) return one.end.at;
    if (by_another == kNever) by_another = one.end.at;
  }
  return by_another;
}

const OrderLedger::ReplacedLeader* OrderLedger::replaced_leader(const Order& order) const {
  const auto found = replaced_.find(order.batch);
  return found == replaced_.end() ? nullptr : &found->second;
}

std::int64_t OrderLedger::done_again_at(Index index, std::size_t s) const {
  const std::pair wanted(index, static_cast<std::uint32_t>(s));
  const auto found = std::lower_bound(
      done_again_.begin(), done_again_.end(), wanted,
      [](const DoneAgain& one, const auto& of) { return std::pair(one.order, one.service) < of; });
  return found != done_again_.end() && std::pair(found->order, found->service) == wanted ? found->at : kNever;
}

std::int64_t OrderLedger::last_refused(TopicPartition tp) const {
  const Partition* partition = partitions_.find(tp);
  return partition == nullptr ? kNever : partition->last_refused;
}

bool OrderLedger::is_skipped(Index index, std::size_t s) const {
  const Partition* partition = partitions_.find(batch_read(index, s).tp);
  return partition != nullptr && s < partition->skipped_below.size() &&
         offset_read(index, s) < partition->skipped_below[s];
}

std::int64_t OrderLedger::skipped_at(Index index, std::size_t s) const {
  return is_skipped(index, s) ? partitions_.find(batch_read(index, s).tp)->skipped_at[s] : kNever;
}

bool OrderLedger::lost_acked(Index index) const {
  const Batch& batch = batch_of(orders_[index]);
  if (batch.is_aborted) return false;
  return batch.acknowledged != kNever && !batch.in_log && (batch.appended != kNever || settled_);
}

bool OrderLedger::lost_for_group(Index index, std::size_t service) const {
  return batch_of(orders_[index]).is_live() && lost_for(index, service);
}

std::vector<OrderLedger::Index> OrderLedger::reordered(std::size_t s) const {
  struct Key {
    std::int64_t last_done = kNever;
    bool is_told = false;
  };
  std::vector<std::unordered_map<std::int64_t, Key>> keys(index_of_.size());  // by flow
  std::vector<Index> result;
  for (Index i = 0; i < orders_.size(); ++i) {
    const Order& order = orders_[i];
    const std::int64_t done = service_rows_[i * spec_.services + s].done;
    if (order.key < 0 || done == kNever) continue;
    Key& key = keys[static_cast<std::size_t>(flow_of(order.id).value())][order.key];
    if (done < key.last_done && !std::exchange(key.is_told, true)) result.push_back(i);
    key.last_done = std::max(key.last_done, done);
  }
  return result;
}

Outcome OrderLedger::outcome(Index index) const {
  const Order& order = orders_[index];
  if (order.failed != kNever) return Outcome::failed;
  if (is_fulfilled(order)) return Outcome::fulfilled;
  for (std::size_t s = 0; s < spec_.services; ++s) {
    if (lost_for(index, s)) return Outcome::lost;
  }
  return Outcome::open;
}

std::size_t OrderLedger::last_service(Index index) const {
  std::size_t last = spec_.services;
  for (std::size_t s = 0; s < spec_.services; ++s) {
    const std::int64_t done = service(index, s).done;
    if (done == kNever || !wants(orders_[index], s)) continue;
    if (last == spec_.services || done > service(index, last).done) last = s;
  }
  return last;
}

std::int64_t OrderLedger::ended(Index index) const {
  const Order& order = orders_[index];
  switch (outcome(index)) {
    case Outcome::fulfilled: {
      const std::size_t last = last_service(index);
      return last == spec_.services ? batch_of(order).acknowledged : service(index, last).done;
    }
    case Outcome::failed:
    case Outcome::lost:
    case Outcome::open: return end_;
  }
  return end_;
}

std::int64_t OrderLedger::ended(Index index, std::size_t s) const {
  const std::int64_t done = service(index, s).done;
  return done == kNever ? end_ : done;
}

std::int64_t OrderLedger::answered(Index index) const {
  const Order& order = orders_[index];
  if (order.failed != kNever) return order.failed;
  const std::int64_t acknowledged = batch_of(order).acknowledged;
  return acknowledged == kNever ? end_ : acknowledged;
}

std::array<std::int64_t, kStages> OrderLedger::stages(Index index, std::size_t s) const {
  std::array<std::int64_t, kStages> stages{};
  std::int64_t before = orders_[index].intended;
  const std::size_t sender = upstream(index, s);
  if (sender != spec_.services) {  // its way to there, and then that of what was sent on
    stages = this->stages(index, sender);
    if (service(index, sender).done == kNever) return stages;
    before = ended(index, sender);
  }
  const Batch& batch = batch_read(index, s);
  const Service& row = service(index, s);
  const std::int64_t end_of[kStages] = {
      row_read(index, s).accepted, batch.batched, batch.sent,  batch.received, batch.dequeued, batch.appended,
      batch.high_watermark,        row.fetched,   row.started, row.done};
  std::size_t reached = kStages;
  while (reached > 0 && end_of[reached - 1] == kNever) --reached;
  const std::int64_t end = ended(index, s);
  for (std::size_t stage = 0; stage < reached; ++stage) {
    const std::int64_t stamp =
        std::clamp(end_of[stage], before, std::max(before, end));  // one that is missing takes no time
    stages[stage] += stamp - before;
    before = stamp;
  }
  if (reached < kStages) stages[reached] += end - before;
  return stages;
}

// ---- How far a partition is

Offset OrderLedger::high_watermark(TopicPartition tp) const {
  const Partition* partition = partitions_.find(tp);
  return partition == nullptr ? 0 : partition->high_watermark;
}

Offset OrderLedger::readable_end(TopicPartition tp) const {
  const Partition* partition = partitions_.find(tp);
  if (partition == nullptr) return 0;
  Offset end = std::min(partition->high_watermark, std::ssize(partition->orders));
  while (end > 0 && (partition->orders[static_cast<std::size_t>(end - 1)] == kNone ||
                     is_aborted_at(*partition, end - 1)))
    --end;
  return end;
}

Offset OrderLedger::committed(TopicPartition tp, std::size_t s) const {
  const Partition* partition = partitions_.find(tp);
  return partition == nullptr || s >= partition->committed.size() ? 0 : partition->committed[s];
}

bool OrderLedger::reads(TopicPartition tp, std::size_t s) const {
  const Partition* partition = partitions_.find(tp);
  return partition != nullptr && partition->services.has(s);
}

std::int64_t OrderLedger::appended_at(TopicPartition tp, Offset offset) const {
  const Partition* partition = partitions_.find(tp);
  if (partition == nullptr || static_cast<std::size_t>(offset) >= partition->orders.size()) return kNever;
  const Index index = partition->orders[static_cast<std::size_t>(offset)];
  if (index == kNone) return kNever;
  const RecordRow row = row_of(index, hop_at(*partition, static_cast<std::size_t>(offset)));
  return row.batch == kNone ? kNever : batches_[row.batch].appended;
}

}  // namespace sim::metrics
