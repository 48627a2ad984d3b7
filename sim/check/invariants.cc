#include "check/invariants.h"

#include <algorithm>
#include <utility>

#include "observe/fold.h"

namespace sim::check {
namespace {

constexpr std::uint64_t kPlaced = 1;
constexpr std::uint64_t kAccepted = 2;
constexpr std::uint64_t kDrained = 4;
constexpr std::uint64_t kAppended = 8;
constexpr std::int32_t kServices = 28;  // of which two bits each fit; more are not watched

std::uint64_t started_bit(observe::ServiceId service) {
  return std::uint64_t{256} << (2 * service.value());
}
std::uint64_t done_bit(observe::ServiceId service) {
  return std::uint64_t{512} << (2 * service.value());
}

}  // namespace

void Invariants::on(const observe::Observation& observation) {
  at(observation);
  observe::tell_fact(*this, observation);
}

// ---- The way of an order

std::uint64_t& Invariants::stages_of(RecordId id) {
  const auto flow = static_cast<std::size_t>(flow_of(id).value());
  const auto order = static_cast<std::size_t>(number_of(id));
  const auto hop = static_cast<std::size_t>(hop_of(id));
  if (hop > derived_stages_.size()) derived_stages_.resize(hop);
  std::vector<std::vector<std::uint64_t>>& stages = hop == 0 ? stages_ : derived_stages_[hop - 1];
  if (flow >= stages.size()) stages.resize(flow + 1);
  if (order >= stages[flow].size()) stages[flow].resize(order + 1);
  return stages[flow][order];
}

std::string Invariants::called(RecordId id) const {
  const std::int32_t hop = hop_of(id);
  return "order " + std::to_string(number_of(id)) + " of flow " + std::to_string(flow_of(id).value()) +
         (hop == 0 ? "" : ", as hop " + std::to_string(hop) + " sent it on,");
}

void Invariants::advance(RecordId id, std::uint64_t stage, std::uint64_t after, const char* what) {
  if (id == kNoRecord) return;
  std::uint64_t& stages = stages_of(id);
  if ((stages & after) != after) violated("stages-in-order", called(id) + " was " + what);
  stages |= stage;
}

void Invariants::on(const observe::OrderPlaced& fact) {
  stages_of(fact.record) |= kPlaced;
}

// What is sent on is placed when the service that read it says so.
void Invariants::on(const observe::RecordDerived& fact) {
  stages_of(fact.record) |= kPlaced;
}

void Invariants::on(const observe::RecordAccepted& fact) {
  advance(fact.record, kAccepted, kPlaced, "accepted by the producer before it was placed");
}

void Invariants::on(const observe::BatchDrained& fact) {
  for (const Record& record : fact.batch->application_records()) {
    advance(record.id, kDrained, kAccepted, "sent before the producer had accepted it");
  }
}

void Invariants::on(const observe::ProcessingStarted& fact) {
  if (fact.service.value() >= kServices) return;
  advance(fact.record, started_bit(fact.service), kAppended, "handled before it was in a log");
  const auto service = static_cast<std::size_t>(fact.service.value());
  const Partition& partition = partitions_[fact.tp];
  if (service >= partition.polled_below.size() || fact.offset >= partition.polled_below[service]) {
    violated("stages-in-order", called(fact.record) + " was handled before poll() had returned it");
  }
}

void Invariants::on(const observe::ProcessingDone& fact) {
  if (fact.service.value() >= kServices) return;
  advance(fact.record, done_bit(fact.service), started_bit(fact.service),
          "done by a service that had not started on it");
}

// ---- Partitions

Invariants::Leadership& Invariants::leadership(Partition& partition, LeaderEpoch leader_epoch) {
  auto& leaders = partition.leaders;
  const auto at =
      std::lower_bound(leaders.begin(), leaders.end(), leader_epoch,
                       [](const Leadership& l, LeaderEpoch wanted) { return l.leader_epoch < wanted; });
  if (at != leaders.end() && at->leader_epoch == leader_epoch) return *at;
  Leadership fresh;
  fresh.leader_epoch = leader_epoch;
  return *leaders.insert(at, fresh);
}

Invariants::Leadership* Invariants::latest_of(Partition& partition, ProcessId process) {
  for (auto leader = partition.leaders.rbegin(); leader != partition.leaders.rend(); ++leader) {
    if (leader->process == process) return &*leader;
  }
  return nullptr;
}

void Invariants::quorum_forgot() {
  is_forgotten_ = true;
  partitions_.for_each([&](TopicPartition tp, const Partition&) { partitions_[tp].leaders.clear(); });
}

void Invariants::on(const observe::BecameLeader& fact, const observe::Observation& seen) {
  Leadership& leader = leadership(partitions_[fact.tp], fact.leader_epoch);
  if (leader.broker != kNoNode && leader.broker != fact.broker && !is_forgotten_) {
    violated("one-leader-per-epoch", topics_[fact.tp] + " is led by broker " +
                                         std::to_string(fact.broker.value()) + " and by broker " +
                                         std::to_string(leader.broker.value()) + " in leader epoch " +
                                         std::to_string(fact.leader_epoch.value()));
  }
  leader.broker = fact.broker;
  leader.process = seen.process;
  leader.high_watermark = 0;  // it learns it anew, and may begin behind
  leader.end = std::max(leader.end, fact.epoch_start);
}

void Invariants::on(const observe::HighWatermarkAdvanced& fact, const observe::Observation& seen) {
  Partition& partition = partitions_[fact.tp];
  partition.high_watermark = std::max(partition.high_watermark, fact.to);
  Leadership* leader =
      is_forgotten_ ? nullptr : latest_of(partition, seen.process);  // else one of before may bear its epoch
  if (leader == nullptr) return;
  if (fact.to < fact.from || fact.to < leader->high_watermark) {
    violated("high-watermark-monotone", topics_[fact.tp] + ": from " +
                                            std::to_string(std::max(fact.from, leader->high_watermark)) +
                                            " to " + std::to_string(fact.to) + " in leader epoch " +
                                            std::to_string(leader->leader_epoch.value()));
  }
  if (fact.to > leader->end) {
    violated("high-watermark-monotone", topics_[fact.tp] + ": at " + std::to_string(fact.to) +
                                            ", but the log of its leader ends at " +
                                            std::to_string(leader->end));
  }
  leader->high_watermark = fact.to;
}

void Invariants::on(const observe::BatchAppended& fact) {
  Partition& partition = partitions_[fact.tp];
  Leadership& leader = leadership(partition, fact.batch.leader_epoch);
  if (fact.batch.base_offset < leader.end && !is_forgotten_) {
    violated("one-batch-per-offset", topics_[fact.tp] + ": a batch at " +
                                         std::to_string(fact.batch.base_offset) + ", but leader epoch " +
                                         std::to_string(fact.batch.leader_epoch.value()) +
                                         " has already appended up to " + std::to_string(leader.end));
  }
  leader.end = std::max(leader.end, fact.batch.end_offset());
  partition.log_end = std::max(partition.log_end, leader.end);
  for (const Record& record : fact.batch.data->application_records()) {
    advance(record.id, kAppended, kDrained, "appended before it was sent");
  }
}

void Invariants::on(const observe::BatchAcknowledged& fact) {
  if (fact.error != ErrorCode::none || fact.base_offset == kNoOffset) return;
  const auto& records = fact.batch->application_records();
  if (records.empty() || records.front().id == kNoRecord) return;
  const Partition& partition = partitions_[fact.tp];
  const Offset end = fact.base_offset + fact.batch->record_count();
  if (spec_.waits_for_all(records.front().id) && end > partition.high_watermark) {
    violated("acked-below-high-watermark", topics_[fact.tp] + ": acknowledged up to " + std::to_string(end) +
                                               ", the high watermark is " +
                                               std::to_string(partition.high_watermark));
  }
  for (const Record& record : records)
    advance(record.id, 0, kAppended, "acknowledged before it was in a log");
}

void Invariants::on(const observe::IsrChanged& fact, const observe::Observation& seen) {
  const auto broken = [&](const std::string& what) { violated("isr-known", topics_[fact.tp] + ": " + what); };
  if (fact.isr.empty()) broken("its ISR is empty");
  std::vector<NodeId> sorted = fact.isr;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
    broken("a broker is in its ISR twice");
  for (const NodeId broker : fact.isr) {
    const bool known = spec_.brokers.empty() ||
                       std::find(spec_.brokers.begin(), spec_.brokers.end(), broker) != spec_.brokers.end();
    if (!known || broker == kNoNode)
      broken("broker " + std::to_string(broker.value()) + " of its ISR does not exist");
  }
  const Leadership* leader = latest_of(partitions_[fact.tp], seen.process);
  if (leader != nullptr && !fact.isr.empty() &&
      !std::binary_search(sorted.begin(), sorted.end(), leader->broker)) {
    broken("its leader, broker " + std::to_string(leader->broker.value()) + ", is not in its ISR");
  }
}

// ---- Consumers

void Invariants::on(const observe::RecordsPolled& fact) {
  Partition& partition = partitions_[fact.tp];
  const auto service = static_cast<std::size_t>(fact.service.value());
  if (service >= partition.polled_below.size()) partition.polled_below.resize(service + 1);
  partition.polled_below[service] = std::max(partition.polled_below[service], fact.to);
  if (fact.to <= partition.high_watermark) return;
  violated("read-below-high-watermark", topics_[fact.tp] + ": service " +
                                            std::to_string(fact.service.value()) + " read up to " +
                                            std::to_string(fact.to) + ", the high watermark is " +
                                            std::to_string(partition.high_watermark));
}

void Invariants::on(const observe::CommitAcknowledged& fact) {
  if (fact.error == ErrorCode::none)
    check_committed(fact.tp, fact.offset, "service " + std::to_string(fact.service.value()));
}

void Invariants::check_committed(TopicPartition tp, Offset offset, const std::string& who) {
  const Partition& partition = partitions_[tp];
  if (offset <= partition.log_end) return;
  violated("commit-within-log", topics_[tp] + ": " + who + " committed " + std::to_string(offset) +
                                    ", the log ends at " + std::to_string(partition.log_end));
}

}  // namespace sim::check
