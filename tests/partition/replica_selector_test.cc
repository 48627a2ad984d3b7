#include "partition/replica_selector.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "protocol/batch_builder.h"

// To which replica a leader sends a consumer (KIP-392).
namespace sim::partition {
namespace {

constexpr TopicPartition kRacked0{TopicId{1}, 0};

// Leader 1 in rack a, followers 2 to 5 in b, b, c and b; ten records.
struct RackedPartition {
  explicit RackedPartition(std::vector<int> isr = {1, 2, 3, 4, 5}) {
    const std::vector<std::string> racks{"", "a", "b", "b", "c", "b"};
    PartitionRecord record;
    record.tp = kRacked0;
    for (std::int32_t id = 1; id <= 5; ++id) {
      image.replay(RegisterBrokerRecord{NodeId{id}, 1, BrokerEpoch{10 * id}, ProcessId{id},
                                        racks[static_cast<std::size_t>(id)], false, false});
      record.replicas.emplace_back(id);
    }
    for (const int id : isr) record.isr.emplace_back(id);
    record.leader = NodeId{1};
    image.replay(TopicRecord{"orders", kRacked0.topic});
    image.replay(record);
    partition.become_leader(*image.partition(kRacked0), *image.topic(kRacked0.topic), context());
    const auto data = make_data_batch(std::vector<Record>(10, Record{RecordId{0}, 0, 10, 100}), kNoProducerId,
                                      kNoProducerEpoch, -1);
    partition.append(partition.assign(data), true, context());
  }
  Context context() { return Context{node::Env{now, rng}, out, image, config, NodeId{1}, BrokerEpoch{10}}; }
  void fetched(int broker, Offset offset, Offset log_start = 0) {
    now += std::chrono::milliseconds(1);
    partition.follower_fetched(NodeId{broker}, BrokerEpoch{10 * broker}, offset, log_start, context());
  }
  int selected(Offset offset, const std::string& rack) {
    return preferred_read_replica(partition, offset, rack, context()).value();
  }

  LocalTime now{std::chrono::hours(1)};
  Rng rng{1, "test"};
  node::Effects out;
  metadata::MetadataImage image;
  server::BrokerConfig config;
  Partition partition{kRacked0, log::LogImage{}};
};

constexpr int kNobody = -1;

TEST_CASE("a consumer is sent to the replica of its rack that is furthest") {
  RackedPartition fixture;
  CHECK(fixture.selected(0, "b") == kNobody);  // none has fetched in this epoch
  fixture.fetched(2, 4);
  fixture.fetched(3, 6);
  fixture.fetched(4, 10);
  CHECK(fixture.selected(4, "b") == 3);
  CHECK(fixture.selected(6, "b") == 3);
  CHECK(fixture.selected(7, "b") == kNobody);  // only the leader has that
  CHECK(fixture.selected(7, "c") == 4);
  CHECK(fixture.selected(0, "a") == kNobody);  // the leader is there
  CHECK(fixture.selected(0, "d") == kNobody);
  CHECK(fixture.selected(0, "") == kNobody);
}

TEST_CASE("of equals the one that was caught up last, then the higher id") {
  RackedPartition fixture;
  fixture.fetched(3, 10);
  fixture.fetched(2, 10);
  CHECK(fixture.selected(0, "b") == 2);
  fixture.fetched(3, 10);
  CHECK(fixture.selected(0, "b") == 3);
}

TEST_CASE("not to one that is fenced, nor to one that lacks the beginning") {
  RackedPartition fixture;
  fixture.fetched(2, 10, 5);
  fixture.fetched(3, 8);
  CHECK(fixture.selected(6, "b") == 2);
  CHECK(fixture.selected(4, "b") == 3);
  fixture.image.replay(BrokerRegistrationChangeRecord{NodeId{3}, BrokerEpoch{30}, 1, 0});
  CHECK(fixture.selected(4, "b") == kNobody);
}

TEST_CASE("nor, since KAFKA-14372, to one that is not in sync") {
  for (const bool only_isr : {true, false}) {
    CAPTURE(only_isr);
    RackedPartition fixture({1, 4});
    fixture.config.history.preferred_replica_only_isr = only_isr;
    fixture.fetched(2, 6);
    CHECK(fixture.selected(6, "b") == (only_isr ? kNobody : 2));
  }
}

}  // namespace
}  // namespace sim::partition
