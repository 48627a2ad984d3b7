#include "report/export_csv.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "report/orders_columns.h"

namespace sim::report {
namespace {

// Cells of one line; quotes as in RFC 4180, without line breaks inside.
void split(const std::string& line, std::vector<std::string>& cells) {
  cells.assign(1, {});
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted && c == '"' && i + 1 < line.size() && line[i + 1] == '"') {
      cells.back() += c;
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      cells.emplace_back();
    } else if (c != '\r') {
      cells.back() += c;
    }
  }
}

Problem problem_in(const std::string& file, int line, std::string message) {
  Problem problem;
  problem.file = file;
  problem.line = line;
  problem.message = std::move(message);
  return problem;
}

}  // namespace

std::int64_t whole_seconds(const std::string& cell) {
  std::int64_t seconds = 0;
  std::from_chars(cell.data(), cell.data() + cell.size(), seconds);
  return seconds;
}

Result<CsvReader> CsvReader::open(const std::filesystem::path& file) {
  CsvReader reader;
  reader.file_ = file.string();
  reader.in_.open(file);
  if (!reader.in_) return problem_in(reader.file_, 0, "cannot be read");
  std::string line;
  if (!std::getline(reader.in_, line) || line.empty())
    return problem_in(reader.file_, 0, "has no header line");
  split(line, reader.header_);
  reader.line_ = 1;
  return reader;
}

std::optional<std::size_t> CsvReader::column(std::string_view name) const {
  const auto found = std::find(header_.begin(), header_.end(), name);
  if (found == header_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - header_.begin());
}

bool CsvReader::next() {
  std::string line;
  if (problem_ || !std::getline(in_, line)) return false;
  ++line_;
  split(line, cells_);
  if (cells_.size() == header_.size()) return true;
  problem_ = problem_in(
      file_, line_,
      "has " + std::to_string(cells_.size()) + " cells, the header has " + std::to_string(header_.size()));
  return false;
}

// ---- orders.csv

namespace {

constexpr std::size_t kFirstService = kOrderColumns.size();
constexpr std::size_t kPerService = kServiceColumns.size();

bool is_orders_header(const std::vector<std::string>& header) {
  if (header.size() < kFirstService || (header.size() - kFirstService) % kPerService != 0) return false;
  return std::equal(std::begin(kOrderColumns), std::end(kOrderColumns), header.begin());
}

}  // namespace

Result<OrdersReader> OrdersReader::open(const std::filesystem::path& run) {
  auto reader = CsvReader::open(run / "orders.csv");
  if (!reader) return reader.problems();
  if (!is_orders_header(reader->header())) {
    return problem_in((run / "orders.csv").string(), 1,
                      "does not have the columns of this version of kraftsim");
  }
  OrdersReader orders(std::move(*reader));
  const auto& header = orders.reader_.header();
  for (std::size_t column = kFirstService; column < header.size(); column += kPerService) {
    OrderRow::Service service;
    service.name =
        header[column].substr(0, header[column].size() - std::string_view(kServiceColumns[0]).size() -
                                     1);  // "inventory_fetched_ns"
    orders.row_.services.push_back(service);
  }
  return orders;
}

std::int64_t OrdersReader::number(std::size_t column) {
  const std::string& cell = reader_.cells()[column];
  if (cell.empty()) return -1;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc() || end != cell.data() + cell.size()) {
    problem_ = problem_in("orders.csv", 0,
                          "\"" + cell + "\" in column " + reader_.header()[column] + " is not a number");
  }
  return value;
}

bool OrdersReader::next() {
  if (!reader_.next()) {
    problem_ = reader_.problem();
    return false;
  }
  const auto& cells = reader_.cells();
  row_.flow = cells[0];
  row_.number = number(1);
  row_.key = cells[2];
  row_.value_bytes = number(3);
  row_.in_warmup = number(4) == 1;
  row_.outcome = cells[5];
  row_.error = cells[6];
  std::size_t column = 7;
  for (std::int64_t* stamp :
       {&row_.intended, &row_.accepted, &row_.batched, &row_.sent, &row_.received, &row_.dequeued,
        &row_.appended, &row_.high_watermark, &row_.acknowledged, &row_.failed, &row_.ended}) {
    *stamp = number(column++);
  }
  row_.topic = cells[18];
  row_.partition = number(19);
  row_.offset = number(20);
  row_.leader = cells[21];
  row_.isr = cells[22];
  row_.batch_records = number(23);
  row_.retries = number(24);
  column = kFirstService;
  for (OrderRow::Service& service : row_.services) {
    for (std::int64_t* value : {&service.fetched, &service.started, &service.done, &service.committed,
                                &service.member, &service.times}) {
      *value = number(column++);
    }
    service.lost = number(column++) == 1;
  }
  return !problem_;
}

}  // namespace sim::report
