#include "workload/trace_csv.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <fstream>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "base/int128.h"
#include "observe/names.h"

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

enum class TimeKind : std::uint8_t { duration, date, unix_time };

struct Moment {
  std::int64_t ns = 0;
  TimeKind kind = TimeKind::duration;
};

const char* in_words(TimeKind kind) {
  return kind == TimeKind::date ? "a date" : kind == TimeKind::unix_time ? "a Unix time" : "a duration";
}

// Reads numbers off the front of a text.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }
  char next() const { return rest_.empty() ? '\0' : rest_.front(); }
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
  std::int64_t skip_all() {
    rest_ = {};
    return 0;
  }

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
                             Unit{"min", 60 * kNanosPerSecond},
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

// A plain number that is too large for a time after the start: counted from 1970, in the unit that puts it
// between 1973 and 5138.
std::optional<std::int64_t> unix_unit_ns(std::int64_t number) {
  constexpr std::int64_t kLeastSeconds = 100'000'000;
  if (number < kLeastSeconds) return std::nullopt;
  if (number < kLeastSeconds * 1'000) return kNanosPerSecond;
  if (number < kLeastSeconds * 1'000'000) return 1'000'000;
  if (number < kLeastSeconds * kNanosPerSecond) return 1'000;
  return 1;
}

std::optional<std::int64_t> parse_unix_time(std::string_view text) {
  Cursor cursor(text);
  const auto whole = text.size() == 19 ? cursor.fixed(19) : cursor.whole();
  const auto unit = whole ? unix_unit_ns(*whole) : std::nullopt;
  if (!unit) return std::nullopt;
  std::int64_t fraction = 0;
  if (cursor.take('.') || cursor.take(',')) {
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

// The seconds by which local time is ahead of UTC: Z, UTC, GMT, +02:00, +0200, +02 or nothing.
std::optional<std::int64_t> parse_offset(Cursor& cursor) {
  if (cursor.at_end()) return 0;
  cursor.take(' ');
  if (cursor.take('Z') || cursor.rest() == "UTC" || cursor.rest() == "GMT") return cursor.skip_all();
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

struct Day {
  std::int64_t year = 0, month = 0, day = 0;
};

// 2026-03-01 or 20260301, and whether it was the latter.
std::optional<Day> parse_iso_day(Cursor& cursor, bool& basic) {
  const auto year = cursor.fixed(4);
  if (!year) return std::nullopt;
  basic = !cursor.take('-');
  const auto month = cursor.fixed(2);
  if (!month || (!basic && !cursor.take('-'))) return std::nullopt;
  const auto of_month = cursor.fixed(2);
  if (!of_month) return std::nullopt;
  return Day{*year, *month, *of_month};
}

// 3/1/2026, 03-01-2026 or 1.3.2026.
std::optional<Day> parse_national_day(Cursor& cursor, TraceDates order) {
  const auto first = cursor.whole();
  const char divider = cursor.next();
  if (!first || (divider != '/' && divider != '.' && divider != '-') || !cursor.take(divider))
    return std::nullopt;
  const auto second = cursor.whole();
  if (!second || !cursor.take(divider)) return std::nullopt;
  std::size_t digits = 0;
  const auto year = cursor.whole(&digits);
  if (!year || digits != 4) return std::nullopt;
  return order == TraceDates::us ? Day{*year, *first, *second} : Day{*year, *second, *first};
}

struct TimeOfDay {
  std::int64_t seconds = 0;
  std::int64_t fraction_ns = 0;
};

// 12:00, 12:00:00.250, 120000,25; with `twelve_hours` perhaps 12:00 AM.
std::optional<TimeOfDay> parse_time_of_day(Cursor& cursor, bool basic, bool twelve_hours) {
  auto hour = twelve_hours ? cursor.whole() : cursor.fixed(2);
  if (!hour || (!basic && !cursor.take(':'))) return std::nullopt;
  const auto minute = cursor.fixed(2);
  if (!minute) return std::nullopt;
  std::optional<std::int64_t> second = 0;
  std::optional<std::int64_t> fraction = 0;
  if (basic ? is_digit(cursor.next()) : cursor.take(':')) second = cursor.fixed(2);
  if (cursor.take('.') || cursor.take(',')) fraction = fraction_ns(cursor, kNanosPerSecond);
  if (!second || !fraction) return std::nullopt;
  if (twelve_hours) {
    cursor.take(' ');
    const char half = cursor.next();
    if (half == 'A' || half == 'a' || half == 'P' || half == 'p') {
      cursor.take(half);
      if (!cursor.take('M') && !cursor.take('m')) return std::nullopt;
      if (*hour < 1 || *hour > 12) return std::nullopt;
      *hour = *hour % 12 + (half == 'P' || half == 'p' ? 12 : 0);
    }
  }
  if (*hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  return TimeOfDay{*hour * 3600 + *minute * 60 + *second, *fraction};
}

std::optional<std::int64_t> nanos_of(const Day& day, const TimeOfDay& time, std::int64_t offset_seconds) {
  if (day.year > 9999 || day.month > 12 || day.day > 31) return std::nullopt;
  const auto days = days_from_civil(day.year, day.month, day.day);
  if (!days) return std::nullopt;
  const int128 seconds = int128{*days} * 86'400 + time.seconds - offset_seconds;
  const int128 ns = seconds * kNanosPerSecond + time.fraction_ns;
  if (ns > std::numeric_limits<std::int64_t>::max() || ns < std::numeric_limits<std::int64_t>::min())
    return std::nullopt;
  return static_cast<std::int64_t>(ns);
}

std::optional<std::int64_t> parse_iso_date(std::string_view text) {
  Cursor cursor(text);
  bool basic = false;
  const auto day = parse_iso_day(cursor, basic);
  if (!day) return std::nullopt;
  if (cursor.at_end()) return nanos_of(*day, TimeOfDay{}, 0);
  if (!(cursor.take('T') || cursor.take('t') || cursor.take(' '))) return std::nullopt;
  const auto time = parse_time_of_day(cursor, basic, false);
  if (!time) return std::nullopt;
  const auto offset = parse_offset(cursor);
  if (!offset || !cursor.at_end()) return std::nullopt;
  return nanos_of(*day, *time, *offset);
}

std::optional<std::int64_t> parse_national_date(std::string_view text, TraceDates order) {
  Cursor cursor(text);
  const auto day = parse_national_day(cursor, order);
  if (!day) return std::nullopt;
  cursor.take(',');
  if (cursor.at_end()) return nanos_of(*day, TimeOfDay{}, 0);
  if (!cursor.take(' ')) return std::nullopt;
  const auto time = parse_time_of_day(cursor, false, order == TraceDates::us);
  if (!time || !cursor.at_end()) return std::nullopt;
  return nanos_of(*day, *time, 0);
}

// 01/Mar/2026:10:15:00 +0100, with or without brackets: the Common Log Format of web servers.
std::optional<std::int64_t> parse_log_date(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  Cursor cursor(text);
  const auto day = cursor.fixed(2);
  if (!day || !cursor.take('/')) return std::nullopt;
  std::string name;
  while (name.size() < 3 && !cursor.at_end()) {
    name += cursor.next();
    cursor.take(cursor.next());
  }
  const std::size_t month = kMonths.find(name);
  if (name.size() != 3 || month == std::string_view::npos || month % 3 != 0 || !cursor.take('/'))
    return std::nullopt;
  const auto year = cursor.fixed(4);
  if (!year || !cursor.take(':')) return std::nullopt;
  const auto time = parse_time_of_day(cursor, false, false);
  if (!time) return std::nullopt;
  const auto offset = parse_offset(cursor);
  if (!offset || !cursor.at_end()) return std::nullopt;
  return nanos_of(Day{*year, static_cast<std::int64_t>(month / 3) + 1, *day}, *time, *offset);
}

bool looks_national(std::string_view text) {
  Cursor cursor(text);
  return parse_national_day(cursor, TraceDates::eu).has_value();
}

std::optional<Moment> parse_time(std::string_view text, TraceDates dates) {
  if (const auto ns = parse_unix_time(text)) return Moment{*ns, TimeKind::unix_time};
  const bool is_day = text.size() == 8 && std::all_of(text.begin(), text.end(), is_digit) &&
                      (text.starts_with("19") || text.starts_with("20"));  // 20260301
  if (is_day) {
    if (const auto ns = parse_iso_date(text)) return Moment{*ns, TimeKind::date};
  }
  if (const auto ns = parse_duration(text)) return Moment{*ns, TimeKind::duration};
  if (const auto ns = parse_iso_date(text)) return Moment{*ns, TimeKind::date};
  if (const auto ns = parse_log_date(text)) return Moment{*ns, TimeKind::date};
  if (dates == TraceDates::iso) return std::nullopt;
  if (const auto ns = parse_national_date(text, dates)) return Moment{*ns, TimeKind::date};
  return std::nullopt;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

class Parser {
 public:
  Parser(std::string file, const TraceFormat& format, TraceKeys& keys)
      : file_(std::move(file)), format_(format), keys_(keys) {}

  Result<RecordedOrders> run(std::istream& in) {
    std::vector<char> buffer(kMaxLineBytes);
    bool header = true;
    while (problems_.size() < kMaxProblems && next_line(in, buffer)) {
      if (trimmed(line_).empty()) continue;
      if (header) divider_ = divider_of(line_);
      if (!split()) continue;
      if (header) {
        if (!read_header()) break;  // nothing below it can be understood
      } else {
        read_row();
      }
      header = false;
    }
    if (problems_.empty() && in.bad()) problem_of_file("cannot be read");
    if (problems_.empty() && result_.rows == 0) {
      problem_of_file(header ? "is empty: a header line with the columns time, key, size is missing"
                             : "holds no orders");
    }
    if (!problems_.empty()) return std::move(problems_);
    settle();
    return std::move(result_);
  }

 private:
  static char divider_of(std::string_view header) {
    for (const char divider : {',', ';', '\t'}) {
      if (header.find(divider) != std::string_view::npos) return divider;
    }
    return ',';
  }

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
        const std::size_t end = std::min(line_.find(divider_, at), line_.size());
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
    if (at == line_.size() || line_[at] == divider_) return true;
    problem(at, 1,
            divider_ == ',' ? "a comma was expected after the closing quote"
                            : "the next column was expected after the closing quote");
    return false;
  }

  bool read_header() {
    find_column(format_.time_column, "time", true, time_column_);
    find_column(format_.key_column, "key", true, key_column_);
    find_column(format_.size_column, "size", !format_.default_size, size_column_);
    header_fields_ = fields_used_;
    return problems_.empty();
  }

  void find_column(const std::string& wanted, const char* what, bool needed,
                   std::optional<std::size_t>& into) {
    if (wanted.empty()) return;
    std::string there_are;
    for (std::size_t i = 0; i < fields_used_; ++i) {
      there_are += (there_are.empty() ? "" : ", ") + fields_[i].text;
      if (in_small_letters(fields_[i].text) != in_small_letters(wanted)) continue;
      if (into) problem(fields_[i], "the column " + in_small_letters(wanted) + " is there twice");
      into = i;
    }
    if (into || !needed) return;
    const bool usual = wanted == what;
    problem(0, line_.size(), "the header has no column " + wanted + ", only " + there_are,
            std::string("name the column of the ") + what + ", such as trace: {file: ..., " + what + ": " +
                (usual ? "COLUMN" : there_are.substr(0, there_are.find(','))) + "}" +
                (std::string_view(what) == "key"    ? ", or key: none"
                 : std::string_view(what) == "size" ? ", or give a default.size"
                                                    : ""));
  }

  static std::string in_small_letters(std::string text) {
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
  }

  void read_row() {
    if (fields_used_ != header_fields_) {
      problem(0, line_.size(),
              "the row has " + std::to_string(fields_used_) + " fields, the header " +
                  std::to_string(header_fields_));
      return;
    }
    const std::optional<std::int32_t> bytes = size_of_row();
    const std::optional<Moment> moment = time_of_row(fields_[*time_column_]);
    if (!moment || !bytes) return;
    constexpr std::int64_t kMostRows = 50'000'000;
    if (++result_.rows > kMostRows)
      return problem_of_file("has more than 50 000 000 rows: play a part of it");
    if (result_.rows > 1 && moment->ns < latest_) ++result_.out_of_order;
    latest_ = result_.rows > 1 ? std::max(latest_, moment->ns) : moment->ns;
    const std::int64_t key = key_column_ ? key_number(fields_[*key_column_].text) : -1;
    result_.orders.push_back(TraceOrder{moment->ns, key, *bytes});
  }

  std::optional<std::int32_t> size_of_row() {
    if (!size_column_) return format_.default_size;
    const Field& size = fields_[*size_column_];
    if (size.text.empty() && format_.default_size) return format_.default_size;
    Cursor digits(size.text);
    const auto bytes = digits.whole();
    if (bytes && digits.at_end() && *bytes <= kMostValueBytes) return static_cast<std::int32_t>(*bytes);
    problem(size,
            "'" + size.text + "' is not a size: a number of bytes" +
                (bytes && digits.at_end() ? ", at most " + std::to_string(kMostValueBytes) : ""),
            size.text.empty() ? "give what is empty a size with default.size" : "");
    return std::nullopt;
  }

  std::optional<Moment> time_of_row(const Field& field) {
    const std::optional<Moment> moment = parse_time(field.text, format_.dates);
    if (!moment) {
      const bool national = format_.dates == TraceDates::iso && looks_national(field.text);
      problem(field,
              "'" + field.text +
                  "' is not a time: seconds (12.5), a duration (250ms) or a date (2026-03-01T12:00:00Z)",
              national ? "say how its day and month stand: dates: us (month first) or dates: eu" : "");
      return std::nullopt;
    }
    if (!kind_) kind_ = moment->kind;
    if (moment->kind == *kind_) return moment;
    problem(field, std::string(in_words(moment->kind)) + " among " + plural(*kind_));
    return std::nullopt;
  }

  static const char* plural(TimeKind kind) {
    return kind == TimeKind::date ? "dates" : kind == TimeKind::unix_time ? "Unix times" : "durations";
  }

  // All rows were read: they are sorted, and their times counted from the start.
  void settle() {
    std::vector<TraceOrder>& orders = result_.orders;
    if (result_.out_of_order > 0) {
      std::stable_sort(orders.begin(), orders.end(),
                       [](const TraceOrder& a, const TraceOrder& b) { return a.at_ns < b.at_ns; });
    }
    const int128 origin = kind_ == TimeKind::duration ? 0 : orders.front().at_ns;
    for (TraceOrder& order : orders) {
      const int128 at = (int128{order.at_ns} - origin) * 1'000 / format_.speed_thousandths;
      order.at_ns = static_cast<std::int64_t>(std::min<int128>(at, std::numeric_limits<std::int64_t>::max()));
    }
    result_.last_ns = orders.back().at_ns;
    const auto end =
        std::lower_bound(orders.begin(), orders.end(), format_.ends_ns,
                         [](const TraceOrder& order, std::int64_t ends) { return order.at_ns < ends; });
    result_.too_late = orders.end() - end;
    orders.erase(end, orders.end());
  }

  std::int64_t key_number(const std::string& key) { return key.empty() ? -1 : keys_.number_of(key); }

  void problem(const Field& field, std::string message, std::string hint = {}) {
    problem(field.column, std::max<std::size_t>(field.width, 1), std::move(message), std::move(hint));
  }
  void problem(std::size_t column, std::size_t width, std::string message, std::string hint = {}) {
    Problem found;
    found.file = file_;
    found.line = line_number_;
    found.column = static_cast<int>(column) + 1;
    found.message = std::move(message);
    found.hint = std::move(hint);
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
  const TraceFormat& format_;
  TraceKeys& keys_;
  int line_number_ = 0;
  std::string_view line_;
  char divider_ = ',';
  std::vector<Field> fields_;  // the first fields_used_ count; the others keep their memory
  std::size_t fields_used_ = 0;
  std::size_t header_fields_ = 0;
  std::optional<std::size_t> time_column_, key_column_, size_column_;
  std::optional<TimeKind> kind_;  // of all times, as of the first
  std::int64_t latest_ = 0;       // of the rows so far
  RecordedOrders result_;
  Problems problems_;
};

}  // namespace

std::int64_t TraceKeys::number_of(const std::string& text) {
  constexpr std::string_view kCustomer = "user-";
  if (std::string_view(text).starts_with(kCustomer) && text.size() < kCustomer.size() + 10) {
    Cursor digits(std::string_view(text).substr(kCustomer.size()));
    const auto number = digits.whole();
    if (number && digits.at_end() && std::to_string(*number).size() == text.size() - kCustomer.size())
      return *number;
  }
  const auto [found, is_new] =
      numbers_.try_emplace(text, observe::kFirstRecordedKey + static_cast<std::int64_t>(texts_->size()));
  if (is_new) texts_->push_back(text);
  return found->second;
}

Result<RecordedOrders> read_trace_csv(const std::string& path, const TraceFormat& format, TraceKeys& keys) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    Problem problem;
    problem.file = path;
    problem.message = "cannot be opened";
    return problem;
  }
  return parse_trace_csv(in, path, format, keys);
}

Result<RecordedOrders> parse_trace_csv(std::istream& in, const std::string& name, const TraceFormat& format,
                                       TraceKeys& keys) {
  return Parser(name, format, keys).run(in);
}

}  // namespace sim::workload
