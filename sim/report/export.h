#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
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
  std::string format;                                   // one of export_formats()
  std::string order;                                    // 42, order-service/42, slowest; empty = none
  std::optional<std::pair<Duration, Duration>> window;  // simulated time, half-open
  std::filesystem::path rules{};                        // of promtool: a file of Prometheus alerting rules
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
// The same samples for `promtool test rules`, with the alerts of `rules`.
Result<std::string> promtool_of(const ExportRequest& request);
// Chrome's trace format, which Perfetto reads: a process per node, in it a row per order with a slice per
// stage, arrows for messages, counters for lag and queues.
Result<std::string> perfetto_of(const ExportRequest& request);
// OTLP's JSON (ExportTraceServiceRequest): a trace per order. Simulated time 0 is 2000-01-01T00:00:00Z.
Result<std::string> otlp_of(const ExportRequest& request);
// Events with vector clocks: of a window, or of the life of an order; needs a trace with messages.
Result<std::string> shiviz_of(const ExportRequest& request);

// The orders that are asked for: one, or those under way in the window, or all. Fails if there are more than
// `most`, which is `limit` in words.
std::optional<Problem> for_each_chosen_order(const ExportRequest& request, std::size_t most,
                                             const char* limit,
                                             const std::function<void(const OrderRow&)>& use);

// Finds one order; `which` as in ExportRequest. Fails if there is none, or more than one of that number.
Result<OrderRow> find_order(const std::filesystem::path& run, const std::string& which);

// Fails unless it is the folder of a run (or a link to one).
std::optional<Problem> check_run_folder(const std::filesystem::path& run);

}  // namespace sim::report
