// What Kafka's UnifiedLog and its cleaner make of the same appends, truncations and times.
#include <sstream>
#include <string>
#include <vector>

#include "log/compaction_vectors.h"
#include "log/partition_log.h"
#include "log/retention.h"
#include "vectors/vector_table.h"

namespace sim::log {
namespace {

using vectors::split;
using vectors::to_number;
using vectors::VectorRow;

// start-end|epochs|segments
std::string state_of(const PartitionLog& log) {
  std::ostringstream out;
  out << log.log_start_offset() << '-' << log.log_end_offset() << '|';
  std::vector<std::string> epochs;
  for (const EpochStart& one : log.epochs())
    epochs.push_back(std::to_string(one.leader_epoch.value()) + ":" + std::to_string(one.start_offset));
  std::vector<std::string> segments;
  for (const Segment& one : log.segments())
    segments.push_back(std::to_string(one.base_offset) + ":" + std::to_string(one.bytes));
  out << vectors::joined(epochs, ";") << '|' << vectors::joined(segments, ";");
  return out.str();
}

// A log of Kafka's table, and its clock.
class VectorLog {
 public:
  explicit VectorLog(const VectorRow& row)
      : retention_{row.number("retention_ms"), row.number("retention_bytes")} {
    log_.set_segment_limits({row.number("segment_bytes"), row.number("segment_ms")});
  }
  // What is told after an event; nothing after T.
  std::string play(const std::string& event) {
    const std::string rest = event.substr(1);
    switch (event.front()) {
      case 'T': now_ms_ += to_number(rest); return "";
      case 'B': append(rest); break;
      case 'K':
        log_.begin_epoch(LeaderEpoch{static_cast<std::int32_t>(to_number(rest))}, log_.log_end_offset());
        break;
      case 'X': truncate(to_number(rest)); break;
      case 'F': log_.truncate_fully_and_start_at(to_number(rest)); break;
      case 'R':
        log_.raise_log_start(start_after_retention(log_, to_number(rest), retention_, now_ms_));
        break;
      case 'Q': {
        const auto found = log_.offset_for_timestamp(to_number(rest));
        return std::to_string(found ? *found : -1);
      }
      default: FAIL("an unknown event");
    }
    return state_of(log_);
  }

 private:
  void append(const std::string& text) {
    const std::size_t slash = text.find('/');
    std::vector<Record> records;
    for (const std::string& one : split(text.substr(slash + 1), ';')) {
      const std::vector<std::string> parts = split(one, ':');
      records.push_back(
          Record{kNoRecord, to_number(parts[0]), -1, static_cast<std::int32_t>(to_number(parts[1])), -1});
    }
    const LeaderEpoch leader_epoch{static_cast<std::int32_t>(to_number(text.substr(0, slash)))};
    log_.append(log_.assign(make_data_batch(std::move(records)), leader_epoch));
  }
  void truncate(Offset end) {
    if (end <= log_.log_end_offset()) log_.truncate_to(end);
  }

  PartitionLog log_;
  RetentionLimits retention_;
  std::int64_t now_ms_ = 1'000'000;
};

TEST_CASE("Kafka's log: segments, epochs, retention, offsets by time") {
  vectors::check_vectors("log", "kafka_states", [](const VectorRow& row) {
    VectorLog log(row);
    std::vector<std::string> told;
    for (const std::string& event : row.list("events")) {
      std::string state = log.play(event);
      if (event.front() != 'T') told.push_back(std::move(state));
    }
    return vectors::joined(told, "/");
  });
}

TEST_CASE("Kafka's cleaner: what is worth cleaning, and what it leaves") {
  vectors::check_vectors("compaction", "kafka_after_each_cleaning", [](const VectorRow& row) {
    return test::cleanings(
        row, [](const Batch&) {}, [](const Batch&) { return false; });
  });
}

}  // namespace
}  // namespace sim::log
