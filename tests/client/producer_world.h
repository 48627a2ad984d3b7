#pragma once

#include <doctest/doctest.h>

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "client/orders.h"
#include "client/producer.h"
#include "support/process_host.h"

// One producer, and around it as little of a cluster as it needs: brokers that connect at once and answer
// ApiVersions, Metadata and InitProducerId at once; produce requests lie in `produced` until a test answers
// them, or are acknowledged at once with `acknowledge_at_once`. Time passes only in run_for/run_until_idle.
namespace sim::client::test {

inline constexpr ProcessId kProducerProcess{100};

inline ProcessId broker_process(std::int32_t node) {
  return ProcessId{node};
}

inline std::string key(std::int64_t number) {
  std::string text = "user-";
  return text += std::to_string(number);
}

// The defaults, but for what `set` sets.
template <class Set>
ProducerConfig config(Set set) {
  ProducerConfig changed;
  set(changed);
  return changed;
}

struct Produced {
  Envelope envelope;  // response envelope, to be filled
  ProduceRequest request;
  ProcessId server;
  LocalTime at;
};

struct ProducerWorld {
  explicit ProducerWorld(ProducerConfig producer_config = {}, std::int32_t partitions = 1,
                         std::int32_t brokers = 1)
      : config(std::move(producer_config)), producer(kProducerProcess, bootstrap(brokers), config) {
    for (std::int32_t node = 1; node <= brokers; ++node)
      metadata.brokers.push_back({NodeId{node}, broker_process(node), {}});
    MetadataResponse::Topic topic{ErrorCode::none, "orders", kOrders, false, 100, {}};
    for (std::int32_t i = 0; i < partitions; ++i) {
      topic.partitions.push_back({ErrorCode::none, i, NodeId{i % brokers + 1}, LeaderEpoch{0}, {}, {}});
    }
    metadata.topics.push_back(std::move(topic));
    topic_number = producer.add_topic("orders");
  }
  static std::vector<ProcessId> bootstrap(std::int32_t brokers) {
    std::vector<ProcessId> servers;
    for (std::int32_t node = 1; node <= brokers; ++node) servers.push_back(broker_process(node));
    return servers;
  }

  // ---- What a test does

  void start() { poll(); }
  // Metadata and producer id learnt, the topic known.
  void warm_up() {
    start();
    send(0, std::nullopt, 1);
    run_for(1s);
    answer_all();
    run_for(1s);
    produced.clear();
    host.told.clear();
    events.clear();
  }
  Producer::SendResult send(std::int64_t number, std::optional<std::string> key = {},
                            std::int32_t value_bytes = 100) {
    const Producer::SendResult result = append(number, std::move(key), value_bytes);
    poll();
    return result;
  }
  // Without letting the sender look, as several sends of one step.
  Producer::SendResult append(std::int64_t number, std::optional<std::string> key = {},
                              std::int32_t value_bytes = 100) {
    node::Effects out;
    ProducerRecord record{RecordId{number}, std::nullopt, value_bytes};
    if (key) record.key = *key;
    const Producer::SendResult result = producer.send(topic_number, record, env(), out);
    perform(out);
    take_inputs();
    return result;
  }
  void poll() {
    look();
    take_inputs();
  }
  void run_for(Duration duration) {
    const LocalTime end = host.now + duration;
    while (std::optional<node::Input> input = host.next_until(end)) feed(std::move(*input));
  }
  // Answers the oldest produce request.
  void answer(ErrorCode error = ErrorCode::none, LeaderHint hint = {}) {
    REQUIRE_FALSE(produced.empty());
    Produced request = std::move(produced.front());
    produced.pop_front();
    ProduceResponse response;
    for (const ProduceRequest::Partition& partition : request.request.partitions) {
      ProduceResponse::Partition answer;
      answer.tp = partition.tp;
      answer.error = error;
      answer.current_leader = hint;
      if (error == ErrorCode::none)
        answer.base_offset = std::exchange(next_offset[partition.tp],
                                           next_offset[partition.tp] + partition.batch->record_count());
      response.partitions.push_back(answer);
    }
    request.envelope.message = std::move(response);
    feed(node::Received{std::move(request.envelope)});
    take_inputs();
  }
  void answer_all() {
    while (!produced.empty()) answer();
  }
  // Answers the oldest request held.
  void answer_held(Message answer) {
    REQUIRE_FALSE(unanswered.empty());
    Envelope request = std::move(unanswered.front());
    unanswered.pop_front();
    feed(node::Received{Envelope{request.channel, request.correlation, true, std::move(answer)}});
    take_inputs();
  }
  Message no_error(const Message& request) {
    if (std::holds_alternative<FindCoordinatorRequest>(request))
      return FindCoordinatorResponse{ErrorCode::none, NodeId{1}, broker_process(1)};
    if (std::holds_alternative<InitProducerIdRequest>(request))
      return InitProducerIdResponse{ErrorCode::none, ProducerId{7}, epoch};
    if (const auto* add = std::get_if<AddPartitionsToTxnRequest>(&request)) {
      AddPartitionsToTxnResponse answer;
      answer.transactions.push_back({add->transactions.front().transactional_id, {}});
      for (const TopicPartition tp : add->transactions.front().partitions)
        answer.transactions.front().partitions.push_back({tp, ErrorCode::none});
      return answer;
    }
    if (std::holds_alternative<AddOffsetsToTxnRequest>(request)) return AddOffsetsToTxnResponse{};
    if (const auto* offsets = std::get_if<TxnOffsetCommitRequest>(&request)) {
      TxnOffsetCommitResponse answer;
      for (const auto& one : offsets->partitions) answer.partitions.push_back({one.tp, ErrorCode::none});
      return answer;
    }
    REQUIRE(std::holds_alternative<EndTxnRequest>(request));
    if (transaction_version < kTransactionVersion2) return EndTxnResponse{};
    epoch = epoch.next();
    return EndTxnResponse{ErrorCode::none, ProducerId{7}, epoch};
  }

  // ---- Transactions: the call is made; what it returned, if it has, is in `returned`
  void init_transactions() {
    producer.init_transactions(env(), events);
    poll();
  }
  void begin() {
    node::Effects out;
    REQUIRE(producer.begin_transaction(out) == ErrorCode::none);
    perform(out);
  }
  void commit() {
    node::Effects out;
    producer.commit_transaction(env(), out, events);
    perform(out);
    poll();
  }
  void abort() {
    node::Effects out;
    producer.abort_transaction(env(), out, events);
    perform(out);
    poll();
  }
  void send_offsets(Offset offset) {
    node::Effects out;
    producer.send_offsets_to_transaction({{TopicPartition{kOrders, 0}, offset}},
                                         {"payment", "member-1", "", Generation{3}}, env(), out, events);
    perform(out);
    poll();
  }
  // Of the latest call that has returned.
  std::optional<ErrorCode> returned() const {
    std::optional<ErrorCode> last;
    for (const Producer::Event& event : events) {
      if (const auto* one = std::get_if<Producer::TransactionReturned>(&event)) last = one->error;
    }
    return last;
  }

  void disconnect(std::int32_t node, node::DisconnectReason reason = node::DisconnectReason::reset) {
    feed(node::Disconnected{Channel{kProducerProcess, broker_process(node), Lane::data}, reason});
    take_inputs();
  }

  // ---- What a test asks

  template <class Fact>
  std::vector<Fact> all() const {
    return host.facts<Fact>();
  }
  std::vector<std::int64_t> numbers(const BatchDataPtr& batch) const {
    std::vector<std::int64_t> found;
    for (const Record& record : batch->application_records()) found.push_back(record.id.value());
    return found;
  }
  // The batches lying at the brokers, oldest first.
  std::vector<BatchDataPtr> batches() const {
    std::vector<BatchDataPtr> found;
    for (const Produced& request : produced) {
      for (const ProduceRequest::Partition& partition : request.request.partitions)
        found.push_back(partition.batch);
    }
    return found;
  }

  ProducerConfig config;
  sim::test::ProcessHost host{Rng(1, "producer")};
  Producer producer;
  Producer::TopicNumber topic_number = 0;
  MetadataResponse metadata;  // what brokers answer; no topic that was not asked for
  ErrorCode id_error = ErrorCode::none;
  bool answer_metadata = true;
  bool acknowledge_at_once = false;
  std::set<ProcessId> silent;  // accept and never answer
  TransactionVersion transaction_version = kTransactionVersion2;
  // A transactional producer's: every request that is neither metadata nor data, in order; those of `held`
  // names lie there unanswered, the others are answered with no error.
  std::vector<std::string> transactional;
  std::set<std::string> held;
  std::deque<Envelope> unanswered;
  ProducerEpoch epoch{0};
  std::deque<Produced> produced;
  std::map<TopicPartition, Offset> next_offset;
  Producer::Events events;
  std::int32_t metadata_requests = 0;
  std::int32_t id_requests = 0;

 private:
  node::Env env() { return host.env(); }

  void feed(node::Input input) {
    node::Effects out;
    producer.step(input, env(), out, events);
    perform(out);
    look();
  }
  void look() {
    node::Effects out;
    producer.poll(env(), out, events);
    perform(out);
  }
  // What follows at once comes after all effects of a step.
  void take_inputs() {
    while (!host.inputs.empty()) feed(std::move(*host.next_until(host.now)));
  }
  void perform(node::Effects& out) {
    host.perform(out, [&](Envelope&& request) { serve(std::move(request)); });
  }
  void serve(Envelope request) {
    if (silent.contains(request.channel.server)) return;
    if (std::holds_alternative<ApiVersionsRequest>(request.message))
      return host.answer(request, ApiVersionsResponse{ErrorCode::none, transaction_version});
    if (const auto* asked = std::get_if<MetadataRequest>(&request.message)) {
      ++metadata_requests;
      if (!answer_metadata) return;
      MetadataResponse answer = metadata;
      if (asked->topics.empty()) answer.topics.clear();
      return host.answer(request, std::move(answer));
    }
    if (!config.transactional_id.empty() && !std::holds_alternative<ProduceRequest>(request.message)) {
      transactional.emplace_back(sim::name(request.message));
      if (!held.contains(transactional.back())) return host.answer(request, no_error(request.message));
      unanswered.push_back(std::move(request));
      return;
    }
    if (std::holds_alternative<InitProducerIdRequest>(request.message)) {
      ++id_requests;
      return host.answer(request,
                         InitProducerIdResponse{id_error, ProducerId{id_requests}, ProducerEpoch{0}});
    }
    auto* produce = std::get_if<ProduceRequest>(&request.message);
    REQUIRE(produce != nullptr);
    if (!acknowledge_at_once) {
      Envelope response{request.channel, request.correlation, true, {}};
      produced.push_back(
          Produced{std::move(response), std::move(*produce), request.channel.server, host.now});
      return;
    }
    ProduceResponse answer;
    for (const ProduceRequest::Partition& partition : produce->partitions) {
      ProduceResponse::Partition one;
      one.tp = partition.tp;
      one.base_offset = 0;
      answer.partitions.push_back(one);
    }
    host.answer(request, std::move(answer));
  }
};

}  // namespace sim::client::test
