#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "base/overloaded.h"
#include "base/rng.h"
#include "broker/broker.h"
#include "node/node.h"
#include "protocol/batch_builder.h"

// A small world for brokers: messages take a fixed time, writes another, and the controller is a script: what
// it commits is replayed by all brokers one message's time later. What is sent to a process that is not there
// (a client) is collected for the test to read.
namespace sim::test {

inline constexpr ProcessId kController{0};
inline constexpr ProcessId kClient{90};
inline ProcessId process_of(int broker) {
  return ProcessId{broker};
}

class World {
 public:
  Duration latency = std::chrono::microseconds(200);
  Duration write_time = std::chrono::microseconds(50);
  Duration flush_time{};  // on top of that
  Duration scan_time = std::chrono::milliseconds(1);
  std::vector<node::Scan> scans;  // asked for, ever
  bool grant_isr_changes = true;  // the controller accepts every AlterPartition
  bool isr_unfenced_only = true;  // but not of who is fenced (KIP-841)
  bool create_topics = true;      // and every CreateTopics, on the brokers there are
  bool unfences = true;           // whoever asks for it
  bool lets_go = true;            // whoever wants to shut down

  // ---- Cluster
  void add_broker(int id, server::BrokerConfig config = {}) {
    configs_[id] = config;
    commit({RegisterBrokerRecord{NodeId{id}, 1, BrokerEpoch{100 + id}, process_of(id), "", false, false}});
    boot(id);
  }
  void boot(int id) {
    broker::BrokerBoot boot;
    boot.self = process_of(id);
    boot.id = NodeId{id};
    boot.config = configs_[id];
    boot.incarnation = Incarnation{lives_[process_of(id)]};
    told_.erase(process_of(id));
    nodes_.insert_or_assign(process_of(id), broker::Broker(boot, images_[process_of(id)]));
    push(now_, process_of(id), node::Started{});
    push(now_ + latency, process_of(id), MetadataArrives{});
  }
  // A registered broker whose part the test plays: what it is asked is handed out by asked_of().
  void add_puppet(int id) {
    puppets_.insert(process_of(id));
    commit({RegisterBrokerRecord{NodeId{id}, 1, BrokerEpoch{100 + id}, process_of(id), "", false, false}});
  }
  // The next request of this kind that the puppet gets.
  template <class M>
  Envelope asked_of(int id) {
    for (int i = 0; i < 100'000; ++i) {
      for (auto it = puppet_inbox_.begin(); it != puppet_inbox_.end(); ++it) {
        if (it->to() != process_of(id) || !std::holds_alternative<M>(it->message)) continue;
        Envelope found = std::move(*it);
        puppet_inbox_.erase(it);
        return found;
      }
      REQUIRE(step());
    }
    FAIL("nobody asks");
    return {};
  }
  void disconnect(const Channel& channel) { close(channel, channel.server); }
  bool is_open(const Channel& channel) const { return open_.contains(channel); }
  void crash(int id) {
    nodes_.erase(process_of(id));
    ++lives_[process_of(id)];
    for (const Channel channel : std::set<Channel>(open_)) {
      if (channel.client == process_of(id) || channel.server == process_of(id))
        close(channel, process_of(id));
    }
  }
  // Of its machine. REQUIRES: crashed
  void lose_power(int id) { images_[process_of(id)].lose_power(Instant{}); }
  // Its disk is replaced by an empty one. REQUIRES: crashed
  void wipe(int id) { images_.erase(process_of(id)); }
  // Messages between them vanish, and nobody is told.
  void cut(int a, int b) { cut_.insert({process_of(a), process_of(b)}); }
  void heal() {
    cut_.clear();
    tell_brokers();
  }
  broker::Broker& broker(int id) { return nodes_.at(process_of(id)); }
  bool is_up(int id) const { return nodes_.contains(process_of(id)); }
  // SIGTERM
  void stop(int id) { push(now_, process_of(id), node::StopRequested{}); }
  const partition::Partition& partition(int id, TopicPartition tp) {
    const partition::Partition* found = broker(id).replicas().partition(tp);
    REQUIRE(found != nullptr);
    return *found;
  }
  const node::DurableImage& image(int id) { return images_[process_of(id)]; }

  // ---- Controller
  void commit(std::vector<MetadataRecord> records) {
    BatchDataPtr data = make_batch(std::move(records), 0);
    const Offset base = log_.empty() ? 0 : log_.back().end_offset();
    log_.push_back(Batch{base, LeaderEpoch{1}, data->record_count(), data});
    image_.replay(log_.back());
    tell_brokers();
  }
  TopicPartition create_topic(std::string name, std::vector<int> replicas, TopicConfig config = {},
                              int partitions = 1) {
    const TopicId id = image_.next_topic_id();
    std::vector<MetadataRecord> records{TopicRecord{name, id}, TopicConfigRecord{id, config}};
    for (int i = 0; i < partitions; ++i) {
      PartitionRecord record;
      record.tp = TopicPartition{id, i};
      for (const int replica : replicas) record.replicas.push_back(NodeId{replica});
      std::rotate(record.replicas.begin(), record.replicas.begin() + i % static_cast<int>(replicas.size()),
                  record.replicas.end());
      record.isr = record.replicas;
      record.leader = record.replicas.front();
      records.push_back(record);
    }
    commit(std::move(records));
    return TopicPartition{id, 0};
  }
  void elect(TopicPartition tp, int leader, std::vector<int> isr) {
    PartitionChangeRecord record;
    record.tp = tp;
    record.leader = NodeId{leader};
    record.has_isr = true;
    for (const int member : isr) record.isr.push_back(NodeId{member});
    commit({record});
  }
  const metadata::MetadataImage& metadata() const { return image_; }
  std::vector<Envelope> isr_requests;     // AlterPartition, answered or not
  std::vector<Envelope> create_requests;  // CreateTopics
  std::vector<BrokerRegistrationRequest> registrations;
  std::vector<BrokerHeartbeatRequest> heartbeats;
  void answer_isr(const Envelope& request) {
    AlterPartitionResponse response;
    std::vector<MetadataRecord> records;
    for (const auto& one : std::get<AlterPartitionRequest>(request.message).partitions) {
      const metadata::PartitionRegistration* known = image_.partition(one.tp);
      AlterPartitionResponse::Partition& answer = response.partitions.emplace_back();
      answer.tp = one.tp;
      const auto unfit = [&](const auto& member) {
        const metadata::BrokerRegistration* broker = image_.broker(member.broker);
        return (isr_unfenced_only && !broker->active()) ||
               (member.broker_epoch != kNoBrokerEpoch && member.broker_epoch != broker->broker_epoch);
      };
      if (one.leader_epoch < known->leader_epoch)
        answer.error = ErrorCode::fenced_leader_epoch;
      else if (one.partition_epoch < known->partition_epoch)
        answer.error = ErrorCode::invalid_update_version;
      else if (std::any_of(one.new_isr.begin(), one.new_isr.end(), unfit))
        answer.error = ErrorCode::ineligible_replica;
      if (answer.error != ErrorCode::none) continue;
      PartitionChangeRecord change;
      change.tp = one.tp;
      change.has_isr = true;
      for (const auto& member : one.new_isr) change.isr.push_back(member.broker);
      answer.leader = known->leader;
      answer.leader_epoch = known->leader_epoch;
      answer.isr = change.isr;
      answer.partition_epoch = known->partition_epoch.next();
      records.push_back(change);
    }
    reply(request, response);
    if (!records.empty()) commit(records);
  }
  void reply(const Envelope& request, Message message) {
    deliver(Envelope{request.channel, request.correlation, true, std::move(message)});
  }

  // ---- Clients
  CorrelationId send(int broker, Message request, Lane lane = Lane::data) {
    const Channel channel{kClient, process_of(broker), lane};
    open_.insert(channel);
    deliver(Envelope{channel, ++correlation_, false, std::move(request)});
    return correlation_;
  }
  // The answer to a request, if it has come.
  template <class M>
  std::optional<M> answer(CorrelationId correlation) {
    for (const auto& [envelope, at] : inbox_) {
      if (envelope.correlation == correlation && std::holds_alternative<M>(envelope.message)) {
        answered_at = at;
        return std::get<M>(envelope.message);
      }
    }
    return std::nullopt;
  }
  template <class M>
  M ask(int broker, Message request) {
    const CorrelationId correlation = send(broker, std::move(request));
    std::optional<M> result;
    for (int i = 0; i < 100'000 && !(result = answer<M>(correlation)); ++i) REQUIRE(step());
    REQUIRE(result.has_value());
    return *result;
  }
  LocalTime answered_at{};
  bool was_flushed(TopicPartition tp) const { return flushed_.contains(tp); }
  std::vector<Channel> closed_by_server;

  // ---- Time
  LocalTime now() const { return now_; }
  bool step() {
    if (events_.empty()) return false;
    const auto first = events_.begin();
    auto [key, event] = std::move(*first);
    events_.erase(first);
    now_ = key.first;
    handle(event);
    return true;
  }
  void run_for(Duration duration) {
    const LocalTime end = now_ + duration;
    while (!events_.empty() && events_.begin()->first.first <= end) step();
    now_ = end;
  }
  std::map<std::pair<ProcessId, node::TimerId>, int> timers_fired;

  // ---- What was seen
  template <class F>
  std::vector<F> facts(int broker) const {
    std::vector<F> found;
    for (const auto& [process, fact] : facts_) {
      if (process == process_of(broker) && std::holds_alternative<F>(fact))
        found.push_back(std::get<F>(fact));
    }
    return found;
  }

 private:
  struct MetadataArrives {};
  struct Event {
    ProcessId process;
    std::uint32_t life;
    std::variant<node::Input, MetadataArrives> input;
  };

  void tell_brokers() {
    for (const auto& [process, broker] : nodes_) push(now_ + latency, process, MetadataArrives{});
  }
  void push(LocalTime at, ProcessId process, std::variant<node::Input, MetadataArrives> input) {
    events_.emplace(std::pair(at, ++sequence_), Event{process, lives_[process], std::move(input)});
  }

  void handle(Event& event) {
    auto* input = std::get_if<node::Input>(&event.input);
    auto* received = input == nullptr ? nullptr : std::get_if<node::Received>(input);
    if (event.process == kController) {
      if (received != nullptr) control(received->envelope);
      return;
    }
    const auto node = nodes_.find(event.process);
    if (node == nodes_.end()) {
      if (received == nullptr) return;
      Envelope& envelope = received->envelope;
      if (event.process == kClient)
        inbox_.emplace_back(std::move(envelope), now_);
      else if (!puppets_.contains(event.process))
        return;
      else if (std::holds_alternative<ApiVersionsRequest>(envelope.message))
        reply(envelope, ApiVersionsResponse{});
      else
        puppet_inbox_.push_back(std::move(envelope));
      return;
    }
    if (event.life != lives_[event.process]) return;
    broker::Broker& broker = node->second;
    const node::Env env{now_, rng_};
    node::Effects out;
    if (input == nullptr) {
      replay(event.process, broker, env, out);
    } else if (std::holds_alternative<node::Started>(*input)) {
      broker.start(env, out);
      broker.set_controller(kController, env, out);
    } else if (std::holds_alternative<node::StopRequested>(*input)) {
      broker.stop(env, out);
    } else {
      if (const auto* fired = std::get_if<node::TimerFired>(input)) {
        const auto due = timers_.find({event.process, fired->timer});
        if (due == timers_.end() || due->second != now_) return;
        timers_.erase(due);
        ++timers_fired[{event.process, fired->timer}];
      }
      if (const auto* done = std::get_if<node::Persisted>(input)) perform_writes(event.process, done->id);
      node::for_each_part(*input, event.process,
                          [&](node::Part part) { broker.step(part, *input, env, out); });
    }
    for (node::Effect& effect : out) perform(event.process, effect);
    if (broker.has_stopped()) crash(event.process.value());
  }

  // What it does not know yet of the log.
  void replay(ProcessId process, broker::Broker& broker, node::Env env, node::Effects& out) {
    if (is_cut(Channel{process, kController, Lane::raft})) return;
    std::vector<Batch> news;
    for (const Batch& batch : log_) {
      if (batch.base_offset >= std::max(broker.image().end_offset(), told_[process])) news.push_back(batch);
    }
    if (!news.empty()) told_[process] = news.back().end_offset();  // it may still be loading its logs
    broker.replay(news, env, out);
  }

  void perform(ProcessId process, node::Effect& effect) {
    std::visit(Overloaded{
                   [&](node::Send& send) {
                     if (open_.contains(send.envelope.channel)) deliver(std::move(send.envelope));
                   },
                   [&](node::Persist& persist) {
                     for (const log::LogWrite& write : persist.writes) {
                       if (persist.safety == node::Safety::flushed)
                         flushed_.insert(std::visit([](const auto& one) { return one.tp; }, write));
                     }
                     writes_[{process, persist.id}] = std::move(persist.writes);
                     const bool flushes = persist.safety == node::Safety::flushed;
                     push(now_ + write_time + (flushes ? flush_time : Duration{}), process,
                          node::Persisted{persist.id});
                   },
                   [&](node::SetTimer& set) {
                     const LocalTime due = std::max(now_, set.deadline);
                     timers_[{process, set.timer}] = due;
                     push(due, process, node::TimerFired{set.timer});
                   },
                   [&](node::CancelTimer& cancel) {
                     timers_.erase({process, cancel.timer});
                   },
                   [&](node::Connect& connect) {
                     const ProcessId server = connect.channel.server;
                     const bool up =
                         server == kController || nodes_.contains(server) || puppets_.contains(server);
                     if (up && !is_cut(connect.channel)) {
                       open_.insert(connect.channel);
                       push(now_ + 2 * latency, process, node::Connected{connect.channel});
                     } else if (!is_cut(connect.channel)) {
                       push(now_ + 2 * latency, process,
                            node::Disconnected{connect.channel, node::DisconnectReason::refused});
                     }
                   },
                   [&](node::Disconnect& disconnect) { close(disconnect.channel, process); },
                   [&](node::Report& report) { facts_.emplace_back(process, std::move(report.fact)); },
                   [&](node::Scan& scan) {
                     scans.push_back(scan);
                     push(now_ + scan_time, process, node::Persisted{scan.id});
                   },
                   [](node::Exit&) { FAIL("its process ends, not the broker"); },
               },
               effect);
  }

  // With all that was asked for before: only the flush of one may take longer than the writes after it.
  void perform_writes(ProcessId process, node::PersistId id) {
    node::DurableImage& image = images_[process];
    const auto first = writes_.lower_bound({process, node::PersistId{id.part, 0}});
    const auto last = writes_.upper_bound({process, id});
    for (auto asked = first; asked != last; ++asked) {
      for (const log::LogWrite& write : asked->second) {
        image.perform(write, Instant{});
        if (const auto* flush = std::get_if<log::FlushLog>(&write))
          image.flushed(flush->tp, image.logs[flush->tp].end_offset());
      }
    }
    writes_.erase(first, last);
  }

  bool is_cut(const Channel& channel) const {
    return cut_.contains({channel.client, channel.server}) || cut_.contains({channel.server, channel.client});
  }
  void deliver(Envelope envelope) {
    if (is_cut(envelope.channel)) return;
    const ProcessId to = envelope.to();
    push(now_ + latency, to, node::Received{std::move(envelope)});
  }
  void close(const Channel& channel, ProcessId by) {
    if (open_.erase(channel) == 0) return;
    const ProcessId other = by == channel.client ? channel.server : channel.client;
    if (other == kClient) closed_by_server.push_back(channel);
    if (nodes_.contains(other))
      push(now_ + latency, other, node::Disconnected{channel, node::DisconnectReason::reset});
  }

  // ---- The controller's script
  void control(Envelope& request) {
    std::visit(Overloaded{
                   [&](ApiVersionsRequest&) { reply(request, ApiVersionsResponse{}); },
                   [&](BrokerRegistrationRequest& registration) {
                     registrations.push_back(registration);
                     reply(request, BrokerRegistrationResponse{
                                        ErrorCode::none, image_.broker(registration.broker)->broker_epoch});
                   },
                   [&](BrokerHeartbeatRequest& heartbeat) {
                     heartbeats.push_back(heartbeat);
                     reply(request,
                           BrokerHeartbeatResponse{ErrorCode::none, true, heartbeat.want_fence || !unfences,
                                                   heartbeat.want_shut_down && lets_go});
                   },
                   [&](AllocateProducerIdsRequest&) {
                     reply(request,
                           AllocateProducerIdsResponse{ErrorCode::none, ProducerId{next_producer_id_}, 1000});
                     next_producer_id_ += 1000;
                   },
                   [&](AlterPartitionRequest&) {
                     isr_requests.push_back(request);
                     if (grant_isr_changes) answer_isr(request);
                   },
                   [&](CreateTopicsRequest& wanted) {
                     create_requests.push_back(request);
                     if (!create_topics) return;
                     for (const auto& topic : wanted.topics) {
                       std::vector<int> replicas;
                       for (const auto& [id, broker] : image_.brokers()) {
                         if (std::cmp_less(replicas.size(), topic.replication_factor))
                           replicas.push_back(id.value());
                       }
                       create_topic(topic.name, replicas, topic.config, topic.partitions);
                     }
                     reply(request, CreateTopicsResponse{});
                   },
                   [](auto&) { FAIL("the controller of this test does not know that"); },
               },
               request.message);
  }

  LocalTime now_{};
  Rng rng_{1, "test"};
  std::uint64_t sequence_ = 0;
  std::map<std::pair<LocalTime, std::uint64_t>, Event> events_;
  std::map<ProcessId, broker::Broker> nodes_;
  std::map<ProcessId, std::uint32_t> lives_;
  std::map<ProcessId, node::DurableImage> images_;
  std::map<ProcessId, Offset> told_;  // of the metadata log, in this life
  std::map<int, server::BrokerConfig> configs_;
  std::map<std::pair<ProcessId, node::TimerId>, LocalTime> timers_;
  std::map<std::pair<ProcessId, node::PersistId>, std::vector<log::LogWrite>> writes_;
  std::set<TopicPartition> flushed_;  // asked for, ever
  std::set<Channel> open_;
  std::set<ProcessId> puppets_;
  std::vector<Envelope> puppet_inbox_;
  std::set<std::pair<ProcessId, ProcessId>> cut_;
  std::vector<std::pair<Envelope, LocalTime>> inbox_;
  std::vector<std::pair<ProcessId, observe::Fact>> facts_;
  CorrelationId correlation_ = 0;
  std::vector<Batch> log_;
  metadata::MetadataImage image_;
  std::int64_t next_producer_id_ = 0;
};

// So many brokers, registered and running for `warm_up`.
inline World brokers_up(int count, server::BrokerConfig config = {},
                        Duration warm_up = std::chrono::milliseconds(100)) {
  World world;
  for (int id = 1; id <= count; ++id) world.add_broker(id, config);
  world.run_for(warm_up);
  return world;
}

// ---- Requests

inline BatchDataPtr batch_of(int records, ProducerId producer = kNoProducerId, int sequence = -1,
                             int epoch = 0) {
  std::vector<Record> list;
  for (int i = 0; i < records; ++i) list.push_back(Record{RecordId{i}, 0, 10, 100});
  return make_data_batch(
      std::move(list), producer,
      producer == kNoProducerId ? kNoProducerEpoch : ProducerEpoch{static_cast<std::int16_t>(epoch)},
      sequence);
}

inline ProduceRequest produce(TopicPartition tp, BatchDataPtr batch, int acks = -1) {
  ProduceRequest request;
  request.acks = static_cast<std::int16_t>(acks);
  request.partitions.push_back({tp, std::move(batch)});
  return request;
}

inline FetchRequest::Partition from(TopicPartition tp, Offset offset, LeaderEpoch epoch = kNoLeaderEpoch) {
  FetchRequest::Partition partition;
  partition.tp = tp;
  partition.fetch_offset = offset;
  partition.current_leader_epoch = epoch;
  return partition;
}

inline FetchRequest fetch(std::vector<FetchRequest::Partition> partitions, int max_wait_ms = 500) {
  FetchRequest request;
  request.partitions = std::move(partitions);
  request.max_wait_ms = max_wait_ms;
  return request;
}

inline std::int64_t records_in(const FetchResponse::Partition& partition) {
  std::int64_t count = 0;
  for (const Batch& batch : partition.batches) count += batch.record_count;
  return count;
}

}  // namespace sim::test
