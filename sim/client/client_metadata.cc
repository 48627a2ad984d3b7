#include "client/client_metadata.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "node/backoff.h"

namespace sim::client {

using node::NetworkClient;

node::NetworkClientConfig network_config(const CommonClientConfig& config) {
  return node::NetworkClientConfig{
      .request_timeout = from_millis(config.request_timeout_ms),
      .reconnect_backoff = from_millis(config.reconnect_backoff_ms),
      .reconnect_backoff_max = from_millis(config.reconnect_backoff_max_ms),
      .setup_timeout = from_millis(config.socket_connection_setup_timeout_ms),
      .setup_timeout_max = from_millis(config.socket_connection_setup_timeout_max_ms),
  };
}

MetadataClient::Config MetadataClient::config_of(const CommonClientConfig& config,
                                                 bool allow_auto_topic_creation) {
  return Config{
      .max_age = from_millis(config.metadata_max_age_ms),
      .first_age = from_millis(config.first_metadata_age_ms),
      .max_idle = from_millis(config.metadata_max_idle_ms),
      .retry_backoff = from_millis(config.retry_backoff_ms),
      .retry_backoff_max = from_millis(config.retry_backoff_max_ms),
      .allow_auto_topic_creation = allow_auto_topic_creation,
  };
}

MetadataClient::MetadataClient(std::vector<ProcessId> bootstrap, Config config)
    : config_(config), bootstrap_(std::move(bootstrap)) {
  SIM_CHECK(!bootstrap_.empty(), "a client knows at least one bootstrap server");
}

// ---- What is known

const MetadataClient::Topic* MetadataClient::find(std::string_view name) const {
  for (const Topic& topic : topics_) {
    if (topic.name == name) return &topic;
  }
  return nullptr;
}

const MetadataClient::Topic* MetadataClient::find(TopicId id) const {
  const auto slot = static_cast<std::size_t>(id.value());
  if (id.value() < 0 || slot >= index_by_id_.size() || index_by_id_[slot] < 0) return nullptr;
  return &topics_[static_cast<std::size_t>(index_by_id_[slot])];
}

MetadataClient::Topic* MetadataClient::mutable_find(TopicId id) {
  return const_cast<Topic*>(std::as_const(*this).find(id));
}

const MetadataClient::Partition* MetadataClient::leader_of(TopicPartition tp) const {
  const Topic* topic = find(tp.topic);
  if (topic == nullptr || !std::cmp_less(tp.partition, topic->partitions.size())) return nullptr;
  const auto index = static_cast<std::size_t>(tp.partition);
  const Partition& partition = topic->partitions[index];
  if (partition.leader_endpoint == kNoProcess || partition.leader_epoch != topic->last_seen_epochs[index])
    return nullptr;
  return &partition;
}

LeaderEpoch MetadataClient::last_seen_epoch(TopicPartition tp) const {
  const Topic* topic = find(tp.topic);
  if (topic == nullptr || !std::cmp_less(tp.partition, topic->last_seen_epochs.size())) return kNoLeaderEpoch;
  return topic->last_seen_epochs[static_cast<std::size_t>(tp.partition)];
}

const MetadataClient::Broker* MetadataClient::broker(NodeId id) const {
  for (const Broker& broker : brokers_) {
    if (broker.id == id) return &broker;
  }
  return nullptr;
}

ProcessId MetadataClient::endpoint(NodeId id) const {
  const Broker* found = broker(id);
  return found == nullptr ? kNoProcess : found->endpoint;
}

// ---- What to ask for

MetadataClient::TopicIndex MetadataClient::index_of(std::string_view name) {
  for (TopicIndex i = 0; i < topics_.size(); ++i) {
    if (topics_[i].name == name) return i;
  }
  topics_.emplace_back().name = name;
  return topics_.size() - 1;
}

MetadataClient::TopicIndex MetadataClient::add_topic(std::string_view name, LocalTime now) {
  const TopicIndex index = index_of(name);
  add_topic(index, now);
  return index;
}

void MetadataClient::add_topic(TopicIndex index, LocalTime now) {
  Topic& topic = topics_[index];
  topic.expires_at = now + config_.max_idle;
  if (topic.wanted) return;
  topic.wanted = true;
  topic.is_new = true;
  request_update_for_new_topics();
}

void MetadataClient::set_topics(const std::vector<std::string>& names) {
  for (Topic& topic : topics_) topic.wanted = false;
  for (const std::string& name : names) topics_[index_of(name)].wanted = true;
  request_update_for_new_topics();
}

// Metadata.requestUpdateForNewTopics: no back-off stands in its way.
void MetadataClient::request_update_for_new_topics() {
  need_partial_update_ = true;
  answers_without_progress_ = 0;
  allowed_by_attempts_ = LocalTime::min();
  allowed_by_progress_ = LocalTime::min();
  ++request_version_;
}

void MetadataClient::request_update(TopicIndex index) {
  if (topics_[index].is_new) {
    request_update_for_new_topics();
  } else {
    request_update();
  }
}

void MetadataClient::see_leader_epoch(TopicPartition tp, LeaderEpoch leader_epoch) {
  Topic* topic = mutable_find(tp.topic);
  if (topic == nullptr || !std::cmp_less(tp.partition, topic->last_seen_epochs.size())) return;
  LeaderEpoch& seen = topic->last_seen_epochs[static_cast<std::size_t>(tp.partition)];
  if (seen == kNoLeaderEpoch || leader_epoch <= seen) return;
  seen = leader_epoch;
  need_full_update_ = true;
  ++version_;
}

bool MetadataClient::update_leader(TopicPartition tp, const LeaderHint& hint) {
  Topic* topic = mutable_find(tp.topic);
  if (topic == nullptr || !std::cmp_less(tp.partition, topic->partitions.size())) return false;
  if (hint.leader == kNoNode || hint.leader_epoch == kNoLeaderEpoch) return false;
  const auto index = static_cast<std::size_t>(tp.partition);
  if (hint.leader_epoch <= topic->last_seen_epochs[index]) return false;
  if (broker(hint.leader) == nullptr) {
    if (hint.endpoint == kNoProcess) return false;
    brokers_.push_back(Broker{hint.leader, hint.endpoint, {}});
  }
  Partition& partition = topic->partitions[index];
  partition.leader = hint.leader;
  partition.leader_epoch = hint.leader_epoch;
  partition.leader_endpoint = endpoint(hint.leader);
  topic->last_seen_epochs[index] = hint.leader_epoch;
  ++version_;
  return true;
}

// ---- Upkeep

bool MetadataClient::update_due(LocalTime now) const {
  if (in_progress_) return false;
  const bool wanted = need_full_update_ || need_partial_update_ || now >= expires_at_;
  return wanted && now >= allowed_at();
}

LocalTime MetadataClient::next_update_at() const {
  if (in_progress_ || waiting_for_network_) return LocalTime::max();
  const bool requested = need_full_update_ || need_partial_update_;
  return requested ? allowed_at() : std::max(expires_at_, allowed_at());
}

void MetadataClient::maybe_update(NetworkClient& network, node::Env env, node::Effects& out) {
  if (env.now >= expires_at_ && answers_without_progress_ > 0) {
    answers_without_progress_ = 0;
    allowed_by_progress_ = LocalTime::min();
  }
  waiting_for_network_ = false;
  if (!update_due(env.now)) return;
  if (!trying_since_) trying_since_ = env.now;
  if (env.now - *trying_since_ > config_.rebootstrap_trigger) rebootstrap(env.now);

  LeastLoaded least_loaded = find_least_loaded(network, env);
  if (least_loaded.node == kNoProcess && !least_loaded.connection_ready && !brokers_.empty()) {
    rebootstrap(env.now);
    least_loaded = find_least_loaded(network, env);
  }
  if (least_loaded.node != kNoProcess && network.is_ready(least_loaded.node)) {
    return send_request(network, least_loaded.node, env, out);
  }
  // Whatever it waits for now ends in an event of the network: a connection, an answer, the end of a
  // back-off.
  waiting_for_network_ = true;
  if (least_loaded.node == kNoProcess) return;
  for (const ProcessId server : nodes()) {
    if (network.is_connecting(server)) return;
  }
  network.ready(least_loaded.node, env, out);
}

void MetadataClient::send_request(NetworkClient& network, ProcessId server, node::Env env,
                                  node::Effects& out) {
  MetadataRequest request;
  request.allow_auto_topic_creation = config_.allow_auto_topic_creation;
  bool partial = !need_full_update_ && env.now < expires_at_;
  if (partial) {
    for (const Topic& topic : topics_) {
      if (topic.is_new) request.topics.push_back(topic.name);
    }
    partial = !request.topics.empty();
  }
  if (!partial) {
    for (const Topic& topic : topics_) {
      if (topic.wanted) request.topics.push_back(topic.name);
    }
  }
  const CorrelationId correlation = network.send(server, std::move(request), env, out);
  in_progress_ = InProgress{correlation, request_version_, partial};
}

bool MetadataClient::digest(NetworkClient::Event& event, node::Env env) {
  const auto mine = [this](CorrelationId correlation) {
    return in_progress_ && in_progress_->correlation == correlation;
  };
  if (auto* response = std::get_if<NetworkClient::Response>(&event)) {
    if (!mine(response->correlation)) return false;
    auto* metadata = std::get_if<MetadataResponse>(&response->message);
    SIM_CHECK(metadata != nullptr, "a metadata request is answered in kind");
    const InProgress request = *in_progress_;
    in_progress_.reset();
    on_response(*metadata, request, env);
    return true;
  }
  if (const auto* failure = std::get_if<NetworkClient::Failure>(&event)) {
    if (!mine(failure->correlation)) return false;
    in_progress_.reset();
    failed(env);
    return true;
  }
  if (std::holds_alternative<NetworkClient::Unavailable>(event)) {
    // DefaultMetadataUpdater.handleServerDisconnect: the loss may mean that what is known is stale.
    if (update_due(env.now)) failed(env);
    request_update();
  }
  return false;
}

void MetadataClient::failed(node::Env env) {
  ++failed_attempts_;
  answers_without_progress_ = 0;
  set_backoffs(env);
}

void MetadataClient::set_backoffs(node::Env env) {
  const auto backoff = [this, &env](std::int32_t failures) {
    return node::exponential_backoff(config_.retry_backoff, config_.retry_backoff_max, failures, env.rng);
  };
  allowed_by_attempts_ = env.now + backoff(std::max(0, failed_attempts_ - 1));
  allowed_by_progress_ =
      answers_without_progress_ > 0 ? env.now + backoff(answers_without_progress_ - 1) : LocalTime::min();
}

void MetadataClient::rebootstrap(LocalTime now) {
  brokers_.clear();
  for (Topic& topic : topics_) forget(topic);
  need_full_update_ = true;
  trying_since_ = now;
  ++version_;
}

void MetadataClient::forget(Topic& topic) {
  if (topic.id != kNoTopic) index_by_id_[static_cast<std::size_t>(topic.id.value())] = -1;
  topic.id = kNoTopic;
  topic.partitions.clear();
}

// ---- Answers

void MetadataClient::on_response(MetadataResponse& response, InProgress request, node::Env env) {
  if (response.brokers.empty()) return failed(env);  // a broker that is only starting
  trying_since_.reset();
  need_partial_update_ = request.request_version < request_version_;
  failed_attempts_ = 0;
  ++version_;
  if (!request.partial) {
    need_full_update_ = false;
    const Duration first_age = std::exchange(config_.first_age, Duration{});
    expires_at_ = env.now + (first_age > Duration{} ? first_age : config_.max_age);
  }
  ++answers_without_progress_;
  brokers_ = std::move(response.brokers);
  controller_ = response.controller;

  for (Topic& topic : topics_) {
    if (topic.wanted && !topic.is_new && topic.expires_at <= env.now) topic.wanted = false;
    const bool named =
        std::any_of(response.topics.begin(), response.topics.end(),
                    [&topic](const MetadataResponse::Topic& heard) { return heard.name == topic.name; });
    if (!topic.wanted || (!request.partial && !named)) forget(topic);
    if (!topic.wanted) topic.last_seen_epochs.clear();
  }
  for (MetadataResponse::Topic& heard : response.topics) adopt(heard);
  resolve_endpoints();
  set_backoffs(env);
}

void MetadataClient::adopt(MetadataResponse::Topic& heard) {
  Topic& topic = topics_[index_of(heard.name)];
  topic.error = heard.error;
  topic.is_new = false;
  if (!topic.wanted) return;
  if (heard.error != ErrorCode::none) {
    forget(topic);
    if (is_invalid_metadata(heard.error)) request_update();
    return;
  }
  const bool other_topic = heard.id != topic.id;
  if (other_topic) {
    forget(topic);
    topic.id = heard.id;
    const auto slot = static_cast<std::size_t>(heard.id.value());
    if (slot >= index_by_id_.size()) index_by_id_.resize(slot + 1, -1);
    index_by_id_[slot] = static_cast<std::int32_t>(&topic - topics_.data());
  }
  topic.compression_percent = heard.compression_percent;
  topic.partitions.resize(heard.partitions.size());
  topic.last_seen_epochs.resize(heard.partitions.size(), kNoLeaderEpoch);
  for (const MetadataResponse::Partition& partition : heard.partitions) adopt(topic, partition, other_topic);
}

// Metadata.updateLatestMetadata
void MetadataClient::adopt(Topic& topic, const MetadataResponse::Partition& heard, bool other_topic) {
  SIM_CHECK(std::cmp_less(heard.index, topic.partitions.size()), "partitions are numbered densely");
  const auto index = static_cast<std::size_t>(heard.index);
  LeaderEpoch& seen = topic.last_seen_epochs[index];
  if (is_invalid_metadata(heard.error)) request_update();
  const bool unknown = seen == kNoLeaderEpoch || other_topic || heard.leader_epoch == kNoLeaderEpoch;
  if (!unknown && heard.leader_epoch < seen) return;  // older than what is known
  if (unknown || heard.leader_epoch > seen) answers_without_progress_ = 0;
  seen = heard.leader_epoch;
  Partition& partition = topic.partitions[index];
  partition.leader = heard.leader;
  partition.leader_epoch = heard.leader_epoch;
  partition.error = heard.error;
  partition.replicas = heard.replicas;
  partition.isr = heard.isr;
}

void MetadataClient::resolve_endpoints() {
  for (Topic& topic : topics_) {
    for (Partition& partition : topic.partitions) partition.leader_endpoint = endpoint(partition.leader);
  }
}

// ---- Whom to ask

std::vector<ProcessId> MetadataClient::nodes() const {
  if (brokers_.empty()) return bootstrap_;
  std::vector<ProcessId> endpoints;
  for (const Broker& broker : brokers_) endpoints.push_back(broker.endpoint);
  return endpoints;
}

ProcessId MetadataClient::least_loaded(const NetworkClient& network, node::Env env) const {
  return find_least_loaded(network, env).node;
}

// NetworkClient.leastLoadedNode
MetadataClient::LeastLoaded MetadataClient::find_least_loaded(const NetworkClient& network,
                                                              node::Env env) const {
  const std::vector<ProcessId> servers = nodes();
  const std::size_t offset = env.rng.below(servers.size());
  ProcessId found_ready = kNoProcess;
  ProcessId found_preparing = kNoProcess;
  ProcessId found_connectable = kNoProcess;
  bool connection_ready = false;
  for (std::size_t i = 0; i < servers.size(); ++i) {
    const ProcessId server = servers[(offset + i) % servers.size()];
    connection_ready = connection_ready || network.is_connected(server);
    if (network.is_ready(server)) {
      if (network.in_flight(server) == 0) return {server, true};
      if (found_ready == kNoProcess || network.in_flight(server) < network.in_flight(found_ready))
        found_ready = server;
    } else if (network.is_preparing(server)) {
      found_preparing = server;
    } else if (network.can_connect(server, env.now)) {
      if (found_connectable == kNoProcess ||
          network.last_attempt(server) < network.last_attempt(found_connectable)) {
        found_connectable = server;
      }
    }
  }
  if (found_ready != kNoProcess) return {found_ready, connection_ready};
  if (found_preparing != kNoProcess) return {found_preparing, connection_ready};
  return {found_connectable, connection_ready};
}

}  // namespace sim::client
