#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>
#include <variant>
#include <vector>

#include "base/check.h"
#include "broker/auto_topic_creation.h"
#include "broker/broker.h"
#include "broker/context.h"
#include "broker/controller_channel.h"
#include "broker/group_coordinator.h"
#include "broker/metadata_follower.h"
#include "broker/producer_id_manager.h"
#include "broker/replica_manager.h"
#include "metadata/metadata_image.h"
#include "node/node.h"

// The broker's process: takes inputs to the part that they concern, answers what needs no part of its own
// (KafkaApis), and lets the parts hear of each other.
namespace sim::broker {

// What a broker never receives as a request: answers, and what is asked of controllers.
template <class T, class... Ts>
concept OneOf = (std::is_same_v<T, Ts> || ...);
template <class M>
concept NotForBrokers =
    OneOf<M, ApiVersionsResponse, MetadataResponse, ProduceResponse, FetchResponse, ListOffsetsResponse,
          OffsetForLeaderEpochResponse, InitProducerIdResponse, AllocateProducerIdsRequest,
          AllocateProducerIdsResponse, CreateTopicsRequest, CreateTopicsResponse, FindCoordinatorResponse,
          JoinGroupResponse, SyncGroupResponse, HeartbeatResponse, LeaveGroupResponse, OffsetCommitResponse,
          OffsetFetchResponse, AlterPartitionRequest, AlterPartitionResponse, BrokerRegistrationRequest,
          BrokerRegistrationResponse, BrokerHeartbeatRequest, BrokerHeartbeatResponse, VoteRequest,
          VoteResponse, BeginQuorumEpochRequest, BeginQuorumEpochResponse, EndQuorumEpochRequest,
          EndQuorumEpochResponse, FetchSnapshotRequest, FetchSnapshotResponse, AddRaftVoterRequest,
          AddRaftVoterResponse, RemoveRaftVoterRequest, RemoveRaftVoterResponse, UpdateRaftVoterRequest,
          UpdateRaftVoterResponse, NoOpResponse>;
template <class M>
concept ForGroupCoordinator = OneOf<M, JoinGroupRequest, SyncGroupRequest, HeartbeatRequest,
                                    LeaveGroupRequest, OffsetCommitRequest, OffsetFetchRequest>;

class Broker final : public node::Node {
 public:
  Broker(const BrokerBoot& boot, const node::DurableImage& image);

  std::unique_ptr<node::Node> clone() const override { return std::make_unique<Broker>(*this); }
  void step(node::Input& input, node::Env env, node::Effects& out) override;

  const metadata::MetadataImage& image() const { return image_; }
  const ReplicaManager& replicas() const { return replicas_; }

 private:
  // ---- broker.cc
  void on(node::Started, node::Input& input, const Context& context);
  void on(node::Received& received, node::Input& input, const Context& context);
  void route(node::Input& input, const Context& context);
  void finish_step(const Context& context);
  void replay(const std::vector<Batch>& committed, const Context& context);
  void on(const ReplicaManager::CoordinatorElected& event, const Context& context);
  void on(const ReplicaManager::CoordinatorResigned& event, const Context& context);
  void on(const ReplicaManager::CoordinatorHighWatermark& event, const Context& context);
  void on(const ReplicaManager::CoordinatorWritten& event, const Context& context);
  void append(GroupCoordinator::Write write, const Context& context);
  TopicPartition offsets_partition(std::int32_t partition) const;

  // ---- apis.cc
  void on(ApiVersionsRequest& request, const Envelope& from, const Context& context);
  void on(MetadataRequest& request, const Envelope& from, const Context& context);
  void on(ProduceRequest& request, const Envelope& from, const Context& context);
  void on(FetchRequest& request, const Envelope& from, const Context& context);
  void on(ListOffsetsRequest& request, const Envelope& from, const Context& context);
  void on(OffsetForLeaderEpochRequest& request, const Envelope& from, const Context& context);
  void on(FindCoordinatorRequest& request, const Envelope& from, const Context& context);
  void on(InitProducerIdRequest& request, const Envelope& from, const Context& context);
  template <ForGroupCoordinator M>
  void on(M& request, const Envelope& from, const Context& context) {
    groups_.on(request, from, context.env, context.out);
  }
  template <NotForBrokers M>
  void on(M&, const Envelope&, const Context&) {
    SIM_CHECK(false, "nobody asks this of a broker");
  }

  MetadataResponse::Topic describe(const metadata::TopicImage& topic) const;
  void create_topics(CreateTopicsRequest request, const Context& context);
  void request_producer_ids(const Context& context);
  template <class M>
  void forward(M request, const Context& context);
  void forwarded(ControllerChannel::Answers& answers, const Context& context);

  BrokerBoot boot_;
  metadata::MetadataImage image_;
  MetadataFollower metadata_;
  ReplicaManager replicas_;
  GroupCoordinator groups_;
  std::vector<bool> coordinates_;  // by partition of __consumer_offsets
  ControllerChannel forwarding_;
  struct Forwarded {
    ControllerChannel::Ticket ticket = 0;
    std::variant<CreateTopicsRequest, AllocateProducerIdsRequest> request;
  };
  std::vector<Forwarded> forwarded_;  // and not yet answered
  AutoTopicCreation auto_topics_;
  ProducerIdManager producer_ids_;
};

}  // namespace sim::broker
