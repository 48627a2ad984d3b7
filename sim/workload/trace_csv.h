#pragma once

#include <istream>
#include <string>
#include <vector>

#include "base/result.h"
#include "workload/spec.h"

// Recorded orders from a CSV file: a header line with at least the columns time, key and size, in any order,
// then a row per order, sorted by time.
//
//   time  seconds after the start, with up to nine decimals (12.5); or with a unit: ns us ms s m h d
//   (250ms, 1.5h); or a
//         date and time as ISO 8601 has it (2026-03-01T12:00:00.250Z, with an offset or none, a space for the
//         T). Dates count from the first order. A file keeps to dates or to durations.
//   key   any text; the same text is the same customer. Empty: no key.
//   size  of the order's value, in bytes.
//
// Fields may be quoted as in RFC 4180, but a row is a line. Empty lines are skipped; CRLF and a byte order
// mark are understood. The file is read line by line, so it may be far larger than its orders in memory; of a
// file that is all wrong, only the first problems are told.
namespace sim::workload {

Result<std::vector<TraceOrder>> read_trace_csv(const std::string& path);
// `name` stands for the file in problems.
Result<std::vector<TraceOrder>> parse_trace_csv(std::istream& in, const std::string& name);

}  // namespace sim::workload
