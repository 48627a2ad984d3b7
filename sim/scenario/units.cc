#include "scenario/units.h"

#include <algorithm>
#include <array>
#include <limits>
#include <span>

#include "base/int128.h"

namespace sim::scenario {

namespace {

struct UnitName {
  std::string_view name;
  std::int64_t times;  // of the smallest unit, per 1 (for rates: divided by `per`)
  std::int64_t per = 1;
  bool canonical = true;  // used for printing
  bool listed = true;     // in messages, among what may be written
};

constexpr std::int64_t kK = 1000, kM = 1'000'000, kG = 1'000'000'000;

// Largest first: the first canonical one that divides a value prints it.
constexpr UnitName kDuration[] = {{"d", 86'400 * kG},
                                  {"h", 3'600 * kG},
                                  {"min", 60 * kG},
                                  {"m", 60 * kG, 1, false},
                                  {"s", kG},
                                  {"ms", kM},
                                  {"us", kK},
                                  {"\xC2\xB5s", kK, 1, false},
                                  {"ns", 1},
                                  {"days", 86'400 * kG, 1, false, false},
                                  {"hours", 3'600 * kG, 1, false, false},
                                  {"minutes", 60 * kG, 1, false, false},
                                  {"mins", 60 * kG, 1, false, false},
                                  {"seconds", kG, 1, false, false},
                                  {"secs", kG, 1, false, false},
                                  {"sec", kG, 1, false, false}};
constexpr UnitName kSize[] = {{"GiB", 1 << 30},
                              {"MiB", 1 << 20},
                              {"KiB", 1 << 10},
                              {"GB", kG},
                              {"MB", kM},
                              {"kB", kK},
                              {"KB", kK, 1, false},
                              {"B", 1},
                              {"Gi", 1 << 30, 1, false, false},
                              {"Mi", 1 << 20, 1, false, false},
                              {"Ki", 1 << 10, 1, false, false}};
constexpr UnitName kRate[] = {
    {"/s", 1000}, {"/min", 1000, 60}, {"/h", 1000, 3600}, {"/sec", 1000, 1, false, false}};
constexpr UnitName kBandwidth[] = {{"Gbit", kG},
                                   {"Mbit", kM},
                                   {"kbit", kK},
                                   {"bit", 1},
                                   {"Gbit/s", kG, 1, false, false},
                                   {"Mbit/s", kM, 1, false, false},
                                   {"kbit/s", kK, 1, false, false},
                                   {"bit/s", 1, 1, false, false},
                                   {"Gbps", kG, 1, false, false},
                                   {"Mbps", kM, 1, false, false},
                                   {"kbps", kK, 1, false, false},
                                   {"bps", 1, 1, false, false}};
constexpr UnitName kByteRate[] = {{"GB/s", kG},           {"MB/s", kM},       {"kB/s", kK},
                                  {"KB/s", kK, 1, false}, {"GiB/s", 1 << 30}, {"MiB/s", 1 << 20},
                                  {"KiB/s", 1 << 10},     {"B/s", 1}};
constexpr UnitName kNone[] = {{"", 1}};
constexpr UnitName kRatio[] = {{"", 100}};
constexpr UnitName kShare[] = {{"%", 10'000}};
constexpr UnitName kFactor[] = {{"x", 1000}};

std::span<const UnitName> units_of(UnitKind kind) {
  switch (kind) {
    case UnitKind::none: return kNone;
    case UnitKind::duration: return kDuration;
    case UnitKind::size: return kSize;
    case UnitKind::rate: return kRate;
    case UnitKind::bandwidth: return kBandwidth;
    case UnitKind::byte_rate: return kByteRate;
    case UnitKind::ratio: return kRatio;
    case UnitKind::share: return kShare;
    case UnitKind::factor: return kFactor;
  }
  return {};
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// digits [. digits], as a whole number of 10^-decimals.
struct Decimal {
  int128 mantissa = 0;
  int decimals = 0;
  std::string_view unit;
};

constexpr std::size_t kMostDigits = 22;  // times any unit still fits into 128 bits

bool read_decimal(std::string_view text, Decimal& out, std::string& problem, std::string& hint) {
  std::size_t at = 0;
  const bool negative = !text.empty() && text[0] == '-';
  if (negative) ++at;
  const std::size_t first = at;
  bool point = false;
  for (; at < text.size() && (is_digit(text[at]) || (text[at] == '.' && !point && at > first)); ++at) {
    if (text[at] == '.') {
      point = true;
      continue;
    }
    if (at - first > kMostDigits || out.decimals >= 12) {
      problem = "is too large a number";
      return false;
    }
    out.mantissa = out.mantissa * 10 + (text[at] - '0');
    if (point) ++out.decimals;
  }
  if (at == first || (point && out.decimals == 0)) {
    problem = "is not a number";
    return false;
  }
  if (at - first > 1 && text[first] == '0' && text[first + 1] != '.') {
    problem = "starts with a zero, which some read as octal";
    std::size_t zeros = first;
    while (zeros + 1 < at && text[zeros] == '0' && is_digit(text[zeros + 1])) ++zeros;
    hint = "write " + std::string(text.substr(zeros));
    return false;
  }
  if (negative) out.mantissa = -out.mantissa;
  out.unit = text.substr(at);
  while (!out.unit.empty() && out.unit.front() == ' ') out.unit.remove_prefix(1);
  return true;
}

std::string_view smallest_name(UnitKind kind) {
  switch (kind) {
    case UnitKind::none: return "whole number";
    case UnitKind::duration: return "whole number of nanoseconds";
    case UnitKind::size: return "whole number of bytes";
    case UnitKind::rate: return "whole number of thousandths per second";
    case UnitKind::bandwidth: return "whole number of bits per second";
    case UnitKind::byte_rate: return "whole number of bytes per second";
    case UnitKind::ratio: return "whole number of hundredths";
    case UnitKind::share: return "whole number of millionths";
    case UnitKind::factor: return "whole number of thousandths";
  }
  return {};
}

std::string_view usual_unit(UnitKind kind) {
  switch (kind) {
    case UnitKind::duration: return "s";
    case UnitKind::size: return "KiB";
    case UnitKind::rate: return "/s";
    case UnitKind::bandwidth: return "Mbit";
    case UnitKind::byte_rate: return "MB/s";
    case UnitKind::share: return "%";
    case UnitKind::factor: return "x";
    case UnitKind::none:
    case UnitKind::ratio: break;
  }
  return {};
}

std::string unit_list(UnitKind kind) {
  std::string list;
  for (const UnitName& unit : units_of(kind)) {
    if (unit.name.front() == '\xC2' || !unit.listed) continue;
    list += (list.empty() ? "" : ", ") + std::string(unit.name);
  }
  return list;
}

}  // namespace

Scalar read_scalar(std::string_view text, UnitKind kind) {
  Scalar result;
  if ((kind == UnitKind::bandwidth || kind == UnitKind::byte_rate) && text == "unlimited") {
    result.value = 0;
    return result;
  }
  Decimal number;
  if (!read_decimal(text, number, result.problem, result.hint)) return result;
  for (const UnitName& unit : units_of(kind)) {
    if (unit.name != number.unit) continue;
    int128 scaled = number.mantissa * unit.times;
    int128 divisor = unit.per;
    for (int i = 0; i < number.decimals; ++i) divisor *= 10;
    // 100/min is 1.667/s: to the nearest thousandth.
    const bool rounds = kind == UnitKind::rate && unit.per != 1;
    if (rounds) scaled += divisor / 2;
    if (!rounds && scaled % divisor != 0) {
      result.problem = "is not a " + std::string(smallest_name(kind));
      if (kind == UnitKind::rate) result.hint = "write it per second, with up to three decimals";
      return result;
    }
    scaled /= divisor;
    if (scaled > std::numeric_limits<std::int64_t>::max() ||
        scaled < std::numeric_limits<std::int64_t>::min()) {
      result.problem = "is too large a number";
      return result;
    }
    result.value = static_cast<std::int64_t>(scaled);
    return result;
  }
  const std::string digits(text.substr(0, text.size() - number.unit.size()));
  if (number.unit.empty()) {
    result.problem = "needs a unit";
    result.hint = "write " + digits + std::string(usual_unit(kind)) + " (" + unit_list(kind) + ")";
  } else if (usual_unit(kind).empty()) {
    result.problem = kind == UnitKind::ratio ? "is not a ratio" : "is not a whole number";
    const bool notation =
        number.unit.front() == 'e' || number.unit.front() == 'E' || number.unit.front() == '_';
    result.hint = notation ? "write it in digits" : "write " + digits + " without a unit";
  } else {
    result.problem = "has an unknown unit \"" + std::string(number.unit) + "\"";
    result.hint = "units are " + unit_list(kind);
  }
  return result;
}

std::string print_scalar(std::int64_t value, UnitKind kind) {
  if (kind == UnitKind::none) return std::to_string(value);
  if (kind == UnitKind::bandwidth || kind == UnitKind::byte_rate) {
    if (value == 0) return "unlimited";
  }
  if (kind == UnitKind::ratio || kind == UnitKind::rate || kind == UnitKind::share ||
      kind == UnitKind::factor) {  // with a decimal point, trailing zeros cut
    const std::int64_t one = kind == UnitKind::ratio ? 100 : kind == UnitKind::share ? 10'000 : 1000;
    std::string text = std::to_string(value / one);
    std::string fraction = std::to_string(one + value % one).substr(1);
    while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
    if (!fraction.empty()) text += "." + fraction;
    return text + (kind == UnitKind::rate     ? "/s"
                   : kind == UnitKind::share  ? "%"
                   : kind == UnitKind::factor ? "x"
                                              : "");
  }
  // As people say it: 90s and 120s, but 10min and 24h.
  constexpr std::int64_t kFewMinutes = 5 * 60 * kG;
  const std::span<const UnitName> units = units_of(kind);
  for (const UnitName& unit : units) {
    if (kind == UnitKind::duration && unit.times > kG && value < std::max(kFewMinutes, 2 * unit.times))
      continue;
    if (unit.canonical && value != 0 && value % unit.times == 0)
      return std::to_string(value / unit.times) + std::string(unit.name);
  }
  return "0" + std::string(kind == UnitKind::duration ? "s" : units.back().name);
}

std::string_view describe(UnitKind kind) {
  switch (kind) {
    case UnitKind::none: return "a whole number";
    case UnitKind::duration: return "a duration such as 120s, 5ms or 400us";
    case UnitKind::size: return "a size such as 1KiB, 200B or 1MiB";
    case UnitKind::rate: return "a rate such as 500/s, 30/min or 0.5/s";
    case UnitKind::bandwidth: return "a bandwidth such as 1Gbit, 100Mbit or unlimited";
    case UnitKind::byte_rate: return "a throughput such as 500MB/s, 100MiB/s or unlimited";
    case UnitKind::ratio: return "a ratio such as 0.6";
    case UnitKind::share: return "a share such as 5% or 0.1%";
    case UnitKind::factor: return "a factor such as 60x or 0.5x";
  }
  return {};
}

std::string_view pattern(UnitKind kind) {
  switch (kind) {
    case UnitKind::none: return "^-?(0|[1-9][0-9]*)$";
    case UnitKind::duration:
      return "^(0|[1-9][0-9]*)(\\.[0-9]+)? *"
             "(ns|us|\xC2\xB5s|ms|s|sec|secs|seconds|m|min|mins|minutes|h|hours|d|days)$";
    case UnitKind::size: return "^(0|[1-9][0-9]*)(\\.[0-9]+)? *(B|kB|KB|KiB|Ki|MB|MiB|Mi|GB|GiB|Gi)$";
    case UnitKind::rate: return "^(0|[1-9][0-9]*)(\\.[0-9]+)? */(s|sec|min|h)$";
    case UnitKind::bandwidth: return "^((0|[1-9][0-9]*)(\\.[0-9]+)? *([kMG]?bit(/s)?|[kMG]?bps)|unlimited)$";
    case UnitKind::byte_rate:
      return "^((0|[1-9][0-9]*)(\\.[0-9]+)? *(B|kB|KB|KiB|MB|MiB|GB|GiB)/s|unlimited)$";
    case UnitKind::ratio: return "^(0|[1-9][0-9]*)(\\.[0-9]+)?$";
    case UnitKind::share: return "^(0|[1-9][0-9]*)(\\.[0-9]+)? *%$";
    case UnitKind::factor: return "^(0|[1-9][0-9]*)(\\.[0-9]+)? *x$";
  }
  return {};
}

}  // namespace sim::scenario
