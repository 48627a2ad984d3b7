// Which partition of __consumer_offsets a group belongs to, as Kafka's Utils.abs of the name's hash has it.
#include <string>

#include "group/group_coordinator.h"
#include "server/coordinators.h"
#include "vectors/vector_table.h"

namespace sim::group {
namespace {

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

TEST_CASE("Kafka's partition of each group") {
  vectors::check_vectors("groups", "kafka_partition", [](const vectors::VectorRow& row) {
    const auto partitions = static_cast<std::int32_t>(row.number("partitions"));
    return std::to_string(server::coordinator_partition(from_hex(row.text("group_utf8_hex")), partitions));
  });
}

}  // namespace
}  // namespace sim::group
