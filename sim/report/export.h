#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "report/export_csv.h"

// What `kraftsim export` writes: other tools' views of a run, made from the files of its folder alone.
namespace sim::report {

struct ExportRequest {
  std::filesystem::path run;
  std::string format;                                   // mermaid, perfetto, openmetrics
  std::string order;                                    // 42, order-service/42, slowest; empty = none
  std::optional<std::pair<Duration, Duration>> window;  // simulated time, half-open
};

const std::vector<std::string>& export_formats();

Result<std::string> export_run(const ExportRequest& request);

// The parts, each in its own file.

// One order from the customer's click to the last commit, as a sequence diagram. `commits` are the offsets
// that the commits covering it carried, by service; -1 where there was none.
std::string mermaid_of_order(const OrderRow& order, const std::vector<std::int64_t>& commits);
// What happened to brokers, partitions and groups in a window of time.
Result<std::string> mermaid_of_window(const std::filesystem::path& run, Duration from, Duration to);
// The samples whose seconds end within the window, if there is one.
Result<std::string> openmetrics_of(const ExportRequest& request);
// Chrome's trace format, which Perfetto reads: a row per order, a slice per stage.
Result<std::string> perfetto_of(const ExportRequest& request);

// Finds one order; `which` as in ExportRequest. Fails if there is none, or more than one of that number.
Result<OrderRow> find_order(const std::filesystem::path& run, const std::string& which);

// Fails unless it is the folder of a run (or a link to one).
std::optional<Problem> check_run_folder(const std::filesystem::path& run);

}  // namespace sim::report
