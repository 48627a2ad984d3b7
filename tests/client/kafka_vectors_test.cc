// The clients' decisions against the answers of Kafka's own classes (tests/vectors).
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client/assignor.h"
#include "client/partitioner.h"
#include "client/producer_batch.h"
#include "vectors/vector_table.h"

namespace sim::client {
namespace kafka_vectors_test {

using vectors::VectorRow;

// ---- Assignors

// Topics are named by one letter; its code is the topic's id.
TopicId topic_id(const std::string& name) {
  return TopicId{name.at(0)};
}

TopicPartition topic_partition(const std::string& text) {
  return {topic_id(text), static_cast<std::int32_t>(vectors::to_number(text.substr(1)))};
}

GroupSubscription group_of(const VectorRow& row) {
  GroupSubscription group;
  for (const std::string& text : row.list("topics")) {
    TopicLayout topic;
    topic.name = text.substr(0, 1);
    topic.id = topic_id(text);
    topic.partitions = static_cast<std::int32_t>(vectors::to_number(text.substr(2)));
    topic.racks.resize(static_cast<std::size_t>(topic.partitions));
    group.topics.push_back(std::move(topic));
  }
  for (const std::string& text : row.list("racks")) {
    const std::vector<std::string> sides = vectors::split(text, '=');
    const TopicPartition tp = topic_partition(sides.at(0));
    for (TopicLayout& topic : group.topics) {
      if (topic.id == tp.topic && sides.size() > 1)
        topic.racks.at(static_cast<std::size_t>(tp.partition)) = vectors::split(sides[1], '/');
    }
  }
  for (const std::string& text : row.list("members")) {
    const std::vector<std::string> parts = vectors::split(text, '|');
    REQUIRE(parts.size() == 6);
    JoinGroupResponse::Member member;
    member.member_id = parts[0];
    member.group_instance_id = parts[1];
    member.subscription.rack = parts[2];
    for (const std::string& topic : vectors::split(parts[3], ';'))
      member.subscription.topics.push_back(topic_id(topic));
    for (const std::string& owned : vectors::split(parts[4], ';'))
      member.subscription.owned.push_back(topic_partition(owned));
    member.subscription.generation = Generation{static_cast<std::int32_t>(vectors::to_number(parts[5]))};
    group.members.push_back(std::move(member));
  }
  return group;
}

// "K= B=a0;b1", members as given, partitions sorted.
std::string text(const std::vector<SyncGroupRequest::Assignment>& assignments) {
  std::vector<std::string> members;
  for (const SyncGroupRequest::Assignment& assignment : assignments) {
    std::vector<TopicPartition> partitions = assignment.partitions;
    std::sort(partitions.begin(), partitions.end());
    std::vector<std::string> names;
    for (const TopicPartition tp : partitions) {
      names.push_back(std::string(1, static_cast<char>(tp.topic.value())) + std::to_string(tp.partition));
    }
    members.push_back(assignment.member_id + "=" + vectors::joined(names, ";"));
  }
  return vectors::joined(members);
}

void check_assignor(const char* table) {
  vectors::check_vectors(table, "kafka_assignment", [](const VectorRow& row) {
    const std::optional<Assignor> assignor = assignor_named(row.text("assignor"));
    REQUIRE(assignor.has_value());
    return text(assign(*assignor, group_of(row)));
  });
}

TEST_CASE("range and roundrobin assign as Kafka's do") {
  check_assignor("assignor_range");
  check_assignor("assignor_range_racks");
  check_assignor("assignor_roundrobin");
}

TEST_CASE("sticky assigns as Kafka's does") {
  check_assignor("assignor_sticky");
  check_assignor("assignor_sticky_conflict");
  check_assignor("assignor_sticky_racks");
}

TEST_CASE("cooperative-sticky assigns as Kafka's does") {
  check_assignor("assignor_cooperative");
  check_assignor("assignor_cooperative_conflict");
  check_assignor("assignor_cooperative_racks");
}

// ---- The producer's partitioner

TEST_CASE("BuiltInPartitioner chooses by load as Kafka's does") {
  const auto kafkas = [](const VectorRow& row) {
    return row.text("kafka_in_use") + "," + row.text("kafka_cumulative") + "," +
           row.text("kafka_partition_of_each_point");
  };
  vectors::check_vectors("partitioner_load", kafkas, [](const VectorRow& row) {
    const std::vector<std::int64_t> sizes = row.numbers("queue_sizes");
    const std::vector<std::int64_t> ids = row.numbers("partition_ids");
    std::vector<StickyPartitioner::Load> loads;
    for (std::int64_t i = 0; i < row.number("length"); ++i) {
      const auto at = static_cast<std::size_t>(i);
      loads.push_back({static_cast<std::int32_t>(ids.at(at)), static_cast<std::int32_t>(sizes.at(at))});
    }
    StickyPartitioner partitioner(16'384);
    partitioner.update_load(loads, static_cast<std::int32_t>(sizes.size()));
    const std::vector<std::int32_t>& cumulative = partitioner.cumulative_weights();
    std::vector<std::int32_t> chosen;
    for (std::int32_t point = 0; !cumulative.empty() && point < cumulative.back(); ++point) {
      chosen.push_back(partitioner.partition_at(point));
    }
    return std::string(cumulative.empty() ? "0" : "1") + "," + vectors::joined(cumulative) + "," +
           vectors::joined(chosen);
  });
}

TEST_CASE("BuiltInPartitioner leaves a partition when Kafka's does") {
  vectors::check_vectors("partitioner_sticky", "kafka_switched", [](const VectorRow& row) {
    const std::vector<std::int64_t> bytes = row.numbers("appended_bytes");
    const std::vector<std::int64_t> complete = row.numbers("batch_complete");
    StickyPartitioner partitioner(static_cast<std::int32_t>(row.number("batch_bytes")));
    Rng rng(1, "partitioner");
    const std::vector<std::int32_t> with_leader{0, 1, 2};
    const StickyPartitioner::Choices choices{3, with_leader};
    partitioner.current(choices, rng);
    std::vector<int> switched;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      switched.push_back(
          partitioner.appended(static_cast<std::int32_t>(bytes[i]), complete.at(i) == 1, choices, rng) ? 1
                                                                                                       : 0);
    }
    return vectors::joined(switched);
  });
}

// ---- Batches

TEST_CASE("a producer's batches fill up as Kafka's do") {
  const auto kafkas = [](const VectorRow& row) {
    return row.text("kafka_batch_records") + "," + row.text("kafka_batch_bytes") + "," +
           row.text("kafka_reserved") + "," + row.text("kafka_full_after_each") + "," +
           row.text("kafka_estimate_after_each");
  };
  vectors::check_vectors("batching", kafkas, [](const VectorRow& row) {
    const std::vector<std::int64_t> keys = row.numbers("key_bytes");
    const std::vector<std::int64_t> values = row.numbers("value_bytes");
    const std::vector<std::int64_t> times = row.numbers("timestamps_ms");
    const auto batch_size = static_cast<std::int32_t>(row.number("batch_size"));
    std::vector<ProducerBatch> batches;
    std::vector<int> full;
    std::vector<std::int32_t> estimates, reserved;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const Record record{kNoRecord, times.at(i), static_cast<std::int32_t>(keys[i]),
                          static_cast<std::int32_t>(values.at(i))};
      if (batches.empty() || !batches.back().builder.has_room_for(record)) {
        reserved.push_back(
            std::max(batch_size, batch_size_upper_bound(record.key_bytes, record.value_bytes)));
        batches.emplace_back(0, reserved.back(), 100, LocalTime{});
      }
      ProducerBatch& batch = batches.back();
      batch.append(record);
      full.push_back(batch.full() ? 1 : 0);
      estimates.push_back(batch.estimated_bytes());
    }
    std::vector<std::int32_t> records, bytes;
    for (ProducerBatch& batch : batches) {
      records.push_back(batch.record_count);
      batch.close();
      bytes.push_back(batch.data->size_bytes);
    }
    return vectors::joined(records) + "," + vectors::joined(bytes) + "," + vectors::joined(reserved) + "," +
           vectors::joined(full) + "," + vectors::joined(estimates);
  });
}

}  // namespace kafka_vectors_test
}  // namespace sim::client
