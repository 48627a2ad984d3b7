#pragma once

#include <cstdint>
#include <functional>
#include <iomanip>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "log/compaction.h"
#include "protocol/batch_builder.h"
#include "vectors/vector_table.h"

// Plays a row of the tables of Kafka's cleaner (LogCleanerManager, Cleaner).
//
//   B4:59;8:-1|1:0  a batch of records key:value size (-1 = a tombstone; keys are of 4 bytes), by producer 1
//   with
//                   sequence number 0, or by none
//   T100            so many milliseconds pass
//   C               the log is looked at, and cleaned if it is worth it
namespace sim::log::test {

inline BatchDataPtr compaction_batch(const std::string& text, std::int64_t now_ms) {
  const std::vector<std::string> halves = vectors::split(text, '|');
  std::vector<Record> records;
  for (const std::string& one : vectors::split(halves[0], ';')) {
    const std::vector<std::string> parts = vectors::split(one, ':');
    records.push_back(Record{kNoRecord, now_ms, 4, static_cast<std::int32_t>(vectors::to_number(parts[1])),
                             vectors::to_number(parts[0])});
  }
  if (halves.size() < 2) return make_data_batch(std::move(records));
  const std::vector<std::string> producer = vectors::split(halves[1], ':');
  return make_data_batch(std::move(records), ProducerId{vectors::to_number(producer[0])}, ProducerEpoch{0},
                         static_cast<std::int32_t>(vectors::to_number(producer[1])));
}

// Segment by segment: Sbase, then its batches first-last[offset:key:size;...]bytes, h and the delete horizon.
inline void tell_segments(const PartitionLog& log, std::ostream& out) {
  const std::vector<Segment>& segments = log.segments();
  const std::vector<Batch> batches =
      log.read(log.log_start_offset(), log.log_end_offset(), std::numeric_limits<std::int64_t>::max(), true);
  std::size_t at = 0;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    out << " S" << segments[i].base_offset;
    const bool is_last = i + 1 == segments.size();
    for (; at < batches.size() && (is_last || batches[at].base_offset < segments[i + 1].base_offset); ++at) {
      const Batch& batch = batches[at];
      out << ' ' << batch.base_offset << '-' << batch.end_offset() - 1 << '[';
      const std::vector<Record>& records = batch.data->application_records();
      for (std::size_t r = 0; r < records.size(); ++r) {
        out << (r == 0 ? "" : ";") << batch.base_offset + batch.data->offset_delta(r) << ':' << std::setw(4)
            << std::setfill('0') << records[r].key << ':' << records[r].value_bytes;
      }
      out << ']' << batch.size_bytes();
      if (batch.data->compacted && batch.data->compacted->delete_horizon_ms)
        out << 'h' << *batch.data->compacted->delete_horizon_ms;
    }
  }
}

inline std::string cleanings(const vectors::VectorRow& row, const std::function<void(const Batch&)>& appended,
                             const IsLastOfProducer& is_last_of_producer) {
  CompactionLimits limits;
  limits.min_lag_ms = row.number("min_lag_ms");
  limits.max_lag_ms = row.number("max_lag_ms");
  limits.min_dirty_per_million = static_cast<std::int32_t>(row.number("min_dirty_ratio"));
  limits.delete_retention_ms = row.number("delete_retention_ms");
  limits.segment_bytes = row.number("segment_bytes");
  PartitionLog log;
  log.set_segment_limits({row.number("segment_bytes"),
                          compacted_segment_ms(row.number("segment_ms"), row.number("max_lag_ms"))});
  std::int64_t now_ms = 1'000'000;
  std::vector<std::string> told;
  for (const std::string& event : row.list("events")) {
    const std::string rest = event.substr(1);
    if (event.front() == 'T') {
      now_ms += vectors::to_number(rest);
    } else if (event.front() == 'B') {
      const Batch batch = log.assign(compaction_batch(rest, now_ms), LeaderEpoch{0});
      appended(batch);
      log.append(batch);
    } else {
      const CleanableLog what = cleanable(log, log.log_end_offset(), limits, now_ms);
      std::ostringstream out;
      out << "dirty" << what.first_dirty << " end" << what.end << " bytes" << what.clean_bytes << '+'
          << what.dirty_bytes;
      if (what.is_worth_it(limits)) {
        const CleanedLog cleaned = clean(log, what, limits, now_ms, is_last_of_producer);
        log.replace_segments(cleaned.end, cleaned.batches, cleaned.bases);
        out << " worth to" << log.cleaned_to();
      }
      tell_segments(log, out);
      told.push_back(out.str());
    }
  }
  return vectors::joined(told, "/");
}

}  // namespace sim::log::test
