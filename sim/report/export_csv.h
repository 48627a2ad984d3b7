#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

// Reads the CSV files that a run has written, a row at a time.
namespace sim::report {

// 12 of "12.345"; 0 if it is no number.
std::int64_t whole_seconds(const std::string& cell);

class CsvReader {
 public:
  // The header is read; fails if there is no such file or it has none.
  static Result<CsvReader> open(const std::filesystem::path& file);

  const std::vector<std::string>& header() const { return header_; }
  std::optional<std::size_t> column(std::string_view name) const;

  // The next row into cells(); false at the end, or at a row that does not have as many cells as the header.
  bool next();
  const std::vector<std::string>& cells() const { return cells_; }
  // What was wrong with the row at which next() stopped; nullopt if it was the end of the file.
  const std::optional<Problem>& problem() const { return problem_; }

 private:
  CsvReader() = default;

  std::string file_;
  std::ifstream in_;
  std::vector<std::string> header_;
  std::vector<std::string> cells_;
  std::optional<Problem> problem_;
  int line_ = 0;
};

// A row of orders.csv.
struct OrderRow {
  struct Service {
    std::string name;
    std::int64_t fetched = -1;
    std::int64_t started = -1;
    std::int64_t done = -1;
    std::int64_t committed = -1;
    std::int64_t member = -1;
    std::int64_t times = 0;
    bool lost = false;
  };
  std::string flow;
  std::int64_t number = 0;
  std::string key;  // "17" is the customer whose key is "user-17", any other text a recorded key; empty: none
  std::int64_t value_bytes = 0;
  bool in_warmup = false;
  std::string outcome;
  std::string error;
  std::int64_t intended = -1, accepted = -1, batched = -1, sent = -1, received = -1, dequeued = -1,
               appended = -1, high_watermark = -1, acknowledged = -1, failed = -1, ended = -1;
  std::string topic;
  std::int64_t partition = -1;
  std::int64_t offset = -1;
  std::string leader;
  std::string isr;
  std::int64_t batch_records = 0;
  std::int64_t retries = 0;
  std::vector<Service> services;
};

class OrdersReader {
 public:
  static Result<OrdersReader> open(const std::filesystem::path& run);

  bool next();
  const OrderRow& row() const { return row_; }
  // As CsvReader's; also when a cell is not the number it should be.
  const std::optional<Problem>& problem() const { return problem_; }

 private:
  explicit OrdersReader(CsvReader reader) : reader_(std::move(reader)) {}
  std::int64_t number(std::size_t column);

  CsvReader reader_;
  OrderRow row_;
  std::optional<Problem> problem_;
};

}  // namespace sim::report
