#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include "app/output_files.h"

namespace sim::app {

// Rows of a CSV file, cell by cell, into a large buffer: no locale, no allocation per row.
class CsvWriter {
 public:
  explicit CsvWriter(OutputFile& file) : file_(file) { buffer_.reserve(kFlushAt + 4096); }
  ~CsvWriter() { flush(); }
  CsvWriter(const CsvWriter&) = delete;
  CsvWriter& operator=(const CsvWriter&) = delete;

  void number(std::int64_t value) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
    cell(std::string_view(digits, static_cast<std::size_t>(end - digits)));
  }
  // Nothing for a negative value: not known, or it never happened.
  void number_or_empty(std::int64_t value) {
    if (value < 0) return cell({});
    number(value);
  }
  // Quoted where it must be (RFC 4180).
  void text(std::string_view value) {
    if (value.find_first_of(",\"\n\r") == std::string_view::npos) return cell(value);
    std::string quoted = "\"";
    for (const char c : value) {
      if (c == '"') quoted += '"';
      quoted += c;
    }
    cell(quoted + '"');
  }
  void end_row() {
    buffer_ += '\n';
    is_first_ = true;
    if (buffer_.size() >= kFlushAt) flush();
  }

 private:
  static constexpr std::size_t kFlushAt = 256 * 1024;

  void cell(std::string_view value) {
    if (!is_first_) buffer_ += ',';
    is_first_ = false;
    buffer_ += value;
  }
  void flush() {
    file_.write(buffer_);
    buffer_.clear();
  }

  OutputFile& file_;
  std::string buffer_;
  bool is_first_ = true;
};

}  // namespace sim::app
