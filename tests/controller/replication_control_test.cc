// Topics and partitions: creation, AlterPartition, and what becomes of partitions when brokers come and go.
#include "controller/replication_control.h"

#include <doctest/doctest.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "controller/controller.h"
#include "controller/nodes.h"

namespace sim::controller {
namespace replication_control_test {

using test::Nodes;
using test::nodes;
constexpr TopicPartition kTp{TopicId{1}, 0};

PartitionRecord partition_record(TopicPartition tp, Nodes replicas, Nodes isr, std::int32_t leader) {
  PartitionRecord record;
  record.tp = tp;
  record.replicas = std::move(replicas);
  record.isr = std::move(isr);
  record.leader = NodeId{leader};
  record.leader_epoch = LeaderEpoch{3};
  record.partition_epoch = PartitionEpoch{30};
  return record;
}

// Brokers 1 to 4, unfenced, in broker epoch 100 + id.
struct World {
  metadata::MetadataImage image;
  ReplicationControl replication;
  Rng rng{1, "world"};

  explicit World(const ControllerConfig& config = {}) : replication(config) {
    for (std::int32_t id = 1; id <= 4; ++id) {
      RegisterBrokerRecord record;
      record.broker = NodeId{id};
      record.incarnation = 1;
      record.broker_epoch = BrokerEpoch{100 + id};
      record.fenced = false;
      replay(record);
    }
  }
  void replay(const MetadataRecord& record) {
    image.replay(record);
    replication.replayed(image, record);
  }
  void replay(const std::vector<MetadataRecord>& records) {
    for (const MetadataRecord& record : records) replay(record);
  }
  void add_topic(const TopicConfig& config = {}) {
    replay(TopicRecord{"orders", TopicId{1}});
    replay(TopicConfigRecord{TopicId{1}, config});
  }
  void set_fenced(std::int32_t id, bool fenced) {
    replay(BrokerRegistrationChangeRecord{NodeId{id}, BrokerEpoch{100 + id},
                                          static_cast<std::int8_t>(fenced ? 1 : -1), 0});
  }
  std::vector<UsableBroker> usable() const {
    std::vector<UsableBroker> result;
    for (const auto& [id, broker] : image.brokers()) result.push_back({id, broker.rack, broker.fenced});
    return result;
  }
  const metadata::PartitionRegistration& partition(std::int32_t index = 0) const {
    return *image.partition({TopicId{1}, index});
  }
};

CreateTopicsRequest::Topic topic(std::string name, std::int32_t partitions = 1, std::int16_t factor = 3) {
  CreateTopicsRequest::Topic result;
  result.name = std::move(name);
  result.partitions = partitions;
  result.replication_factor = factor;
  return result;
}

TEST_CASE("what a new topic is refused for") {
  using enum ErrorCode;
  const auto configured = [](auto change) {
    CreateTopicsRequest::Topic result = topic("new");
    result.has_config = true;
    change(result.config);
    return result;
  };
  struct Row {
    const char* what;
    CreateTopicsRequest::Topic topic;
    ErrorCode want;
  };
  const Row rows[] = {
      {"fine", topic("new"), none},
      {"all by default", topic("new", -1, -1), none},
      {"it exists", topic("orders"), topic_already_exists},
      {"it exists, whatever else is wrong", topic("orders", 0, 0), topic_already_exists},
      {"no name", topic(""), invalid_topic_exception},
      {"a dot", topic("."), invalid_topic_exception},
      {"two dots", topic(".."), invalid_topic_exception},
      {"a space", topic("new orders"), invalid_topic_exception},
      {"a long name", topic(std::string(249, 'x')), none},
      {"a longer name", topic(std::string(250, 'x')), invalid_topic_exception},
      {"metrics would share a name", topic("a_b.c"), invalid_topic_exception},
      {"the metadata log", topic("__cluster_metadata"), invalid_request},
      {"no replicas", topic("new", 1, 0), invalid_replication_factor},
      {"fewer", topic("new", 1, -2), invalid_replication_factor},
      {"more than there are brokers", topic("new", 1, 5), invalid_replication_factor},
      {"no partitions", topic("new", 0, 3), invalid_partitions},
      {"no partitions and no replicas", topic("new", 0, 0), invalid_replication_factor},
      {"min ISR 0", configured([](TopicConfig& c) { c.min_insync_replicas = 0; }), invalid_config},
      {"tiny segments", configured([](TopicConfig& c) { c.segment_bytes = 1'000; }), invalid_config},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    World world;
    world.replay(TopicRecord{"orders", TopicId{1}});
    world.replay(TopicRecord{"a.b.c", TopicId{2}});
    const auto decision =
        world.replication.create_topics(world.image, {{row.topic}}, world.usable(), world.rng);
    REQUIRE(decision.answer.topics.size() == 1);
    CHECK(decision.answer.topics[0].name == row.topic.name);
    CHECK(decision.answer.topics[0].error == row.want);
    CHECK(decision.records.empty() == (row.want != none));
    CHECK((decision.answer.topics[0].id == TopicId{3}) == (row.want == none));
  }
}

TEST_CASE("one request, several topics: the good ones are created, ids in order") {
  ControllerConfig config;
  config.num_partitions = 2;
  config.default_replication_factor = 2;
  config.log.min_insync_replicas = 2;
  World world(config);
  const CreateTopicsRequest request{
      {topic("a"), topic("b", 0), topic("c", -1, -1), topic("twice"), topic("twice")}};
  const auto decision = world.replication.create_topics(world.image, request, world.usable(), world.rng);
  std::vector<ErrorCode> errors;
  for (const auto& one : decision.answer.topics) errors.push_back(one.error);
  CHECK(errors == std::vector<ErrorCode>{ErrorCode::none, ErrorCode::invalid_partitions, ErrorCode::none,
                                         ErrorCode::invalid_request, ErrorCode::invalid_request});
  world.replay(decision.records);
  REQUIRE(world.image.topic("c") != nullptr);
  CHECK(world.image.topic("a")->id == TopicId{1});
  CHECK(world.image.topic("c")->id == TopicId{2});
  CHECK(world.image.topic("c")->partitions.size() == 2);
  CHECK(world.image.topic("c")->partitions[0].replicas.size() == 2);
  CHECK(world.image.topic("c")->config.min_insync_replicas == 2);  // the brokers' synonym
}

TEST_CASE("a new partition's ISR are its unfenced replicas, its leader the first") {
  World world;
  world.set_fenced(3, true);
  const auto decision =
      world.replication.create_topics(world.image, {{topic("orders", 8, 4)}}, world.usable(), world.rng);
  world.replay(decision.records);
  for (const auto& partition : world.image.topic("orders")->partitions) {
    CHECK(partition.replicas.size() == 4);
    CHECK(partition.isr.size() == 3);
    CHECK(partition.leader == partition.isr.front());
    CHECK(partition.leader == partition.replicas.front());
    CHECK(partition.leader_epoch == LeaderEpoch{0});
    CHECK(partition.partition_epoch == PartitionEpoch{0});
  }
}

// ---- AlterPartition

AlterPartitionRequest alter(Nodes isr) {
  AlterPartitionRequest request{NodeId{1}, BrokerEpoch{101}, {}};
  AlterPartitionRequest::Partition wanted;
  wanted.tp = kTp;
  wanted.leader_epoch = LeaderEpoch{3};
  wanted.partition_epoch = PartitionEpoch{30};
  for (const NodeId id : isr) wanted.new_isr.push_back({id, BrokerEpoch{100 + id.value()}});
  request.partitions.push_back(std::move(wanted));
  return request;
}

TEST_CASE("AlterPartition: each check, and that it comes before all that follow it") {
  using enum ErrorCode;
  using Change = std::function<void(AlterPartitionRequest&)>;
  // Each row breaks one thing; a request that breaks several rows hears of the first.
  struct Row {
    const char* what;
    Change breaks;
    ErrorCode want;
  };
  const auto first = [](AlterPartitionRequest& r) -> AlterPartitionRequest::Partition& {
    return r.partitions[0];
  };
  const Row rows[] = {
      {"unknown topic", [&](auto& r) { first(r).tp.topic = TopicId{9}; }, unknown_topic_id},
      {"unknown partition", [&](auto& r) { first(r).tp.partition = 9; }, unknown_topic_or_partition},
      {"a later leader epoch", [&](auto& r) { first(r).leader_epoch = LeaderEpoch{4}; }, not_controller},
      {"a later partition epoch", [&](auto& r) { first(r).partition_epoch = PartitionEpoch{31}; },
       not_controller},
      {"an earlier leader epoch", [&](auto& r) { first(r).leader_epoch = LeaderEpoch{2}; },
       fenced_leader_epoch},
      {"not the leader", [&](auto& r) { r.broker = NodeId{2}; }, invalid_request},
      {"an earlier partition epoch", [&](auto& r) { first(r).partition_epoch = PartitionEpoch{29}; },
       invalid_update_version},
      {"not a replica",
       [&](auto& r) {
         first(r).new_isr.push_back({NodeId{4}, BrokerEpoch{104}});
       },
       invalid_request},
      {"a fenced member",
       [&](auto& r) {
         first(r).new_isr.push_back({NodeId{3}, BrokerEpoch{103}});
       },
       ineligible_replica},
  };
  const auto answer_to = [](const AlterPartitionRequest& request) {
    World world;
    world.add_topic();
    world.replay(partition_record(kTp, nodes({1, 2, 3}), nodes({1}), 1));
    world.set_fenced(3, true);
    const auto decision = world.replication.alter_partition(world.image, request);
    CHECK(decision.records.empty() == (decision.answer.partitions[0].error != none));
    return decision.answer.partitions[0].error;
  };
  CHECK(answer_to(alter(nodes({1, 2}))) == none);
  constexpr std::size_t kRows = std::size(rows);
  for (std::size_t i = 0; i < kRows; ++i) {
    CAPTURE(rows[i].what);
    AlterPartitionRequest request = alter(nodes({1, 2}));
    rows[i].breaks(request);
    CHECK(answer_to(request) == rows[i].want);
    for (std::size_t j = kRows; j-- > i + 1;) {
      CAPTURE(rows[j].what);
      AlterPartitionRequest both = alter(nodes({1, 2}));
      rows[j].breaks(both);
      rows[i].breaks(both);  // where both set the same field, the earlier check's value stays
      CHECK(answer_to(both) == rows[i].want);
    }
  }
}

TEST_CASE("AlterPartition: more ways to get the ISR wrong, and who may join") {
  using enum ErrorCode;
  struct Row {
    const char* what;
    AlterPartitionRequest request;
    LeaderRecoveryState stored;
    ErrorCode want;
  };
  const auto with = [](AlterPartitionRequest request, auto change) {
    change(request.partitions[0]);
    return request;
  };
  constexpr auto kRecovered = LeaderRecoveryState::recovered;
  constexpr auto kRecovering = LeaderRecoveryState::recovering;
  const Row rows[] = {
      {"a member twice", alter(nodes({1, 2, 2})), kRecovered, invalid_request},
      {"without the leader", alter(nodes({2})), kRecovered, invalid_request},
      {"empty", alter({}), kRecovered, invalid_request},
      {"recovering with two", with(alter(nodes({1, 2})), [](auto& p) { p.recovery = kRecovering; }),
       kRecovering, invalid_request},
      {"back to recovering", with(alter(nodes({1})), [](auto& p) { p.recovery = kRecovering; }), kRecovered,
       invalid_request},
      {"recovered, and another one joins", alter(nodes({1, 2})), kRecovering, none},
      {"in another broker epoch",
       with(alter(nodes({1, 2})), [](auto& p) { p.new_isr[1].broker_epoch = BrokerEpoch{99}; }), kRecovered,
       ineligible_replica},
      {"in a broker epoch that is not checked",
       with(alter(nodes({1, 2})), [](auto& p) { p.new_isr[1].broker_epoch = kNoBrokerEpoch; }), kRecovered,
       none},
      {"shutting down", alter(nodes({1, 3})), kRecovered, ineligible_replica},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    World world;
    world.add_topic();
    PartitionRecord record = partition_record(kTp, nodes({1, 2, 3}), nodes({1}), 1);
    record.recovery = row.stored;
    world.replay(record);
    world.replay(BrokerRegistrationChangeRecord{NodeId{3}, BrokerEpoch{103}, 0, 1});
    CHECK(world.replication.alter_partition(world.image, row.request).answer.partitions[0].error == row.want);
  }
}

TEST_CASE(
    "AlterPartition before KIP-841: who is fenced or shutting down may join, who is in another life may "
    "not") {
  for (const bool guarded : {true, false}) {
    CAPTURE(guarded);
    ControllerConfig config;
    config.history.isr_unfenced_only = guarded;
    World world(config);
    world.add_topic();
    world.replay(partition_record(kTp, nodes({1, 2, 3}), nodes({1}), 1));
    world.replay(BrokerRegistrationChangeRecord{NodeId{2}, BrokerEpoch{102}, 1, 0});
    world.replay(BrokerRegistrationChangeRecord{NodeId{3}, BrokerEpoch{103}, 0, 1});
    const auto answer_to = [&](const AlterPartitionRequest& request) {
      return world.replication.alter_partition(world.image, request).answer.partitions[0].error;
    };
    const ErrorCode want = guarded ? ErrorCode::ineligible_replica : ErrorCode::none;
    CHECK(answer_to(alter(nodes({1, 2}))) == want);
    CHECK(answer_to(alter(nodes({1, 3}))) == want);
    AlterPartitionRequest of_another_life = alter(nodes({1, 2}));
    of_another_life.partitions[0].new_isr[1].broker_epoch = BrokerEpoch{99};
    CHECK(answer_to(of_another_life) == ErrorCode::ineligible_replica);
  }
}

TEST_CASE("AlterPartition answers with what it has become") {
  World world;
  world.add_topic();
  world.replay(partition_record(kTp, nodes({1, 2, 3}), nodes({1, 2, 3}), 1));
  const auto decision = world.replication.alter_partition(world.image, alter(nodes({1, 2})));
  REQUIRE(decision.records.size() == 1);
  const AlterPartitionResponse::Partition& answer = decision.answer.partitions[0];
  CHECK(answer.error == ErrorCode::none);
  CHECK(answer.isr == nodes({1, 2}));
  CHECK(answer.leader == NodeId{1});
  CHECK(answer.leader_epoch == LeaderEpoch{3});
  CHECK(answer.partition_epoch == PartitionEpoch{31});
  world.replay(decision.records);
  CHECK(world.partition().isr == nodes({1, 2}));
  CHECK(world.partition().partition_epoch == PartitionEpoch{31});

  // The same ISR again changes nothing, not even the version.
  AlterPartitionRequest again = alter(nodes({1, 2}));
  again.partitions[0].partition_epoch = PartitionEpoch{31};
  const auto same = world.replication.alter_partition(world.image, again);
  CHECK(same.records.empty());
  CHECK(same.answer.partitions[0].partition_epoch == PartitionEpoch{31});
}

TEST_CASE("an ISR change that completes a reassignment may cost the sender its leadership") {
  World world;
  world.add_topic();
  PartitionRecord record = partition_record(kTp, nodes({2, 3, 1}), nodes({1, 2}), 1);
  record.removing = nodes({1});
  record.adding = nodes({3});
  world.replay(record);
  const auto decision = world.replication.alter_partition(world.image, alter(nodes({1, 2, 3})));
  CHECK(decision.answer.partitions[0].error == ErrorCode::new_leader_elected);
  world.replay(decision.records);
  CHECK(world.partition().leader == NodeId{2});
  CHECK(world.partition().replicas == nodes({2, 3}));
}

// ---- Brokers come and go

// Two partitions led by 1 and 2, min.insync.replicas 2.
World two_partitions(bool elr = true, bool unclean = false) {
  ControllerConfig config;
  config.history.eligible_leader_replicas = elr;
  World world(config);
  TopicConfig topic_config;
  topic_config.min_insync_replicas = 2;
  topic_config.unclean_leader_election_enable = unclean;
  world.add_topic(topic_config);
  world.replay(partition_record({TopicId{1}, 0}, nodes({1, 2, 3}), nodes({1, 2, 3}), 1));
  world.replay(partition_record({TopicId{1}, 1}, nodes({2, 3, 1}), nodes({2, 3}), 2));
  return world;
}

void fence(World& world, std::int32_t id) {
  std::vector<MetadataRecord> records;
  world.replication.broker_fenced(world.image, NodeId{id}, records);
  world.replay(records);
}

void unfence(World& world, std::int32_t id) {
  std::vector<MetadataRecord> records;
  world.replication.broker_unfenced(world.image, NodeId{id}, records);
  world.replay(records);
}

TEST_CASE("a fenced broker leaves every ISR, and others lead") {
  World world = two_partitions();
  fence(world, 2);
  CHECK(world.image.broker(NodeId{2})->fenced);
  CHECK(world.partition(0).leader == NodeId{1});
  CHECK(world.partition(0).isr == nodes({1, 3}));
  CHECK(world.partition(0).leader_epoch == LeaderEpoch{3});
  CHECK(world.partition(1).leader == NodeId{3});
  CHECK(world.partition(1).isr == nodes({3}));
  CHECK(world.partition(1).elr == nodes({2}));
  CHECK(world.partition(1).leader_epoch == LeaderEpoch{4});
  CHECK(world.replication.leads_any(world.image, NodeId{3}));
  CHECK_FALSE(world.replication.leads_any(world.image, NodeId{2}));
}

TEST_CASE("the last one in sync goes: nobody leads until somebody who knows all comes back") {
  for (const bool elr : {true, false}) {
    CAPTURE(elr);
    World world = two_partitions(elr);
    fence(world, 2);
    fence(world, 3);
    CHECK(world.partition(1).leader == kNoNode);
    CHECK(world.partition(1).isr == (elr ? Nodes{} : nodes({3})));
    CHECK(world.replication.any_leaderless());
    unfence(world, 2);  // eligible with ELR; otherwise not in sync
    CHECK(world.partition(1).leader == (elr ? NodeId{2} : kNoNode));
    unfence(world, 3);
    CHECK(world.partition(1).leader == (elr ? NodeId{2} : NodeId{3}));
    CHECK_FALSE(world.replication.any_leaderless());
    CHECK(world.partition(1).recovery == LeaderRecoveryState::recovered);
  }
}

TEST_CASE("with unclean election on, anybody alive will do") {
  World world = two_partitions(false, true);
  fence(world, 2);
  fence(world, 3);
  CHECK(world.partition(1).leader == NodeId{1});
  CHECK(world.partition(1).isr == nodes({1}));
  CHECK(world.partition(1).recovery == LeaderRecoveryState::recovering);
}

TEST_CASE("a controlled shutdown moves leaders and says so once") {
  World world = two_partitions();
  std::vector<MetadataRecord> records;
  world.replication.broker_in_controlled_shutdown(world.image, NodeId{1}, records);
  world.replay(records);
  CHECK(world.image.broker(NodeId{1})->in_controlled_shutdown);
  CHECK_FALSE(world.image.broker(NodeId{1})->fenced);
  CHECK(world.partition(0).leader == NodeId{2});
  CHECK(world.partition(0).isr == nodes({2, 3}));
  records.clear();
  world.replication.broker_in_controlled_shutdown(world.image, NodeId{1}, records);
  CHECK(records.empty());
}

TEST_CASE("a broker that comes back is eligible only if it went down cleanly") {
  struct Row {
    bool elr, clean;
    Nodes want_isr, want_elr;
  };
  const Row rows[] = {
      {true, true, nodes({2}), nodes({3})},
      {true, false, nodes({2}), {}},
      {false, false, nodes({2}), {}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.elr);
    CAPTURE(row.clean);
    World world = two_partitions(row.elr);
    std::vector<MetadataRecord> records;
    world.replication.broker_restarted(world.image, NodeId{3}, row.clean, records);
    world.replay(records);
    CHECK(world.partition(1).isr == row.want_isr);
    CHECK(world.partition(1).elr == row.want_elr);
    CHECK(world.partition(1).leader == NodeId{2});
  }
}

TEST_CASE("an unclean restart takes the broker out of ELRs as well") {
  World world = two_partitions();
  fence(world, 3);
  CHECK(world.partition(1).elr == nodes({3}));
  std::vector<MetadataRecord> records;
  world.replication.broker_restarted(world.image, NodeId{3}, false, records);
  world.replay(records);
  CHECK(world.partition(1).elr.empty());
}

TEST_CASE("leaders go back to the preferred replica when it is in sync") {
  World world = two_partitions();
  CHECK_FALSE(world.replication.any_imbalanced());
  fence(world, 1);
  CHECK(world.replication.any_imbalanced());
  CHECK(world.replication.balance_leaders(world.image).empty());  // it is fenced
  unfence(world, 1);
  CHECK(world.replication.balance_leaders(world.image).empty());  // and then not in sync
  PartitionChangeRecord joined;
  joined.tp = kTp;
  joined.has_isr = true;
  joined.isr = nodes({1, 2, 3});
  world.replay(joined);
  const auto records = world.replication.balance_leaders(world.image);
  CHECK(records.size() == 1);
  world.replay(records);
  CHECK(world.partition(0).leader == NodeId{1});
  CHECK_FALSE(world.replication.any_imbalanced());
}

TEST_CASE("the sweep for unclean leaders touches only topics that allow it") {
  for (const bool allowed : {true, false}) {
    World world = two_partitions(false, false);
    fence(world, 2);
    fence(world, 3);
    TopicConfig config = world.image.topic(TopicId{1})->config;
    config.unclean_leader_election_enable = allowed;
    world.replay(TopicConfigRecord{TopicId{1}, config});
    world.replay(world.replication.elect_unclean_leaders(world.image));
    CHECK(world.partition(1).leader == (allowed ? NodeId{1} : kNoNode));
  }
}

TEST_CASE("a removed topic is in no index") {
  World world = two_partitions();
  fence(world, 2);
  fence(world, 3);
  CHECK(world.replication.any_leaderless());
  CHECK(world.replication.any_imbalanced());
  world.replay(RemoveTopicRecord{TopicId{1}});
  CHECK_FALSE(world.replication.any_leaderless());
  CHECK_FALSE(world.replication.any_imbalanced());
}

}  // namespace replication_control_test
}  // namespace sim::controller
