#include "controller/quorum_controller.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <type_traits>
#include <utility>

#include "base/check.h"
#include "base/overloaded.h"
#include "protocol/admin_requests.h"
#include "protocol/message_traits.h"

namespace sim::controller {
namespace {

constexpr std::size_t kMaxRecordsPerBatch = 10'000;             // QuorumController.MAX_RECORDS_PER_BATCH
constexpr std::int32_t kProducerIdBlock = 1'000;                // ProducerIdsBlock.PRODUCER_ID_BLOCK_SIZE
constexpr Duration kNextSweep = std::chrono::milliseconds(10);  // when a run left something to do

// What a controller is never asked: requests of clients, of the quorum, and answers, since it asks nobody.
// ---- What a controller says that is not active
AllocateProducerIdsResponse refusal(const AllocateProducerIdsRequest&) {
  return {ErrorCode::not_controller};
}
AlterPartitionResponse refusal(const AlterPartitionRequest&) {
  return {ErrorCode::not_controller, {}};
}
BrokerRegistrationResponse refusal(const BrokerRegistrationRequest&) {
  return {ErrorCode::not_controller};
}
ControllerRegistrationResponse refusal(const ControllerRegistrationRequest&) {
  return {ErrorCode::not_controller};
}
BrokerHeartbeatResponse refusal(const BrokerHeartbeatRequest&) {
  return {ErrorCode::not_controller};
}
AssignReplicasToDirsResponse refusal(const AssignReplicasToDirsRequest&) {
  return {ErrorCode::not_controller, {}};
}
template <AlternativeOf<AdminRequest> M>
Message refusal(const M& request) {
  return error_response(request, ErrorCode::not_controller);
}

// The same in the place of an answer that can no longer be given.
Message refusal_instead_of(const Message& answer) {
  if (is_admin_response(answer)) return with_errors(answer, ErrorCode::not_controller);
  if (std::holds_alternative<AllocateProducerIdsResponse>(answer))
    return refusal(AllocateProducerIdsRequest{});
  if (std::holds_alternative<AlterPartitionResponse>(answer)) return refusal(AlterPartitionRequest{});
  if (std::holds_alternative<BrokerRegistrationResponse>(answer)) return refusal(BrokerRegistrationRequest{});
  if (std::holds_alternative<ControllerRegistrationResponse>(answer))
    return refusal(ControllerRegistrationRequest{});
  if (std::holds_alternative<AssignReplicasToDirsResponse>(answer))
    return refusal(AssignReplicasToDirsRequest{});
  SIM_CHECK(std::holds_alternative<BrokerHeartbeatResponse>(answer),
            "a controller's answers wait, and no others");
  return refusal(BrokerHeartbeatRequest{});
}

}  // namespace

// ---- Inputs

bool QuorumController::owns(const node::Input& input) const {
  const auto is_ours = [this](const Channel& channel) {
    const bool for_controllers = channel.lane == Lane::heartbeat || channel.lane == Lane::alter_partition ||
                                 channel.lane == Lane::forwarding ||
                                 channel.lane == Lane::directory_assignments ||
                                 channel.lane == Lane::controller_registration;
    return channel.server == boot_.self && for_controllers;
  };
  if (const auto* received = std::get_if<node::Received>(&input)) {
    return !received->envelope.response && is_ours(received->envelope.channel);
  }
  if (const auto* fired = std::get_if<node::TimerFired>(&input)) {
    return fired->timer == kSessionTimer || fired->timer == kBalanceTimer || fired->timer == kUncleanTimer ||
           fired->timer == kNoOpTimer;
  }
  const auto* lost = std::get_if<node::Disconnected>(&input);
  return lost != nullptr && is_ours(lost->channel);
}

void QuorumController::step(node::Input& input, const Context& context) {
  if (const auto* received = std::get_if<node::Received>(&input)) {
    receive(received->envelope, context);
  } else if (const auto* fired = std::get_if<node::TimerFired>(&input)) {
    timer_fired(fired->timer, context);
  } else {
    disconnected(std::get<node::Disconnected>(input).channel);
  }
  settle(context);
}

void QuorumController::receive(const Envelope& request, const Context& context) {
  std::visit(
      [&](const auto& message) {
        using M = std::decay_t<decltype(message)>;
        if constexpr (!AskedOfControllers<M>) {
          SIM_CHECK(false, "this message is never sent to a controller");
        } else if constexpr (std::is_same_v<M, ApiVersionsRequest>) {
          node::reply(context.out, request, ApiVersionsResponse{});
        } else {
          if (!active_) return node::reply(context.out, request, refusal(message));
          on(message, request, context);
        }
      },
      request.message);
}

void QuorumController::disconnected(const Channel& channel) {
  if (!active_) return;
  std::erase_if(active_->pending, [&channel](const PendingAnswer& one) { return one.channel == channel; });
}

// ---- Leadership (claim, completeActivation, renounce)

void QuorumController::claim(QuorumEpoch quorum_epoch, const Context& context) {
  SIM_CHECK(!active_, "it was not active before");
  active_.emplace(boot_.config, quorum_epoch, image_, std::exchange(registered_at_, {}), context.now());
  node::report(context.out, observe::ControllerChanged{boot_.id, quorum_epoch, true});
  if (image_.empty() && !boot_.bootstrap.empty() && !append(boot_.bootstrap, context)) return;
  schedule_no_op(context);
  settle(context);
}

void QuorumController::renounce(const Context& context) {
  if (!active_) return;
  context.log.resign(context.env, context.out);
  for (PendingAnswer& one : active_->pending) {
    context.out.emplace_back(
        node::Send{Envelope{one.channel, one.correlation, true, refusal_instead_of(one.answer)}});
  }
  image_ = std::move(active_->committed);
  registered_at_ = std::move(active_->registered_at);
  node::report(context.out, observe::ControllerChanged{boot_.id, active_->quorum_epoch, false});
  active_.reset();
  for (const node::TimerId timer : {kSessionTimer, kBalanceTimer, kUncleanTimer, kNoOpTimer}) {
    context.out.emplace_back(node::CancelTimer{timer});
  }
}

// ---- What is committed

void QuorumController::replay(const std::vector<Batch>& committed, const Context& context) {
  for (const Batch& batch : committed) replay(batch, context);
  if (!active_) return;
  const Offset end = active_->committed.end_offset();
  std::deque<PendingAnswer>& pending = active_->pending;
  for (; !pending.empty() && pending.front().end <= end; pending.pop_front()) {
    PendingAnswer& one = pending.front();
    context.out.emplace_back(node::Send{Envelope{one.channel, one.correlation, true, std::move(one.answer)}});
  }
}

// Who leads tells what was decided. That is told again if the leader before died while the news of the commit
// was on its way.
void QuorumController::replay(const Batch& batch, const Context& context) {
  metadata::MetadataImage& image = active_ ? active_->committed : image_;
  image.skip_to(batch.base_offset);
  if (const auto* records = std::get_if<std::vector<MetadataRecord>>(&batch.data->records)) {
    replay(*records, batch.base_offset, active_ || context.log.is_leader(), context.out);
  } else {
    image.skip_to(batch.end_offset());
  }
  report_replayed(context.out);
}

void QuorumController::replay(const std::vector<MetadataRecord>& records, Offset base_offset, bool tells,
                              node::Effects& out) {
  metadata::MetadataImage& image = active_ ? active_->committed : image_;
  RegistrationOffsets& registered_at = active_ ? active_->registered_at : registered_at_;
  Offset offset = base_offset;
  std::vector<TopicId> created;
  for (const MetadataRecord& record : records) {
    image.replay(record);
    note_registration(record, offset, registered_at);
    if (tells) tell_of(record, offset, out);
    if (const auto* topic = std::get_if<TopicRecord>(&record)) created.push_back(topic->id);
    ++offset;
  }
  for (const TopicId id : created) {
    const metadata::TopicImage* topic = image.topic(id);
    if (!tells || topic == nullptr) continue;  // removed again
    const auto partitions = static_cast<std::int32_t>(topic->partitions.size());
    const auto replicas = static_cast<std::int16_t>(topic->partitions.front().replicas.size());
    node::report(out, observe::TopicCreated{topic->id, topic->name, partitions, replicas});
  }
}

void QuorumController::tell_of(const MetadataRecord& record, Offset offset, node::Effects& out) const {
  const metadata::MetadataImage& image = committed_image();
  const auto of_broker = [&](NodeId id) {
    const metadata::BrokerRegistration& one = *image.broker(id);
    node::report(out, observe::BrokerStateChanged{id, one.broker_epoch, one.fenced,
                                                  one.in_controlled_shutdown, offset});
  };
  const auto of_partition = [&](TopicPartition tp) {
    const metadata::PartitionRegistration& one = *image.partition(tp);
    node::report(out, observe::PartitionChanged{tp, one.leader, one.leader_epoch, one.partition_epoch,
                                                one.replicas, one.isr, one.elr, offset, one.adding});
  };
  std::visit(Overloaded{
                 [&](const RegisterBrokerRecord& one) { of_broker(one.broker); },
                 [&](const BrokerRegistrationChangeRecord& one) { of_broker(one.broker); },
                 [&](const PartitionRecord& one) { of_partition(one.tp); },
                 [&](const PartitionChangeRecord& one) { of_partition(one.tp); },
                 [](const UnregisterBrokerRecord&) {},
                 [](const TopicRecord&) {},
                 [&](const RemoveTopicRecord& one) { node::report(out, observe::TopicDeleted{one.id}); },
                 [](const TopicConfigRecord&) {},
                 [](const ProducerIdsRecord&) {},
                 [](const NoOpRecord&) {},
                 [](const FeatureLevelRecord&) {},
                 [](const RegisterControllerRecord&) {},
             },
             record);
}

void QuorumController::load(const MetadataSnapshot& snapshot, const Context& context) {
  SIM_CHECK(!active_, "whoever leads has everything");
  image_ = metadata::MetadataImage(snapshot);
  registered_at_.clear();
  for (const auto& [id, registration] : image_.brokers()) registered_at_[id] = snapshot.id.end_offset - 1;
  report_replayed(context.out);
}

void QuorumController::report_replayed(node::Effects& out) const {
  const metadata::MetadataImage& image = committed_image();
  node::report(out, observe::MetadataReplayed{boot_.id, image.end_offset(), image.digest()});
}

// ---- Writing

bool QuorumController::write(std::vector<MetadataRecord> records, const Context& context) {
  while (records.size() > kMaxRecordsPerBatch) {
    const auto rest = records.begin() + kMaxRecordsPerBatch;
    std::vector<MetadataRecord> later(std::make_move_iterator(rest), std::make_move_iterator(records.end()));
    records.erase(rest, records.end());
    if (!append(std::exchange(records, std::move(later)), context)) return false;
  }
  return records.empty() || append(std::move(records), context);
}

bool QuorumController::append(std::vector<MetadataRecord> records, const Context& context) {
  const std::optional<Offset> first = context.log.append(records, context.env, context.out);
  if (!first) {
    renounce(context);
    return false;
  }
  image_.skip_to(*first);
  Offset offset = *first;
  for (const MetadataRecord& record : records) {
    image_.replay(record);
    active_->replication.replayed(image_, record);
    active_->cluster.replayed(image_, record, offset++);
  }
  return true;
}

void QuorumController::conclude(const Envelope& request, std::vector<MetadataRecord> records, Message answer,
                                const Context& context) {
  if (!write(std::move(records), context)) {
    return node::reply(context.out, request, refusal_instead_of(answer));
  }
  const Offset end = image_.end_offset();
  if (end <= active_->committed.end_offset()) return node::reply(context.out, request, std::move(answer));
  active_->pending.push_back({end, request.channel, request.correlation, std::move(answer)});
}

// ---- Deadlines

void QuorumController::Alarm::set(std::optional<LocalTime> deadline, node::Effects& out) {
  if (deadline == armed_for) return;
  armed_for = deadline;
  if (deadline) {
    out.emplace_back(node::SetTimer{timer, *deadline});
  } else {
    out.emplace_back(node::CancelTimer{timer});
  }
}

// QuorumController.maybeFenceStaleBrokerPeriodNs. Each turn is planned when the one before is done, and a
// thread that waits wakes a little late: so the eighth turn of a new active controller comes after the
// sessions that it began with, not at the very instant up to which they are valid.
Duration QuorumController::session_check_period(const ControllerConfig& config) {
  constexpr Duration kWakesLate = std::chrono::microseconds(100);
  const Duration eighth = from_millis(config.broker_session_timeout_ms) / 8;
  return std::max<Duration>(std::chrono::milliseconds(1), eighth) + kWakesLate;
}

void QuorumController::SessionCheck::await(std::optional<LocalTime> expiry, node::Effects& out) {
  if (expiry && *expiry > next_turn) {
    const std::int64_t turns = (*expiry - next_turn + period - Duration{1}) / period;
    alarm.set(next_turn + turns * period, out);
  } else {
    alarm.set(expiry ? std::optional(next_turn) : std::nullopt, out);
  }
}

void QuorumController::check_sessions(const Context& context) {
  SessionCheck& check = active_->session_check;
  check.alarm.armed_for.reset();
  auto records =
      active_->cluster.fence_one_stale_broker(image_, active_->replication, context.now(), context.env.rng);
  check.next_turn = context.now() + (records ? kNextSweep : check.period);
  if (records) write(std::move(*records), context);
}

void QuorumController::Sweep::schedule(Duration interval, LocalTime now, node::Effects& out) {
  if (scheduled) return;
  scheduled = true;
  out.emplace_back(node::SetTimer{timer, now + (more_to_do ? kNextSweep : interval)});
}

void QuorumController::settle(const Context& context) {
  if (!active_) return;
  const ControllerConfig& config = boot_.config;
  active_->session_check.await(active_->cluster.next_session_expiry(), context.out);
  if (config.auto_leader_rebalance_enable && active_->replication.any_imbalanced()) {
    const Duration interval = from_seconds(config.leader_imbalance_check_interval_seconds);
    active_->balance.schedule(interval, context.now(), context.out);
  }
  if (active_->replication.any_leaderless()) {
    const Duration interval = from_millis(config.unclean_leader_election_interval_ms);
    active_->unclean.schedule(interval, context.now(), context.out);
  }
}

// So that the high watermark goes on, and whoever follows can tell that it is up to date; 0 = never.
void QuorumController::schedule_no_op(const Context& context) {
  const Duration interval = from_millis(boot_.config.metadata_max_idle_interval_ms);
  if (interval > Duration{0}) context.out.emplace_back(node::SetTimer{kNoOpTimer, context.now() + interval});
}

void QuorumController::timer_fired(node::TimerId timer, const Context& context) {
  SIM_CHECK(active_.has_value(), "a standby waits for nothing");
  if (timer == kSessionTimer) {
    check_sessions(context);
  } else if (timer == kNoOpTimer) {
    schedule_no_op(context);
    write({NoOpRecord{}}, context);
  } else {
    const bool balances = timer == kBalanceTimer;
    Sweep& sweep = balances ? active_->balance : active_->unclean;
    ReplicationControl::Records records = balances ? active_->replication.balance_leaders(image_)
                                                   : active_->replication.elect_unclean_leaders(image_);
    sweep.scheduled = false;
    sweep.more_to_do = records.size() >= ReplicationControl::kMaxElections;
    write(std::move(records), context);
  }
}

// ---- Requests, of the active controller. Those that are refused are answered at once.

void QuorumController::on(const CreateTopicsRequest& request, const Envelope& from, const Context& context) {
  conclude(from,
           active_->replication.create_topics(image_, request, active_->cluster.usable_brokers(image_),
                                              context.env.rng),
           context);
}

void QuorumController::on(const AllocateProducerIdsRequest& request, const Envelope& from,
                          const Context& context) {
  const ErrorCode error = ClusterControl::check_broker_epoch(image_, request.broker, request.broker_epoch);
  if (error != ErrorCode::none) return node::reply(context.out, from, AllocateProducerIdsResponse{error});
  const ProducerId first = image_.next_producer_id();
  const ProducerId next{first.value() + kProducerIdBlock};
  conclude(from, {ProducerIdsRecord{request.broker, request.broker_epoch, next}},
           AllocateProducerIdsResponse{ErrorCode::none, first, kProducerIdBlock}, context);
}

void QuorumController::on(const AlterPartitionRequest& request, const Envelope& from,
                          const Context& context) {
  const ErrorCode error = ClusterControl::check_broker_epoch(image_, request.broker, request.broker_epoch);
  if (error != ErrorCode::none) return node::reply(context.out, from, AlterPartitionResponse{error, {}});
  conclude(from, active_->replication.alter_partition(image_, request), context);
}

void QuorumController::on(const BrokerRegistrationRequest& request, const Envelope& from,
                          const Context& context) {
  auto decision = active_->cluster.register_broker(image_, request, active_->replication, context.now());
  if (decision.answer.error != ErrorCode::none) return node::reply(context.out, from, decision.answer);
  conclude(from, std::move(decision), context);
}

// ClusterControlManager.registerController: whoever asks is written down.
void QuorumController::on(const ControllerRegistrationRequest& request, const Envelope& from,
                          const Context& context) {
  conclude(from, {RegisterControllerRecord{request.controller, request.incarnation, request.endpoint}},
           ControllerRegistrationResponse{}, context);
}

void QuorumController::on(const BrokerHeartbeatRequest& request, const Envelope& from,
                          const Context& context) {
  auto decision = active_->cluster.heartbeat(image_, request, active_->replication, context.now());
  if (decision.answer.error != ErrorCode::none) return node::reply(context.out, from, decision.answer);
  conclude(from, std::move(decision), context);
}

void QuorumController::on(const AssignReplicasToDirsRequest& request, const Envelope& from,
                          const Context& context) {
  const ErrorCode error = ClusterControl::check_broker_epoch(image_, request.broker, request.broker_epoch);
  if (error != ErrorCode::none)
    return node::reply(context.out, from, AssignReplicasToDirsResponse{error, {}});
  conclude(from, active_->replication.assign_replicas_to_dirs(image_, request), context);
}

// ---- Administration

void QuorumController::on(const ElectLeadersRequest& request, const Envelope& from, const Context& context) {
  conclude(from, active_->replication.elect_leaders(image_, request), context);
}

void QuorumController::on(const AlterPartitionReassignmentsRequest& request, const Envelope& from,
                          const Context& context) {
  conclude(from, active_->replication.alter_partition_reassignments(image_, request), context);
}

void QuorumController::on(const DeleteTopicsRequest& request, const Envelope& from, const Context& context) {
  conclude(from, active_->replication.delete_topics(image_, request), context);
}

void QuorumController::on(const IncrementalAlterConfigsRequest& request, const Envelope& from,
                          const Context& context) {
  conclude(from, active_->replication.incremental_alter_configs(image_, request), context);
}

void QuorumController::on(const CreatePartitionsRequest& request, const Envelope& from,
                          const Context& context) {
  conclude(from,
           active_->replication.create_partitions(image_, request, active_->cluster.usable_brokers(image_),
                                                  context.env.rng),
           context);
}

}  // namespace sim::controller
