#pragma once

#include <cstdint>
#include <string>
#include <vector>

// Numbers and lists as people read them, from integers alone: no locale, the same text everywhere.
namespace sim {

// 12345 -> "12 345"
std::string human_count(std::uint64_t value);
// Three significant digits and the unit that suits: "850 ns", "12.1 ms", "5.66 s", "2 min 5 s".
std::string human_duration(std::int64_t ns);
// Thousandths of an order per second: "498 /s", "0.5 /s".
std::string human_rate(std::int64_t milli_per_s);
std::string human_bytes(std::int64_t bytes);  // "18.2 MiB"

// value / 10^decimals with all its decimals: fixed(12345, 3) = "12.345".
std::string fixed(std::int64_t value, int decimals);

std::string joined(const std::vector<std::string>& words, const char* between = " ");

// Filled up with spaces; counts code points, not bytes.
std::string padded_right(std::string text, std::size_t width);

}  // namespace sim
