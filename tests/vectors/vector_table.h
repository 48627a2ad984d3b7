#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

// Tables of inputs with the answers of Kafka's own classes, tests/vectors/NAME.csv.
//
// A line is one input. Columns that begin with `kafka_` are Kafka's answer, all others the input. Fields are
// parted by commas, lists inside a field by blanks; "~" = null, not given or unchanged; an empty field = an
// empty list. Lines that begin with '#' say which class of which release answered.
//
// The environment variable KRAFTSIM_VECTORS names another folder with tables of the same names, to run more
// rows of each kind.
namespace sim::vectors {

// The parts of a text; nothing at all for an empty text.
inline std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  if (text.empty()) return parts;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(separator, at), text.size());
    parts.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

// REQUIRES: the text is a number
inline std::int64_t to_number(const std::string& text) {
  std::size_t used = 0;
  const std::int64_t value = std::stoll(text, &used);
  REQUIRE_MESSAGE(used == text.size(), "not a number: " << text);
  return value;
}

template <class Items>
std::string joined(const Items& items, const char* separator = " ") {
  std::ostringstream out;
  bool first = true;
  for (const auto& item : items) {
    if (!first) out << separator;
    out << item;
    first = false;
  }
  return out.str();
}

class VectorRow {
 public:
  VectorRow(std::size_t line, const std::vector<std::string>& columns, std::vector<std::string> fields)
      : line_(line), columns_(&columns), fields_(std::move(fields)) {}

  std::size_t line() const { return line_; }
  const std::string& text(std::string_view column) const {
    const auto found = std::find(columns_->begin(), columns_->end(), column);
    REQUIRE_MESSAGE(found != columns_->end(), "there is no column " << column);
    return fields_[static_cast<std::size_t>(found - columns_->begin())];
  }
  bool given(std::string_view column) const { return text(column) != "~"; }
  std::int64_t number(std::string_view column) const { return to_number(text(column)); }
  bool flag(std::string_view column) const { return text(column) == "1"; }
  std::vector<std::string> list(std::string_view column) const { return split(text(column), ' '); }
  std::vector<std::int64_t> numbers(std::string_view column) const {
    std::vector<std::int64_t> out;
    for (const std::string& part : list(column)) out.push_back(to_number(part));
    return out;
  }

 private:
  std::size_t line_;
  const std::vector<std::string>* columns_;
  std::vector<std::string> fields_;
};

// The folder: KRAFTSIM_VECTORS, or tests/vectors under the working directory.
inline std::string vector_folder() {
  const char* other = std::getenv("KRAFTSIM_VECTORS");
  return other != nullptr && *other != '\0' ? other : "tests/vectors";
}

// Calls visit(row) for each row. REQUIRES: the table exists and has rows
template <class Visit>
void for_each_vector(const std::string& table, Visit visit) {
  const std::string path = vector_folder() + "/" + table + ".csv";
  std::ifstream in(path);
  REQUIRE_MESSAGE(in.is_open(), "no table " << path);
  std::vector<std::string> columns;
  std::string line;
  std::size_t rows = 0;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    if (!line.empty() && line.front() == '#') continue;
    std::vector<std::string> fields = split(line, ',');
    if (columns.empty()) {
      columns = std::move(fields);
      continue;
    }
    REQUIRE_MESSAGE(fields.size() == columns.size(), path << ":" << number << ": another number of fields");
    ++rows;
    visit(VectorRow(number, columns, std::move(fields)));
  }
  CHECK_MESSAGE(rows > 0, path << " has no rows");
}

// Runs a table through `expected(row)`, Kafka's answer, and `answer(row)`, ours in the same words. Every row
// that differs is a failed check that names it; after the first twenty they are only counted.
template <class Expected, class Answer>
void check_vectors(const std::string& table, Expected expected, Answer answer) {
  std::size_t different = 0;
  for_each_vector(table, [&](const VectorRow& row) {
    const std::string kafkas = expected(row);
    const std::string ours = answer(row);
    if (ours == kafkas) return;
    if (++different > 20) return;
    FAIL_CHECK(table << ".csv:" << row.line() << "\n  Kafka: " << kafkas << "\n  ours:  " << ours);
  });
  CHECK_MESSAGE(different == 0, table << ": " << different << " rows differ");
}

// The same with Kafka's answer in one column.
template <class Answer>
void check_vectors(const std::string& table, const char* expected_column, Answer answer) {
  check_vectors(
      table, [expected_column](const VectorRow& row) { return row.text(expected_column); }, answer);
}

}  // namespace sim::vectors
