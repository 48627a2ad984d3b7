// What Kafka's own classes make of producers' batches, of leader epochs, and of logs that are compacted with
// producers' last sequence numbers in them.
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "log/compaction_vectors.h"
#include "partition/partition.h"
#include "protocol/batch_builder.h"
#include "vectors/vector_table.h"

namespace sim::partition {
namespace {

using vectors::split;
using vectors::to_number;
using vectors::VectorRow;

// ---- ProducerStateManager, ProducerAppendInfo

struct ProducerBatch {
  bool as_leader = true;
  BatchDataPtr data;
};

// P1:0:72:4 as leader, R1:0:72:4 as follower: producer, epoch, first sequence number, records.
ProducerBatch producer_batch(const std::string& text) {
  const std::vector<std::string> parts = split(text.substr(1), ':');
  return {text.front() == 'P',
          make_data_batch(std::vector<Record>(static_cast<std::size_t>(to_number(parts[3])), Record{}),
                          ProducerId{to_number(parts[0])},
                          ProducerEpoch{static_cast<std::int16_t>(to_number(parts[1]))},
                          static_cast<std::int32_t>(to_number(parts[2])))};
}

std::string name_of(ErrorCode error) {
  switch (error) {
    case ErrorCode::invalid_producer_epoch: return "invalid_producer_epoch";
    case ErrorCode::out_of_order_sequence_number: return "out_of_order_sequence_number";
    default: return "error";
  }
}

std::string producer_verdicts(const VectorRow& row) {
  ProducerStates states;
  Offset end = 0;
  std::vector<std::string> verdicts;
  for (const std::string& text : row.list("batches")) {
    const ProducerBatch batch = producer_batch(text);
    const ProducerStates::Verdict verdict =
        batch.as_leader ? states.check(*batch.data, {}, {}) : ProducerStates::Verdict{};
    if (verdict.error != ErrorCode::none) {
      verdicts.push_back(name_of(verdict.error));
    } else if (verdict.duplicate_of) {
      verdicts.push_back("duplicate_of:" + std::to_string(*verdict.duplicate_of));
    } else {
      verdicts.push_back("appended:" + std::to_string(end));
      const Batch placed{end, LeaderEpoch{0}, batch.data->record_count(), batch.data};
      states.note(placed);
      end = placed.end_offset();
    }
  }
  return vectors::joined(verdicts);
}

// What a producer would have to send next tells its epoch and last sequence number.
std::string last_sequences(const VectorRow& row) {
  ProducerStates states;
  Offset end = 0;
  std::map<ProducerId, Batch> last;
  for (const std::string& text : row.list("batches")) {
    const ProducerBatch batch = producer_batch(text);
    const ProducerStates::Verdict verdict =
        batch.as_leader ? states.check(*batch.data, {}, {}) : ProducerStates::Verdict{};
    if (verdict.error != ErrorCode::none || verdict.duplicate_of) continue;
    const Batch placed{end, LeaderEpoch{0}, batch.data->record_count(), batch.data};
    states.note(placed);
    end = placed.end_offset();
    last[batch.data->producer_id] = placed;
  }
  std::vector<std::string> told;
  const std::size_t producers = row.list("kafka_last_sequences").size();
  for (std::size_t i = 1; i <= producers; ++i) {
    const auto it = last.find(ProducerId{static_cast<std::int64_t>(i)});
    if (it == last.end()) {
      told.push_back("none");
      continue;
    }
    const Batch& batch = it->second;
    CHECK(states.is_last(batch));
    const std::int64_t sequence = std::int64_t{batch.data->base_sequence} + batch.record_count - 1;
    const std::int64_t wrapped = sequence > 2'147'483'647 ? sequence - 2'147'483'648 : sequence;
    told.push_back(std::to_string(batch.data->producer_epoch.value()) + ":" + std::to_string(wrapped));
  }
  return vectors::joined(told);
}

TEST_CASE("what becomes of producers' batches in Kafka") {
  vectors::check_vectors("producer_state", "kafka_verdicts", producer_verdicts);
  vectors::check_vectors("producer_state", "kafka_last_sequences", last_sequences);
}

// ---- LeaderEpochFileCache, AbstractFetcherThread.getOffsetTruncationState

// A log of that start and end, whose epochs are what the operations make of them.
struct EpochLog {
  explicit EpochLog(const VectorRow& row)
      : image(), start(row.number("log_start")), end(row.number("log_end")) {
    for (const std::string& operation : row.list("operations")) {
      apply(operation);
      std::vector<std::string> entries;
      for (const log::EpochStart& one : image.epochs)
        entries.push_back(std::to_string(one.leader_epoch.value()) + ":" + std::to_string(one.start_offset));
      after_each.push_back(vectors::joined(entries));
    }
  }
  void apply(const std::string& operation) {
    const std::vector<std::string> parts = split(operation.substr(1), ':');
    switch (operation.front()) {
      case 'A':
        log::note_epoch(image.epochs,
                        {LeaderEpoch{static_cast<std::int32_t>(to_number(parts[0]))}, to_number(parts[1])});
        break;
      case 'E': log::truncate_epochs_to(image.epochs, to_number(parts[0])); break;
      case 'S': log::truncate_epochs_before(image.epochs, to_number(parts[0])); break;
      case 'C': image.epochs.clear(); break;
      default: FAIL("an unknown operation");
    }
  }
  // A log whose epochs are these, as long as it is: what lies in it is of no interest.
  Partition partition() const {
    log::LogImage whole = image;
    whole.start_offset = start;
    if (end > start) {
      BatchData data;
      data.records = std::vector<Record>{Record{}};
      whole.batches.append(Batch{start, LeaderEpoch{0}, static_cast<std::int32_t>(end - start),
                                 std::make_shared<const BatchData>(std::move(data))});
    }
    return Partition(TopicPartition{TopicId{1}, 0}, whole);
  }

  log::LogImage image;
  Offset start;
  Offset end;
  std::vector<std::string> after_each;
};

TEST_CASE("Kafka's leader epochs: entries, ends of epochs, and where a follower cuts") {
  vectors::check_vectors("leader_epochs", "kafka_entries_after_each",
                         [](const VectorRow& row) { return vectors::joined(EpochLog(row).after_each, "/"); });
  vectors::check_vectors("leader_epochs", "kafka_end_offset_for_each_epoch", [](const VectorRow& row) {
    const Partition partition = EpochLog(row).partition();
    const std::size_t asked = row.list("kafka_end_offset_for_each_epoch").size();
    std::vector<std::string> ends;
    for (std::int32_t epoch = -1; std::cmp_less(epoch + 1, asked); ++epoch) {
      const auto found = partition.log().end_offset_for(LeaderEpoch{epoch});
      ends.push_back(found ? std::to_string(found->leader_epoch.value()) + ":" +
                                 std::to_string(found->end_offset)
                           : "-1:-1");
    }
    return vectors::joined(ends);
  });
  vectors::check_vectors("leader_epochs", "kafka_truncations", [](const VectorRow& row) {
    const Partition partition = EpochLog(row).partition();
    std::vector<Offset> cuts;
    for (const std::string& end : row.list("leader_ends")) {
      const std::vector<std::string> parts = split(end, ':');
      cuts.push_back(partition.truncation_point(
          {LeaderEpoch{static_cast<std::int32_t>(to_number(parts[0]))}, to_number(parts[1])}));
    }
    return vectors::joined(cuts);
  });
}

// ---- LogCleanerManager, Cleaner

TEST_CASE("Kafka's cleaner keeps the batch that tells a producer's last sequence number") {
  vectors::check_vectors("compaction_producers", "kafka_after_each_cleaning", [](const VectorRow& row) {
    ProducerStates states;
    return log::test::cleanings(
        row, [&](const Batch& batch) { states.note(batch); },
        [&](const Batch& batch) { return states.is_last(batch); });
  });
}

}  // namespace
}  // namespace sim::partition
