#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "group/group_coordinator.h"
#include "protocol/batch_builder.h"
#include "server/coordinators.h"

// A group coordinator with a clock, a log that does what the test says, and clients that are nothing but
// the answers they got.
namespace sim::group::test {

inline constexpr TopicId kOrders{1};
inline constexpr TopicId kReturns{2};
inline constexpr TopicId kConsumerOffsets{9};
inline TopicPartition offsets_partition(std::int32_t partition) {
  return TopicPartition{kConsumerOffsets, partition};
}

inline std::int32_t partition_of(const std::string& group, const BrokerConfig& config) {
  return server::coordinator_partition(group, config.offsets_topic_num_partitions);
}

inline JoinGroupRequest join(const std::string& member_id, const std::string& instance_id = {}) {
  JoinGroupRequest request;
  request.group = "payment";
  request.member_id = member_id;
  request.group_instance_id = instance_id;
  request.client_id = "payment";
  request.rebalance_timeout_ms = 60'000;
  JoinGroupRequest::Protocol range{"range", {}};
  range.subscription.topics = {kOrders};
  request.protocols.push_back(range);
  return request;
}

// A batch is open for 5 ms, as it was by default before Kafka 4.2.
inline BrokerConfig lingering_config() {
  BrokerConfig config;
  config.group_coordinator_append_linger_ms = 5;
  return config;
}

class World {
 public:
  using Write = GroupCoordinator::Write;

  explicit World(BrokerConfig with = lingering_config(), std::uint64_t seed = 1)
      : config(with), rng(seed, "broker-1"), coordinator(config) {
    lead_all();
  }

  BrokerConfig config;
  Rng rng;
  GroupCoordinator coordinator;
  LocalTime now{};
  bool commits_at_once = true;
  std::vector<Write> asked;                        // written, outcome not told yet
  std::map<std::int32_t, std::vector<Batch>> log;  // by partition
  std::vector<observe::Fact> facts;
  int timer_events = 0;

  // Sends a request; its answer is found under the returned number.
  template <class Request>
  int ask(const Request& request) {
    const Envelope from{Channel{ProcessId{7}, ProcessId{1}, Lane::coordinator}, ++correlation_, false,
                        request};
    run([&](node::Effects& out) { coordinator.on(request, from, node::Env{now, rng}, out); });
    return correlation_;
  }
  bool answered(int number) const { return answers_.contains(number); }
  template <class Response>
  Response answer(int number) const {
    const auto it = answers_.find(number);
    SIM_CHECK(it != answers_.end(), "the test expects an answer by now");
    return std::get<Response>(it->second);
  }
  // Ask and be answered at the same time, or as soon as what was written is committed.
  template <class Response, class Request>
  Response call(const Request& request) {
    const int number = ask(request);
    if (!answered(number)) pass(from_millis(config.group_coordinator_append_linger_ms));
    return answer<Response>(number);
  }

  void pass(Duration time) {
    const LocalTime until = now + time;
    while (timer_ && *timer_ <= until) {
      now = std::max(now, *timer_);
      timer_.reset();
      ++timer_events;
      run([&](node::Effects& out) { coordinator.runtime().timer_fired(node::Env{now, rng}, out); });
    }
    now = until;
  }

  // Tells the outcome of the `index`th write asked for; what has failed is not in the log.
  void outcome(std::size_t index, ErrorCode error) {
    Write write = std::move(asked[index]);
    asked.erase(asked.begin() + static_cast<std::ptrdiff_t>(index));
    if (error == ErrorCode::none) append(write);
    run([&](node::Effects& out) {
      coordinator.runtime().written(write.tp, write.id, error, node::Env{now, rng}, out);
    });
  }
  void commit_all() {
    while (!asked.empty()) outcome(0, ErrorCode::none);
  }
  // Every batch in its linger is written and committed.
  void settle() {
    pass(from_millis(config.group_coordinator_append_linger_ms));
    commit_all();
  }

  void lead_all() {
    for (std::int32_t partition = 0; partition < config.offsets_topic_num_partitions; ++partition) {
      coordinator.runtime().elected(offsets_partition(partition), LeaderEpoch{0});
      run([&](node::Effects& out) {
        coordinator.runtime().loaded(offsets_partition(partition), node::Env{now, rng}, out);
      });
    }
    facts.clear();
  }
  void lose_all() {
    for (std::int32_t partition = 0; partition < config.offsets_topic_num_partitions; ++partition) {
      run([&](node::Effects& out) {
        coordinator.runtime().resigned(offsets_partition(partition), node::Env{now, rng}, out);
      });
    }
  }
  template <class Call>
  void run(Call call) {
    node::Effects out;
    call(out);
    for (node::Effect& effect : out) perform(effect);
    for (Write& write : coordinator.runtime().take_writes()) asked.push_back(std::move(write));
    if (commits_at_once && !asked.empty()) commit_all();
  }

  std::vector<GroupState> states() const {
    std::vector<GroupState> list;
    for (const observe::Fact& fact : facts) {
      if (const auto* changed = std::get_if<observe::GroupStateChanged>(&fact))
        list.push_back(changed->state);
    }
    return list;
  }
  const ClassicGroup& group(const std::string& name = "payment") const {
    const ClassicGroup* found = coordinator.find_group(name);
    SIM_CHECK(found != nullptr, "the test expects the group");
    return *found;
  }

  // ---- What clients do

  std::string new_member_id(const std::string& group = "payment") {
    JoinGroupRequest request = join("");
    request.group = group;
    return call<JoinGroupResponse>(request).member_id;
  }
  int sync(const std::string& member_id, Generation generation,
           std::vector<SyncGroupRequest::Assignment> assignments = {}, const std::string& group = "payment") {
    SyncGroupRequest request;
    request.group = group;
    request.generation = generation;
    request.member_id = member_id;
    request.assignments = std::move(assignments);
    return ask(request);
  }
  ErrorCode heartbeat(const std::string& member_id, Generation generation,
                      const std::string& instance_id = {}) {
    return call<HeartbeatResponse>(HeartbeatRequest{"payment", generation, member_id, instance_id}).error;
  }
  ErrorCode leave(const std::string& member_id, const std::string& instance_id = {}) {
    return call<LeaveGroupResponse>(LeaveGroupRequest{"payment", member_id, instance_id}).error;
  }
  OffsetCommitRequest commit_request(const std::string& member_id, Generation generation,
                                     std::int32_t partition, Offset offset) {
    OffsetCommitRequest request;
    request.group = "payment";
    request.generation = generation;
    request.member_id = member_id;
    request.partitions = {
        OffsetCommitRequest::Partition{TopicPartition{kOrders, partition}, offset, LeaderEpoch{0}}};
    return request;
  }
  ErrorCode commit(const std::string& member_id, Generation generation, std::int32_t partition,
                   Offset offset) {
    const auto response =
        call<OffsetCommitResponse>(commit_request(member_id, generation, partition, offset));
    return response.partitions.front().error;
  }
  OffsetFetchRequest fetch_request(std::int32_t partition, bool require_stable) {
    return OffsetFetchRequest{"payment", "", require_stable, {TopicPartition{kOrders, partition}}};
  }
  Offset committed(std::int32_t partition) {
    return call<OffsetFetchResponse>(fetch_request(partition, false)).partitions.front().offset;
  }

  // A stable group of so many members, each with the partition of its number. Returns the member ids, leader
  // first.
  std::vector<std::string> stable_group(int size) {
    std::vector<std::string> ids;
    std::vector<int> joins;
    for (int i = 0; i < size; ++i) {
      ids.push_back(new_member_id());
      joins.push_back(ask(join(ids.back())));
    }
    while (!answered(joins.front())) pass(3s);
    std::vector<SyncGroupRequest::Assignment> assignments;
    for (int i = 0; i < size; ++i) {
      assignments.push_back({ids[static_cast<std::size_t>(i)], {TopicPartition{kOrders, i}}});
    }
    const Generation generation = answer<JoinGroupResponse>(joins.front()).generation;
    for (const std::string& id : ids)
      sync(id, generation, id == ids.front() ? assignments : decltype(assignments){});
    settle();
    facts.clear();
    return ids;
  }

 private:
  void perform(node::Effect& effect) {
    if (auto* send = std::get_if<node::Send>(&effect)) {
      SIM_CHECK(!answers_.contains(send->envelope.correlation), "a request is answered once");
      answers_.emplace(send->envelope.correlation, std::move(send->envelope.message));
    } else if (auto* set = std::get_if<node::SetTimer>(&effect)) {
      timer_ = set->deadline;
    } else if (std::holds_alternative<node::CancelTimer>(effect)) {
      timer_.reset();
    } else if (auto* report = std::get_if<node::Report>(&effect)) {
      facts.push_back(std::move(report->fact));
    }
  }
  void append(const Write& write) {
    std::vector<Batch>& batches = log[write.tp.partition];
    const Offset base = batches.empty() ? 0 : batches.back().end_offset();
    batches.push_back(Batch{base, LeaderEpoch{0}, static_cast<std::int32_t>(write.records.size()),
                            make_batch(write.records, millis(now.time_since_epoch()))});
  }

  CorrelationId correlation_ = 0;
  std::map<int, Message> answers_;
  std::optional<LocalTime> timer_;
};

// Another broker that takes over from the log, of which what is below `high_watermark` is committed.
inline World take_over(const World& from, Offset high_watermark = 1'000'000'000) {
  World world(from.config, 2);
  world.lose_all();
  world.facts.clear();
  world.now = from.now;
  world.log = from.log;
  for (std::int32_t partition = 0; partition < from.config.offsets_topic_num_partitions; ++partition) {
    world.coordinator.runtime().elected(offsets_partition(partition), LeaderEpoch{1});
    const auto log = from.log.find(partition);
    if (log != from.log.end())
      world.coordinator.runtime().replay(offsets_partition(partition), log->second, high_watermark);
    world.run([&](node::Effects& out) {
      world.coordinator.runtime().loaded(offsets_partition(partition), node::Env{world.now, world.rng}, out);
    });
  }
  return world;
}

}  // namespace sim::group::test
