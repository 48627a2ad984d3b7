#include "app/latency_file.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <limits>
#include <utility>

#include "base/int128.h"

namespace sim::app {
namespace {

// The percentiles that are fitted: of p90 and p95 the one that is there.
constexpr std::array<std::string_view, 4> kFitted{"p50", "p90", "p95", "p99"};
constexpr std::uint64_t kFewest = 200;  // latencies, so that two lie beyond p99

constexpr std::array<std::string_view, 9> kLatencyColumns{"latency",    "latency_ms", "latency_us",
                                                          "latency_ns", "latency_s",  "ack_ms",
                                                          "ack_us",     "elapsed",    "elapsed_ms"};
struct TimePair {
  std::string_view from;
  std::string_view to;
};
constexpr std::array<TimePair, 2> kTimePairs{TimePair{"intended_ns", "acknowledged_ns"},
                                             TimePair{"intended_us", "done_us"}};

std::vector<std::string_view> split_at(std::string_view text, char divider) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(divider, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

// Without blanks and quotation marks around it.
std::string_view bare_cell(std::string_view text) {
  constexpr std::string_view kAround = " \t\r\"";
  const std::size_t first = text.find_first_not_of(kAround);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kAround) - first + 1);
}

// "12.5" in units of so many ns; exact, as nothing here may depend on how a machine rounds. Nothing: it is no
// number, negative, or too large.
std::optional<std::int64_t> read_decimal(std::string_view text, std::int64_t unit_ns) {
  std::int64_t whole = 0;
  const auto [rest, bad] = std::from_chars(text.data(), text.data() + text.size(), whole);
  if (bad != std::errc{} || whole < 0) return std::nullopt;
  int128 ns = int128{whole} * unit_ns;
  std::string_view decimals(rest, static_cast<std::size_t>(text.data() + text.size() - rest));
  if (!decimals.empty() && decimals.front() != '.') return std::nullopt;
  if (!decimals.empty()) decimals.remove_prefix(1);
  for (std::int64_t scale = unit_ns; const char digit : decimals) {
    if (digit < '0' || digit > '9') return std::nullopt;
    scale /= 10;
    ns += int128{digit - '0'} * scale;
  }
  if (ns > std::numeric_limits<std::int64_t>::max()) return std::nullopt;
  return static_cast<std::int64_t>(ns);
}

std::optional<std::int64_t> unit_called(std::string_view unit) {
  if (unit == "ns") return 1;
  if (unit == "us") return 1'000;
  if (unit == "ms") return 1'000'000;
  if (unit == "s") return 1'000'000'000;
  return std::nullopt;
}

std::string in_quotes(std::string_view text) {
  return "\"" + std::string(text) + "\"";
}

class Reader {
 public:
  Reader(std::string_view text, const std::string& name, const LatencyFileFormat& format)
      : text_(text), name_(name), format_(format) {}

  Result<MeasuredLatencies> read() {
    if (text_.starts_with("\xef\xbb\xbf")) text_.remove_prefix(3);
    if (read_perf_test()) return std::move(result_);
    const std::vector<std::string_view> lines = split_at(text_, '\n');
    divider_ = lines.front().find(',') != std::string_view::npos   ? ','
               : lines.front().find(';') != std::string_view::npos ? ';'
                                                                   : '\t';
    for (const std::string_view cell : split_at(lines.front(), divider_)) header_.push_back(bare_cell(cell));
    for (std::size_t i = 1; i < lines.size(); ++i) {
      if (bare_cell(lines[i]).empty()) continue;
      rows_.push_back(split_at(lines[i], divider_));
      line_numbers_.push_back(static_cast<int>(i) + 1);
    }
    if (column("percentile")) return read_percentiles();
    return read_rows();
  }

 private:
  Problem problem(std::string message, std::string hint = {}, int line = 0) const {
    Problem result;
    result.file = name_;
    result.line = line;
    result.message = std::move(message);
    result.hint = std::move(hint);
    return result;
  }
  Problem no_column() const {
    return problem("there is no column of latencies" +
                       (format_.column.empty() ? std::string{} : " called " + in_quotes(format_.column)),
                   "name it with --column; kraftsim calibrate --help says what is read");
  }

  std::optional<std::size_t> column(std::string_view wanted) const {
    const auto found = std::find(header_.begin(), header_.end(), wanted);
    if (found == header_.end()) return std::nullopt;
    return static_cast<std::size_t>(found - header_.begin());
  }
  std::optional<std::size_t> latency_column() const {
    if (!format_.column.empty()) return column(format_.column);
    for (const std::string_view name : kLatencyColumns) {
      if (const auto found = column(name)) return found;
    }
    return std::nullopt;
  }

  // By the end of its name.
  std::int64_t unit_of(std::size_t column) const {
    const std::string_view name = header_[column];
    const std::size_t underscore = name.rfind('_');
    if (underscore != std::string_view::npos) {
      if (const auto unit = unit_called(name.substr(underscore + 1))) return *unit;
    }
    return unit_called(format_.unit).value_or(1'000'000);
  }

  // An empty cell is of an order that was never acknowledged.
  std::optional<std::int64_t> value(std::size_t row, std::size_t column, Problems& problems) const {
    const std::string_view text =
        column < rows_[row].size() ? bare_cell(rows_[row][column]) : std::string_view{};
    if (text.empty()) return std::nullopt;
    const std::optional<std::int64_t> ns = read_decimal(text, unit_of(column));
    if (!ns && problems.empty())
      problems.push_back(
          problem(in_quotes(text) + " is no latency", "a number such as 12.5", line_numbers_[row]));
    return ns;
  }

  Result<MeasuredLatencies> read_rows() {
    const std::optional<std::size_t> latency = latency_column();
    std::optional<std::size_t> from, to;
    if (!latency && format_.column.empty()) {
      for (const TimePair& pair : kTimePairs) {
        if (from && to) break;
        from = column(pair.from);
        to = column(pair.to);
      }
    }
    if (!latency && !(from && to)) return no_column();
    const std::optional<std::size_t> warmup = column("warmup");  // orders.csv: those are left out
    Problems problems;
    std::vector<std::int64_t> latencies;
    for (std::size_t row = 0; row < rows_.size(); ++row) {
      if (warmup && *warmup < rows_[row].size() && bare_cell(rows_[row][*warmup]) == "1") continue;
      const auto end = value(row, latency ? *latency : *to, problems);
      const auto begin = latency ? std::optional<std::int64_t>(0) : value(row, *from, problems);
      if (begin && end && *end >= *begin) latencies.push_back(*end - *begin);
    }
    if (!problems.empty()) return problems;
    if (latencies.size() < kFewest)
      return problem("holds " + std::to_string(latencies.size()) + " latencies; a p99 needs at least " +
                     std::to_string(kFewest));
    std::sort(latencies.begin(), latencies.end());
    result_.count = latencies.size();
    for (const auto& [percentile, part] : {std::pair{"p50", 50}, {"p90", 90}, {"p99", 99}}) {
      const std::size_t place = (latencies.size() * static_cast<std::size_t>(part) + 99) / 100 - 1;
      result_.percentiles.push_back({percentile, latencies[place]});
    }
    return std::move(result_);
  }

  Result<MeasuredLatencies> read_percentiles() {
    const std::optional<std::size_t> latency = latency_column();
    if (!latency) return no_column();
    Problems problems;
    std::vector<MeasuredPercentile> given;
    for (std::size_t row = 0; row < rows_.size(); ++row) {
      std::string percentile(bare_cell(rows_[row][std::min(*column("percentile"), rows_[row].size() - 1)]));
      if (!percentile.starts_with('p')) percentile.insert(0, "p");
      if (const auto ns = value(row, *latency, problems)) given.push_back({percentile, *ns});
    }
    if (!problems.empty()) return problems;
    return take(given);
  }

  // "..., 3 ms 50th, 10 ms 95th, 31 ms 99th, 60 ms 99.9th." and before that "..., 9999.8 records/sec (...)"
  bool read_perf_test() {
    std::string_view last;
    for (const std::string_view line : split_at(text_, '\n')) {
      if (line.find(" records/sec") != std::string_view::npos && line.find(" 99th") != std::string_view::npos)
        last = line;
    }
    if (last.empty()) return false;
    std::vector<MeasuredPercentile> given;
    std::optional<std::int64_t> milli_per_s, bytes_per_s;
    for (std::string_view part : split_at(last, ',')) {
      part = bare_cell(part);
      const std::size_t rate = part.find(" records/sec");
      if (rate != std::string_view::npos) {
        milli_per_s = read_decimal(part.substr(0, rate), 1'000);
        const std::size_t volume = part.find('(', rate);
        const std::size_t unit_of_volume = part.find(" MB/sec", rate);
        if (volume < unit_of_volume && unit_of_volume != std::string_view::npos)
          bytes_per_s = read_decimal(part.substr(volume + 1, unit_of_volume - volume - 1), 1 << 20);
      }
      const std::size_t unit = part.find(" ms ");
      if (unit == std::string_view::npos) continue;
      const auto ns = read_decimal(part.substr(0, unit), 1'000'000);
      const std::string_view what = part.substr(unit + 4);
      const std::size_t end = what.find("th");
      if (!ns) continue;
      if (what.starts_with("avg")) {
        result_.not_fitted.push_back({"mean", *ns});
      } else if (what.starts_with("max")) {
        result_.not_fitted.push_back({"max", *ns});
      } else if (what.starts_with("99.9th")) {
        result_.not_fitted.push_back({"p99.9", *ns});
      } else if (end != std::string_view::npos) {
        given.push_back({"p" + std::string(what.substr(0, end)), *ns});
      }
    }
    if (milli_per_s) result_.orders_per_second = (*milli_per_s + 500) / 1'000;
    if (milli_per_s && bytes_per_s && *milli_per_s > 0 && *bytes_per_s > 0)
      result_.record_bytes =
          std::max<std::int64_t>(1, (*bytes_per_s * 1'000 + *milli_per_s / 2) / *milli_per_s);
    if (take(given).ok()) return true;
    result_ = {};
    return false;
  }

  Result<MeasuredLatencies> take(const std::vector<MeasuredPercentile>& given) {
    for (const std::string_view wanted : kFitted) {
      const auto found = std::find_if(given.begin(), given.end(),
                                      [wanted](const MeasuredPercentile& one) { return one.name == wanted; });
      const bool has_p90 = result_.percentiles.size() == 2;
      if (found != given.end() && !(wanted == "p95" && has_p90)) result_.percentiles.push_back(*found);
    }
    if (result_.percentiles.size() != 3)
      return problem("does not say p50, p90 (or p95) and p99", "all three are needed");
    return result_;
  }

  std::string_view text_;
  const std::string& name_;
  const LatencyFileFormat& format_;
  char divider_ = ',';
  std::vector<std::string_view> header_;
  std::vector<std::vector<std::string_view>> rows_;
  std::vector<int> line_numbers_;  // of the rows
  MeasuredLatencies result_;
};

}  // namespace

Result<MeasuredLatencies> parse_latencies(std::string_view text, const std::string& name,
                                          const LatencyFileFormat& format) {
  return Reader(text, name, format).read();
}

}  // namespace sim::app
