#include "client/record_accumulator.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace sim::client {

RecordAccumulator::RecordAccumulator(const ProducerConfig& config)
    : batch_bytes_(std::max(1, config.batch_size)),
      max_request_bytes_(config.max_request_size),
      linger_(from_millis(config.linger_ms)),
      // KafkaProducer.configureDeliveryTimeout: never less than one attempt takes.
      delivery_timeout_(
          from_millis(std::max(config.delivery_timeout_ms, config.linger_ms + config.request_timeout_ms))),
      availability_timeout_(from_millis(config.partitioner_availability_timeout_ms)),
      adaptive_(config.partitioner_adaptive_partitioning_enable),
      sticky_linger_(config.sticky_partitioning_linger_ms < 0
                         ? std::nullopt
                         : std::optional(from_millis(config.sticky_partitioning_linger_ms))),
      available_memory_(config.buffer_memory) {}

RecordAccumulator::TopicNumber RecordAccumulator::add_topic(MetadataClient::TopicIndex metadata_index) {
  topics_.push_back(
      Topic{metadata_index, 100, 0, {}, {}, 0, StickyPartitioner(batch_bytes_, sticky_linger_)});
  return topics_.size() - 1;
}

void RecordAccumulator::update_leaders(const MetadataClient& metadata) {
  for (TopicNumber number = 0; number < topics_.size(); ++number) {
    update_queues(topics_[number], number, metadata.topic(topics_[number].metadata_index));
  }
  for (auto& [process, server] : servers_) server.led.clear();
  for (std::size_t i = 0; i < queues_.size(); ++i) {
    if (queues_[i].leader != kNoProcess)
      servers_[queues_[i].leader].led.push_back(static_cast<QueueIndex>(i));
  }
}

void RecordAccumulator::update_queues(Topic& topic, TopicNumber number, const MetadataClient::Topic& known) {
  topic.with_leader.clear();
  if (!known.partitions.empty()) topic.partitions = static_cast<std::int32_t>(known.partitions.size());
  for (std::size_t i = 0; i < std::max(known.partitions.size(), topic.queues.size()); ++i) {
    if (i == topic.queues.size()) {
      topic.queues.push_back(static_cast<QueueIndex>(queues_.size()));
      queues_.emplace_back().topic = number;
    }
    Queue& queue = queues_[at(topic.queues[i])];
    queue.leader = kNoProcess;
    if (i >= known.partitions.size()) continue;
    topic.compression_percent = known.compression_percent;
    queue.tp = TopicPartition{known.id, static_cast<std::int32_t>(i)};
    queue.leader = known.partitions[i].leader_endpoint;
    queue.leader_epoch = known.partitions[i].leader_epoch;
    if (queue.leader != kNoProcess) topic.with_leader.push_back(static_cast<std::int32_t>(i));
  }
}

// ---- Records in

RecordAccumulator::Appended RecordAccumulator::append(TopicNumber number, const Record& record,
                                                      std::int32_t partition, LocalTime now, Rng& rng) {
  Topic& topic = topics_[number];
  const bool sticky = partition < 0;
  if (sticky) topic.partitioner.begin_record(now);
  while (true) {
    if (sticky) partition = topic.partitioner.current(topic.choices(), rng);
    const QueueIndex index = topic.queues[at(partition)];
    Queue& queue = queues_[at(index)];
    if (sticky && may_switch(topic, queue, rng)) continue;
    bool opened = false;
    std::int32_t bytes = 0;
    ProducerBatch* batch = queue.batches.empty() ? nullptr : &batches_[queue.batches.back()];
    if (batch != nullptr && !batch->closed_for_appends && batch->builder.has_room_for(record)) {
      bytes = -batch->estimated_bytes();
    } else {
      if (batch != nullptr) batch->closed_for_appends = true;
      if (!has_memory_for(record)) return {};
      if (sticky && may_switch(topic, queue, rng)) continue;  // rather than to open a batch here
      batch = &batches_[new_batch(queue, index, reservation(record), now)];
      opened = true;
    }
    batch->append(record);
    bytes += batch->estimated_bytes();
    const bool full = queue.batches.size() > 1 || batch->full();
    if (sticky) topic.partitioner.appended(bytes, newest_full(queue), topic.choices(), rng);
    return {true, queue.tp, index, full ? now : opened ? now + linger_ : LocalTime::max()};
  }
}

// RecordAccumulator.partitionChanged: a complete batch ends a partition's turn if enough went there.
bool RecordAccumulator::may_switch(Topic& topic, const Queue& queue, Rng& rng) const {
  return newest_full(queue) && topic.partitioner.appended(0, true, topic.choices(), rng);
}

BatchRef RecordAccumulator::new_batch(Queue& queue, QueueIndex index, std::int32_t reserved_bytes,
                                      LocalTime now) {
  Topic& topic = topics_[queue.topic];
  if (!queue.used) ++topic.used_queues;
  queue.used = true;
  available_memory_ -= reserved_bytes;
  ProducerBatch batch(index, reserved_bytes, topic.compression_percent, now);
  batch.reserved_bytes = reserved_bytes;
  const BatchRef ref = batches_.make(std::move(batch));
  queue.batches.push_back(ref);
  ++queued_batches_;
  next_expiry_at_ = std::min(next_expiry_at_, now + delivery_timeout_);
  return ref;
}

// ---- Batches out

void RecordAccumulator::check_ready(LocalTime now, Ready& out) {
  out.servers.clear();
  out.unknown_leaders.clear();
  out.next_check = LocalTime::max();
  if (queued_batches_ > 0) {
    for (Queue& queue : queues_) {
      if (!queue.batches.empty()) check_ready(queue, now, out);
    }
  }
  if (!adaptive_) return;
  for (Topic& topic : topics_) {
    if (topic.partitioner.in_use()) update_load(topic);
  }
}

void RecordAccumulator::check_ready(Queue& queue, LocalTime now, Ready& out) {
  ProducerBatch& first = batches_[queue.batches.front()];
  first.see_leader_epoch(queue.leader_epoch);
  if (queue.leader == kNoProcess) {
    if (out.unknown_leaders.empty() || out.unknown_leaders.back() != queue.topic)
      out.unknown_leaders.push_back(queue.topic);
    return;
  }
  if (queue.muted || std::find(out.servers.begin(), out.servers.end(), queue.leader) != out.servers.end())
    return;
  const bool backing_off = first.backing_off(now);
  const LocalTime due = backing_off ? first.retry_at : first.last_attempt + linger_;
  const bool sendable =
      queue.batches.size() > 1 || first.full() || now >= due || exhausted_ || closed_ || completing_;
  if (sendable && !backing_off) {
    out.servers.push_back(queue.leader);
  } else {
    out.next_check = std::min(out.next_check, due);
  }
}

void RecordAccumulator::update_load(Topic& topic) {
  if (topic.used_queues < topic.queues.size()) return topic.partitioner.forget_load();
  std::vector<StickyPartitioner::Load> loads;
  loads.reserve(topic.queues.size());
  for (const std::int32_t partition : topic.with_leader) {
    const Queue& queue = queues_[at(topic.queues[at(partition)])];
    if (!queue.batches.empty() && !is_available(queue.leader)) continue;
    loads.push_back({partition, static_cast<std::int32_t>(queue.batches.size())});
  }
  topic.partitioner.update_load(loads, topic.partitions);
}

bool RecordAccumulator::is_available(ProcessId server) const {
  if (availability_timeout_ == Duration{0}) return true;
  const auto it = servers_.find(server);
  return it == servers_.end() || it->second.last_ready - it->second.last_drained <= availability_timeout_;
}

void RecordAccumulator::note_availability(ProcessId server, bool available, LocalTime now) {
  if (availability_timeout_ == Duration{0}) return;
  Server& stats = servers_[server];
  if (available || stats.last_ready == LocalTime{}) stats.last_drained = now;
  stats.last_ready = now;
}

void RecordAccumulator::drain(ProcessId process, LocalTime now, ProducerSequences* sequences,
                              std::vector<BatchRef>& out) {
  Server& server = servers_[process];
  if (server.led.empty()) return;
  const std::size_t start = server.drain_index % server.led.size();
  std::size_t next = start;
  std::int64_t bytes = 0;
  bool any = false;
  do {
    Queue& queue = queues_[at(server.led[next])];
    server.drain_index = next;
    next = (next + 1) % server.led.size();
    if (queue.muted || queue.batches.empty()) continue;
    const BatchRef ref = queue.batches.front();
    ProducerBatch& first = batches_[ref];
    first.see_leader_epoch(queue.leader_epoch);
    if (first.backing_off(now)) continue;
    if (any && bytes + first.estimated_bytes() > max_request_bytes_) break;
    if (sequences != nullptr && sequences->must_wait(first.queue, first, batches_)) break;
    take_first(queue);
    if (sequences != nullptr && !first.has_sequence()) sequences->assign(ref, batches_);
    first.close();
    bytes += first.data->size_bytes;
    any = true;
    first.on_wire = true;
    queue.in_flight.push_back(ref);
    out.push_back(ref);
  } while (next != start);
}

BatchRef RecordAccumulator::take_first(Queue& queue) {
  const BatchRef ref = queue.batches.front();
  queue.batches.erase(queue.batches.begin());
  --queued_batches_;
  return ref;
}

void RecordAccumulator::expire(LocalTime now, std::vector<BatchRef>& out) {
  if (now < next_expiry_at_) return;
  next_expiry_at_ = LocalTime::max();
  for (Queue& queue : queues_) expire_first(queue.batches, true, now, out);
  for (Queue& queue : queues_) expire_first(queue.in_flight, false, now, out);
}

void RecordAccumulator::expire_first(std::vector<BatchRef>& refs, bool queued, LocalTime now,
                                     std::vector<BatchRef>& out) {
  while (!refs.empty()) {
    const LocalTime due = expires_at(batches_[refs.front()]);
    if (now < due) {
      next_expiry_at_ = std::min(next_expiry_at_, due);
      return;
    }
    out.push_back(refs.front());
    refs.erase(refs.begin());
    if (queued) --queued_batches_;
  }
}

std::vector<BatchRef> RecordAccumulator::take_all() {
  std::vector<BatchRef> all;
  for (Queue& queue : queues_) {
    all.insert(all.end(), queue.batches.begin(), queue.batches.end());
    all.insert(all.end(), queue.in_flight.begin(), queue.in_flight.end());
    queue.batches.clear();
    queue.in_flight.clear();
  }
  queued_batches_ = 0;
  return all;
}

std::vector<BatchRef> RecordAccumulator::take_undrained() {
  std::vector<BatchRef> taken;
  for (Queue& queue : queues_) {
    const auto first = std::stable_partition(queue.batches.begin(), queue.batches.end(),
                                             [this](BatchRef ref) { return batches_[ref].has_sequence(); });
    taken.insert(taken.end(), first, queue.batches.end());
    queued_batches_ -= queue.batches.end() - first;
    queue.batches.erase(first, queue.batches.end());
  }
  return taken;
}

bool RecordAccumulator::has_incomplete() const {
  if (queued_batches_ > 0) return true;
  return std::any_of(queues_.begin(), queues_.end(),
                     [](const Queue& queue) { return !queue.in_flight.empty(); });
}

// ---- What became of them

void RecordAccumulator::reenqueue(BatchRef ref, LocalTime now, Duration backoff,
                                  const ProducerSequences* sequences) {
  ProducerBatch& batch = batches_[ref];
  ++batch.attempts;
  batch.on_wire = false;
  batch.last_attempt = now;
  batch.retry_at = now + backoff;
  insert(queues_[at(batch.queue)], ref, sequences);
  next_expiry_at_ = std::min(next_expiry_at_, expires_at(batch));
}

// insertInSequenceOrder: several batches of a partition may have failed, in any order.
void RecordAccumulator::insert(Queue& queue, BatchRef ref, const ProducerSequences* sequences) {
  auto place = queue.batches.begin();
  if (sequences != nullptr) {
    const std::int32_t sequence = batches_[ref].base_sequence;
    const auto before = [this, sequence](BatchRef other) {
      return batches_[other].has_sequence() && batches_[other].base_sequence < sequence;
    };
    while (place != queue.batches.end() && before(*place)) ++place;
  }
  queue.batches.insert(place, ref);
  ++queued_batches_;
}

void RecordAccumulator::split_and_reenqueue(BatchRef ref, ProducerSequences* sequences) {
  const QueueIndex index = batches_[ref].queue;
  const LocalTime created = batches_[ref].created;
  const ProducerIdAndEpoch producer = batches_[ref].producer;
  std::int32_t sequence = batches_[ref].base_sequence;
  Queue& queue = queues_[at(index)];
  const std::int32_t percent = topics_[queue.topic].compression_percent;
  const BatchDataPtr data = batches_[ref].data;

  // Kafka takes the batch for incompressible here, and estimates with a ratio of 1.
  std::vector<BatchRef> parts;
  BatchBuilder estimate(batch_bytes_);
  for (const Record& record : data->application_records()) {
    if (parts.empty() || !estimate.has_room_for(record)) {
      estimate = BatchBuilder(reservation(record));
      parts.push_back(batches_.make(ProducerBatch(index, batch_bytes_, percent, created)));
    }
    estimate.append(record);
    batches_[parts.back()].append(record);
  }
  for (const BatchRef part : parts) {
    ProducerBatch& batch = batches_[part];
    batch.closed_for_appends = true;
    if (sequences == nullptr) continue;
    batch.producer = producer;
    batch.base_sequence = sequence;
    sequence += batch.record_count;
    sequences->track(part, batches_);
  }
  for (std::size_t i = parts.size(); i > 0; --i) insert(queue, parts[i - 1], sequences);
  next_expiry_at_ = std::min(next_expiry_at_, created + delivery_timeout_);
}

void RecordAccumulator::no_longer_in_flight(BatchRef ref) {
  std::vector<BatchRef>& in_flight = queues_[at(batches_[ref].queue)].in_flight;
  const auto it = std::find(in_flight.begin(), in_flight.end(), ref);
  if (it != in_flight.end()) in_flight.erase(it);
}

void RecordAccumulator::free_memory(BatchRef ref) {
  available_memory_ += std::exchange(batches_[ref].reserved_bytes, 0);
}

}  // namespace sim::client
