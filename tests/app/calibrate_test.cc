// Measured latencies are read, and settings are found that have their percentiles.
#include "app/calibrate.h"

#include <doctest/doctest.h>

#include <string>

#include "app/latency_file.h"

namespace sim::app {
namespace calibrate_test {

MeasuredLatencies latencies_in(const std::string& text, const LatencyFileFormat& format = {}) {
  const Result<MeasuredLatencies> read = parse_latencies(text, "measured.csv", format);
  REQUIRE_MESSAGE(read.ok(), read.problems().front().message);
  return *read;
}

std::string problem_with(const std::string& text, const LatencyFileFormat& format = {}) {
  const Result<MeasuredLatencies> read = parse_latencies(text, "measured.csv", format);
  REQUIRE_FALSE(read.ok());
  return read.problems().front().message;
}

// Rows 1 to `rows`, each holding its number.
std::string column(const std::string& header, int rows) {
  std::string text = header + "\n";
  for (int i = rows; i > 0; --i) text += std::to_string(i) + "\n";
  return text;
}

TEST_CASE("a column of latencies, by its name and unit") {
  struct Row {
    std::string header;
    LatencyFileFormat format;
    std::int64_t unit_ns;
  };
  const Row rows[] = {{"latency_ms", {}, 1'000'000},  {"latency", {}, 1'000'000},
                      {"latency", {"", "us"}, 1'000}, {"\"latency_us\"", {}, 1'000},
                      {"rtt_ns", {"rtt_ns", ""}, 1},  {"ack_ms", {"", "s"}, 1'000'000}};
  for (const Row& row : rows) {
    CAPTURE(row.header);
    const MeasuredLatencies read = latencies_in(column(row.header, 1'000), row.format);
    CHECK(read.count == 1'000);
    REQUIRE(read.percentiles.size() == 3);
    CHECK(read.percentiles[0].ns == 500 * row.unit_ns);
    CHECK(read.percentiles[1].name == "p90");
    CHECK(read.percentiles[1].ns == 900 * row.unit_ns);
    CHECK(read.percentiles[2].ns == 990 * row.unit_ns);
  }
}

TEST_CASE("two columns of times; what was never acknowledged and the warm-up are left out") {
  std::string text = "order,warmup,intended_ns,acknowledged_ns\r\n";
  for (int i = 0; i < 300; ++i) text += std::to_string(i) + ",0,1000,4000\r\n";
  text += "300,1,1000,900000\r\n301,0,1000,\r\n";
  const MeasuredLatencies read = latencies_in(text);
  CHECK(read.count == 300);
  CHECK(read.percentiles[2].ns == 3'000);
}

TEST_CASE("what kafka-producer-perf-test prints: the last line with percentiles") {
  const MeasuredLatencies read = latencies_in(
      "501 records sent, 100.1 records/sec (0.10 MB/sec), 7.2 ms avg latency, 210.0 ms max latency.\n"
      "6000 records sent, 99.98 records/sec (0.10 MB/sec), 8.47 ms avg latency, 231.00 ms max latency, 8 ms "
      "50th, 13 ms 95th, 41 ms 99th, 160 ms 99.9th.\n");
  REQUIRE(read.percentiles.size() == 3);
  CHECK(read.percentiles[0].ns == 8'000'000);
  CHECK(read.percentiles[1].name == "p95");
  CHECK(read.percentiles[1].ns == 13'000'000);
  CHECK(read.percentiles[2].ns == 41'000'000);
  CHECK(read.orders_per_second == 100);
  CHECK(read.record_bytes == 1'049);  // 0.10 MB (of 1048576 bytes) a second
  REQUIRE(read.not_fitted.size() == 3);
  CHECK(read.not_fitted[0].name == "mean");
  CHECK(read.not_fitted[0].ns == 8'470'000);
  CHECK(read.not_fitted[1].ns == 231'000'000);
  CHECK(read.not_fitted[2].name == "p99.9");
  CHECK(read.not_fitted[2].ns == 160'000'000);
}

TEST_CASE("the load of a perf test is played as it was, no longer than three percentiles need") {
  MeasuredLatencies measured;
  CHECK(overrides_of_load(measured).empty());
  measured.orders_per_second = 50'000;
  measured.record_bytes = 100;
  std::string all;
  for (const scenario::Override& one : overrides_of_load(measured)) all += one.path + "=" + one.value + " ";
  CHECK(all ==
        "clients.order-service.arrivals.constant=50000/s clients.order-service.key=none duration=6s "
        "clients.order-service.record.size=100B ");
}

TEST_CASE("percentiles alone") {
  const MeasuredLatencies read = latencies_in("percentile,latency_ms\np50,9.813\np90,14.193\n99,52.017\n");
  CHECK(read.count == 0);
  CHECK(read.percentiles[0].ns == 9'813'000);
  CHECK(read.percentiles[2].ns == 52'017'000);
}

TEST_CASE("what is no such file is told") {
  CHECK(problem_with("a,b\n1,2\n") == "there is no column of latencies");
  CHECK(problem_with(column("latency_ms", 300), {"delay", ""}) ==
        "there is no column of latencies called \"delay\"");
  CHECK(problem_with(column("latency_ms", 10)) == "holds 10 latencies; a p99 needs at least 200");
  CHECK(problem_with(column("latency_ms", 300) + "soon\n") == "\"soon\" is no latency");
  CHECK(problem_with("percentile,latency_ms\np50,9\np99,20\n") == "does not say p50, p90 (or p95) and p99");
  CHECK(problem_with("") == "there is no column of latencies");
}

// A world of which the answer is known: each number moves all three percentiles, and most its own.
Percentiles made_up(const Tuning& tuning) {
  const std::int64_t p50 = 5'000'000 + 2 * tuning.rtt_ns + tuning.others_percent * 10'000;
  const std::int64_t p90 = p50 + tuning.rtt_ns / 2 + tuning.others_percent * 100'000;
  return {p50, p90, p90 + tuning.rtt_ns + tuning.pause_ns};
}

TEST_CASE("the settings that a world was made with are found again") {
  for (const Tuning& wanted :
       {Tuning{400'000, 20, 30'000'000}, Tuning{5'000'000, 60, 400'000'000}, Tuning{60'000, 0, 10'000}}) {
    CAPTURE(wanted.rtt_ns);
    const Calibration found = calibrate_to(made_up(wanted), made_up);
    CHECK(found.fits);
    CHECK(fits_percentiles(made_up(found.tuning), made_up(wanted)));
    CHECK(found.worlds < 200);
  }
}

TEST_CASE("what no settings have does not fit, and the nearest is told") {
  const Calibration found =
      calibrate_to({1'000'000, 1'100'000, 1'200'000}, made_up);  // linger alone takes 5 ms
  CHECK_FALSE(found.fits);
  CHECK(found.found[0] < 5'500'000);
}

}  // namespace calibrate_test
}  // namespace sim::app
