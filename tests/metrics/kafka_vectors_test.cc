// Percentiles against the text that HdrHistogram writes (tests/vectors).
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "metrics/histogram.h"
#include "vectors/vector_table.h"

namespace sim::metrics {

TEST_CASE("the percentile text is HdrHistogram's") {
  vectors::check_vectors("percentiles", "kafka_percentile_text", [](const vectors::VectorRow& row) {
    Histogram histogram;
    for (const std::int64_t value : row.numbers("values_ns")) histogram.add(value);
    std::string text = histogram.percentile_text();
    std::replace(text.begin(), text.end(), '\n', '|');
    std::replace(text.begin(), text.end(), ',', ';');
    return text;
  });
}

}  // namespace sim::metrics
