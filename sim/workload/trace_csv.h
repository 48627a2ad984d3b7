#pragma once

#include <cstdint>
#include <istream>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "workload/spec.h"

// Recorded orders from a CSV file: a header line, then a row per order. Which columns hold the time, the key
// and the size, the caller says; others are ignored.
//
//   time  seconds after the start, with up to nine decimals (12.5); or with a unit: ns us ms s m min h d
//   (250ms,
//         1.5h); or a Unix time in seconds, milliseconds, microseconds or nanoseconds, which is told by its
//         size (from 1973 on); or a date, with a time of day or without, as ISO 8601 has it (2026-03-01,
//         2026-03-01T12:00:00.250Z, 20260301T120000,25, with an offset or none, a space for the T); or as
//         people write it in the United States (3/1/2026 10:15 PM) or in Europe (1.3.2026 22:15), if the
//         caller says which. Dates and Unix times count from the earliest order. A file keeps to one kind.
//   key   any text, whose bytes are the record's key. Empty: no key.
//   size  of the order's value, in bytes.
//
// Rows may come in any order; they are sorted by time, and rows of one instant stay as they are. Fields are
// divided by commas, or by semicolons or tabs if the header has them and no comma, and may be quoted as in
// RFC 4180, but a row is a line. Empty lines are skipped; CRLF and a byte order mark are understood. The file
// is read line by line, so it may be far larger than its orders in memory; of a file that is all wrong, only
// the first problems are told.
namespace sim::workload {

enum class TraceDates : std::uint8_t { iso, us, eu };

struct TraceFormat {
  std::string time_column = "time";
  std::string key_column = "key";  // empty: orders have no keys
  std::string size_column = "size";
  std::optional<std::int32_t>
      default_size;  // of an order whose size is empty, or of all if there is no such column
  TraceDates dates = TraceDates::iso;      // how 3/1/2026 is read
  std::int64_t speed_thousandths = 1'000;  // 60 000: an hour of the file is played in a minute
  // Orders at or after this (counted from the start, after the change of speed) are counted, and not kept.
  std::int64_t ends_ns = std::numeric_limits<std::int64_t>::max();
};

// The texts of recorded keys by their numbers. Traces of one scenario share them, so that one key is one key.
class TraceKeys {
 public:
  TraceKeys() : texts_(std::make_shared<std::vector<std::string>>()) {}

  // "user-17" is the key that a scenario's own customer 17 has.
  std::int64_t number_of(const std::string& text);
  std::shared_ptr<const std::vector<std::string>> texts() const { return texts_; }

 private:
  std::unordered_map<std::string, std::int64_t> numbers_;  // only looked up
  std::shared_ptr<std::vector<std::string>> texts_;        // from observe::kFirstRecordedKey on
};

struct RecordedOrders {
  std::vector<TraceOrder> orders;  // sorted by time
  std::int64_t rows = 0;           // in the file
  std::int64_t out_of_order = 0;   // rows that came after a later one
  std::int64_t too_late = 0;       // rows left out for TraceFormat::ends_ns
  std::int64_t last_ns = 0;        // of the latest row, kept or not
};

Result<RecordedOrders> read_trace_csv(const std::string& path, const TraceFormat& format, TraceKeys& keys);
// `name` stands for the file in problems.
Result<RecordedOrders> parse_trace_csv(std::istream& in, const std::string& name, const TraceFormat& format,
                                       TraceKeys& keys);

}  // namespace sim::workload
