// Percentiles by rank, histograms to three digits, and the text that HdrHistogram's plotter reads.
#include "metrics/histogram.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "base/rng.h"
#include "metrics/percentile.h"

namespace sim::metrics {
namespace {

TEST_CASE("the percentile is the sample at rank ceil(p * n)") {
  const std::vector<std::int64_t> ten{10, 20, 30, 40, 50, 60, 70, 80, 90, 100};
  struct Row {
    std::int64_t share;
    std::int64_t want;
  };
  const Row rows[] = {{50'000, 50}, {50'001, 60}, {90'000, 90}, {99'000, 100}, {100'000, 100}, {1, 10}};
  for (const Row& row : rows) {
    CAPTURE(row.share);
    CHECK(percentile(ten, row.share) == row.want);
  }
}

TEST_CASE("a percentile needs three samples beyond it") {
  CHECK(enough_samples(50'000, 6));
  CHECK_FALSE(enough_samples(50'000, 5));
  CHECK(enough_samples(99'000, 300));
  CHECK_FALSE(enough_samples(99'000, 299));
  CHECK(enough_samples(99'900, 3000));
  CHECK_FALSE(enough_samples(100'000, 1'000'000));
}

TEST_CASE("a histogram is within a thousandth of the exact percentile") {
  Rng rng(7, "histogram");
  Histogram histogram;
  std::vector<std::int64_t> samples;
  for (int i = 0; i < 20'000; ++i) {
    const auto magnitude = rng.below(40);
    const auto value = static_cast<std::int64_t>(rng.below((std::uint64_t{1} << magnitude) + 1));
    samples.push_back(value);
    histogram.add(value);
  }
  std::sort(samples.begin(), samples.end());
  CHECK(histogram.max() == samples.back());
  CHECK(histogram.min() == samples.front());
  for (std::int64_t share = 1'000; share <= kWhole; share += 1'000) {
    const std::int64_t exact = percentile(samples, share);
    CAPTURE(share);
    CHECK(histogram.percentile(share) >= exact);
    CHECK(histogram.percentile(share) <= exact + exact / 1000 + 1);
  }
}

TEST_CASE("merging is adding") {
  Histogram one, other, both;
  for (std::int64_t value : {3, 70, 5'000'000}) one.add(value), both.add(value);
  for (std::int64_t value : {std::int64_t{1}, std::int64_t{900'000'000'000}})
    other.add(value), both.add(value);
  one.merge(other);
  CHECK(one.percentile_text() == both.percentile_text());
  CHECK(one.min() == 1);
}

// The values are those of HdrHistogram's recordValue of 1..10 ms with three digits; levels step as in Java.
TEST_CASE("the percentile text is HdrHistogram's") {
  Histogram histogram;
  for (std::int64_t ms = 1; ms <= 10; ++ms) histogram.add(ms * 1'000'000);
  CHECK(histogram.percentile_text() ==
        "       Value     Percentile TotalCount 1/(1-Percentile)\n"
        "\n"
        "       1.000 0.000000000000          1           1.00\n"
        "       1.000 0.100000000000          1           1.11\n"
        "       2.001 0.200000000000          2           1.25\n"
        "       3.000 0.300000000000          3           1.43\n"
        "       4.002 0.400000000000          4           1.67\n"
        "       5.001 0.500000000000          5           2.00\n"
        "       6.001 0.550000000000          6           2.22\n"
        "       6.001 0.600000000000          6           2.50\n"
        "       7.000 0.650000000000          7           2.86\n"
        "       7.000 0.700000000000          7           3.33\n"
        "       8.004 0.750000000000          8           4.00\n"
        "       8.004 0.775000000000          8           4.44\n"
        "       8.004 0.800000000000          8           5.00\n"
        "       9.003 0.825000000000          9           5.71\n"
        "       9.003 0.850000000000          9           6.67\n"
        "       9.003 0.875000000000          9           8.00\n"
        "       9.003 0.887500000000          9           8.89\n"
        "       9.003 0.900000000000          9          10.00\n"
        "      10.002 0.912500000000         10          11.43\n"
        "      10.002 1.000000000000         10\n"
        "#[Mean    =        5.500, StdDeviation   =        2.872]\n"
        "#[Max     =       10.002, Total count    =           10]\n"
        "#[Buckets =           14, SubBuckets     =         2048]\n");
}

TEST_CASE("an empty histogram is still a file the plotter reads") {
  CHECK(Histogram().percentile_text().find("Total count    =            0") != std::string::npos);
}

}  // namespace
}  // namespace sim::metrics
