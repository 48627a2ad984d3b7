#include "log/sealed_chunk.h"

#include <algorithm>
#include <utility>

namespace sim::log {
namespace {

// A batch opens with one byte of these.
enum Flag : std::uint8_t {
  kApplication = 0x01,
  kCommits = 0x02,  // neither: kept as it is
  kOffsetJump = 0x04,
  kOtherLeaderEpoch = 0x08,
  kOtherProducer = 0x10,  // or another sequence number than the next
  kKeys = 0x20,           // some record has one
  kTransactional = 0x40,  // application records of a transaction
};

// Differences wrap around, so that every pair of numbers has one.
std::int64_t difference(std::int64_t from, std::int64_t to) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from));
}
std::int64_t advance(std::int64_t from, std::int64_t by) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(from) + static_cast<std::uint64_t>(by));
}
std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

// As an idempotent producer counts: after the largest int comes 0. Without an id there is nothing to count.
std::int32_t next_sequence(std::int32_t sequence, std::int32_t records) {
  if (sequence < 0) return sequence;
  return static_cast<std::int32_t>(
      (static_cast<std::uint32_t>(sequence) + static_cast<std::uint32_t>(records)) & 0x7fffffffu);
}

constexpr std::int64_t kUsualSpanMs = std::int64_t{1} << 40;

bool has_usual_records(const BatchData& data, const std::vector<Record>& records) {
  if (records.empty() || data.base_timestamp_ms != records.front().timestamp_ms) return false;
  std::int64_t max_timestamp_ms = data.base_timestamp_ms;
  for (const Record& record : records) {
    const std::int64_t delta = difference(data.base_timestamp_ms, record.timestamp_ms);
    if (delta < -kUsualSpanMs || delta > kUsualSpanMs) return false;
    max_timestamp_ms = std::max(max_timestamp_ms, record.timestamp_ms);
  }
  return data.max_timestamp_ms == max_timestamp_ms;
}

bool has_usual_records(const BatchData& data, const std::vector<CoordinatorRecord>& records) {
  return !records.empty() && data.base_timestamp_ms == data.max_timestamp_ms &&
         data.producer_id == kNoProducerId && data.producer_epoch == kNoProducerEpoch &&
         data.base_sequence == -1 &&
         std::all_of(records.begin(), records.end(), [](const CoordinatorRecord& record) {
           return std::holds_alternative<OffsetCommitRecord>(record);
         });
}

bool has_usual_records(const BatchData&, const std::vector<MetadataRecord>&) {
  return false;
}
bool has_usual_records(const BatchData&, const std::vector<ControlRecord>&) {
  return false;
}
bool has_usual_records(const BatchData&, const std::vector<TransactionLogRecord>&) {
  return false;
}

bool has_keys(const std::vector<Record>& records) {
  return std::any_of(records.begin(), records.end(), [](const Record& record) { return record.key != -1; });
}

bool is_usual(const Batch& batch) {
  const BatchData& data = *batch.data;
  const bool is_application = std::holds_alternative<std::vector<Record>>(data.records);
  return !data.control && !data.compacted && (!data.transactional || is_application) &&
         batch.record_count == data.record_count() &&
         std::visit([&data](const auto& records) { return has_usual_records(data, records); }, data.records);
}

}  // namespace

class SealedWriter {
 public:
  explicit SealedWriter(SealedChunk& chunk) : chunk_(chunk) {}

  void write(const Batch& batch) {
    const BatchData& data = *batch.data;
    const bool usual = is_usual(batch);
    const auto* records = usual ? std::get_if<std::vector<Record>>(&data.records) : nullptr;
    const auto* commits = usual ? std::get_if<std::vector<CoordinatorRecord>>(&data.records) : nullptr;
    const bool same_producer = data.producer_id == before_.producer_id &&
                               data.producer_epoch == before_.producer_epoch &&
                               data.base_sequence == before_.next_sequence;
    const std::int64_t jump = difference(before_.end_offset, batch.base_offset);
    unsigned flags = records != nullptr ? kApplication : commits != nullptr ? kCommits : 0;
    if (jump != 0) flags |= kOffsetJump;
    if (batch.leader_epoch != before_.leader_epoch) flags |= kOtherLeaderEpoch;
    if (records != nullptr && !same_producer) flags |= kOtherProducer;
    const bool keys = records != nullptr && has_keys(*records);
    if (keys) flags |= kKeys;
    if (records != nullptr && data.transactional) flags |= kTransactional;

    byte(static_cast<std::uint8_t>(flags));
    if (jump != 0) number(jump);
    if (batch.leader_epoch != before_.leader_epoch) number(batch.leader_epoch.value());
    unsigned_number(static_cast<std::uint64_t>(batch.record_count));
    unsigned_number(static_cast<std::uint64_t>(data.size_bytes));
    before_.end_offset = batch.end_offset();
    before_.leader_epoch = batch.leader_epoch;

    if (records != nullptr) {
      if (!same_producer) write_producer(data);
      write_application(data, *records, keys);
    } else if (commits != nullptr) {
      write_commits(data, *commits);
    } else {
      chunk_.kept_.push_back(batch.data);
    }
  }

 private:
  void byte(std::uint8_t value) { chunk_.bytes_.push_back(value); }
  void unsigned_number(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) byte(static_cast<std::uint8_t>(value | 0x80));
    byte(static_cast<std::uint8_t>(value));
  }
  void number(std::int64_t value) { unsigned_number(zigzag(value)); }
  // Notes `to` as the neighbour of what follows.
  void step(std::int64_t& from, std::int64_t to) { number(difference(std::exchange(from, to), to)); }

  void write_producer(const BatchData& data) {
    number(data.producer_id.value());
    number(data.producer_epoch.value());
    number(data.base_sequence);
    before_.producer_id = data.producer_id;
    before_.producer_epoch = data.producer_epoch;
    before_.next_sequence = data.base_sequence;
  }

  void write_application(const BatchData& data, const std::vector<Record>& records, bool keys) {
    step(before_.timestamp_ms, data.base_timestamp_ms);
    for (const Record& record : records) {
      const bool same_sizes =
          record.key_bytes == before_.record.key_bytes && record.value_bytes == before_.record.value_bytes;
      const std::uint64_t delta = zigzag(record.timestamp_ms - data.base_timestamp_ms);
      unsigned_number(delta << 1 | (same_sizes ? 1u : 0u));
      number(difference(before_.record.id.value(), record.id.value()));
      if (!same_sizes) {
        number(record.key_bytes);
        number(record.value_bytes);
      }
      if (keys) number(record.key);  // customers come in no order
      before_.record = record;
    }
    before_.next_sequence = next_sequence(before_.next_sequence, static_cast<std::int32_t>(records.size()));
  }

  void write_commits(const BatchData& data, const std::vector<CoordinatorRecord>& commits) {
    step(before_.timestamp_ms, data.base_timestamp_ms);
    for (const CoordinatorRecord& one : commits) {
      const auto& commit = std::get<OffsetCommitRecord>(one);
      unsigned_number(group_index(commit.group));
      number(commit.tp.topic.value());
      number(commit.tp.partition);
      number(difference(before_.commit.offset, commit.offset));
      number(commit.leader_epoch.value());
      number(difference(data.base_timestamp_ms, commit.commit_timestamp_ms));
      before_.commit.offset = commit.offset;
    }
  }

  std::uint64_t group_index(const std::string& group) {
    const auto found = std::find(chunk_.groups_.begin(), chunk_.groups_.end(), group);
    const auto index = static_cast<std::uint64_t>(found - chunk_.groups_.begin());
    if (found == chunk_.groups_.end()) chunk_.groups_.push_back(group);
    return index;
  }

  SealedChunk& chunk_;
  SealedNeighbour before_;
};

SealedChunkPtr SealedChunk::seal(const Batch* first, const Batch* last) {
  auto chunk = std::make_shared<SealedChunk>();
  chunk->start_ = first->base_offset;
  chunk->end_ = (last - 1)->end_offset();
  chunk->batches_ = static_cast<std::size_t>(last - first);
  chunk->max_timestamp_ms_ = first->data->max_timestamp_ms;
  chunk->bytes_.reserve(chunk->batches_ * 16);
  SealedWriter writer(*chunk);
  for (const Batch* batch = first; batch != last; ++batch) {
    chunk->size_bytes_ += batch->size_bytes();
    chunk->max_timestamp_ms_ = std::max(chunk->max_timestamp_ms_, batch->data->max_timestamp_ms);
    writer.write(*batch);
  }
  chunk->bytes_.shrink_to_fit();
  return chunk;
}

std::size_t SealedChunk::memory_bytes() const {
  return sizeof(SealedChunk) + bytes_.capacity() + groups_.capacity() * sizeof(std::string) +
         kept_.capacity() * sizeof(BatchDataPtr);
}

std::vector<Batch> SealedChunk::unseal() const {
  std::vector<Batch> batches;
  batches.reserve(batches_);
  for (SealedReader reader(*this); !reader.done();) batches.push_back(reader.take());
  return batches;
}

// ---- Reading

SealedReader::SealedReader(const SealedChunk& chunk)
    : chunk_(chunk), at_(chunk.bytes_.data()), left_(chunk.batches_) {
  read_head();
}

std::uint64_t SealedReader::unsigned_number() {
  std::uint64_t value = *at_ & 0x7fu;
  for (int shift = 7; (*at_++ & 0x80u) != 0; shift += 7) value |= (*at_ & std::uint64_t{0x7f}) << shift;
  return value;
}

std::int64_t SealedReader::number() {
  return unzigzag(unsigned_number());
}

void SealedReader::read_head() {
  flags_ = *at_++;
  head_.base_offset = before_.end_offset;
  if ((flags_ & kOffsetJump) != 0) head_.base_offset = advance(head_.base_offset, number());
  if ((flags_ & kOtherLeaderEpoch) != 0)
    before_.leader_epoch = LeaderEpoch{static_cast<std::int32_t>(number())};
  record_count_ = static_cast<std::int32_t>(unsigned_number());
  head_.size_bytes = static_cast<std::int32_t>(unsigned_number());
  head_.end_offset = head_.base_offset + record_count_;
  before_.end_offset = head_.end_offset;
}

Batch SealedReader::take() {
  Batch batch{head_.base_offset, before_.leader_epoch, record_count_, nullptr};
  if ((flags_ & (kApplication | kCommits)) == 0) {
    batch.data = chunk_.kept_[next_kept_++];
  } else {
    auto data = std::make_shared<BatchData>();
    data->size_bytes = head_.size_bytes;
    read_contents(data.get());
    batch.data = std::move(data);
  }
  if (--left_ > 0) read_head();
  return batch;
}

void SealedReader::skip() {
  if ((flags_ & (kApplication | kCommits)) == 0) {
    ++next_kept_;
  } else {
    read_contents(nullptr);
  }
  if (--left_ > 0) read_head();
}

void SealedReader::read_contents(BatchData* data) {
  if ((flags_ & kApplication) != 0) {
    read_application(data);
  } else {
    read_commits(data);
  }
}

void SealedReader::read_application(BatchData* data) {
  if ((flags_ & kOtherProducer) != 0) {
    before_.producer_id = ProducerId{number()};
    before_.producer_epoch = ProducerEpoch{static_cast<std::int16_t>(number())};
    before_.next_sequence = static_cast<std::int32_t>(number());
  }
  before_.timestamp_ms = advance(before_.timestamp_ms, number());
  std::vector<Record> records;
  if (data != nullptr) {
    data->producer_id = before_.producer_id;
    data->producer_epoch = before_.producer_epoch;
    data->base_sequence = before_.next_sequence;
    data->transactional = (flags_ & kTransactional) != 0;
    data->base_timestamp_ms = before_.timestamp_ms;
    data->max_timestamp_ms = before_.timestamp_ms;
    records.reserve(static_cast<std::size_t>(record_count_));
  }
  for (std::int32_t i = 0; i < record_count_; ++i) {
    const std::uint64_t first = unsigned_number();
    before_.record.timestamp_ms = before_.timestamp_ms + unzigzag(first >> 1);
    before_.record.id = RecordId{advance(before_.record.id.value(), number())};
    if ((first & 1) == 0) {
      before_.record.key_bytes = static_cast<std::int32_t>(number());
      before_.record.value_bytes = static_cast<std::int32_t>(number());
    }
    before_.record.key = (flags_ & kKeys) != 0 ? number() : -1;
    if (data == nullptr) continue;
    data->max_timestamp_ms = std::max(data->max_timestamp_ms, before_.record.timestamp_ms);
    records.push_back(before_.record);
  }
  before_.next_sequence = next_sequence(before_.next_sequence, record_count_);
  if (data != nullptr) data->records = std::move(records);
}

void SealedReader::read_commits(BatchData* data) {
  before_.timestamp_ms = advance(before_.timestamp_ms, number());
  std::vector<CoordinatorRecord> commits;
  if (data != nullptr) {
    data->base_timestamp_ms = before_.timestamp_ms;
    data->max_timestamp_ms = before_.timestamp_ms;
    commits.reserve(static_cast<std::size_t>(record_count_));
  }
  for (std::int32_t i = 0; i < record_count_; ++i) {
    const std::uint64_t group = unsigned_number();
    const TopicId topic{static_cast<std::int32_t>(number())};
    const auto partition = static_cast<std::int32_t>(number());
    before_.commit.offset = advance(before_.commit.offset, number());
    const LeaderEpoch leader_epoch{static_cast<std::int32_t>(number())};
    const std::int64_t stamp = advance(before_.timestamp_ms, number());
    if (data == nullptr) continue;
    const TopicPartition tp{topic, partition};
    commits.emplace_back(
        OffsetCommitRecord{chunk_.groups_[group], tp, before_.commit.offset, leader_epoch, stamp});
  }
  if (data != nullptr) data->records = std::move(commits);
}

}  // namespace sim::log
