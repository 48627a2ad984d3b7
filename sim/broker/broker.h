#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/check.h"
#include "base/distribution.h"
#include "base/rng.h"
#include "broker/auto_topic_creation.h"
#include "broker/lifecycle.h"
#include "broker/producer_id_manager.h"
#include "group/group_coordinator.h"
#include "metadata/metadata_image.h"
#include "node/durable_image.h"
#include "node/node.h"
#include "protocol/message_traits.h"
#include "protocol/quorum.h"
#include "replica/replica_manager.h"
#include "server/config.h"
#include "server/context.h"
#include "server/controller_channel.h"
#include "transaction/add_partitions.h"
#include "transaction/transaction_coordinator.h"

// A Kafka broker: replica manager, replica fetchers, group and transaction coordinators, and the APIs that
// clients call
// (BrokerServer, KafkaApis). It takes inputs to the part that they concern, answers what needs no part of its
// own, and lets the parts hear of each other.
//
// What it knows of the cluster is what its owner replays to it: committed records of the metadata log, and
// nothing else. It becomes leader or follower of its partitions from them.
//
// It serves clients and followers once the controller has unfenced it (in its first life, which goes on from
// one before the run, with the first metadata). Before and after it closes their connections as soon as they
// ask for something; Kafka's port is not open then.
namespace sim::broker {

using group::GroupCoordinator;
using replica::ReplicaManager;
using server::BrokerConfig;
using server::Context;
using server::ControllerChannel;
using server::ReplyTo;
using server::TaskPhases;

struct BrokerBoot {
  ProcessId self;
  NodeId id;
  std::string rack;
  BrokerConfig config;
  Incarnation incarnation;
  // A life that goes on from before the run draws from here where its periodic tasks stand.
  std::optional<Rng> phases{};
  // Any other one opens its logs so long after it first asks to be registered, what recovery takes apart:
  // what a process does meanwhile that is not modelled.
  Distribution open_logs_after{};
};

// What is passed on to the active controller, and its answer back.
template <class M>
concept ForController = AskedOfBrokers<M> && AskedOfControllers<M> && AlternativeOf<M, AdminRequest>;

class Broker {
 public:
  Broker(const BrokerBoot& boot, const node::DurableImage& image);

  void start(node::Env env, node::Effects& out);
  // SIGTERM: hands over its leaders, closes its logs.
  void stop(node::Env env, node::Effects& out);
  // After stop(), or when it could not register: there is nothing more to wait for.
  bool has_stopped() const { return stage_ == Stage::stopped; }

  // ---- From the replica of the metadata log
  // Records that are committed; they go on where the image ends.
  void replay(const std::vector<Batch>& committed, node::Env env, node::Effects& out);
  // Everything that is known is replaced.
  void load(const MetadataSnapshot& snapshot, node::Env env, node::Effects& out);
  // Who leads the quorum; kNoProcess: nobody is known to.
  void set_controller(ProcessId leader, node::Env env, node::Effects& out);

  // An input for one of its parts: broker (requests) and those that it is made of.
  void step(node::Part part, node::Input& input, node::Env env, node::Effects& out);

  void report_performed(const std::vector<node::PersistId>& ids, const node::DurableImage& image,
                        node::Effects& out) const {
    replicas_.report_performed(ids, image, out);
  }

  NodeId id() const { return boot_.id; }
  BrokerState state() const { return lifecycle_.state(); }
  const metadata::MetadataImage& image() const { return image_; }
  const ReplicaManager& replicas() const { return replicas_; }
  // It reads its logs, and what comes of the metadata waits.
  bool is_loading() const { return is_loading_; }

 private:
  enum class Stage : std::uint8_t { starting, serving, closing, stopped };

  // ---- broker.cc
  Context context(node::Env env, node::Effects& out) const {
    return Context{env, out, image_, boot_.config, boot_.id, lifecycle_.broker_epoch()};
  }
  void follow_clock(const Context& context);
  void receive(node::Received& received, const Context& context);
  static void throttle_answer(const Envelope& to, std::int32_t throttle_ms, std::size_t first,
                              node::Effects& out);
  void route(node::Part part, node::Input& input, const Context& context);
  void wind_up(const node::Input& input, const Context& context);
  void timer_fired(node::TimerId timer, const Context& context);
  metadata::MetadataDelta learn(const std::vector<Batch>& committed);
  metadata::MetadataDelta learn(const MetadataSnapshot& snapshot);
  void publish(const metadata::MetadataDelta& delta, const Context& context);
  void load_logs(const Context& context);
  void publish_first(const Context& context);
  void follow_lifecycle(const Context& context);
  void finish_step(const Context& context);
  void on(const ReplicaManager::Elected& event, const Context& context);
  template <class Runtime>
  void coordinator_elected(Runtime& runtime, const ReplicaManager::Elected& event,
                           std::int32_t load_buffer_size, const Context& context);
  bool take_writes(const Context& context);
  void on(const ReplicaManager::Resigned& event, const Context& context);
  void on(const ReplicaManager::HighWatermarkAdvanced& event, const Context& context);
  void on(const ReplicaManager::Appended& event, const Context& context);
  void on(const ReplicaManager::DirectoryFailed& event, const Context& context);
  void on(const ReplicaManager::VerificationAsked& event, const Context& context);
  void on(const ReplicaManager::Verified& event, const Context& context);

  // ---- apis.cc
  void on(ApiVersionsRequest& request, const Envelope& from, const Context& context);
  void on(MetadataRequest& request, const Envelope& from, const Context& context);
  void on(ProduceRequest& request, const Envelope& from, const Context& context);
  void on(FetchRequest& request, const Envelope& from, const Context& context);
  void on(ListOffsetsRequest& request, const Envelope& from, const Context& context);
  void on(OffsetForLeaderEpochRequest& request, const Envelope& from, const Context& context);
  void on(FindCoordinatorRequest& request, const Envelope& from, const Context& context);
  void on(InitProducerIdRequest& request, const Envelope& from, const Context& context);
  void on(AddPartitionsToTxnRequest& request, const Envelope& from, const Context& context);
  void on(AddOffsetsToTxnRequest& request, const Envelope& from, const Context& context);
  void on(EndTxnRequest& request, const Envelope& from, const Context& context);
  void on(WriteTxnMarkersRequest& request, const Envelope& from, const Context& context);
  void on(TxnOffsetCommitRequest& request, const Envelope& from, const Context& context);

  // ---- transactions.cc
  // Whose write an AppendId is of.
  enum class AppendOwner : std::uint8_t { groups, transactions, markers };
  static replica::AppendId append_id(AppendOwner owner, std::uint64_t number);
  static AppendOwner owner_of(replica::AppendId id);
  static std::uint64_t number_of(replica::AppendId id);
  transaction::GenerateProducerId producer_id_source(const Context& context);
  void append(transaction::TransactionCoordinator::Write& write, const Context& context);
  void append(GroupCoordinator::Write& write, const Context& context);
  void verification_answered(const transaction::AddPartitionsToTxnManager::Answers& answers,
                             const Context& context);
  void write_marker(std::uint64_t request, std::size_t marker, TopicPartition tp,
                    const WriteTxnMarkersRequest::Marker& what, const Context& context);
  void marker_written(replica::AppendId id, ErrorCode error, const Context& context);
  void marker_outcome(std::uint64_t request, std::size_t marker, TopicPartition tp, ErrorCode error,
                      const Context& context);

  // ---- apis.cc
  template <AskedOfGroupCoordinators M>
  void on(M& request, const Envelope& from, const Context& context) {
    const bool is_of_new_protocol = std::is_same_v<M, ConsumerGroupHeartbeatRequest>;
    if (is_of_new_protocol || groups_.wants_topics(request.group)) groups_.see_topics(image_);
    groups_.on(request, from, context.env, context.out);
  }
  template <ForController M>
  void on(M& request, const Envelope& from, const Context& context) {
    forward_for_client(AdminRequest(std::move(request)), from, context);
  }
  template <class M>
  requires(!AskedOfBrokers<M>) void on(M&, const Envelope&, const Context&) {
    SIM_CHECK(false, "nobody asks this of a broker");
  }

  MetadataResponse::Topic describe(const metadata::TopicImage& topic) const;
  void create_topics(CreateTopicsRequest request, const Context& context);
  void request_producer_ids(const Context& context);
  void forward_for_client(AdminRequest request, const Envelope& from, const Context& context);
  template <class M>
  void forward(M request, const Context& context);
  void forwarded(ControllerChannel::Answers& answers, const Context& context);

  BrokerBoot boot_;
  metadata::MetadataImage image_;
  TaskPhases phases_;
  bool may_load_ = true;  // it has come so far in its start
  bool is_loading_ = false;
  bool published_ = false;  // the logs are loaded, and the image is of use
  using News = std::variant<std::vector<Batch>, MetadataSnapshot>;
  std::vector<News> waiting_;  // while loading
  Duration wall_ahead_{};      // as it was last seen
  Stage stage_ = Stage::starting;
  std::optional<node::PersistId> closing_;  // the flush of all logs, then the mark of a clean shutdown
  bool is_marked_ = false;
  Lifecycle lifecycle_;
  ReplicaManager replicas_;
  GroupCoordinator groups_;
  transaction::TransactionCoordinator transactions_;
  transaction::AddPartitionsToTxnManager add_partitions_;
  // TxnOffsetCommit requests whose transaction is being verified.
  struct VerifiedCommit {
    ReplyTo to;
    TxnOffsetCommitRequest request;
  };
  std::map<replica::VerificationId, VerifiedCommit> commits_;
  // WriteTxnMarkers requests, and which of their markers an append is of.
  struct MarkerRequest {
    ReplyTo to;
    WriteTxnMarkersResponse response;
    std::size_t left = 0;  // partitions that have not been answered
  };
  struct MarkerAppend {
    std::uint64_t request = 0;
    std::size_t marker = 0;
    TopicPartition tp;
  };
  std::map<std::uint64_t, MarkerRequest> marker_requests_;
  std::map<replica::AppendId, MarkerAppend> marker_appends_;
  std::uint64_t next_marker_request_ = 1;
  std::uint64_t next_marker_append_ = 1;
  ControllerChannel forwarding_;
  struct ForClient {
    ReplyTo client;
    AdminRequest request;
  };
  struct Forwarded {
    ControllerChannel::Ticket ticket = 0;
    std::variant<CreateTopicsRequest, AllocateProducerIdsRequest, ForClient> request;
  };
  std::vector<Forwarded> forwarded_;  // and not yet answered
  AutoTopicCreation auto_topics_;
  ProducerIdManager producer_ids_;
};

}  // namespace sim::broker
