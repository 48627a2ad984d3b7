#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "client/config.h"
#include "node/network_client.h"
#include "node/node.h"
#include "protocol/messages.h"

// A client's view of the cluster: brokers, topics, leaders; and the upkeep of that view (Kafka's Metadata,
// ProducerMetadata and NetworkClient.DefaultMetadataUpdater).
//
// A leader is believed only if its leader epoch is not older than one seen before, unless the topic is
// another one under the same name. The view is refreshed every metadata.max.age.ms, at once for a topic
// asked for the first time, and after errors with an exponential back-off, which counts failed requests and
// answers without progress. The node asked is the least loaded one. If no known node can be reached at
// all, or nothing was learnt for metadata.recovery.rebootstrap.trigger.ms, the view is dropped and begins
// again from bootstrap.servers (KIP-899, KIP-1102).
//
// Its owner tells it what the network brought (`digest`), and after each step calls `maybe_update`.
// Beside that it needs to be woken at `next_update_at()`. It is a value.
//
// Other than Kafka: a bootstrap server is not a node of its own. What was connected to as a bootstrap server
// is connected when metadata tells its broker id; Kafka opens a second connection.
namespace sim::client {

node::NetworkClientConfig network_config(const CommonClientConfig& config);

class MetadataClient {
 public:
  struct Config {
    Duration max_age = std::chrono::seconds(300);   // metadata.max.age.ms
    Duration first_age{};                           // of the first refresh; 0: the same
    Duration max_idle = std::chrono::seconds(300);  // metadata.max.idle.ms, for topics of add_topic()
    Duration retry_backoff = std::chrono::milliseconds(100);
    Duration retry_backoff_max = std::chrono::seconds(1);
    Duration rebootstrap_trigger = std::chrono::seconds(300);  // metadata.recovery.rebootstrap.trigger.ms
    bool allow_auto_topic_creation = true;
  };
  static Config config_of(const CommonClientConfig& config, bool allow_auto_topic_creation);

  struct Partition {
    NodeId leader = kNoNode;
    ProcessId leader_endpoint = kNoProcess;  // none also if the leader is not among the brokers known
    LeaderEpoch leader_epoch = kNoLeaderEpoch;
    ErrorCode error = ErrorCode::none;
    std::vector<NodeId> replicas;
    std::vector<NodeId> isr;
  };
  struct Topic {
    std::string name;
    TopicId id = kNoTopic;
    ErrorCode error = ErrorCode::none;  // of the last answer
    std::int32_t compression_percent = 100;
    std::vector<Partition> partitions;  // empty while the topic is not known

    bool known() const { return !partitions.empty(); }

   private:
    friend class MetadataClient;
    std::vector<LeaderEpoch> last_seen_epochs;
    LocalTime expires_at = LocalTime::max();
    bool wanted = false;
    bool is_new = false;  // wanted, and no answer has named it yet
  };
  using Broker = MetadataResponse::Broker;
  // A topic of this view, for as long as the view lives; see index_of().
  using TopicIndex = std::size_t;

  MetadataClient(std::vector<ProcessId> bootstrap, Config config);

  // ---- What is known

  const std::vector<Topic>& topics() const { return topics_; }  // by TopicIndex, wanted or not
  const Topic& topic(TopicIndex index) const { return topics_[index]; }
  const Topic* find(std::string_view name) const;  // null: never asked for
  const Topic* find(TopicId id) const;             // null: no such topic is known
  // The leader of now; null if there is none, or if a newer epoch has been seen than its.
  const Partition* leader_of(TopicPartition tp) const;
  LeaderEpoch last_seen_epoch(TopicPartition tp) const;
  const std::vector<Broker>& brokers() const { return brokers_; }  // empty before the first answer
  const Broker* broker(NodeId id) const;
  ProcessId endpoint(NodeId id) const;  // none: not known
  // Who takes requests for the controller; with KRaft any broker may be named.
  NodeId controller() const { return controller_; }
  // Something is known, and nothing was asked for since.
  bool is_settled() const { return !in_progress_ && !need_full_update_ && !brokers_.empty(); }
  // Grows whenever any of it may have changed.
  std::uint64_t version() const { return version_; }

  // ---- What to ask for

  // The topic's index; asks for nothing.
  TopicIndex index_of(std::string_view name);
  // Keeps the topic in the view until it was not added again for metadata.max.idle.ms (producers).
  TopicIndex add_topic(std::string_view name, LocalTime now);
  void add_topic(TopicIndex index, LocalTime now);
  // These topics and no others, without expiry (consumers).
  void set_topics(const std::vector<std::string>& names);
  void request_update() { need_full_update_ = true; }
  // For a topic that was waited for and did not come.
  void request_update(TopicIndex index);
  // A record or answer told of this epoch: a newer one makes what is known stale.
  void see_leader_epoch(TopicPartition tp, LeaderEpoch leader_epoch);
  // KIP-951: an error told who leads instead. True if that was news.
  bool update_leader(TopicPartition tp, const LeaderHint& hint);

  // ---- Upkeep

  // Takes what concerns it. True: the event was the answer (or failure) of a metadata request, and is done
  // with.
  bool digest(node::NetworkClient::Event& event, node::Env env);
  // Asks for an update if one is due and a node can be asked.
  void maybe_update(node::NetworkClient& network, node::Env env, node::Effects& out);
  bool update_due(LocalTime now) const;
  // When maybe_update is to be called although nothing came from the network.
  LocalTime next_update_at() const;

  // The connected node with the fewest requests in flight, else one being connected to, else one that may be
  // connected to, longest untried first; none if all are backing off. Begins at a random node.
  ProcessId least_loaded(const node::NetworkClient& network, node::Env env) const;

 private:
  struct InProgress {
    CorrelationId correlation;
    std::int64_t request_version;
    bool partial;
  };
  struct LeastLoaded {
    ProcessId node = kNoProcess;
    bool connection_ready = false;
  };

  Topic* mutable_find(TopicId id);
  std::vector<ProcessId> nodes() const;
  LeastLoaded find_least_loaded(const node::NetworkClient& network, node::Env env) const;
  void request_update_for_new_topics();
  void send_request(node::NetworkClient& network, ProcessId server, node::Env env, node::Effects& out);
  void rebootstrap(LocalTime now);
  void failed(node::Env env);
  void on_response(MetadataResponse& response, InProgress request, node::Env env);
  void adopt(MetadataResponse::Topic& heard);
  void adopt(Topic& topic, const MetadataResponse::Partition& heard, bool other_topic);
  void forget(Topic& topic);
  void resolve_endpoints();
  void set_backoffs(node::Env env);
  LocalTime allowed_at() const { return std::max(allowed_by_attempts_, allowed_by_progress_); }

  Config config_;
  std::vector<ProcessId> bootstrap_;
  std::vector<Broker> brokers_;
  NodeId controller_ = kNoNode;
  std::vector<Topic> topics_;
  std::vector<std::int32_t> index_by_id_;  // by TopicId; -1: not known
  std::uint64_t version_ = 0;

  std::optional<InProgress> in_progress_;
  bool need_full_update_ = true;
  bool need_partial_update_ = false;
  std::int64_t request_version_ = 0;
  std::int32_t failed_attempts_ = 0;
  std::int32_t answers_without_progress_ = 0;
  LocalTime allowed_by_attempts_ = LocalTime::min();
  LocalTime allowed_by_progress_ = LocalTime::min();
  LocalTime expires_at_ = LocalTime::min();
  std::optional<LocalTime> trying_since_;
  bool waiting_for_network_ = false;
};

}  // namespace sim::client
