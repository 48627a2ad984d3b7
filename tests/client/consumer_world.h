#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/consumer.h"
#include "client/orders.h"
#include "support/process_host.h"

// One consumer, its application's poll() loop, and a cluster whose answers the test writes by hand.
//
// Connections are made at once; ApiVersions, Metadata and FindCoordinator are answered by the world, every
// other request waits in `requests` until the test answers it. As on a real connection, answers keep the
// order of the requests.
namespace sim::client::test {

inline constexpr ProcessId kConsumerProcess{9};

inline Batch batch(Offset base, std::int32_t records, LeaderEpoch leader_epoch = LeaderEpoch{0}) {
  auto data = std::make_shared<BatchData>();
  std::vector<Record> list(static_cast<std::size_t>(records));
  for (std::size_t i = 0; i < list.size(); ++i) list[i].id = RecordId{base + static_cast<Offset>(i)};
  data->records = std::move(list);
  data->size_bytes = 100;
  return Batch{base, leader_epoch, records, std::move(data)};
}

class ConsumerWorld {
 public:
  explicit ConsumerWorld(ConsumerConfig config = default_config(), int partitions = 2, int brokers = 1)
      : consumer(config, ConsumerIdentity{observe::ServiceId{0}, 3}, kConsumerProcess, {ProcessId{1}}),
        brokers_(brokers) {
    leaders.resize(static_cast<std::size_t>(partitions));
    for (std::size_t i = 0; i < leaders.size(); ++i)
      leaders[i] = {NodeId{1 + static_cast<int>(i) % brokers}, LeaderEpoch{0}};
  }

  static ConsumerConfig default_config() {
    ConsumerConfig config;
    config.group_id = "payment";
    config.client_id = "consumer-payment-1";
    return config;
  }

  // ---- The application

  void start() {
    consumer.subscribe({"orders"}, env(), out_);
    perform();
    poll();
  }
  // poll() in a loop: until it returns something.
  void poll() {
    in_poll = true;
    poll_again();
    run();
  }
  void commit_sync() {
    consumer.commit_sync(env(), out_);
    perform();
    run();
  }

  void commit_async() {
    consumer.commit_async(env(), out_);
    perform();
    run();
  }
  void close() {
    consumer.close(env(), out_);
    perform();
    run();
  }

  // ---- Time

  void advance(Duration by) { advance_to(host.now + by); }
  void advance_to(LocalTime to) {
    while (std::optional<node::Input> input = host.next_until(to)) feed(std::move(*input));
  }

  // ---- The cluster

  template <class Request>
  int count() const {
    int found = 0;
    for (const Envelope& request : requests)
      found += std::holds_alternative<Request>(request.message) ? 1 : 0;
    return found;
  }
  // The oldest unanswered request of this kind.
  template <class Request>
  Envelope take() {
    for (auto it = requests.begin(); it != requests.end(); ++it) {
      if (!std::holds_alternative<Request>(it->message)) continue;
      Envelope request = std::move(*it);
      requests.erase(it);
      return request;
    }
    FAIL("no such request is waiting");
    return {};
  }
  void answer(const Envelope& request, Message message) {
    for (const Envelope& other : requests) {
      const bool overtaken = other.channel == request.channel && other.correlation < request.correlation;
      CHECK_MESSAGE(!overtaken, "answers keep the order of the requests on a connection");
    }
    host.answer(request, std::move(message));
    release();
    run();
  }
  void answer_heartbeats() {
    while (count<HeartbeatRequest>() > 0) answer(take<HeartbeatRequest>(), HeartbeatResponse{});
  }
  // Everything goes well, and there is nothing to read: answers what is waiting now.
  void serve() {
    for (std::size_t waiting = requests.size(); waiting > 0 && !requests.empty(); --waiting) {
      const Envelope request = std::move(requests.front());
      requests.pop_front();
      if (std::holds_alternative<HeartbeatRequest>(request.message)) {
        answer(request, HeartbeatResponse{});
      } else if (std::holds_alternative<OffsetCommitRequest>(request.message)) {
        answer(request, commit_answer(request));
      } else if (std::holds_alternative<FetchRequest>(request.message)) {
        answer(request, nothing_fetched());
      } else {
        FAIL("that does not go on for ever");
      }
    }
  }
  void lose(const Channel& channel) {
    forget(channel);
    host.inputs.push_back(node::Disconnected{channel, node::DisconnectReason::reset});
    run();
  }

  // Joins as the only member, with all partitions.
  void join(Generation generation = Generation{1}) {
    answer(take<JoinGroupRequest>(), member_id_required("m-1"));
    const Envelope join = take<JoinGroupRequest>();
    CHECK(std::get<JoinGroupRequest>(join.message).member_id == "m-1");
    answer(join, joined_as_leader(generation, std::get<JoinGroupRequest>(join.message)));
    const Envelope sync = take<SyncGroupRequest>();
    answer(sync, SyncGroupResponse{ErrorCode::none,
                                   std::get<SyncGroupRequest>(sync.message).assignments.at(0).partitions});
  }
  static JoinGroupResponse member_id_required(std::string member_id) {
    JoinGroupResponse response;
    response.error = ErrorCode::member_id_required;
    response.member_id = std::move(member_id);
    return response;
  }
  static JoinGroupResponse joined_as_leader(Generation generation, const JoinGroupRequest& request) {
    JoinGroupResponse response;
    response.generation = generation;
    response.protocol = request.protocols.at(0).name;
    response.leader = response.member_id = request.member_id;
    response.members.push_back(
        {request.member_id, request.group_instance_id, request.protocols.at(0).subscription});
    return response;
  }
  static JoinGroupResponse joined_as_follower(Generation generation, const JoinGroupRequest& request) {
    JoinGroupResponse response;
    response.generation = generation;
    response.protocol = request.protocols.at(0).name;
    response.leader = "another";
    response.member_id = request.member_id;
    return response;
  }
  void committed(Offset offset, LeaderEpoch leader_epoch = kNoLeaderEpoch) {
    const Envelope request = take<OffsetFetchRequest>();
    OffsetFetchResponse response;
    for (const TopicPartition tp : std::get<OffsetFetchRequest>(request.message).partitions) {
      response.partitions.push_back({tp, ErrorCode::none, offset, leader_epoch});
    }
    answer(request, response);
  }
  // Up to fetching from `offset`.
  void start_fetching(Offset offset = 0) {
    start();
    join();
    committed(offset);
  }
  static FetchResponse nothing_fetched(std::int32_t session_id = 77) {
    FetchResponse response;
    response.session_id = session_id;
    return response;
  }
  static FetchResponse fetched(TopicPartition tp, std::vector<Batch> batches, std::int32_t session_id = 77) {
    FetchResponse response = nothing_fetched(session_id);
    FetchResponse::Partition partition;
    partition.tp = tp;
    partition.high_watermark = batches.empty() ? 0 : batches.back().end_offset();
    partition.batches = std::move(batches);
    response.partitions.push_back(std::move(partition));
    return response;
  }
  static OffsetCommitResponse commit_answer(const Envelope& request, ErrorCode error = ErrorCode::none) {
    OffsetCommitResponse response;
    for (const auto& partition : std::get<OffsetCommitRequest>(request.message).partitions)
      response.partitions.push_back({partition.tp, error});
    return response;
  }

  template <class F>
  std::vector<F> facts() const {
    return host.facts<F>();
  }
  // What poll() has returned so far, as "partition:from-to", records counted.
  std::vector<std::string> returned;

  Consumer consumer;
  sim::test::ProcessHost host{Rng(1, "consumer")};
  bool in_poll = false;
  ConsumerError error = ConsumerError::none;
  std::vector<RebalanceEvent> rebalances;
  std::deque<Envelope> requests;
  std::vector<std::pair<NodeId, LeaderEpoch>> leaders;
  ErrorCode find_coordinator_error = ErrorCode::none;
  int coordinator = 1;
  bool topic_exists = true;
  int lookups = 0;
  int metadata_requests = 0;

  void run() {
    while (!host.inputs.empty()) feed(std::move(*host.next_until(host.now)));
  }

 private:
  node::Env env() { return host.env(); }

  void feed(node::Input input) {
    const bool again = consumer.step(input, env(), out_);
    for (RebalanceEvent& event : consumer.take_rebalance_events()) rebalances.push_back(std::move(event));
    perform();
    if (again) poll_again();
  }

  void poll_again() {
    std::vector<PolledRecords> polled;
    const Consumer::Poll result = consumer.poll(polled, env(), out_);
    for (RebalanceEvent& event : consumer.take_rebalance_events()) rebalances.push_back(std::move(event));
    perform();
    if (result == Consumer::Poll::waiting) return;
    in_poll = false;
    error = consumer.error();
    for (const PolledRecords& range : polled) {
      returned.push_back(std::to_string(range.tp.partition) + ":" +
                         std::to_string(range.base_offset + range.first) + "-" +
                         std::to_string(range.base_offset + range.end));
    }
  }

  void perform() {
    host.perform(
        out_, [&](Envelope&& request) { receive(std::move(request)); },
        [&](const Channel& channel) { forget(channel); });
  }

  void receive(Envelope request) {
    if (std::holds_alternative<ApiVersionsRequest>(request.message))
      return later(request, ApiVersionsResponse{});
    if (std::holds_alternative<MetadataRequest>(request.message)) {
      ++metadata_requests;
      return later(request, metadata());
    }
    if (std::holds_alternative<FindCoordinatorRequest>(request.message)) {
      ++lookups;
      return later(request,
                   find_coordinator_error == ErrorCode::none
                       ? FindCoordinatorResponse{ErrorCode::none, NodeId{coordinator}, ProcessId{coordinator}}
                       : FindCoordinatorResponse{find_coordinator_error, kNoNode, kNoProcess});
    }
    requests.push_back(std::move(request));
  }
  void forget(const Channel& channel) {
    const auto on_it = [&](const Envelope& envelope) { return envelope.channel == channel; };
    requests.erase(std::remove_if(requests.begin(), requests.end(), on_it), requests.end());
    own_answers_.erase(std::remove_if(own_answers_.begin(), own_answers_.end(), on_it), own_answers_.end());
  }
  void later(const Envelope& request, Message message) {
    own_answers_.push_back(Envelope{request.channel, request.correlation, true, std::move(message)});
    release();
  }
  // The world's own answers leave when no request before them is unanswered.
  void release() {
    for (auto it = own_answers_.begin(); it != own_answers_.end();) {
      const bool waits = std::any_of(requests.begin(), requests.end(), [&](const Envelope& request) {
        return request.channel == it->channel && request.correlation < it->correlation;
      });
      if (waits) {
        ++it;
      } else {
        host.inputs.push_back(node::Received{std::move(*it)});
        it = own_answers_.erase(it);
      }
    }
  }

  MetadataResponse metadata() const {
    MetadataResponse response;
    for (int i = 1; i <= brokers_; ++i) response.brokers.push_back({NodeId{i}, ProcessId{i}, {}});
    MetadataResponse::Topic topic;
    topic.name = "orders";
    topic.id = kOrders;
    if (!topic_exists) topic.error = ErrorCode::unknown_topic_or_partition;
    for (std::size_t i = 0; i < leaders.size() && topic_exists; ++i) {
      MetadataResponse::Partition partition;
      partition.index = static_cast<std::int32_t>(i);
      partition.leader = leaders[i].first;
      partition.leader_epoch = leaders[i].second;
      for (int id = 1; id <= brokers_; ++id) partition.replicas.emplace_back(id);
      topic.partitions.push_back(std::move(partition));
    }
    response.topics.push_back(std::move(topic));
    return response;
  }

  int brokers_;
  node::Effects out_;
  std::deque<Envelope> own_answers_;
};

}  // namespace sim::client::test
