// The controller's decisions against the answers of Kafka's own classes (tests/vectors).
#include <doctest/doctest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "controller/partition_change_builder.h"
#include "controller/striped_replica_placer.h"
#include "vectors/java_random.h"
#include "vectors/vector_table.h"

namespace sim::controller {
namespace kafka_vectors_test {

using metadata::PartitionRegistration;
using vectors::VectorRow;
constexpr TopicPartition kTp{TopicId{1}, 0};

std::vector<NodeId> nodes(const VectorRow& row, const char* column) {
  std::vector<NodeId> out;
  for (const std::int64_t id : row.numbers(column)) out.emplace_back(static_cast<std::int32_t>(id));
  return out;
}

std::string text(const std::vector<NodeId>& nodes) {
  std::vector<std::int32_t> ids;
  for (const NodeId node : nodes) ids.push_back(node.value());
  return vectors::joined(ids);
}

PartitionRegistration partition_of(const VectorRow& row) {
  PartitionRegistration out;
  out.replicas = nodes(row, "replicas");
  out.isr = nodes(row, "isr");
  out.removing = nodes(row, "removing");
  out.adding = nodes(row, "adding");
  out.elr = nodes(row, "elr");
  out.last_known_elr = nodes(row, "last_known_elr");
  out.leader = NodeId{static_cast<std::int32_t>(row.number("leader"))};
  out.recovery = row.flag("recovery") ? LeaderRecoveryState::recovering : LeaderRecoveryState::recovered;
  out.leader_epoch = LeaderEpoch{static_cast<std::int32_t>(row.number("leader_epoch"))};
  out.partition_epoch = PartitionEpoch{static_cast<std::int32_t>(row.number("partition_epoch"))};
  for (const std::int64_t id : row.numbers("directories")) {
    out.directories.push_back(DirectoryId{static_cast<DirectoryId::rep>(id)});
  }
  return out;
}

std::optional<PartitionChangeRecord> change_of(const VectorRow& row, const PartitionRegistration& partition) {
  PartitionChangeBuilder builder(kTp, partition, nodes(row, "acceptable"),
                                 static_cast<std::int32_t>(row.number("min_isr")));
  const std::string& election = row.text("election");
  builder.set_election(election == "preferred" ? Election::preferred
                       : election == "unclean" ? Election::unclean
                                               : Election::online);
  builder.set_elr_enabled(row.flag("elr_enabled"));
  if (row.given("target_isr")) builder.set_target_isr(nodes(row, "target_isr"));
  if (row.given("target_replicas") || row.given("target_removing") || row.given("target_adding")) {
    builder.set_target_replicas(
        row.given("target_replicas") ? nodes(row, "target_replicas") : partition.replicas,
        row.given("target_removing") ? nodes(row, "target_removing") : partition.removing,
        row.given("target_adding") ? nodes(row, "target_adding") : partition.adding);
  }
  if (row.given("target_recovery")) {
    builder.set_target_recovery(row.flag("target_recovery") ? LeaderRecoveryState::recovering
                                                            : LeaderRecoveryState::recovered);
  }
  if (row.given("unclean_shutdown")) {
    builder.set_unclean_shutdown(NodeId{static_cast<std::int32_t>(row.number("unclean_shutdown"))});
  }
  if (row.given("set_directory")) {
    const std::vector<std::int64_t> placed = row.numbers("set_directory");
    builder.set_directory(NodeId{static_cast<std::int32_t>(placed.at(0))},
                          DirectoryId{static_cast<DirectoryId::rep>(placed.at(1))});
  }
  return builder.build();
}

// The record's raw fields and the partition after it, in the order of Kafka's columns.
std::string ours(const std::optional<PartitionChangeRecord>& record, PartitionRegistration partition) {
  std::string out = record ? "1" : "0";
  const auto add = [&out](const std::string& field) { out.append(",").append(field); };
  const bool names_leader = record && record->leader != kLeaderUnchanged;
  add(names_leader ? std::to_string(record->leader.value()) : "~");
  add(record && record->has_isr ? text(record->isr) : "~");
  add(record && record->recovery >= 0 ? std::to_string(record->recovery) : "~");
  if (record) partition.merge(*record);
  add(std::to_string(partition.leader.value()));
  add(std::to_string(partition.leader_epoch.value()));
  add(std::to_string(partition.partition_epoch.value()));
  add(partition.recovery == LeaderRecoveryState::recovering ? "1" : "0");
  for (const auto* list : {&partition.isr, &partition.replicas, &partition.removing, &partition.adding,
                           &partition.elr, &partition.last_known_elr}) {
    add(text(*list));
  }
  std::vector<std::uint64_t> directories;
  for (const DirectoryId directory : partition.directories) directories.push_back(directory.value());
  add(vectors::joined(directories));
  return out;
}

std::string kafkas(const VectorRow& row) {
  std::string out;
  for (const char* column :
       {"kafka_changed", "kafka_rec_leader", "kafka_rec_isr", "kafka_rec_recovery", "kafka_leader",
        "kafka_leader_epoch", "kafka_partition_epoch", "kafka_recovery", "kafka_isr", "kafka_replicas",
        "kafka_removing", "kafka_adding", "kafka_elr", "kafka_last_known_elr", "kafka_directories"}) {
    if (!out.empty()) out.append(",");
    out.append(row.text(column));
  }
  return out;
}

TEST_CASE("PartitionChangeBuilder answers as Kafka's does") {
  for (const char* table :
       {"partition_change_calm", "partition_change_walk", "partition_change", "partition_change_any"}) {
    SUBCASE(table) {
      vectors::check_vectors(table, kafkas, [](const VectorRow& row) {
        const PartitionRegistration partition = partition_of(row);
        return ours(change_of(row, partition), partition);
      });
    }
  }
}

TEST_CASE("StripedReplicaPlacer places as Kafka's does with java.util.Random's numbers") {
  vectors::check_vectors("replica_placer", "kafka_placement", [](const VectorRow& row) {
    std::vector<UsableBroker> brokers;
    for (const std::string& text : row.list("brokers")) {
      const std::size_t rack = text.find(':');
      const std::size_t fenced = text.rfind(':');
      brokers.push_back(
          UsableBroker{NodeId{static_cast<std::int32_t>(vectors::to_number(text.substr(0, rack)))},
                       text.substr(rack + 1, fenced - rack - 1), text.substr(fenced + 1) == "1"});
    }
    vectors::JavaRandom random(row.number("java_random_seed"));
    const auto lists = place_replicas(static_cast<std::int32_t>(row.number("partitions")),
                                      static_cast<std::int32_t>(row.number("replication_factor")), brokers,
                                      [&](std::size_t bound) { return random.next_int(bound); });
    std::vector<std::string> out;
    if (lists) {
      for (const std::vector<NodeId>& replicas : *lists) out.push_back(text(replicas));
    }
    return lists ? vectors::joined(out, "/") : std::string("INVALID_REPLICATION_FACTOR");
  });
}

}  // namespace kafka_vectors_test
}  // namespace sim::controller
