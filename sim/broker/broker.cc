#include "broker/broker.h"

#include <utility>

#include "base/check.h"
#include "base/overloaded.h"
#include "broker/broker_process.h"
#include "protocol/batch_builder.h"

namespace sim::broker {

std::unique_ptr<node::Node> boot_broker(const BrokerBoot& boot, const node::DurableImage& image) {
  return std::make_unique<Broker>(boot, image);
}

Broker::Broker(const BrokerBoot& boot, const node::DurableImage& image)
    : boot_(boot),
      metadata_(boot.self, boot.id, boot.controllers.front()),
      replicas_(boot.self, boot.id, boot.config, image),
      groups_(boot.config, boot.id, kGroupTimer),
      coordinates_(static_cast<std::size_t>(boot.config.offsets_topic_num_partitions)),
      forwarding_(boot.self, Lane::forwarding, kForwardingNetworkTimer,
                  from_millis(boot.config.request_timeout_ms)) {}

void Broker::step(node::Input& input, node::Env env, node::Effects& out) {
  const Context context{env, out, image_, boot_.config, boot_.id};
  std::visit(Overloaded{
                 [&](node::Started& started) { on(started, input, context); },
                 [&](node::Received& received) { on(received, input, context); },
                 [&](node::TimerFired&) { route(input, context); },
                 [&](node::Persisted&) { route(input, context); },
                 [&](node::Connected&) { route(input, context); },
                 [&](node::Disconnected&) { route(input, context); },
                 [&](node::StopRequested&) { context.out.emplace_back(node::Exit{}); },
             },
             input);
  finish_step(context);
}

void Broker::on(node::Started, node::Input&, const Context& context) {
  replicas_.start(context.now());
  ControllerChannel::Answers none;
  forwarding_.set_controller(metadata_.controller(), context.env, context.out, none);
  replicas_.set_controller(metadata_.controller(), context);
  metadata_.start(context.env, context.out);
}

void Broker::on(node::Received& received, node::Input& input, const Context& context) {
  if (received.envelope.response) return route(input, context);
  const Envelope& from = received.envelope;
  std::visit([&](auto& request) { on(request, from, context); }, received.envelope.message);
}

// Whatever is not a request has an owner, unless it concerns a connection that someone else has opened.
void Broker::route(node::Input& input, const Context& context) {
  if (replicas_.step(input, context)) return;
  if (metadata_.owns(input)) return replay(metadata_.step(input, context.env, context.out), context);
  if (forwarding_.owns(input)) {
    ControllerChannel::Answers answers;
    forwarding_.step(input, context.env, context.out, answers);
    return forwarded(answers, context);
  }
  const auto* fired = std::get_if<node::TimerFired>(&input);
  if (fired != nullptr && fired->timer == kGroupTimer) groups_.timer_fired(context.env, context.out);
}

// MetadataLoader and its publishers: the image first, then the replicas, then the coordinator.
void Broker::replay(const std::vector<Batch>& committed, const Context& context) {
  if (committed.empty()) return;
  metadata::MetadataDelta delta;
  for (const Batch& batch : committed) image_.replay(batch, &delta);
  if (!delta.empty()) replicas_.apply(delta, context);
}

// The parts tell each other what they did until nobody has anything to tell.
void Broker::finish_step(const Context& context) {
  for (;;) {
    replicas_.finish_step(context);
    std::vector<ReplicaManager::Event> events = replicas_.take_events();
    for (const ReplicaManager::Event& event : events) {
      std::visit([&](const auto& one) { on(one, context); }, event);
    }
    std::vector<GroupCoordinator::Write> writes = groups_.take_writes();
    for (GroupCoordinator::Write& write : writes) append(std::move(write), context);
    if (events.empty() && writes.empty()) return;
  }
}

TopicPartition Broker::offsets_partition(std::int32_t partition) const {
  const metadata::TopicImage* topic = image_.topic(kOffsetsTopicName);
  return topic == nullptr ? TopicPartition{} : TopicPartition{topic->id, partition};
}

void Broker::append(GroupCoordinator::Write write, const Context& context) {
  replicas_.append(write.id, offsets_partition(write.partition),
                   make_batch(std::move(write.records), context.now_ms()), context);
}

// Reads the partition's log in pieces of offsets.load.buffer.size, to its end. Reading takes no time here.
void Broker::on(const ReplicaManager::CoordinatorElected& event, const Context& context) {
  groups_.elected(event.partition, event.leader_epoch);
  const auto index = static_cast<std::size_t>(event.partition);
  if (coordinates_[index]) return;  // elected again
  coordinates_[index] = true;
  const Partition* partition = replicas_.partition(offsets_partition(event.partition));
  SIM_CHECK(partition != nullptr, "what was elected is here");
  const log::PartitionLog& log = partition->log();
  for (Offset at = log.log_start_offset(); at < log.log_end_offset();) {
    const auto piece = log.read(at, log.log_end_offset(), context.config.offsets_load_buffer_size, true);
    SIM_CHECK(!piece.empty(), "below its end a log has a batch to read");
    groups_.load(event.partition, piece, partition->high_watermark());
    at = piece.back().end_offset();
  }
  groups_.loaded(event.partition, context.env, context.out);
}

void Broker::on(const ReplicaManager::CoordinatorResigned& event, const Context& context) {
  const auto index = static_cast<std::size_t>(event.partition);
  if (!coordinates_[index]) return;
  coordinates_[index] = false;
  groups_.resigned(event.partition, context.out);
}

void Broker::on(const ReplicaManager::CoordinatorHighWatermark& event, const Context& context) {
  if (!coordinates_[static_cast<std::size_t>(event.partition)]) return;
  groups_.high_watermark_advanced(event.partition, event.high_watermark, context.env, context.out);
}

void Broker::on(const ReplicaManager::CoordinatorWritten& event, const Context& context) {
  groups_.written(event.id, event.error, context.env, context.out);
}

}  // namespace sim::broker
