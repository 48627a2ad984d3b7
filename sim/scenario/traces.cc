#include "scenario/traces.h"

#include <cstddef>
#include <sstream>
#include <utility>

#include "scenario/files.h"
#include "workload/trace_csv.h"

namespace sim::scenario {

namespace {

Result<std::vector<workload::TraceOrder>> read(const std::string& path) {
  constexpr std::size_t kAnySize = ~std::size_t{0};
  if (!path.starts_with('@')) return workload::read_trace_csv(path);
  std::string text, why_not;
  if (!read_file(path, kAnySize, text, why_not)) {
    Problem problem;
    problem.file = path;
    problem.message = why_not;
    return problem;
  }
  std::istringstream in(text);
  return workload::parse_trace_csv(in, path);
}

}  // namespace

Traces read_traces(const Value& root, Report& report) {
  Traces traces;
  for (const Entry& client : root.at("clients").entries) {
    const Value* arrivals = client.value.find("arrivals");
    const Value* trace = arrivals == nullptr ? nullptr : arrivals->find("trace");
    if (trace == nullptr || traces.contains(trace->text)) continue;
    Result<std::vector<workload::TraceOrder>> orders = read(trace->text);
    for (const Problem& problem : orders.problems()) {
      if (problem.line > 0) {
        report.add(problem);
      } else {
        report.error(trace->place,
                     "clients." + client.key + ".arrivals.trace: " + problem.file + " " + problem.message);
      }
    }
    if (orders)
      traces[trace->text] = std::make_shared<const std::vector<workload::TraceOrder>>(std::move(*orders));
  }
  return traces;
}

}  // namespace sim::scenario
