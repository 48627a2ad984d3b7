#include "workload/trace_csv.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <fstream>
#include <limits>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/int128.h"

namespace sim::workload {

namespace {

constexpr std::size_t kMaxLineBytes = 64 * 1024;
constexpr std::size_t kMaxProblems = 20;
constexpr std::int64_t kNanosPerSecond = 1'000'000'000;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

struct Field {
  std::string text;
  std::size_t column = 0;  // from 0, of its first character
  std::size_t width = 0;   // as written
};

struct Moment {
  std::int64_t ns = 0;
  bool date = false;
};

// Reads numbers off the front of a text.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // Exactly `digits` digits.
  std::optional<std::int64_t> fixed(std::size_t digits) {
    if (rest_.size() < digits) return std::nullopt;
    std::int64_t value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      if (!is_digit(rest_[i])) return std::nullopt;
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(digits);
    return value;
  }
  // As many as there are, at least one; not more than 18.
  std::optional<std::int64_t> whole(std::size_t* digits = nullptr) {
    std::size_t count = 0;
    while (count < rest_.size() && is_digit(rest_[count])) ++count;
    if (count == 0 || count > 18) return std::nullopt;
    if (digits != nullptr) *digits = count;
    return fixed(count);
  }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

// Of one second or whatever unit_ns is: ".25" is a quarter of it. Nothing if it is no fraction.
std::optional<std::int64_t> fraction_ns(Cursor& cursor, std::int64_t unit_ns) {
  std::size_t digits = 0;
  const auto value = cursor.whole(&digits);
  if (!value) return std::nullopt;
  int128 scale = 1;
  for (std::size_t i = 0; i < digits; ++i) scale *= 10;
  return static_cast<std::int64_t>(int128{*value} * unit_ns / scale);
}

std::optional<std::int64_t> unit_ns(std::string_view unit) {
  struct Unit {
    std::string_view name;
    std::int64_t ns;
  };
  constexpr std::array units{Unit{"", kNanosPerSecond},
                             Unit{"ns", 1},
                             Unit{"us", 1'000},
                             Unit{"ms", 1'000'000},
                             Unit{"s", kNanosPerSecond},
                             Unit{"m", 60 * kNanosPerSecond},
                             Unit{"h", 3600 * kNanosPerSecond},
                             Unit{"d", 86'400 * kNanosPerSecond}};
  for (const Unit& known : units) {
    if (unit == known.name) return known.ns;
  }
  return std::nullopt;
}

std::optional<std::int64_t> parse_duration(std::string_view text) {
  std::size_t number = 0;
  while (number < text.size() && (is_digit(text[number]) || text[number] == '.')) ++number;
  const auto unit = unit_ns(text.substr(number));
  if (!unit) return std::nullopt;
  Cursor cursor(text.substr(0, number));
  const auto whole = cursor.whole();
  if (!whole) return std::nullopt;
  std::int64_t fraction = 0;
  if (cursor.take('.')) {
    const auto parsed = fraction_ns(cursor, *unit);
    if (!parsed) return std::nullopt;
    fraction = *parsed;
  }
  const int128 ns = int128{*whole} * *unit + fraction;
  if (!cursor.at_end() || ns > std::numeric_limits<std::int64_t>::max()) return std::nullopt;
  return static_cast<std::int64_t>(ns);
}

// Days since 1970-01-01 in the Gregorian calendar; nothing for a day that is none.
std::optional<std::int64_t> days_from_civil(std::int64_t year, std::int64_t month, std::int64_t day) {
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year)),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch().count();
}

// The seconds by which local time is ahead of UTC: Z, +02:00, +0200, +02 or nothing.
std::optional<std::int64_t> parse_offset(Cursor& cursor) {
  if (cursor.at_end() || cursor.take('Z')) return 0;
  const bool behind = cursor.take('-');
  if (!behind && !cursor.take('+')) return std::nullopt;
  const auto hours = cursor.fixed(2);
  if (!hours) return std::nullopt;
  std::optional<std::int64_t> minutes = 0;
  if (!cursor.at_end()) {
    cursor.take(':');
    minutes = cursor.fixed(2);
  }
  if (!minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  return (behind ? -1 : 1) * (*hours * 3600 + *minutes * 60);
}

std::optional<std::int64_t> parse_date_time(std::string_view text) {
  Cursor cursor(text);
  const auto year = cursor.fixed(4);
  if (!year || !cursor.take('-')) return std::nullopt;
  const auto month = cursor.fixed(2);
  if (!month || !cursor.take('-')) return std::nullopt;
  const auto day = cursor.fixed(2);
  if (!day || !(cursor.take('T') || cursor.take('t') || cursor.take(' '))) return std::nullopt;
  const auto hour = cursor.fixed(2);
  if (!hour || !cursor.take(':')) return std::nullopt;
  const auto minute = cursor.fixed(2);
  std::optional<std::int64_t> second = 0;
  std::optional<std::int64_t> fraction = 0;
  if (cursor.take(':')) second = cursor.fixed(2);
  if (cursor.take('.')) fraction = fraction_ns(cursor, kNanosPerSecond);
  const auto offset = parse_offset(cursor);
  const auto days = days_from_civil(*year, *month, *day);
  if (!minute || !second || !fraction || !offset || !days || !cursor.at_end()) return std::nullopt;
  if (*hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  const int128 seconds = int128{*days} * 86'400 + *hour * 3600 + *minute * 60 + *second - *offset;
  const int128 ns = seconds * kNanosPerSecond + *fraction;
  if (ns > std::numeric_limits<std::int64_t>::max() || ns < std::numeric_limits<std::int64_t>::min())
    return std::nullopt;
  return static_cast<std::int64_t>(ns);
}

std::optional<Moment> parse_time(std::string_view text) {
  const bool date = text.find('-', 1) != std::string_view::npos;
  const auto ns = date ? parse_date_time(text) : parse_duration(text);
  if (!ns) return std::nullopt;
  return Moment{*ns, date};
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

class Parser {
 public:
  explicit Parser(std::string file) : file_(std::move(file)) {}

  Result<std::vector<TraceOrder>> run(std::istream& in) {
    std::vector<char> buffer(kMaxLineBytes);
    bool header = true;
    while (problems_.size() < kMaxProblems && next_line(in, buffer)) {
      if (trimmed(line_).empty()) continue;
      if (!split()) continue;
      if (header) {
        if (!read_header()) break;  // nothing below it can be understood
      } else {
        read_row();
      }
      header = false;
    }
    if (problems_.empty() && in.bad()) problem_of_file("cannot be read");
    if (problems_.empty() && orders_.empty()) {
      problem_of_file(header ? "is empty: a header line with the columns time, key, size is missing"
                             : "holds no orders");
    }
    if (!problems_.empty()) return std::move(problems_);
    return std::move(orders_);
  }

 private:
  bool next_line(std::istream& in, std::vector<char>& buffer) {
    in.getline(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    const auto read = static_cast<std::size_t>(in.gcount());
    if (read == 0 && !in.good()) return false;
    ++line_number_;
    if (in.fail() && !in.eof()) {
      line_ = std::string_view(buffer.data(), 40);
      problem(0, line_.size(),
              "the line is longer than " + std::to_string(kMaxLineBytes) + " bytes: this is no trace");
      return false;
    }
    line_ = std::string_view(buffer.data(), in.eof() ? read : read - 1);
    if (!line_.empty() && line_.back() == '\r') line_.remove_suffix(1);
    if (line_number_ == 1 && line_.starts_with("\xEF\xBB\xBF")) line_.remove_prefix(3);
    return true;
  }

  // The line into fields_. False: it cannot be, and the problem was told.
  bool split() {
    fields_used_ = 0;
    std::size_t at = 0;
    while (true) {
      if (fields_used_ == fields_.size()) fields_.emplace_back();
      Field& field = fields_[fields_used_++];
      field.text.clear();
      field.column = at;
      if (at < line_.size() && line_[at] == '"') {
        if (!take_quoted(at, field)) return false;
      } else {
        const std::size_t end = std::min(line_.find(',', at), line_.size());
        field.text = trimmed(line_.substr(at, end - at));
        at = end;
      }
      field.width = at - field.column;
      if (at == line_.size()) return true;
      ++at;  // the comma
    }
  }

  bool take_quoted(std::size_t& at, Field& field) {
    const std::size_t opened = at++;
    while (true) {
      const std::size_t quote = line_.find('"', at);
      if (quote == std::string_view::npos) {
        problem(opened, line_.size() - opened, "the quote is not closed on this line");
        return false;
      }
      field.text += line_.substr(at, quote - at);
      at = quote + 1;
      if (at == line_.size() || line_[at] != '"') break;
      field.text += '"';
      ++at;
    }
    if (at == line_.size() || line_[at] == ',') return true;
    problem(at, 1, "a comma was expected after the closing quote");
    return false;
  }

  bool read_header() {
    constexpr std::array<std::string_view, 3> names{"time", "key", "size"};
    for (std::size_t wanted = 0; wanted < names.size(); ++wanted) {
      std::optional<std::size_t> found;
      for (std::size_t i = 0; i < fields_used_; ++i) {
        std::string name = fields_[i].text;
        for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        if (name != names[wanted]) continue;
        if (found) problem(fields_[i], "the column " + name + " is there twice");
        found = i;
      }
      if (!found) {
        problem(0, line_.size(),
                "the header has no column " + std::string(names[wanted]) +
                    " (columns time, key and size are needed)");
      } else {
        columns_[wanted] = *found;
      }
    }
    header_fields_ = fields_used_;
    return problems_.empty();
  }

  void read_row() {
    if (fields_used_ != header_fields_) {
      problem(0, line_.size(),
              "the row has " + std::to_string(fields_used_) + " fields, the header " +
                  std::to_string(header_fields_));
      return;
    }
    const Field& time = fields_[columns_[0]];
    const Field& key = fields_[columns_[1]];
    const Field& size = fields_[columns_[2]];
    const auto moment = parse_time(time.text);
    if (!moment) {
      problem(time,
              "'" + time.text +
                  "' is not a time: seconds (12.5), a duration (250ms) or a date (2026-03-01T12:00:00Z)");
    }
    Cursor digits(size.text);
    const auto bytes = digits.whole();
    const bool size_ok = bytes && digits.at_end() && *bytes <= std::numeric_limits<std::int32_t>::max();
    if (!size_ok) problem(size, "'" + size.text + "' is not a size: a number of bytes");
    if (!moment || !size_ok || !in_order(*moment, time)) return;
    orders_.push_back(
        TraceOrder{moment->ns - origin_, key_number(key.text), static_cast<std::int32_t>(*bytes)});
  }

  bool in_order(const Moment& moment, const Field& field) {
    if (orders_.empty()) {
      first_is_date_ = moment.date;
      origin_ = moment.date ? moment.ns : 0;
      last_ = moment.ns;
    }
    if (moment.date != first_is_date_) {
      problem(field, first_is_date_ ? "a duration among dates" : "a date among durations");
      return false;
    }
    if (moment.ns < last_) {
      problem(field, "time goes back: rows must be sorted by time");
      return false;
    }
    last_ = moment.ns;
    return true;
  }

  std::int64_t key_number(const std::string& key) {
    if (key.empty()) return -1;
    return keys_.try_emplace(key, static_cast<std::int64_t>(keys_.size())).first->second;
  }

  void problem(const Field& field, std::string message) {
    problem(field.column, std::max<std::size_t>(field.width, 1), std::move(message));
  }
  void problem(std::size_t column, std::size_t width, std::string message) {
    Problem found;
    found.file = file_;
    found.line = line_number_;
    found.column = static_cast<int>(column) + 1;
    found.message = std::move(message);
    found.source_line = line_;
    found.caret_length = static_cast<int>(width);
    problems_.push_back(std::move(found));
    if (problems_.size() == kMaxProblems) problem_of_file("has more problems than are told here");
  }
  void problem_of_file(std::string message) {
    Problem found;
    found.file = file_;
    found.message = std::move(message);
    problems_.push_back(std::move(found));
  }

  std::string file_;
  int line_number_ = 0;
  std::string_view line_;
  std::vector<Field> fields_;  // the first fields_used_ count; the others keep their memory
  std::size_t fields_used_ = 0;
  std::size_t header_fields_ = 0;
  std::array<std::size_t, 3> columns_{};  // time, key, size
  std::unordered_map<std::string, std::int64_t> keys_;
  bool first_is_date_ = false;
  std::int64_t origin_ = 0;
  std::int64_t last_ = 0;
  std::vector<TraceOrder> orders_;
  Problems problems_;
};

}  // namespace

Result<std::vector<TraceOrder>> read_trace_csv(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    Problem problem;
    problem.file = path;
    problem.message = "cannot be opened";
    return problem;
  }
  return parse_trace_csv(in, path);
}

Result<std::vector<TraceOrder>> parse_trace_csv(std::istream& in, const std::string& name) {
  return Parser(name).run(in);
}

}  // namespace sim::workload
