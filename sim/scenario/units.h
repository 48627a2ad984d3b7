#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Scalars of a scenario: numbers with units, read exactly and printed back in one canonical way.
//
// Our own reader, because YAML's would take 010 for 8, 1_000 for 1000, yes for true and 1e3 for 1000. A
// decimal fraction is fine as long as the value is a whole number of the smallest unit: 1.5s is, 0.3ns is
// not.
namespace sim::scenario {

enum class UnitKind : std::uint8_t {
  none,       // whole numbers
  duration,   // ns, us, ms, s, min, h, d; kept in ns
  size,       // B, kB (or KB), KiB, MB, MiB, GB, GiB; kept in bytes
  rate,       // 500/s, 100/min, 2/h; kept in thousandths per second, to the nearest
  bandwidth,  // 1Gbit, 100Mbit, 64kbit (per second), unlimited; kept in bit/s
  byte_rate,  // 500MB/s, 100MiB/s, unlimited; kept in bytes/s
  ratio,      // 0.6; kept in hundredths
  share,      // 5%; kept in millionths
  factor,     // 60x, 0.5x; kept in thousandths
};

struct Scalar {
  std::optional<std::int64_t> value;
  std::string problem;  // if there is no value: "needs a unit", "is not a whole number of bytes"
  std::string hint;     // "write 120s"
};

Scalar read_scalar(std::string_view text, UnitKind kind);

// "120s", "10min", "1KiB", "500/s": reads back as the same value.
std::string print_scalar(std::int64_t value, UnitKind kind);

// "a duration such as 120s", for messages.
std::string_view describe(UnitKind kind);

// A regular expression of what read_scalar() takes, for the JSON Schema.
std::string_view pattern(UnitKind kind);

}  // namespace sim::scenario
