#include "sweep/rate.h"

#include <algorithm>
#include <cmath>

#include "base/human.h"

namespace sim::sweep {

Rate::Interval Rate::interval() const {
  constexpr double kMillion = 1e6;
  if (of == 0) return {};
  const double n = static_cast<double>(of);
  const auto three = static_cast<std::uint64_t>(std::min(kMillion, std::ceil(3 * kMillion / n)));
  if (seen == 0) return {0, three};
  if (seen >= of) return {1'000'000 - three, 1'000'000};
  constexpr double z = 1.959963984540054;  // of 95 %
  const double p = static_cast<double>(seen) / n;
  const double middle = p + z * z / (2 * n);
  const double half = z * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  const double scale = kMillion / (1 + z * z / n);
  return {static_cast<std::uint64_t>(std::max(0.0, (middle - half) * scale)),
          static_cast<std::uint64_t>(std::min(kMillion, (middle + half) * scale + 0.5))};
}

std::string percent_text(std::uint64_t per_million) {
  if (per_million >= 999'950) return "100 %";
  if (per_million >= 10'000) return fixed(static_cast<std::int64_t>((per_million + 500) / 1'000), 1) + " %";
  if (per_million >= 1'000) return fixed(static_cast<std::int64_t>((per_million + 50) / 100), 2) + " %";
  return per_million == 0 ? "0 %" : fixed(static_cast<std::int64_t>((per_million + 5) / 10), 3) + " %";
}

std::string interval_text(const Rate& rate) {
  if (rate.of == 0) return "unknown";
  const Rate::Interval interval = rate.interval();
  if (rate.seen == 0) return interval.high >= 1'000'000 ? "unknown" : "below " + percent_text(interval.high);
  if (rate.seen >= rate.of) return interval.low == 0 ? "unknown" : "above " + percent_text(interval.low);
  return percent_text(interval.low) + " to " + percent_text(interval.high);
}

std::string text_of(const Rate& rate) {
  std::string text = human_count(rate.seen) + " of " + human_count(rate.of);
  if (rate.seen != 0 && rate.of != 0)
    text += " = " + percent_text(static_cast<std::uint64_t>(
                        static_cast<double>(rate.seen) * 1e6 / static_cast<double>(rate.of) + 0.5));
  return text + (rate.seen == 0 ? ": true rate " : ", true rate ") + interval_text(rate);
}

}  // namespace sim::sweep
