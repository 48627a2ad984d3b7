// Sizes and hashes against the answers of Kafka's own classes (tests/vectors).
#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "protocol/batch_builder.h"
#include "protocol/murmur2.h"
#include "protocol/record_batch.h"
#include "vectors/vector_table.h"

namespace sim {
namespace kafka_vectors_test {

using vectors::VectorRow;

TEST_CASE("records and batches take the bytes that Kafka's MemoryRecords give them") {
  const auto kafkas = [](const VectorRow& row) {
    return row.text("kafka_record_sizes") + "," + row.text("kafka_batch_bytes") + "," +
           row.text("kafka_upper_bounds") + "," + row.text("kafka_base_timestamp") + "," +
           row.text("kafka_max_timestamp");
  };
  vectors::check_vectors("batch_sizes", kafkas, [](const VectorRow& row) {
    const std::vector<std::int64_t> keys = row.numbers("key_bytes");
    const std::vector<std::int64_t> values = row.numbers("value_bytes");
    const std::vector<std::int64_t> times = row.numbers("timestamps_ms");
    std::vector<Record> records;
    std::vector<std::int32_t> sizes, upper_bounds;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const auto key = static_cast<std::int32_t>(keys[i]);
      const auto value = static_cast<std::int32_t>(values.at(i));
      records.push_back(Record{kNoRecord, times.at(i), key, value});
      sizes.push_back(record_size(key, value, static_cast<std::int64_t>(i), times[i] - times[0]));
      upper_bounds.push_back(batch_size_upper_bound(key, value));
    }
    const bool idempotent = row.flag("idempotent");
    const BatchDataPtr batch =
        idempotent ? make_data_batch(records, ProducerId{7}, ProducerEpoch{0}, 0) : make_data_batch(records);
    return vectors::joined(sizes) + "," + std::to_string(batch->size_bytes) + "," +
           vectors::joined(upper_bounds) + "," + std::to_string(batch->base_timestamp_ms) + "," +
           std::to_string(batch->max_timestamp_ms);
  });
}

TEST_CASE("keys hash and choose partitions as Utils.murmur2 and BuiltInPartitioner do") {
  const auto kafkas = [](const VectorRow& row) {
    return row.text("kafka_murmur2") + "," + row.text("kafka_partition");
  };
  vectors::check_vectors("keys", kafkas, [](const VectorRow& row) {
    const std::string& hex = row.text("key_hex");
    std::string key;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
      key.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
    }
    const auto partitions = static_cast<std::int32_t>(row.number("partitions"));
    return std::to_string(murmur2(key)) + "," + std::to_string(partition_for_key(key, partitions));
  });
}

}  // namespace kafka_vectors_test
}  // namespace sim
