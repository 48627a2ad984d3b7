#include "metrics/order_ledger.h"

#include <algorithm>
#include <utility>

#include "base/contains.h"
#include "protocol/messages.h"

namespace sim::metrics {

namespace {

template <class T>
T& at_index(std::vector<T>& items, std::size_t index, const T& filler) {
  if (index >= items.size()) items.resize(index + 1, filler);
  return items[index];
}

std::string joined(const std::vector<NodeId>& isr) {
  std::string text;
  for (const NodeId broker : isr) {
    if (!text.empty()) text += ';';
    text += std::to_string(broker.value());
  }
  return text;
}

// The broker has answered, so this attempt cannot be appended any more.
bool refused_by_broker(ErrorCode error) {
  return error != ErrorCode::network_exception && error != ErrorCode::request_timed_out;
}

}  // namespace

OrderLedger::OrderLedger(LedgerSpec spec) : spec_(std::move(spec)), isrs_(1) {}

// ---- At the producer

void OrderLedger::on(const observe::OrderPlaced& fact) {
  const auto index = static_cast<Index>(orders_.size());
  const ServiceSet& wanted = wanted_by(fact.record);
  Order order;
  order.id = fact.record;
  order.key = fact.key;
  order.intended = fact.intended_ns;
  order.value_bytes = fact.value_bytes;
  for (std::size_t s = 0; s < spec_.services; ++s) {
    if (wanted.has(s)) ++order.services_left;
    service_rows_.push_back(Service{});
  }
  orders_.push_back(order);
  auto& numbers = at_index(index_of_, static_cast<std::size_t>(fact.flow.value()), {});
  at_index(numbers, static_cast<std::size_t>(number_of(fact.record)), kNone) = index;
  ++totals_.placed;
}

OrderLedger::Index OrderLedger::find(RecordId id) const {
  const auto flow = static_cast<std::size_t>(flow_of(id).value());
  const auto number = static_cast<std::size_t>(number_of(id));
  if (id == kNoRecord || flow >= index_of_.size() || number >= index_of_[flow].size()) return kNone;
  return index_of_[flow][number];
}

OrderLedger::RecordRow OrderLedger::row_of(Index order, std::int32_t hop) const {
  if (hop == 0) {
    const Order& row = orders_[order];
    return RecordRow{row.batch, row.index_in_batch, row.accepted, row.failed};
  }
  const auto which = static_cast<std::size_t>(hop - 1);
  if (which >= derived_.size() || order >= derived_[which].size()) return RecordRow{};
  return derived_[which][order];
}

OrderLedger::RecordRow& OrderLedger::derived_row(Index order, std::int32_t hop) {
  std::vector<RecordRow>& rows = at_index(derived_, static_cast<std::size_t>(hop - 1), {});
  return at_index(rows, order, RecordRow{});
}

OrderLedger::Index OrderLedger::batch_of_record(RecordId id) const {
  const Index order = find(id);
  return order == kNone ? kNone : row_of(order, hop_of(id)).batch;
}

void OrderLedger::on(const observe::RecordAccepted& fact, const observe::Observation& seen) {
  const Index index = find(fact.record);
  if (index == kNone) return;
  const std::int32_t hop = hop_of(fact.record);
  (hop == 0 ? orders_[index].accepted : derived_row(index, hop).accepted) = nanos(seen.at);
}

void OrderLedger::on(const observe::RecordFailed& fact, const observe::Observation& seen) {
  const Index index = find(fact.record);
  if (index == kNone) return;
  if (const std::int32_t hop = hop_of(fact.record); hop != 0) {
    derived_row(index, hop).failed = nanos(seen.at);
    return;
  }
  if (orders_[index].failed != kNever) return;
  orders_[index].failed = nanos(seen.at);
  orders_[index].error = fact.error;
  ++totals_.failed;
  if (!is_fulfilled(orders_[index])) ++totals_.ended;
}

OrderLedger::Index OrderLedger::batch_index(const BatchDataPtr& data) const {
  const auto& records = data->application_records();
  return records.empty() ? kNone : batch_of_record(records.front().id);
}

void OrderLedger::on(const observe::BatchDrained& fact, const observe::Observation& seen) {
  const std::int64_t at = nanos(seen.at);
  const auto& records = fact.batch->application_records();
  if (records.empty()) return;
  const Index known = batch_index(fact.batch);
  const bool is_made_again = hop_of(records.front().id) != 0 && fact.attempt == 0;
  if (known != kNone && batches_[known].record_count == records.size() && !is_made_again) {
    if (batches_[known].attempts == 1) totals_.retried += records.size();
    ++batches_[known].attempts;
    return sent_again(known, at);
  }
  const Index index = open_batch(fact, at);
  if (known != kNone && !is_made_again)
    batches_[index].batched = batches_[known].batched;  // a part of one that was split
}

OrderLedger::Index OrderLedger::open_batch(const observe::BatchDrained& fact, std::int64_t at) {
  const auto index = static_cast<Index>(batches_.size());
  Batch batch;
  batch.tp = fact.tp;
  batch.batched = at;
  batch.sent = at;
  batch.attempts = 1;
  const auto& records = fact.batch->application_records();
  batch.record_count = static_cast<std::uint32_t>(records.size());
  batches_.push_back(batch);
  for (std::size_t i = 0; i < records.size(); ++i) {
    const Index order = find(records[i].id);
    if (order == kNone) continue;
    if (const std::int32_t hop = hop_of(records[i].id); hop != 0) {
      RecordRow& row = derived_row(order, hop);
      row.batch = index;
      row.index_in_batch = static_cast<std::uint32_t>(i);
      continue;
    }
    orders_[order].batch = index;
    orders_[order].index_in_batch = static_cast<std::uint32_t>(i);
  }
  return index;
}

// An attempt that never arrived is forgotten: its connection is gone. One that did arrive may still be
// appended.
void OrderLedger::sent_again(Index index, std::int64_t at) {
  Batch& batch = batches_[index];
  if (batch.high_watermark != kNever) return;
  if (!batch.in_log && batch.received == kNever) {
    batch.sent = at;
    return;
  }
  auto& more = more_attempts_[index];
  if (more.empty() || more.back().received != kNever) more.push_back(Attempt{});
  more.back().sent = at;
}

void OrderLedger::on(const observe::BatchAcknowledged& fact, const observe::Observation& seen) {
  const std::int64_t at = nanos(seen.at);
  const Index index = batch_index(fact.batch);
  if (index == kNone) return;
  Batch& batch = batches_[index];
  if (fact.error == ErrorCode::none && batch.acknowledged == kNever) {
    batch.acknowledged = at;
    if (hop_of(fact.batch->application_records().front().id) != 0) return;
    totals_.acknowledged += batch.record_count;
    if (wanted_by(fact.batch->application_records().front().id).empty()) {  // nobody is to handle them
      totals_.fulfilled += batch.record_count;
      totals_.ended += batch.record_count;
    }
  }
  if (fact.error != ErrorCode::none || !refusals_.empty()) answered(batch.tp, fact.error, at);
  if (!fact.will_retry) {
    more_attempts_.erase(index);
  } else if (refused_by_broker(fact.error)) {
    more_attempts_.erase(index);
    if (!batch.in_log) batch.received = batch.dequeued = kNever;
  }
}

// What is refused again within a second of having been taken is the same trouble: acks=1 is taken where
// acks=all is not.
void OrderLedger::answered(TopicPartition tp, ErrorCode error, std::int64_t at) {
  constexpr std::int64_t kSameTrouble = 1'000'000'000;
  Partition& partition = partitions_[tp];
  Refusal* last = partition.refusal == kNone ? nullptr : &refusals_[partition.refusal];
  if (error == ErrorCode::none) {
    if (last != nullptr && last->to == kNever) last->to = at;
    return;
  }
  partition.last_refused = at;
  if (error != ErrorCode::not_enough_replicas && error != ErrorCode::not_enough_replicas_after_append &&
      error != ErrorCode::kafka_storage_error)
    return;
  if (last != nullptr && (last->to == kNever || at - last->to < kSameTrouble)) {
    last->to = kNever;
    return;
  }
  partition.refusal = static_cast<Index>(refusals_.size());
  refusals_.push_back({tp, error, at, kNever});
}

// ---- At the broker

void OrderLedger::on(const observe::RequestProgress& fact, const observe::Observation& seen) {
  if (fact.request == nullptr) return;
  if (fact.stage != observe::RequestStage::received && fact.stage != observe::RequestStage::dequeued) return;
  const auto* produce = std::get_if<ProduceRequest>(&fact.request->message);
  if (produce == nullptr) return;
  for (const ProduceRequest::Partition& partition : produce->partitions) {
    if (const Index index = batch_index(partition.batch); index != kNone)
      arrived(index, fact.stage, nanos(seen.at), seen.process);
  }
}

void OrderLedger::arrived(Index index, observe::RequestStage stage, std::int64_t at, ProcessId broker) {
  Batch& batch = batches_[index];
  const bool is_arrival = stage == observe::RequestStage::received;
  if (!batch.in_log &&
      (is_arrival ? batch.received == kNever : batch.leader == broker && batch.dequeued == kNever)) {
    (is_arrival ? batch.received : batch.dequeued) = at;
    batch.leader = broker;
    return;
  }
  const auto found = more_attempts_.find(index);
  if (found == more_attempts_.end()) return;
  for (Attempt& attempt : found->second) {
    if (is_arrival ? attempt.received != kNever : attempt.broker != broker || attempt.dequeued != kNever)
      continue;
    (is_arrival ? attempt.received : attempt.dequeued) = at;
    attempt.broker = broker;
    return;
  }
}

void OrderLedger::choose_attempt(Index index, ProcessId broker) {
  Batch& batch = batches_[index];
  if (!batch.in_log && batch.leader == broker && batch.dequeued != kNever) return;
  const auto found = more_attempts_.find(index);
  if (found == more_attempts_.end()) return;
  auto& more = found->second;
  const auto chosen = std::find_if(more.begin(), more.end(), [&](const Attempt& attempt) {
    return attempt.broker == broker && attempt.dequeued != kNever;
  });
  if (chosen == more.end()) return;
  batch.sent = chosen->sent;
  batch.received = chosen->received;
  batch.dequeued = chosen->dequeued;
  more.erase(more.begin(), chosen + 1);
}

void OrderLedger::on(const observe::BatchAppended& fact, const observe::Observation& seen) {
  const std::int64_t at = nanos(seen.at);
  if (fact.batch.data->end_transaction_marker() != nullptr) {
    Partition& partition = partitions_[fact.tp];
    if (fact.batch.leader_epoch >= partition.leader_epoch) end_transaction(partition, fact.batch, at);
    return;
  }
  if (fact.batch.data->application_records().empty()) return;
  Partition& partition = partitions_[fact.tp];
  const Index index = batch_index(fact.batch.data);
  if (fact.batch.leader_epoch < partition.leader_epoch) {
    // By one that does not know yet that it was replaced: in its log alone, which will be truncated.
    if (index != kNone && batches_[index].appended == kNever) {
      batches_[index].appended = at;
      batches_[index].leader = seen.process;
      replaced_[index] = ReplacedLeader{fact.broker, fact.batch.leader_epoch, partition.leader_id,
                                        partition.leader_epoch, partition.leader_since};
    }
    Apart& apart = apart_[observe::entry_of(fact.batch).content];
    apart.orders.clear();
    for (const Record& record : fact.batch.data->application_records())
      apart.orders.push_back(find(record.id));
    apart.hop = hop_of(fact.batch.data->application_records().front().id);
    return;
  }
  map_offsets(partition, fact.batch);
  if (index == kNone) return;
  Batch& batch = batches_[index];
  if (batch.in_log) {  // a second copy: a retry without idempotence
    copies_[{fact.tp, fact.batch.base_offset}] = at;
    return;
  }
  if (batch.high_watermark == kNever) {
    choose_attempt(index, seen.process);
    batch.appended = at;
    partition.awaiting.push_back(AwaitingHighWatermark{fact.batch.base_offset, index});
  }
  batch.leader = seen.process;
  batch.base_offset = fact.batch.base_offset;
  batch.in_log = true;
}

void OrderLedger::map_offsets(Partition& partition, const sim::Batch& appended) {
  const auto& records = appended.data->application_records();
  partition.orders.resize(static_cast<std::size_t>(appended.base_offset), kNone);
  for (const Record& record : records) partition.orders.push_back(find(record.id));
  const std::int32_t hop = hop_of(records.front().id);
  if (hop != 0 || !partition.hops.empty()) {
    partition.hops.resize(static_cast<std::size_t>(appended.base_offset), 0);
    partition.hops.resize(partition.orders.size(), static_cast<std::uint8_t>(hop));
  }
  if (spec_.hops.empty()) {
    partition.services.add_all(wanted_by(records.front().id));
  } else {
    for (std::size_t s = 0; s < spec_.services; ++s) {
      if (wanted_by(records.front().id).has(s) && contains(spec_.hops[s].reads, hop))
        partition.services.add(s);
    }
  }
  if (!appended.data->transactional) return;
  const auto of_it = [&](const OpenTransaction& one) {
    return one.producer_id == appended.data->producer_id;
  };
  auto open = std::find_if(partition.open.begin(), partition.open.end(), of_it);
  if (open == partition.open.end())
    open = partition.open.insert(open, OpenTransaction{appended.data->producer_id, {}});
  open->ranges.push_back({appended.base_offset, appended.end_offset()});
}

// ---- Transactions

void OrderLedger::end_transaction(Partition& partition, const sim::Batch& marker, std::int64_t at) {
  const auto of_it = [&](const OpenTransaction& one) { return one.producer_id == marker.data->producer_id; };
  const auto open = std::find_if(partition.open.begin(), partition.open.end(), of_it);
  if (open == partition.open.end()) return;
  const std::vector<OffsetRange> ranges = std::move(open->ranges);
  partition.open.erase(open);
  if (marker.data->end_transaction_marker()->committed) return;
  for (const OffsetRange range : ranges) abort(partition, range, at);
}

void OrderLedger::abort(Partition& partition, OffsetRange range, std::int64_t at) {
  const auto before = [](const OffsetRange& a, const OffsetRange& b) { return a.from < b.from; };
  partition.aborted.insert(
      std::upper_bound(partition.aborted.begin(), partition.aborted.end(), range, before), range);
  for (Offset offset = range.from; offset < range.to; ++offset) {
    const auto place = static_cast<std::size_t>(offset);
    if (place >= partition.orders.size() || partition.orders[place] == kNone) continue;
    const Index index = partition.orders[place];
    const std::int32_t hop = hop_at(partition, place);
    const RecordRow row = row_of(index, hop);
    if (row.batch != kNone && batches_[row.batch].base_offset + row.index_in_batch == offset)
      batches_[row.batch].is_aborted = true;
    Order& order = orders_[index];
    if (hop != 0 || order.failed != kNever) continue;
    order.failed = at;
    order.error = ErrorCode::transaction_abortable;
    ++totals_.failed;
    if (!is_fulfilled(order)) ++totals_.ended;
  }
}

bool OrderLedger::is_aborted_at(const Partition& partition, Offset offset) {
  const auto above = std::upper_bound(partition.aborted.begin(), partition.aborted.end(), offset,
                                      [](Offset at, const OffsetRange& range) { return at < range.from; });
  return above != partition.aborted.begin() && offset < std::prev(above)->to;
}

bool OrderLedger::is_open_at(const Partition& partition, Offset offset) {
  for (const OpenTransaction& open : partition.open) {
    for (const OffsetRange& range : open.ranges) {
      if (range.from <= offset && offset < range.to) return true;
    }
  }
  return false;
}

void OrderLedger::on(const observe::HighWatermarkAdvanced& fact, const observe::Observation& seen) {
  Partition& partition = partitions_[fact.tp];
  if (partition.leader != kNoProcess && partition.leader != seen.process) return;
  partition.high_watermark = fact.to;
  while (!partition.awaiting.empty() && partition.awaiting.front().base_offset < fact.to) {
    Batch& batch = batches_[partition.awaiting.front().batch];
    batch.high_watermark = nanos(seen.at);
    batch.isr = partition.isr;
    partition.awaiting.pop_front();
  }
}

void OrderLedger::on(const observe::TookOver& change, const observe::Observation& seen) {
  const observe::BecameLeader& fact = change.by;
  Partition& partition = partitions_[fact.tp];
  if (fact.leader_epoch > partition.leader_epoch) partition.leader_since = nanos(seen.at);
  partition.leader = seen.process;
  partition.leader_id = fact.broker;
  partition.leader_epoch = fact.leader_epoch;
  drop_from(partition, fact.epoch_start);
}

// Another replica's log is the log now, or this one's has got what its leader fetched before it led.
void OrderLedger::on(const observe::LeaderLogChange& change, const observe::Observation& seen) {
  Partition& partition = partitions_[change.tp];
  for (const observe::LogEntry& entry : change.dropped) set_apart(partition, entry);
  drop_from(partition, change.kept_end);
  for (const observe::LogEntry& entry : change.added) bring_back(change.tp, entry, nanos(seen.at));
}

void OrderLedger::set_apart(const Partition& partition, const observe::LogEntry& entry) {
  const auto end = static_cast<std::size_t>(entry.end_offset);
  const auto base = static_cast<std::size_t>(entry.base_offset());
  if (end > partition.orders.size() || entry.content == observe::LogEntry::kUnknown) return;
  const auto first = partition.orders.begin();
  Apart& apart = apart_[entry.content];
  apart.orders.assign(first + static_cast<std::ptrdiff_t>(base), first + static_cast<std::ptrdiff_t>(end));
  apart.hop = hop_at(partition, base);
}

void OrderLedger::bring_back(TopicPartition tp, const observe::LogEntry& entry, std::int64_t at) {
  Partition& partition = partitions_[tp];
  const auto found = apart_.find(entry.content);
  partition.orders.resize(static_cast<std::size_t>(entry.base_offset()), kNone);
  if (found != apart_.end())
    partition.orders.insert(partition.orders.end(), found->second.orders.begin(), found->second.orders.end());
  partition.orders.resize(static_cast<std::size_t>(entry.end_offset), kNone);
  const std::int32_t hop = found == apart_.end() ? 0 : found->second.hop;
  if (hop != 0 || !partition.hops.empty()) {
    partition.hops.resize(static_cast<std::size_t>(entry.base_offset()), 0);
    partition.hops.resize(partition.orders.size(), static_cast<std::uint8_t>(hop));
  }
  if (found == apart_.end() || found->second.orders.empty() || found->second.orders.front() == kNone) return;
  const Index index = row_of(found->second.orders.front(), hop).batch;
  if (index == kNone) return;
  Batch& batch = batches_[index];
  if (batch.in_log) {
    copies_[{tp, entry.base_offset()}] = at;
    return;
  }
  batch.in_log = true;
  batch.base_offset = entry.base_offset();
  if (batch.high_watermark == kNever)
    partition.awaiting.push_back(AwaitingHighWatermark{entry.base_offset(), index});
}

void OrderLedger::drop_from(Partition& partition, Offset end) {
  for (auto offset = static_cast<std::size_t>(end); offset < partition.orders.size(); ++offset) {
    if (partition.orders[offset] == kNone) continue;
    const Index index = row_of(partition.orders[offset], hop_at(partition, offset)).batch;
    if (index == kNone || batches_[index].base_offset < end) continue;
    Batch& batch = batches_[index];
    batch.in_log = false;
    if (batch.high_watermark == kNever)
      batch.received = batch.dequeued = kNever;  // another attempt will count
  }
  if (static_cast<std::size_t>(end) < partition.orders.size())
    partition.orders.resize(static_cast<std::size_t>(end));
  if (static_cast<std::size_t>(end) < partition.hops.size())
    partition.hops.resize(static_cast<std::size_t>(end));
  const auto is_dropped = [end](const OffsetRange& range) { return range.from >= end; };
  std::erase_if(partition.aborted, is_dropped);
  for (OpenTransaction& open : partition.open) std::erase_if(open.ranges, is_dropped);
  while (!partition.awaiting.empty() && partition.awaiting.back().base_offset >= end)
    partition.awaiting.pop_back();
}

void OrderLedger::on(const observe::LogStartRaised& fact, const observe::Observation& seen) {
  Partition& partition = partitions_[fact.tp];
  auto& starts = partition.log_starts;
  if (seen.process != partition.leader || (!starts.empty() && fact.to <= starts.back().offset)) return;
  starts.push_back(Reached{fact.to, nanos(seen.at)});
}

void OrderLedger::on(const observe::LogCleaned& fact, const observe::Observation& seen) {
  partitions_[fact.tp].cleaned.push_back(Cleaned{seen.process, Reached{fact.end, nanos(seen.at)}});
}

void OrderLedger::on(const observe::IsrChanged& fact) {
  std::string text = joined(fact.isr);
  auto found = std::find(isrs_.begin(), isrs_.end(), text);
  if (found == isrs_.end()) found = isrs_.insert(isrs_.end(), std::move(text));
  partitions_[fact.tp].isr = static_cast<std::uint16_t>(found - isrs_.begin());
}

// ---- At the services

void OrderLedger::on(const observe::RecordsPolled& fact, const observe::Observation& seen) {
  const auto s = static_cast<std::size_t>(fact.service.value());
  auto& members = at_index(members_, s, {});
  at_index(members, static_cast<std::size_t>(fact.member), kNoProcess) = seen.process;
  const Partition& partition = partitions_[fact.tp];
  const auto end = std::min(static_cast<std::size_t>(fact.to), partition.orders.size());
  for (auto offset = static_cast<std::size_t>(fact.from); offset < end; ++offset) {
    const Index index = partition.orders[offset];
    if (index == kNone) continue;
    Service& row = service_row(index, s);
    if (row.done != kNever) continue;
    row.fetched = nanos(seen.at);
    row.started = kNever;
    row.member = static_cast<std::int16_t>(fact.member);
  }
}

void OrderLedger::on(const observe::ProcessingStarted& fact, const observe::Observation& seen) {
  const std::int64_t at = nanos(seen.at);
  at_index(partitions_[fact.tp].started, static_cast<std::size_t>(fact.service.value()), {}) = {fact.offset,
                                                                                                at};
  const Index index = find(fact.record);
  if (index == kNone) return;
  Service& row = service_row(index, static_cast<std::size_t>(fact.service.value()));
  if (row.done != kNever) return;
  row.started = at;
  row.member = static_cast<std::int16_t>(fact.member);
}

void OrderLedger::on(const observe::ProcessingDone& fact, const observe::Observation& seen) {
  const std::int64_t at = nanos(seen.at);
  const Index index = find(fact.record);
  if (index == kNone) return;
  const auto s = static_cast<std::size_t>(fact.service.value());
  if (const Partition& partition = partitions_[fact.tp];
      !partition.open.empty() || !partition.aborted.empty()) {
    if (is_open_at(partition, fact.offset) || is_aborted_at(partition, fact.offset))
      unstable_reads_.push_back({index, static_cast<std::uint32_t>(s), fact.tp, fact.offset, at, false});
  }
  Service& row = service_row(index, s);
  if (++row.times == 2) done_again_.push_back(DoneAgain{index, static_cast<std::uint32_t>(s), at});
  if (row.done != kNever) return;
  row.done = at;
  row.member = static_cast<std::int16_t>(fact.member);
  Order& order = orders_[index];
  if (!wants(order, s)) return;
  if (--order.services_left > 0) return;
  ++totals_.fulfilled;
  if (order.failed == kNever) ++totals_.ended;
}

void OrderLedger::on(const observe::CommitAcknowledged& fact, const observe::Observation& seen) {
  if (fact.error != ErrorCode::none) return;
  const auto s = static_cast<std::size_t>(fact.service.value());
  Partition& partition = partitions_[fact.tp];
  Offset& committed = at_index(partition.committed, s, Offset{0});
  const auto end = std::min(static_cast<std::size_t>(fact.offset), partition.orders.size());
  for (auto offset = static_cast<std::size_t>(committed); offset < end; ++offset) {
    if (partition.orders[offset] == kNone) continue;
    Service& row = service_row(partition.orders[offset], s);
    if (row.committed == kNever) row.committed = nanos(seen.at);
  }
  committed = std::max(committed, fact.offset);
}

void OrderLedger::on(const observe::PositionReset& fact, const observe::Observation& seen) {
  Partition& partition = partitions_[fact.tp];
  at_index(partition.skipped_at, static_cast<std::size_t>(fact.service.value()), kNever) = nanos(seen.at);
  at_index(partition.skipped_below, static_cast<std::size_t>(fact.service.value()), Offset{0}) = fact.to;
}

void OrderLedger::on(const observe::ProcessStopped&, const observe::Observation& seen) {
  at_index(stopped_, static_cast<std::size_t>(seen.process.value()), kNever) = nanos(seen.at);
}

}  // namespace sim::metrics
