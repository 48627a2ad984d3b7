#include "base/human.h"

#include <algorithm>

namespace sim {
namespace {

// value / unit to three significant digits, rounded half up.
std::string three_digits(std::int64_t value, std::int64_t unit) {
  int decimals = 0;
  if (value < 10 * unit) {
    decimals = 2;
  } else if (value < 100 * unit) {
    decimals = 1;
  }
  const std::int64_t step = unit / (decimals == 2 ? 100 : decimals == 1 ? 10 : 1);
  if (step == 0) return std::to_string(value);
  const std::int64_t steps = (value + step / 2) / step;
  if (decimals > 0 && steps >= 1000) return three_digits(steps * step, unit);
  std::string text = fixed(steps, decimals);
  if (text.find('.') == std::string::npos) return text;
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

constexpr std::int64_t kMicro = 1'000;
constexpr std::int64_t kMilli = 1'000'000;
constexpr std::int64_t kNanosPerSecond = 1'000'000'000;

}  // namespace

std::string fixed(std::int64_t value, int decimals) {
  const bool negative = value < 0;
  std::uint64_t rest = negative ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  std::string text;
  for (int i = 0; i <= decimals || rest > 0; ++i) {
    if (i == decimals && decimals > 0) text += '.';
    text += static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
  }
  if (negative) text += '-';
  std::reverse(text.begin(), text.end());
  return text;
}

std::string human_count(std::uint64_t value) {
  const std::string digits = std::to_string(value);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ' ';
    text += digits[i];
  }
  return text;
}

std::string human_duration(std::int64_t ns) {
  if (ns < 0) return "-" + human_duration(-ns);
  if (ns < kMicro) return std::to_string(ns) + " ns";
  // A value that would be rounded up to 1000 of its unit is shown in the next one.
  if (ns < kMilli - 500) return three_digits(ns, kMicro) + " us";
  if (ns < kNanosPerSecond - kMilli / 2) return three_digits(ns, kMilli) + " ms";
  if (ns < 120 * kNanosPerSecond) return three_digits(ns, kNanosPerSecond) + " s";
  const std::int64_t seconds = (ns + kNanosPerSecond / 2) / kNanosPerSecond;
  const std::string minutes = std::to_string(seconds / 60) + " min";
  return seconds % 60 == 0 ? minutes : minutes + " " + std::to_string(seconds % 60) + " s";
}

std::string human_rate(std::int64_t milli_per_s) {
  if (milli_per_s >= 1'000'000)
    return human_count(static_cast<std::uint64_t>((milli_per_s + 500) / 1000)) + " /s";
  return three_digits(milli_per_s, 1000) + " /s";
}

std::string human_bytes(std::int64_t bytes) {
  constexpr std::int64_t kKib = 1024;
  if (bytes < kKib) return std::to_string(bytes) + " B";
  if (bytes < kKib * kKib) return fixed((bytes * 10 + kKib / 2) / kKib, 1) + " KiB";
  const std::int64_t tenths = (bytes / kKib * 10 + kKib / 2) / kKib;
  return tenths < 10'240 ? fixed(tenths, 1) + " MiB" : fixed((tenths + kKib / 2) / kKib, 1) + " GiB";
}

std::string joined(const std::vector<std::string>& words, const char* between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

std::string padded_right(std::string text, std::size_t width) {
  const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; };
  const auto points =
      text.size() - static_cast<std::size_t>(std::count_if(text.begin(), text.end(), continues));
  if (points < width) text.append(width - points, ' ');
  return text;
}

}  // namespace sim
