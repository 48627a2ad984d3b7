#include "broker/broker.h"

#include <utility>

#include "base/check.h"
#include "base/overloaded.h"
#include "protocol/batch_builder.h"
#include "server/coordinators.h"

namespace sim::broker {

namespace {

constexpr node::TimerId kShutdownTimer{node::Part::broker, 0};
constexpr node::TimerId kOpenLogsTimer{node::Part::broker, 1};

constexpr Duration kControlledShutdownTimeout = std::chrono::minutes(5);  // Server.shutdown's
constexpr Duration kForwardingTimeout = std::chrono::seconds(60);

BrokerEpoch previous_broker_epoch(const node::DurableImage& image) {
  const auto metadata = image.logs.find(kClusterMetadata);
  return metadata == image.logs.end() ? kNoBrokerEpoch : metadata->second.clean_shutdown;
}

// Nothing is told of an only one, nor was anything before KIP-858.
std::vector<DirectoryId> online_directories(const BrokerBoot& boot, const node::DurableImage& image) {
  const replica::LogDirectories all(boot.self, boot.config.log_dirs, image.failed_directories,
                                    image.replaced);
  return all.are_several() && boot.config.history.failed_log_directories ? all.online()
                                                                         : std::vector<DirectoryId>{};
}

}  // namespace

Broker::Broker(const BrokerBoot& boot, const node::DurableImage& image)
    : boot_(boot),
      phases_(boot.phases),
      lifecycle_({boot.self, boot.id, boot.rack, boot.incarnation, previous_broker_epoch(image),
                  online_directories(boot, image),
                  phases_.first_turn(from_millis(boot.config.broker_heartbeat_interval_ms), Duration{})},
                 boot.config),
      replicas_(boot.self, boot.id, boot.config, image),
      groups_(boot.config),
      transactions_(boot.self, boot.config),
      add_partitions_(boot.self, from_millis(boot.config.request_timeout_ms)),
      forwarding_(boot.self, Lane::forwarding, kForwardingTimeout) {}

void Broker::start(node::Env env, node::Effects& out) {
  if (!lifecycle_.is_first_life()) {
    const Duration open_logs_after{boot_.open_logs_after.sample(env.rng)};
    may_load_ = open_logs_after <= Duration{};
    if (!may_load_) out.emplace_back(node::SetTimer{kOpenLogsTimer, env.now + open_logs_after});
  }
  lifecycle_.start(context(env, out));
}

// ---- Inputs

// It does not look at which client has left: its answer finds nobody.
void Broker::step(node::Part part, node::Input& input, node::Env env, node::Effects& out) {
  if (part == node::Part::broker && std::holds_alternative<node::Disconnected>(input)) return;
  const Context context = this->context(env, out);
  if (env.wall_ahead != wall_ahead_) follow_clock(context);
  auto* received = std::get_if<node::Received>(&input);
  if (received != nullptr && !received->envelope.response) {
    receive(*received, context);
  } else {
    route(part, input, context);
  }
  finish_step(context);
}

// What was planned by the wall clock is planned anew.
void Broker::follow_clock(const Context& context) {
  wall_ahead_ = context.env.wall_ahead;
  replicas_.clock_stepped(context);
  groups_.clock_stepped(context.env, context.out);
}

void Broker::receive(node::Received& received, const Context& context) {
  const Envelope& from = received.envelope;
  if (stage_ != Stage::serving) {
    context.out.emplace_back(node::Disconnect{from.channel});
    return;
  }
  const std::int32_t throttle_ms = replicas_.throttle_for_time(from, context);
  const std::size_t first = context.out.size();
  std::visit([&](auto& request) { on(request, from, context); }, received.envelope.message);
  if (throttle_ms > 0) throttle_answer(from, throttle_ms, first, context.out);
}

// RequestHandlerHelper.sendMaybeThrottle. Differs from Kafka for a request that waits, a JoinGroup say: its
// time is counted when it is handled, and its client throttled with the next answer.
void Broker::throttle_answer(const Envelope& to, std::int32_t throttle_ms, std::size_t first,
                             node::Effects& out) {
  for (std::size_t i = first; i < out.size(); ++i) {
    auto* sent = std::get_if<node::Send>(&out[i]);
    if (sent == nullptr || !sent->envelope.response || sent->envelope.channel != to.channel) continue;
    if (sent->envelope.correlation == to.correlation) sent->envelope.throttle_ms = throttle_ms;
  }
}

// What a part waits for no more is dropped by it: a timer that was set before it was closed, say.
void Broker::route(node::Part part, node::Input& input, const Context& context) {
  if (stage_ >= Stage::closing) return wind_up(input, context);
  switch (part) {
    case node::Part::broker: return timer_fired(std::get<node::TimerFired>(input).timer, context);
    case node::Part::lifecycle: return lifecycle_.step(input, context);
    case node::Part::forwarding: {
      ControllerChannel::Answers answers;
      forwarding_.step(input, context.env, context.out, answers);
      return forwarded(answers, context);
    }
    case node::Part::replica_manager:
      if (const auto* done = std::get_if<node::Persisted>(&input)) return replicas_.written(*done, context);
      return replicas_.timer_fired(replica::task_of(std::get<node::TimerFired>(input).timer), context);
    case node::Part::alter_partition: return replicas_.step_alter_partition(input, context);
    case node::Part::directory_assignments: return replicas_.step_assignments(input, context);
    case node::Part::fetchers: return replicas_.step_fetcher(input, context);
    case node::Part::group_coordinator: return groups_.runtime().timer_fired(context.env, context.out);
    case node::Part::transaction_coordinator:
      return transactions_.timer_fired(std::get<node::TimerFired>(input).timer, producer_id_source(context),
                                       context);
    case node::Part::transaction_markers: return transactions_.step_markers(input, context);
    case node::Part::add_partitions_to_txn: {
      transaction::AddPartitionsToTxnManager::Answers answers;
      add_partitions_.step(input, context, answers);
      return verification_answered(answers, context);
    }
    case node::Part::raft:
    case node::Part::controller:
    case node::Part::controller_registration:
    case node::Part::application:
    case node::Part::client: SIM_CHECK(false, "this part is none of a broker's");
  }
}

// Nothing counts any more but the flush of all logs, and then the mark of a clean shutdown.
void Broker::wind_up(const node::Input& input, const Context& context) {
  const auto* done = std::get_if<node::Persisted>(&input);
  if (done == nullptr || stage_ == Stage::stopped) return;
  if (done->id != closing_) return replicas_.written_while_closing(done->id, context);
  if (std::exchange(is_marked_, true)) {
    stage_ = Stage::stopped;
  } else {
    closing_ = replicas_.mark_clean_shutdown(context);
  }
}

void Broker::timer_fired(node::TimerId timer, const Context& context) {
  if (timer == kShutdownTimer) lifecycle_.begin_shutdown(context);
  if (timer == kOpenLogsTimer) may_load_ = true;
}

// ---- Life (BrokerServer.startup, shutdown)

void Broker::stop(node::Env env, node::Effects& out) {
  const Context context = this->context(env, out);
  if (boot_.config.controlled_shutdown_enable) {
    context.out.emplace_back(node::SetTimer{kShutdownTimer, context.now() + kControlledShutdownTimeout});
    replicas_.begin_controlled_shutdown();
    lifecycle_.begin_controlled_shutdown(context);
  } else {
    lifecycle_.begin_shutdown(context);
  }
  finish_step(context);
}

// The logs are loaded with the first metadata that is committed, whether or not the broker may register yet.
// Meanwhile its heartbeats go on, and whatever comes of the metadata waits, as Kafka's metadata loader does:
// so the broker has not caught up with its registration before its logs are open. From then on it leads and
// follows as the metadata says. While its last life is not fenced it is still in the ISR, and its fetches let
// other leaders acknowledge; as a leader it answers nobody yet, since its port is closed.
void Broker::follow_lifecycle(const Context& context) {
  const bool is_up = lifecycle_.state() != BrokerState::shutting_down;
  if (!published_ && !is_loading_ && may_load_ && is_up) load_logs(context);
  if (is_loading_ && replicas_.is_loaded()) publish_first(context);
  const bool caught_up = lifecycle_.state() == BrokerState::recovery && published_;
  if (caught_up && !lifecycle_.is_ready_to_unfence()) lifecycle_.set_ready_to_unfence(context);
  const bool serves =
      lifecycle_.state() == BrokerState::running || (lifecycle_.is_first_life() && published_);
  if (stage_ == Stage::starting && serves) stage_ = Stage::serving;
  if (lifecycle_.state() != BrokerState::shutting_down || stage_ >= Stage::closing) return;
  if (published_) {
    stage_ = Stage::closing;
    closing_ = replicas_.close(context);
  } else {
    stage_ = Stage::stopped;  // it has not looked at its logs
  }
}

// ---- Metadata (MetadataLoader and its publishers)

void Broker::replay(const std::vector<Batch>& committed, node::Env env, node::Effects& out) {
  if (stage_ >= Stage::closing || committed.empty()) return;
  if (is_loading_) return void(waiting_.emplace_back(committed));
  publish(learn(committed), context(env, out));
}

void Broker::load(const MetadataSnapshot& snapshot, node::Env env, node::Effects& out) {
  if (stage_ >= Stage::closing) return;
  if (is_loading_) return void(waiting_.emplace_back(snapshot));
  publish(learn(snapshot), context(env, out));
}

metadata::MetadataDelta Broker::learn(const std::vector<Batch>& committed) {
  metadata::MetadataDelta delta;
  for (const Batch& batch : committed) image_.replay(batch, &delta);
  return delta;
}

metadata::MetadataDelta Broker::learn(const MetadataSnapshot& snapshot) {
  metadata::MetadataImage loaded(snapshot);
  metadata::MetadataDelta delta = metadata::difference(image_, loaded);
  image_ = std::move(loaded);
  return delta;
}

// The image first, then the replicas, then the coordinator. Until there is anything to see, nothing starts.
void Broker::publish(const metadata::MetadataDelta& delta, const Context& context) {
  if (published_ && !delta.empty()) {
    replicas_.apply(delta, context);
    transactions_.metadata_changed(context);
  }
  if (!delta.empty()) groups_.topics_may_have_changed();
  finish_step(context);
}

// LogManager.startup, called with the first image that is published
// (BrokerMetadataPublisher.initializeManagers).
void Broker::load_logs(const Context& context) {
  if (image_.brokers().empty() && image_.topics().empty()) return;
  is_loading_ = true;
  replicas_.load(phases_, context);
}

void Broker::publish_first(const Context& context) {
  is_loading_ = false;
  published_ = true;
  replicas_.apply(metadata::difference(metadata::MetadataImage(), image_), context);
  replicas_.delete_stray_logs(context);
  transactions_.start(context.now(), phases_);
  for (const News& news : std::exchange(waiting_, {})) {
    const metadata::MetadataDelta delta = std::visit([this](const auto& one) { return learn(one); }, news);
    if (!delta.empty()) replicas_.apply(delta, context);
  }
}

void Broker::set_controller(ProcessId leader, node::Env env, node::Effects& out) {
  if (stage_ >= Stage::closing) return;
  const Context context = this->context(env, out);
  lifecycle_.set_controller(leader, context);
  replicas_.set_controller(leader, context);
  ControllerChannel::Answers given_up;
  forwarding_.set_controller(leader, context.env, context.out, given_up);
  forwarded(given_up, context);
  finish_step(context);
}

// The parts tell each other what they did until nobody has anything to tell.
void Broker::finish_step(const Context& context) {
  follow_lifecycle(context);
  if (stage_ == Stage::stopped) return;
  for (;;) {
    replicas_.finish_step(context);
    std::vector<ReplicaManager::Event> events = replicas_.take_events();
    for (const ReplicaManager::Event& event : events) {
      std::visit([&](const auto& one) { on(one, context); }, event);
    }
    transactions_.finish_step(context);
    if (!take_writes(context) && events.empty()) return;
  }
}

// True if there were any.
bool Broker::take_writes(const Context& context) {
  std::vector<GroupCoordinator::Write> writes = groups_.runtime().take_writes();
  for (GroupCoordinator::Write& write : writes) append(write, context);
  std::vector<transaction::TransactionCoordinator::Write> decisions = transactions_.take_writes();
  for (transaction::TransactionCoordinator::Write& write : decisions) append(write, context);
  return !writes.empty() || !decisions.empty();
}

// ---- Partitions of internal topics: their coordinator is told, which ignores what it does not lead

void Broker::on(const ReplicaManager::Elected& event, const Context& context) {
  const metadata::TopicImage* topic = image_.topic(event.tp.topic);
  const server::CoordinatorKind* kind = topic == nullptr ? nullptr : server::coordinator_on(topic->name);
  if (kind == nullptr) return;
  switch (kind->type) {
    case CoordinatorType::group:
      return coordinator_elected(groups_.runtime(), event, context.config.offsets_load_buffer_size, context);
    case CoordinatorType::transaction:
      return coordinator_elected(transactions_.runtime(), event,
                                 context.config.transaction_state_log_load_buffer_size, context);
  }
}

template <class Runtime>
void Broker::coordinator_elected(Runtime& runtime, const ReplicaManager::Elected& event,
                                 std::int32_t load_buffer_size, const Context& context) {
  if (!runtime.elected(event.tp, event.leader_epoch)) return;
  const partition::Partition* partition = replicas_.partition(event.tp);
  SIM_CHECK(partition != nullptr, "what was elected is here");
  runtime.load(event.tp, partition->log(), partition->high_watermark(), load_buffer_size, context.env,
               context.out);
}

void Broker::on(const ReplicaManager::Resigned& event, const Context& context) {
  groups_.runtime().resigned(event.tp, context.env, context.out);
  if (transactions_.runtime_leads(event.tp))
    transactions_.runtime().resigned(event.tp, context.env, context.out);
}

void Broker::on(const ReplicaManager::HighWatermarkAdvanced& event, const Context& context) {
  groups_.runtime().high_watermark_advanced(event.tp, event.high_watermark, context.env, context.out);
  if (transactions_.runtime_leads(event.tp)) {
    transactions_.runtime().high_watermark_advanced(event.tp, event.high_watermark, context.env, context.out);
  }
}

void Broker::on(const ReplicaManager::Appended& event, const Context& context) {
  switch (owner_of(event.id)) {
    case AppendOwner::groups:
      groups_.runtime().written(event.tp, number_of(event.id), event.error, context.env, context.out);
      return marker_written(event.id, event.error, context);
    case AppendOwner::transactions:
      return transactions_.runtime().written(event.tp, number_of(event.id), event.error, context.env,
                                             context.out);
    case AppendOwner::markers: return marker_written(event.id, event.error, context);
  }
}

void Broker::on(const ReplicaManager::DirectoryFailed& event, const Context& context) {
  lifecycle_.directory_failed(event.directory, context);
}

}  // namespace sim::broker
