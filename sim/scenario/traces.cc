#include "scenario/traces.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <sstream>
#include <string_view>
#include <utility>

#include "scenario/files.h"
#include "scenario/read_values.h"
#include "scenario/units.h"
#include "workload/trace_csv.h"

namespace sim::scenario {

namespace {

using workload::RecordedOrders;
using workload::TraceDates;
using workload::TraceFormat;

Result<RecordedOrders> read(const std::string& path, const TraceFormat& format, workload::TraceKeys& keys) {
  constexpr std::size_t kAnySize = ~std::size_t{0};
  if (!path.starts_with('@')) return workload::read_trace_csv(path, format, keys);
  std::string text, why_not;
  if (!read_file(path, kAnySize, text, why_not)) {
    Problem problem;
    problem.file = path;
    problem.message = why_not;
    return problem;
  }
  std::istringstream in(text);
  return workload::parse_trace_csv(in, path, format, keys);
}

TraceFormat format_of(const Value& trace) {
  TraceFormat format;
  format.time_column = trace.at("time").text;
  format.key_column = trace.at("key").text == "none" ? std::string{} : trace.at("key").text;
  format.size_column = trace.at("size").text;
  if (const Value* size = trace.find("default.size"))
    format.default_size = static_cast<std::int32_t>(number_of(*size, UnitKind::size));
  const std::string& dates = trace.at("dates").text;
  format.dates = dates == "us" ? TraceDates::us : dates == "eu" ? TraceDates::eu : TraceDates::iso;
  format.speed_thousandths = number_of(trace.at("speed"), UnitKind::factor);
  return format;
}

// "2 of 4 orders"
std::string part_of(std::int64_t part, std::int64_t all) {
  return std::to_string(part) + " of " + std::to_string(all) + (all == 1 ? " order" : " orders");
}

class TraceLoader {
 public:
  TraceLoader(const Value& root, Report& report) : root_(root), report_(report) {}

  void load(const Entry& client, const Value& trace) {
    const std::string where = "clients." + client.key + ".arrivals.trace";
    const Value& file = trace.at("file");
    if (file.invented) return;
    for (const std::string_view column : {"time", "key", "size"}) {
      if (!trace.at(column).text.empty()) continue;
      return report_.error(trace.at(column).place,
                           where + "." + std::string(column) + " must be the name of a column",
                           column == "key" ? "none: orders without keys" : "");
    }
    TraceFormat format = format_of(trace);
    const Value& duration = root_.at("duration");
    const Value& start = client.value.at("start");
    if (!duration.invented) format.ends_ns = nanoseconds_of(duration) - nanoseconds_of(start);
    if (format.ends_ns <= 0) return;  // which has been reported
    Result<RecordedOrders> read = scenario::read(file.text, format, keys_);
    for (const Problem& problem : read.problems()) {
      if (problem.line > 0) {
        report_.add(problem);
      } else {
        report_.error(file.place, where + ": " + problem.file + " " + problem.message, problem.hint);
      }
    }
    if (!read) return;
    say_what_is_left_out(*read, where, file, start);
    traces_[client.key] = workload::TraceArrivals{
        std::make_shared<const std::vector<workload::TraceOrder>>(std::move(read->orders)), file.text,
        nullptr};
  }

  Traces take() {
    for (auto& [client, trace] : traces_) trace.keys = keys_.texts();
    return std::move(traces_);
  }

 private:
  void say_what_is_left_out(const RecordedOrders& read, const std::string& where, const Value& file,
                            const Value& start) {
    if (read.out_of_order > 0) {
      report_.warning(file.place, where + ": " + part_of(read.out_of_order, read.rows) + " in " + file.text +
                                      (read.out_of_order == 1 ? " comes" : " come") +
                                      " after a later one; they were sorted by time");
    }
    if (read.too_late == 0) return;
    const Value& duration = root_.at("duration");
    const std::string all_of_it =
        read.last_ns < kYearNs
            ? "the last comes " + print_scalar(rounded_up(read.last_ns), UnitKind::duration) +
                  " after the start: write duration: " +
                  print_scalar(rounded_up(read.last_ns + nanoseconds_of(start) + 1), UnitKind::duration) +
                  ", or play it faster with speed, such as trace: {file: ..., speed: 60x}"
            : "is the column of the time the right one?";
    const std::string message = where + ": " + part_of(read.too_late, read.rows) + " of " + file.text +
                                (read.too_late == 1 ? " comes" : " come") + " after the end (duration " +
                                duration.text + ", start " + start.text + ") and " +
                                (read.too_late == 1 ? "is" : "are") + " left out";
    if (read.orders.empty()) {
      report_.error(file.place, message + ": nothing would be played", all_of_it);
    } else {
      report_.warning(file.place, message, all_of_it);
    }
  }

  static constexpr std::int64_t kYearNs = std::int64_t{366} * 86'400 * 1'000'000'000;
  static std::int64_t rounded_up(std::int64_t ns) {
    constexpr std::int64_t kSecondNs = 1'000'000'000;
    return (ns + kSecondNs - 1) / kSecondNs * kSecondNs;
  }

  const Value& root_;
  Report& report_;
  workload::TraceKeys keys_;
  Traces traces_;
};

}  // namespace

std::vector<InputFile> name_inputs(Value& root) {
  std::vector<InputFile> inputs;
  for (Entry& client : root.find("clients")->entries) {
    Value* arrivals = client.value.find("arrivals");
    Value* trace = arrivals == nullptr ? nullptr : arrivals->find("trace");
    if (trace == nullptr || !trace->is_map()) continue;
    Value& file = *trace->find("file");
    const auto known = std::find_if(inputs.begin(), inputs.end(),
                                    [&](const InputFile& one) { return one.path == file.text; });
    if (known != inputs.end()) {
      file.text = known->name;
      continue;
    }
    const std::string plain = file.text.starts_with('@') ? file.text.substr(1) : file.text;
    const std::filesystem::path base = std::filesystem::path(plain).filename();
    std::string name = "inputs/" + base.string();
    for (int next = 2;
         std::any_of(inputs.begin(), inputs.end(), [&](const InputFile& one) { return one.name == name; });
         ++next) {
      name = "inputs/" + base.stem().string() + "-" + std::to_string(next) + base.extension().string();
    }
    inputs.push_back(InputFile{std::exchange(file.text, name), name});
  }
  return inputs;
}

Traces read_traces(const Value& root, Report& report) {
  TraceLoader loader(root, report);
  for (const Entry& client : root.at("clients").entries) {
    const Value* arrivals = client.value.find("arrivals");
    const Value* trace = arrivals == nullptr ? nullptr : arrivals->find("trace");
    if (trace != nullptr && trace->is_map()) loader.load(client, *trace);
  }
  return loader.take();
}

}  // namespace sim::scenario
