#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "protocol/batch_builder.h"
#include "protocol/record_batch.h"

// Batches for tests.
namespace sim::log::test {

inline Batch batch_of(Offset base, LeaderEpoch leader_epoch, std::int32_t records, std::int32_t value_bytes) {
  return Batch{base, leader_epoch, records,
               make_data_batch(std::vector<Record>(static_cast<std::size_t>(records),
                                                   Record{kNoRecord, 0, -1, value_bytes}))};
}

// All kinds of batches, at random: those of producers with and without ids, sized regularly and not, offset
// commits, group metadata, and metadata records.
class BatchSource {
 public:
  explicit BatchSource(std::uint64_t seed) : rng_(seed, "batches") {}

  Batch next(Offset base) {
    if (rng_.bernoulli(1, 60)) epoch_ = epoch_.next();
    now_ms_ += rng_.between(0, 4);
    BatchDataPtr data = contents();
    const std::int32_t count = data->record_count();
    return Batch{base, epoch_, count, std::move(data)};
  }
  std::int64_t first_timestamp_ms() const { return kStart; }
  std::int64_t last_timestamp_ms() const { return now_ms_; }

 private:
  static constexpr std::int64_t kStart = 1'000'000;

  BatchDataPtr contents() {
    const std::uint64_t dice = rng_.below(100);
    if (dice < 70) return application();
    if (dice < 85) return commits();
    if (dice < 90) return group();
    if (dice < 97) return odd();
    return make_batch(std::vector<MetadataRecord>{TopicRecord{"orders", TopicId{1}}, NoOpRecord{}}, now_ms_);
  }

  BatchDataPtr application() {
    const std::int64_t n = rng_.bernoulli(1, 2) ? 1 : rng_.between(1, 20);
    std::vector<Record> records;
    for (std::int64_t i = 0; i < n; ++i) {
      const std::int64_t jitter = rng_.between(-2, 3);
      number_ += rng_.between(1, 9);
      const bool keyed = rng_.bernoulli(1, 2);
      records.push_back(Record{record_id(FlowId{0}, number_), now_ms_ + jitter, keyed ? 8 : -1, 1024,
                               keyed ? number_ % 1'000 : -1});
    }
    const bool idempotent = rng_.bernoulli(1, 2);
    return make_data_batch(std::move(records), idempotent ? ProducerId{1003} : kNoProducerId,
                           idempotent ? ProducerEpoch{0} : kNoProducerEpoch, idempotent ? sequence_++ : -1,
                           rng_.bernoulli(1, 4) ? 40 : 100);
  }

  BatchDataPtr commits() {
    std::vector<CoordinatorRecord> records;
    const std::int64_t n = rng_.between(1, 6);
    for (std::int64_t i = 0; i < n; ++i) {
      const std::string group = rng_.bernoulli(1, 2) ? "payment" : "inventory";
      const auto partition = static_cast<std::int32_t>(rng_.below(6));
      const Offset offset = rng_.between(-1, 100'000);
      const std::int64_t stamp = now_ms_ + rng_.between(0, 2);
      records.push_back(
          OffsetCommitRecord{group, TopicPartition{TopicId{1}, partition}, offset, LeaderEpoch{2}, stamp});
    }
    return make_batch(std::move(records), now_ms_);
  }

  BatchDataPtr group() {
    GroupMetadataRecord record;
    record.group = "payment";
    record.generation = Generation{static_cast<std::int32_t>(number_ % 1000)};
    record.protocol_type = "consumer";
    record.members.resize(1);
    record.members[0].member_id = "member-" + std::to_string(number_);
    record.members[0].subscription = {TopicId{1}};
    record.members[0].assignment = {TopicPartition{TopicId{1}, 0}};
    std::vector<CoordinatorRecord> records;
    records.push_back(std::move(record));
    if (rng_.bernoulli(1, 2)) {
      records.push_back(
          OffsetCommitRecord{"payment", TopicPartition{TopicId{1}, 0}, 7, LeaderEpoch{0}, now_ms_});
    }
    return make_batch(std::move(records), now_ms_);
  }

  // Extremes, which no producer would send but an encoding must carry.
  BatchDataPtr odd() {
    BatchData data;
    data.producer_id = ProducerId{static_cast<std::int64_t>(rng_.next() >> 1)};
    data.producer_epoch = ProducerEpoch{32'767};
    data.base_sequence = 2'147'483'647;
    data.base_timestamp_ms = static_cast<std::int64_t>(rng_.next() >> 1);
    data.max_timestamp_ms = now_ms_;
    data.size_bytes = 2'147'483;
    data.transactional = rng_.bernoulli(1, 2);
    data.control = rng_.bernoulli(1, 2);
    std::vector<Record> records;
    for (std::uint64_t n = 1 + rng_.below(3); n > 0; --n) {
      const auto id = static_cast<std::int64_t>(rng_.next());
      const std::int64_t timestamp_ms = rng_.between(0, INT64_MAX);
      records.push_back(Record{RecordId{id}, timestamp_ms, 2'147'483'647, -1});
    }
    if (rng_.bernoulli(1, 2)) {  // odd in nothing but its flags
      records.resize(1, Record{kNoRecord, now_ms_, -1, 10});
      data.base_timestamp_ms = data.max_timestamp_ms = records.front().timestamp_ms;
    }
    data.records = std::move(records);
    return std::make_shared<const BatchData>(std::move(data));
  }

  Rng rng_;
  LeaderEpoch epoch_{0};
  std::int64_t now_ms_ = kStart;
  std::int64_t number_ = 0;
  std::int32_t sequence_ = 0;
};

inline bool same(const Record& a, const Record& b) {
  return a.id == b.id && a.timestamp_ms == b.timestamp_ms && a.key_bytes == b.key_bytes &&
         a.value_bytes == b.value_bytes && a.key == b.key;
}

inline bool same(const CoordinatorRecord& a, const CoordinatorRecord& b) {
  if (a.index() != b.index()) return false;
  if (const auto* commit = std::get_if<OffsetCommitRecord>(&a)) {
    const auto& other = std::get<OffsetCommitRecord>(b);
    return commit->group == other.group && commit->tp == other.tp && commit->offset == other.offset &&
           commit->leader_epoch == other.leader_epoch &&
           commit->commit_timestamp_ms == other.commit_timestamp_ms;
  }
  const auto& group = std::get<GroupMetadataRecord>(a);
  const auto& other = std::get<GroupMetadataRecord>(b);
  if (group.group != other.group || group.generation != other.generation ||
      group.members.size() != other.members.size()) {
    return false;
  }
  for (std::size_t i = 0; i < group.members.size(); ++i) {
    if (group.members[i].member_id != other.members[i].member_id) return false;
    if (group.members[i].assignment != other.members[i].assignment) return false;
  }
  return true;
}

inline bool same(const MetadataRecord& a, const MetadataRecord& b) {
  return a.index() == b.index();
}
inline bool same(const ControlRecord& a, const ControlRecord& b) {
  return a.index() == b.index();
}

inline bool same(const TransactionLogRecord& a, const TransactionLogRecord& b) {
  return a.transactional_id == b.transactional_id && a.state == b.state && a.partitions == b.partitions;
}

inline bool same(const BatchData& a, const BatchData& b) {
  if (a.producer_id != b.producer_id || a.producer_epoch != b.producer_epoch ||
      a.base_sequence != b.base_sequence || a.base_timestamp_ms != b.base_timestamp_ms ||
      a.max_timestamp_ms != b.max_timestamp_ms || a.size_bytes != b.size_bytes ||
      a.transactional != b.transactional || a.control != b.control ||
      a.records.index() != b.records.index()) {
    return false;
  }
  return std::visit(
      [&b](const auto& records) {
        const auto& others = std::get<std::decay_t<decltype(records)>>(b.records);
        if (records.size() != others.size()) return false;
        for (std::size_t i = 0; i < records.size(); ++i) {
          if (!same(records[i], others[i])) return false;
        }
        return true;
      },
      a.records);
}

inline bool same(const Batch& a, const Batch& b) {
  return a.base_offset == b.base_offset && a.leader_epoch == b.leader_epoch &&
         a.record_count == b.record_count && same(*a.data, *b.data);
}

inline bool same(const std::vector<Batch>& a, const std::vector<Batch>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!same(a[i], b[i])) return false;
  }
  return true;
}

}  // namespace sim::log::test
