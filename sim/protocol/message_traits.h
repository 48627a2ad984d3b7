#pragma once

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <variant>

#include "protocol/messages.h"

// What one must know of a message without looking into it: which request and response belong together, and
// who answers the request. Every API stands in the table once.
namespace sim {

// A set of those that are asked.
using AskedOf = std::uint8_t;
inline constexpr AskedOf kBrokers = 1;
inline constexpr AskedOf kControllers = 2;
inline constexpr AskedOf kQuorum = 4;             // its replicas, on Lane::raft
inline constexpr AskedOf kGroupCoordinators = 8;  // brokers, for which their group coordinator answers

template <class RequestType, class ResponseType, AskedOf whom>
struct Api {
  using Request = RequestType;
  using Response = ResponseType;
  static constexpr AskedOf kAskedOf = whom;
};

// clang-format off
using Apis = std::tuple<
    Api<ApiVersionsRequest, ApiVersionsResponse, kBrokers | kControllers | kQuorum>,
    Api<MetadataRequest, MetadataResponse, kBrokers>,
    Api<ProduceRequest, ProduceResponse, kBrokers>,
    Api<FetchRequest, FetchResponse, kBrokers | kQuorum>,
    Api<ListOffsetsRequest, ListOffsetsResponse, kBrokers>,
    Api<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse, kBrokers>,
    Api<InitProducerIdRequest, InitProducerIdResponse, kBrokers>,
    Api<AllocateProducerIdsRequest, AllocateProducerIdsResponse, kControllers>,
    Api<CreateTopicsRequest, CreateTopicsResponse, kBrokers | kControllers>,
    Api<FindCoordinatorRequest, FindCoordinatorResponse, kBrokers>,
    Api<JoinGroupRequest, JoinGroupResponse, kGroupCoordinators>,
    Api<SyncGroupRequest, SyncGroupResponse, kGroupCoordinators>,
    Api<HeartbeatRequest, HeartbeatResponse, kGroupCoordinators>,
    Api<LeaveGroupRequest, LeaveGroupResponse, kGroupCoordinators>,
    Api<ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, kGroupCoordinators>,
    Api<OffsetCommitRequest, OffsetCommitResponse, kGroupCoordinators>,
    Api<OffsetFetchRequest, OffsetFetchResponse, kGroupCoordinators>,
    Api<AlterPartitionRequest, AlterPartitionResponse, kControllers>,
    Api<BrokerRegistrationRequest, BrokerRegistrationResponse, kControllers>,
    Api<BrokerHeartbeatRequest, BrokerHeartbeatResponse, kControllers>,
    Api<ControllerRegistrationRequest, ControllerRegistrationResponse, kControllers>,
    Api<AssignReplicasToDirsRequest, AssignReplicasToDirsResponse, kControllers>,
    Api<VoteRequest, VoteResponse, kQuorum>,
    Api<BeginQuorumEpochRequest, BeginQuorumEpochResponse, kQuorum>,
    Api<EndQuorumEpochRequest, EndQuorumEpochResponse, kQuorum>,
    Api<FetchSnapshotRequest, FetchSnapshotResponse, kQuorum>,
    Api<AddRaftVoterRequest, AddRaftVoterResponse, kQuorum>,
    Api<RemoveRaftVoterRequest, RemoveRaftVoterResponse, kQuorum>,
    Api<UpdateRaftVoterRequest, UpdateRaftVoterResponse, kQuorum>,
    // What an administrator asks for: brokers pass it on to the active controller.
    Api<ElectLeadersRequest, ElectLeadersResponse, kBrokers | kControllers>,
    Api<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse, kBrokers | kControllers>,
    Api<DeleteTopicsRequest, DeleteTopicsResponse, kBrokers | kControllers>,
    Api<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse, kBrokers | kControllers>,
    Api<CreatePartitionsRequest, CreatePartitionsResponse, kBrokers | kControllers>,
    // Transactions
    Api<AddPartitionsToTxnRequest, AddPartitionsToTxnResponse, kBrokers>,
    Api<AddOffsetsToTxnRequest, AddOffsetsToTxnResponse, kBrokers>,
    Api<EndTxnRequest, EndTxnResponse, kBrokers>,
    Api<WriteTxnMarkersRequest, WriteTxnMarkersResponse, kBrokers>,
    Api<TxnOffsetCommitRequest, TxnOffsetCommitResponse, kBrokers>>;
// clang-format on

static_assert(2 * std::tuple_size_v<Apis> + 1 == std::variant_size_v<AnyMessage>,
              "every message but NoOpResponse is one of an API's two");

// Who answers a message: nobody, if it is a response.
template <class M, class... Api>
constexpr AskedOf asked_of(const std::tuple<Api...>*) {
  return static_cast<AskedOf>(((std::is_same_v<M, typename Api::Request> ? Api::kAskedOf : 0) | ...));
}
template <class M>
concept AskedOfGroupCoordinators = (asked_of<M>(static_cast<const Apis*>(nullptr)) & kGroupCoordinators) != 0;
template <class M>
concept AskedOfBrokers = (asked_of<M>(static_cast<const Apis*>(nullptr)) & (kBrokers | kGroupCoordinators)) !=
                         0;
template <class M>
concept AskedOfControllers = (asked_of<M>(static_cast<const Apis*>(nullptr)) & kControllers) != 0;

// Who gave a response: nobody, if it is a request.
template <class M, class... Api>
constexpr AskedOf answered_by(const std::tuple<Api...>*) {
  return static_cast<AskedOf>(((std::is_same_v<M, typename Api::Response> ? Api::kAskedOf : 0) | ...));
}
template <class M>
concept AnsweredByControllers = (answered_by<M>(static_cast<const Apis*>(nullptr)) & kControllers) != 0;

// The kind of answer to a kind of request.
template <class Request, class ListOfApis>
struct ResponseIn;
template <class Request, class First, class... Rest>
struct ResponseIn<Request, std::tuple<First, Rest...>>
    : std::conditional_t<std::is_same_v<Request, typename First::Request>,
                         std::type_identity<typename First::Response>,
                         ResponseIn<Request, std::tuple<Rest...>>> {};
template <class Request>
using ResponseTo = typename ResponseIn<Request, Apis>::type;

// Whether the stages of its way through a server are told to whoever watches (observe::RequestProgress): an
// order's way leads through produce requests.
inline bool reports_progress(const Message& message) {
  return std::holds_alternative<ProduceRequest>(message) || std::holds_alternative<ProduceResponse>(message);
}

}  // namespace sim
