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
      : config(std::move(producer_config)),
        producer(kProducerProcess, bootstrap(brokers), config, node::TimerId{0}) {
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
    facts.clear();
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
    return result;
  }
  void poll() {
    node::Effects out;
    producer.poll(env(), out, events);
    perform(out);
  }
  void run_for(Duration duration) {
    const LocalTime end = now + duration;
    while (!timers.empty()) {
      auto first = timers.begin();
      for (auto it = timers.begin(); it != timers.end(); ++it) {
        if (it->second < first->second) first = it;
      }
      if (first->second > end) break;
      now = std::max(now, first->second);
      const node::TimerId timer = first->first;
      timers.erase(first);
      ++timers_fired;
      feed(node::TimerFired{timer});
    }
    now = end;
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
  }
  void answer_all() {
    while (!produced.empty()) answer();
  }
  void disconnect(std::int32_t node, node::DisconnectReason reason = node::DisconnectReason::reset) {
    feed(node::Disconnected{Channel{kProducerProcess, broker_process(node), Lane::data}, reason});
  }

  // ---- What a test asks

  template <class Fact>
  std::vector<Fact> all() const {
    std::vector<Fact> found;
    for (const observe::Fact& fact : facts) {
      if (const auto* one = std::get_if<Fact>(&fact)) found.push_back(*one);
    }
    return found;
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
  Rng rng{1, "producer"};
  LocalTime now{};
  Producer producer;
  Producer::TopicNumber topic_number = 0;
  MetadataResponse metadata;  // what brokers answer; no topic that was not asked for
  ErrorCode id_error = ErrorCode::none;
  bool answer_metadata = true;
  bool acknowledge_at_once = false;
  std::set<ProcessId> down;    // refuse connections
  std::set<ProcessId> silent;  // accept and never answer
  std::deque<Produced> produced;
  std::map<TopicPartition, Offset> next_offset;
  std::vector<observe::Fact> facts;
  Producer::Events events;
  std::map<node::TimerId, LocalTime> timers;
  std::int64_t timers_fired = 0;
  std::int64_t timers_set = 0;
  std::int32_t metadata_requests = 0;
  std::int32_t id_requests = 0;

 private:
  node::Env env() { return {now, rng}; }

  void feed(node::Input input) {
    REQUIRE(producer.owns(input));
    node::Effects out;
    producer.step(input, env(), out, events);
    perform(out);
    poll();
  }
  // Inputs that follow at once come after all effects of this step.
  void perform(node::Effects& out) {
    std::vector<node::Input> follow;
    for (node::Effect& effect : out) {
      if (auto* report = std::get_if<node::Report>(&effect)) {
        facts.push_back(std::move(report->fact));
      } else if (const auto* timer = std::get_if<node::SetTimer>(&effect)) {
        timers[timer->timer] = timer->deadline;
        ++timers_set;
      } else if (const auto* connect = std::get_if<node::Connect>(&effect)) {
        if (down.contains(connect->channel.server)) {
          follow.emplace_back(node::Disconnected{connect->channel, node::DisconnectReason::refused});
        } else {
          follow.emplace_back(node::Connected{connect->channel});
        }
      } else if (auto* send = std::get_if<node::Send>(&effect)) {
        serve(std::move(send->envelope), follow);
      }
    }
    for (node::Input& input : follow) feed(std::move(input));
  }
  void serve(Envelope request, std::vector<node::Input>& follow) {
    if (silent.contains(request.channel.server)) return;
    Envelope response{request.channel, request.correlation, true, {}};
    if (std::holds_alternative<ApiVersionsRequest>(request.message)) {
      response.message = ApiVersionsResponse{};
    } else if (const auto* asked = std::get_if<MetadataRequest>(&request.message)) {
      ++metadata_requests;
      if (!answer_metadata) return;
      MetadataResponse answer = metadata;
      if (asked->topics.empty()) answer.topics.clear();
      response.message = std::move(answer);
    } else if (std::holds_alternative<InitProducerIdRequest>(request.message)) {
      ++id_requests;
      response.message = InitProducerIdResponse{id_error, ProducerId{id_requests}, ProducerEpoch{0}};
    } else {
      auto* produce = std::get_if<ProduceRequest>(&request.message);
      REQUIRE(produce != nullptr);
      if (!acknowledge_at_once) {
        produced.push_back(Produced{std::move(response), std::move(*produce), request.channel.server, now});
        return;
      }
      ProduceResponse answer;
      for (const ProduceRequest::Partition& partition : produce->partitions) {
        ProduceResponse::Partition one;
        one.tp = partition.tp;
        one.base_offset = 0;
        answer.partitions.push_back(one);
      }
      response.message = std::move(answer);
    }
    follow.emplace_back(node::Received{std::move(response)});
  }
};

}  // namespace sim::client::test
