#include "broker/auto_topic_creation.h"
#include "broker/harness.h"
#include "broker/producer_id_manager.h"
#include "server/coordinators.h"

// What clients ask of any broker.
namespace sim {
namespace {

using test::batch_of;
using test::fetch;
using test::from;
using test::produce;
using test::World;

server::BrokerConfig small_config() {
  server::BrokerConfig config;
  config.num_partitions = 4;
  config.default_replication_factor = 2;
  config.offsets_topic_num_partitions = 5;
  return config;
}

MetadataRequest about(std::string topic) {
  MetadataRequest request;
  request.topics.push_back(std::move(topic));
  return request;
}

TEST_CASE("an unknown topic is created while its asker hears that it is unknown") {
  World world = test::brokers_up(3, small_config(), 10ms);
  world.create_topics = false;
  const auto first = world.ask<MetadataResponse>(1, about("orders"));
  REQUIRE(first.topics.size() == 1);
  CHECK(first.topics[0].error == ErrorCode::unknown_topic_or_partition);
  CHECK(first.brokers.size() == 3);
  world.ask<MetadataResponse>(1, about("orders"));
  world.run_for(5ms);
  REQUIRE(world.create_requests.size() == 1);  // the second waits for the first
  const auto& wanted = std::get<CreateTopicsRequest>(world.create_requests[0].message).topics;
  CHECK(wanted[0].name == "orders");
  CHECK(wanted[0].partitions == 4);
  CHECK(wanted[0].replication_factor == 2);

  // Answered without success, it is asked for again.
  world.reply(world.create_requests[0],
              CreateTopicsResponse{{{"orders", ErrorCode::invalid_replication_factor, kNoTopic}}});
  world.run_for(5ms);
  world.create_topics = true;
  world.ask<MetadataResponse>(1, about("orders"));
  world.run_for(5ms);
  const auto found = world.ask<MetadataResponse>(2, about("orders")).topics[0];
  CHECK(found.error == ErrorCode::none);
  CHECK(found.partitions.size() == 4);
  CHECK(found.partitions[1].leader == NodeId{2});
  CHECK(found.partitions[1].isr == std::vector{NodeId{2}, NodeId{1}});
}

TEST_CASE("what is not created") {
  World world = test::brokers_up(3, small_config(), 10ms);
  MetadataRequest modest = about("orders");
  modest.allow_auto_topic_creation = false;
  CHECK(world.ask<MetadataResponse>(1, modest).topics[0].error == ErrorCode::unknown_topic_or_partition);
  CHECK(world.ask<MetadataResponse>(1, about("what?")).topics[0].error == ErrorCode::invalid_topic_exception);
  world.run_for(5ms);
  CHECK(world.create_requests.empty());
  for (const char* name : {"", ".", "..", "a b", "ä"}) CHECK_FALSE(broker::is_valid_topic_name(name));
  CHECK_FALSE(broker::is_valid_topic_name(std::string(250, 'a')));
  for (const char* name : {"a", "...", "A_b-9.c"}) CHECK(broker::is_valid_topic_name(name));
}

TEST_CASE("metadata leaves out fenced brokers, and names partitions without a leader") {
  World world = test::brokers_up(3, small_config(), 10ms);
  const TopicPartition tp = world.create_topic("orders", {1, 2, 3}, {}, 2);
  world.commit({BrokerRegistrationChangeRecord{NodeId{2}, BrokerEpoch{102}, 1, 0}});
  world.elect(tp, -1, {1});
  world.run_for(5ms);
  const auto answer = world.ask<MetadataResponse>(3, about("orders"));
  CHECK(answer.brokers.size() == 2);
  CHECK(answer.topics[0].partitions[0].error == ErrorCode::leader_not_available);
  CHECK(answer.topics[0].partitions[0].leader == kNoNode);
  CHECK(answer.topics[0].partitions[0].leader_epoch == LeaderEpoch{1});
  CHECK(answer.topics[0].partitions[1].error == ErrorCode::none);
}

TEST_CASE("who asks for a coordinator brings its topic about") {
  World world = test::brokers_up(3, small_config(), 10ms);
  CHECK(world.ask<FindCoordinatorResponse>(1, FindCoordinatorRequest{"payment"}).error ==
        ErrorCode::coordinator_not_available);
  world.run_for(5ms);
  const auto& topic = std::get<CreateTopicsRequest>(world.create_requests.at(0).message).topics.at(0);
  CHECK(topic.name == "__consumer_offsets");
  CHECK(topic.partitions == 5);
  CHECK(topic.replication_factor == 3);
  CHECK(topic.config.cleanup_compact);
  CHECK(topic.config.segment_bytes == 104'857'600);
  const auto found = world.ask<FindCoordinatorResponse>(1, FindCoordinatorRequest{"payment"});
  CHECK(found.error == ErrorCode::none);
  const std::int32_t partition = server::coordinator_partition("payment", 5);
  CHECK(found.node == NodeId{partition % 3 + 1});
  CHECK(found.endpoint == test::process_of(found.node.value()));
  // Clients do not write there.
  const TopicPartition tp{world.metadata().topic("__consumer_offsets")->id, partition};
  CHECK(world.ask<ProduceResponse>(found.node.value(), produce(tp, batch_of(1), 1)).partitions[0].error ==
        ErrorCode::invalid_topic_exception);
}

OffsetCommitRequest commit(std::string group, TopicPartition tp, Offset offset) {
  OffsetCommitRequest request;
  request.group = std::move(group);
  request.partitions.push_back({tp, offset, kNoLeaderEpoch});
  return request;
}

OffsetFetchRequest committed(std::string group, TopicPartition tp) {
  OffsetFetchRequest request;
  request.group = std::move(group);
  request.partitions.push_back(tp);
  return request;
}

TEST_CASE("commits are replicated before they are acknowledged, and survive their coordinator") {
  World world = test::brokers_up(3, small_config(), 10ms);
  const TopicPartition orders = world.create_topic("orders", {1, 2, 3});
  world.create_topic("__consumer_offsets", {1, 2, 3}, {}, 5);
  const std::int32_t index = server::coordinator_partition("payment", 5);
  const TopicPartition tp{world.metadata().topic("__consumer_offsets")->id, index};
  const int coordinator = index % 3 + 1;
  const int other = coordinator % 3 + 1;
  world.run_for(50ms);

  CHECK(world.ask<OffsetCommitResponse>(other, commit("payment", orders, 7)).partitions[0].error ==
        ErrorCode::not_coordinator);
  CHECK(world.ask<OffsetCommitResponse>(coordinator, commit("payment", orders, 7)).partitions[0].error ==
        ErrorCode::none);
  for (int id = 1; id <= 3; ++id) CHECK(world.partition(id, tp).log_end_offset() == 1);
  CHECK(world.ask<OffsetFetchResponse>(coordinator, committed("payment", orders)).partitions[0].offset == 7);

  // Without a follower's word a commit fails after offsets.commit.timeout.ms.
  world.cut(coordinator, other);
  const LocalTime sent = world.now();
  const auto waiting = world.send(coordinator, commit("payment", orders, 8));
  world.run_for(6s);
  REQUIRE(world.answer<OffsetCommitResponse>(waiting));
  CHECK(world.answered_at - sent >= 5s);
  CHECK(world.answer<OffsetCommitResponse>(waiting)->partitions[0].error ==
        ErrorCode::coordinator_not_available);
  world.heal();

  // The new leader has the commit, but was cut off before it heard that it was replicated: nobody may see it
  // yet.
  world.elect(tp, other, {1, 2, 3});
  world.run_for(100ms);
  CHECK(world.partition(other, tp).log_end_offset() == 1);
  CHECK(world.ask<OffsetFetchResponse>(other, committed("payment", orders)).partitions[0].offset ==
        kNoOffset);
  world.run_for(40s);  // the old leader's connection to it times out, and it fetches
  CHECK(world.partition(other, tp).high_watermark() == 1);
  CHECK(world.ask<OffsetFetchResponse>(coordinator, committed("payment", orders)).error ==
        ErrorCode::not_coordinator);
  CHECK(world.ask<OffsetFetchResponse>(other, committed("payment", orders)).partitions[0].offset == 7);
}

TEST_CASE("acks=0 is not answered; a failure closes the connection") {
  World world = test::brokers_up(3, small_config(), 10ms);
  const TopicPartition tp = world.create_topic("orders", {1, 2, 3});
  world.run_for(50ms);
  const auto silent = world.send(1, produce(tp, batch_of(1), 0));
  world.run_for(5ms);
  CHECK(world.answer<NoOpResponse>(silent));
  CHECK(world.partition(1, tp).log_end_offset() == 1);
  CHECK(world.closed_by_server.empty());
  world.send(2, produce(tp, batch_of(1), 0));
  world.run_for(5ms);
  CHECK(world.closed_by_server.size() == 1);
}

TEST_CASE("a produce request's partitions fail one by one") {
  World world = test::brokers_up(3, small_config(), 10ms);
  const TopicPartition mine = world.create_topic("orders", {1, 2});
  const TopicPartition not_mine = world.create_topic("others", {2, 3});
  world.run_for(50ms);
  ProduceRequest request = produce(mine, batch_of(1), -1);
  request.partitions.push_back({not_mine, batch_of(1)});
  request.partitions.push_back({TopicPartition{TopicId{77}, 0}, batch_of(1)});
  const auto answer = world.ask<ProduceResponse>(1, request);
  REQUIRE(answer.partitions.size() == 3);
  CHECK(answer.partitions[0].error == ErrorCode::none);
  CHECK(answer.partitions[1].error == ErrorCode::not_leader_or_follower);
  CHECK(answer.partitions[1].current_leader.leader == NodeId{2});
  CHECK(answer.partitions[2].error == ErrorCode::unknown_topic_or_partition);
  CHECK(world.ask<ProduceResponse>(1, produce(mine, batch_of(1), 2)).partitions[0].error ==
        ErrorCode::invalid_required_acks);
}

TEST_CASE("a retry that overtakes the write of its original is acknowledged with it") {
  World world;
  world.add_broker(1);
  const TopicPartition tp = world.create_topic("orders", {1});
  world.run_for(10ms);
  world.write_time = 10ms;
  const LocalTime sent = world.now();
  world.send(1, produce(tp, batch_of(2, ProducerId{1}, 0), 1));
  world.run_for(1ms);
  const auto retry = world.send(1, produce(tp, batch_of(2, ProducerId{1}, 0), 1));
  world.run_for(20ms);
  REQUIRE(world.answer<ProduceResponse>(retry));
  CHECK(world.answered_at - sent == 10ms + 2 * world.latency);
  CHECK(world.answer<ProduceResponse>(retry)->partitions[0].base_offset == 0);
  CHECK(world.partition(1, tp).log_end_offset() == 2);
}

TEST_CASE("producer ids come in blocks, and the first producer has to ask again") {
  World world = test::brokers_up(3, small_config(), 10ms);
  CHECK(world.ask<InitProducerIdResponse>(1, InitProducerIdRequest{}).error ==
        ErrorCode::coordinator_load_in_progress);
  world.run_for(5ms);
  const auto first = world.ask<InitProducerIdResponse>(1, InitProducerIdRequest{});
  CHECK(first.error == ErrorCode::none);
  CHECK(first.producer_id == ProducerId{0});
  CHECK(first.producer_epoch == ProducerEpoch{0});
  CHECK(world.ask<InitProducerIdResponse>(1, InitProducerIdRequest{}).producer_id == ProducerId{1});
  world.ask<InitProducerIdResponse>(2, InitProducerIdRequest{});
  world.run_for(5ms);
  CHECK(world.ask<InitProducerIdResponse>(2, InitProducerIdRequest{}).producer_id == ProducerId{1000});
  CHECK(world.ask<InitProducerIdResponse>(1, InitProducerIdRequest{ProducerId{4}, kNoProducerEpoch}).error ==
        ErrorCode::invalid_request);
}

TEST_CASE("the next block of producer ids is asked for when nine tenths are gone") {
  broker::ProducerIdManager ids;
  const LocalTime now{};
  bool wants = false;
  const auto generate = [&] {
    wants = false;
    return ids.generate(now, wants);
  };
  CHECK_FALSE(generate());
  CHECK(wants);
  CHECK_FALSE(generate());
  CHECK_FALSE(wants);  // asked already
  ids.answered(AllocateProducerIdsResponse{ErrorCode::none, ProducerId{5000}, 1000}, now);
  for (int i = 0; i < 1000; ++i) {
    CHECK(generate() == ProducerId{5000 + i});
    CHECK(wants == (i == 900));
  }
  ids.answered(AllocateProducerIdsResponse{ErrorCode::not_controller, {}, 0}, now);
  CHECK_FALSE(generate());
  CHECK_FALSE(wants);  // for 50 ms
  CHECK_FALSE(ids.generate(now + 50ms, wants));
  CHECK(wants);
}

TEST_CASE("offsets and epochs, asked for by clients") {
  World world = test::brokers_up(3, small_config(), 10ms);
  const TopicPartition tp = world.create_topic("orders", {1, 2});
  world.run_for(50ms);
  world.ask<ProduceResponse>(1, produce(tp, batch_of(3), -1));
  world.elect(tp, 2, {1, 2});
  world.run_for(50ms);
  world.ask<ProduceResponse>(2, produce(tp, batch_of(2), -1));
  ListOffsetsRequest offsets;
  offsets.partitions = {{tp, LeaderEpoch{1}, kLatestTimestamp},
                        {tp, LeaderEpoch{1}, kEarliestTimestamp},
                        {tp, LeaderEpoch{0}, kLatestTimestamp}};
  const auto listed = world.ask<ListOffsetsResponse>(2, offsets).partitions;
  CHECK(listed[0].offset == 5);
  CHECK(listed[1].offset == 0);
  CHECK(listed[2].error == ErrorCode::fenced_leader_epoch);
  OffsetForLeaderEpochRequest epochs;
  epochs.partitions = {{tp, LeaderEpoch{1}, LeaderEpoch{0}},
                       {tp, LeaderEpoch{1}, LeaderEpoch{1}},
                       {tp, LeaderEpoch{1}, LeaderEpoch{5}}};
  const auto ends = world.ask<OffsetForLeaderEpochResponse>(2, epochs).partitions;
  CHECK(ends[0].end_offset == 3);
  CHECK(ends[1].end_offset == 5);
  CHECK(ends[2].end_offset == kNoOffset);
  CHECK(world.ask<ListOffsetsResponse>(1, offsets).partitions[0].error == ErrorCode::not_leader_or_follower);
}

}  // namespace
}  // namespace sim
