#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "report/output_files.h"

namespace sim::report {

// Rows of a CSV file, cell by cell, straight into a large buffer: no locale, no allocation per row.
class CsvWriter {
 public:
  explicit CsvWriter(OutputFile& file) : file_(file), buffer_(kSize) {}
  ~CsvWriter() { flush(); }
  CsvWriter(const CsvWriter&) = delete;
  CsvWriter& operator=(const CsvWriter&) = delete;

  void number(std::int64_t value) {
    begin_cell(kDigits);
    char* const at = buffer_.data() + used_;
    used_ += static_cast<std::size_t>(std::to_chars(at, at + kDigits, value).ptr - at);
  }
  // Nothing for a negative value: not known, or it never happened.
  void number_or_empty(std::int64_t value) {
    if (value < 0) return begin_cell(0);
    number(value);
  }
  // Quoted where it must be (RFC 4180).
  void text(std::string_view value) {
    if (std::none_of(value.begin(), value.end(), must_be_quoted)) return cell(value);
    std::string quoted = "\"";
    for (const char c : value) {
      if (c == '"') quoted += '"';
      quoted += c;
    }
    cell(quoted + '"');
  }
  void end_row() {
    make_room(1);
    buffer_[used_++] = '\n';
    is_first_ = true;
  }

 private:
  static constexpr std::size_t kSize = 256 * 1024;
  static constexpr std::size_t kDigits = 20;  // of the longest number, its sign included

  static bool must_be_quoted(char c) { return c == ',' || c == '"' || c == '\n' || c == '\r'; }
  // Room for the comma before a cell and for so many bytes of it.
  void begin_cell(std::size_t bytes) {
    make_room(bytes + 1);
    if (!is_first_) buffer_[used_++] = ',';
    is_first_ = false;
  }
  void cell(std::string_view value) {
    begin_cell(value.size() < kSize ? value.size() : 0);
    if (value.size() >= kSize) {  // larger than the buffer
      flush();
      return file_.write(value);
    }
    value.copy(buffer_.data() + used_, value.size());  // an empty one may point to nothing
    used_ += value.size();
  }
  void make_room(std::size_t bytes) {
    if (used_ + bytes > buffer_.size()) [[unlikely]]
      flush();
  }
  void flush() {
    file_.write(std::string_view(buffer_.data(), used_));
    used_ = 0;
  }

  OutputFile& file_;
  std::vector<char> buffer_;
  std::size_t used_ = 0;
  bool is_first_ = true;
};

}  // namespace sim::report
