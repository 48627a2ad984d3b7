#include "judge/statistic.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/int128.h"
#include "metrics/percentile.h"

namespace sim::judge {

std::optional<std::int64_t> percentile_share(std::string_view statistic) {
  if (statistic.empty() || statistic.front() != 'p') return std::nullopt;
  const std::string_view number = statistic.substr(1);
  const std::size_t point = number.find('.');
  const std::string_view percents = number.substr(0, point);
  const std::string_view fraction = point == std::string_view::npos ? "0" : number.substr(point + 1);
  if (percents.empty() || percents.size() > 2 || fraction.empty() || fraction.size() > 3) return std::nullopt;
  std::int64_t share = 0;
  for (const char c : percents) {
    if (c < '0' || c > '9') return std::nullopt;
    share = share * 10 + (c - '0');
  }
  for (std::size_t i = 0; i < 3; ++i) {
    const char c = i < fraction.size() ? fraction[i] : '0';
    if (c < '0' || c > '9') return std::nullopt;
    share = share * 10 + (c - '0');
  }
  return share > 0 ? std::optional(share) : std::nullopt;
}

Measured statistic_of(const std::string& statistic, std::vector<std::int64_t>& samples) {
  if (samples.empty()) return Measured{};
  Measured measured;
  measured.samples = samples.size();
  if (const auto share = percentile_share(statistic)) {
    const auto nth =
        samples.begin() + static_cast<std::ptrdiff_t>(metrics::rank_of(*share, samples.size()) - 1);
    std::nth_element(samples.begin(), nth, samples.end());
    measured.value = *nth;
  } else if (statistic == "max") {
    measured.value = *std::max_element(samples.begin(), samples.end());
  } else if (statistic == "min") {
    measured.value = *std::min_element(samples.begin(), samples.end());
  } else if (statistic == "mean") {
    const int128 sum = std::accumulate(samples.begin(), samples.end(), int128{0});
    measured.value = static_cast<std::int64_t>(sum / static_cast<std::int64_t>(samples.size()));
  } else if (statistic == "value") {
    measured.value = samples.back();  // the last one: where it ended
  }
  return measured;
}

Measured statistic_of(const std::string& statistic, std::vector<Sample> samples) {
  if (samples.empty()) return Measured{};
  std::sort(samples.begin(), samples.end());
  Measured measured;
  measured.samples = samples.size();
  const auto pick = [&measured](const Sample& sample) {
    measured.value = sample.ns;
    measured.at_least = sample.at_least;
  };
  if (const auto share = percentile_share(statistic)) {
    pick(samples[static_cast<std::size_t>(metrics::rank_of(*share, samples.size()) - 1)]);
  } else if (statistic == "min") {
    pick(samples.front());
  } else if (statistic == "mean") {
    int128 sum = 0;
    for (const Sample& sample : samples) {
      sum += sample.ns;
      measured.at_least = measured.at_least || sample.at_least;
    }
    measured.value = static_cast<std::int64_t>(sum / static_cast<std::int64_t>(samples.size()));
  } else {
    pick(samples.back());
  }
  return measured;
}

Distribution distribution_of(std::vector<std::int64_t>& samples) {
  Distribution distribution;
  distribution.count = samples.size();
  if (samples.empty()) return distribution;
  const int128 sum = std::accumulate(samples.begin(), samples.end(), int128{0});
  distribution.mean = static_cast<std::int64_t>(sum / static_cast<std::int64_t>(samples.size()));
  const std::pair<std::int64_t, std::int64_t*> wanted[] = {{50'000, &distribution.p50},
                                                           {90'000, &distribution.p90},
                                                           {99'000, &distribution.p99},
                                                           {99'900, &distribution.p999}};
  auto from = samples.begin();  // what lies before is smaller than all that is still asked for
  for (const auto& [share, value] : wanted) {
    if (!metrics::enough_samples(share, samples.size())) break;
    const auto nth =
        samples.begin() + static_cast<std::ptrdiff_t>(metrics::rank_of(share, samples.size()) - 1);
    std::nth_element(from, nth, samples.end());
    *value = *nth;
    from = nth;
  }
  distribution.max = *std::max_element(from, samples.end());
  return distribution;
}

}  // namespace sim::judge
