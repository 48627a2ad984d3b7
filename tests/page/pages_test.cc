// Pages of sweeps, comparisons and folders: what they say of what they are given.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "page/comparison_page.h"
#include "page/index_page.h"
#include "page/sweep_page.h"

namespace sim::page {
namespace {

bool says(const std::string& page, const std::string& part) {
  return page.find(part) != std::string::npos;
}

constexpr const char* kSweepSummary =
    R"json({"schema":"kraftsim-sweep-summary/1","build":"b","scenario":{"name":"sh<o>p"},
 "seeds":"1-4","expected_runs":8,"runs":7,
 "configurations":[
  {"name":"acks-1","settings":["a.acks=1"],"runs":4,"failed":1,"inconclusive":1,"crashed":0,
   "rate_low_per_million":61492,"rate_high_per_million":792345,"metrics":{"e2e_p99_ns":{"median":5000000,"most":9000000,"seed_of_most":3}}},
  {"name":"","settings":[],"runs":3,"failed":0,"inconclusive":0,"crashed":0,"rate_low_per_million":0,
   "rate_high_per_million":1000000,"metrics":{}}],
 "failures":[{"configuration":0,"what":"loses","anomaly":"LOST(acked)","fault":"kill","runs":1,"smallest_seed":3}],
 "situations":{"log-wiped":2,"group-empty":0},"troubles":[],
 "inconclusive":[{"configuration":0,"note":"a fault touched nothing\nmore","runs":1,"smallest_seed":2}]})json";

constexpr const char* kSweepResults = R"json({"schema":"kraftsim-sweep/1","seeds":"1-4"}
{"configuration":0,"seed":1,"outcome":"held","metrics":{"e2e_p99_ns":5000000}}
{"configuration":0,"seed":2,"outcome":"inconclusive","metrics":{"e2e_max_ns":7000000}}
{"configuration":0,"seed":3,"outcome":"failed","metrics":{"e2e_p99_ns":9000000}}
{"configuration":1,"seed":1,"outcome":"held","metrics":{}}
{"configuration":1,"se)json";

std::string sweep_page() {
  SweepDocuments sweep = sweep_documents(kSweepSummary, kSweepResults);
  CHECK(sweep.seeds.size() == 4);
  sweep.command = [](const std::vector<std::string>& settings, std::uint64_t seed) {
    return "play " + std::to_string(seed) + (settings.empty() ? "" : " with " + settings.front());
  };
  sweep.page_of_seed = [](const std::string& configuration, std::uint64_t seed) {
    return seed == 3 ? "kept/" + configuration + "-3/report.html" : std::string();
  };
  return page_of_sweep(sweep);
}

}  // namespace

TEST_CASE("the page of a sweep: what failed how often, each seed a mark, how to play one again") {
  const std::string page = sweep_page();
  CHECK(
      says(page,
           "1 of 7 runs failed, in 2 configurations. Most often (1 run): loses, first with seed 3. 1 run is "
           "inconclusive."));
  CHECK(says(page, "Of 8 runs 7 are here"));
  CHECK(says(page, "acks-1 fails most often: 1 of 3 runs; the true rate is 6.1 % to 79.2 %"));
  CHECK(says(page, "The slowest hundredth of a run&#39;s orders takes 5 ms to 9 ms, longest with seed 3"));
  CHECK(says(page, "seed 1: held, 5 ms"));
  CHECK(says(page, "class=\"seed-failed\""));
  CHECK(says(page, "class=\"seed-unsure\""));
  CHECK(says(page, "<a href=\"kept/acks-1-3/report.html\">seed 3</a>"));
  CHECK(says(page, "play 3 with a.acks=1"));
  CHECK(says(page, "a fault touched nothing"));
  CHECK(says(page, "Never: group-empty."));
  CHECK(says(page, "sh&lt;o&gt;p"));
  CHECK_FALSE(says(page, "<script"));
}

TEST_CASE("a sweep whose summary is damaged still has a page") {
  SweepDocuments sweep = sweep_documents("{", kSweepResults);
  sweep.command = [](const std::vector<std::string>&, std::uint64_t) { return std::string(); };
  sweep.page_of_seed = [](const std::string&, std::uint64_t) { return std::string(); };
  CHECK(says(page_of_sweep(sweep), "0 of 0 runs failed"));
}

TEST_CASE("the page of a comparison: what changed for certain, what may be chance") {
  ComparedSides sides;
  sides.name_a = "before";
  sides.name_b = "after";
  sides.command = "kraftsim compare before after";
  sides.pairs = 10;
  sides.only_b_failed = 4;
  sides.chance_per_million = 125'000;
  sides.metrics.push_back(
      {"e2e_p99_ns", 10, 5'000'000, 9'000'000, 5'000'000, 4'000'000, 500'000, 10, 0, true});
  sides.metrics.push_back({"lost", 10, 4, 5, 4, 40, 60, 6, 4, false});
  sides.metrics.push_back({"placed", 10, 4, 4, 4, 0, 0, 0, 0, false});
  const std::string page = page_of_comparison(sides);
  CHECK(says(page, "Of 10 seeds A failed with 0, B with 4. E2e p99 changes most: +80.0 %."));
  CHECK(says(page, "E2e p99 changes most: 5 ms on average in A, 9 ms in B"));
  CHECK(says(page, "a chance of 12.5 %"));
  CHECK(says(page, "-20 to 100, may be chance"));
  CHECK(says(page, "The same on both sides: placed."));
  CHECK_FALSE(says(page, "More than was allowed"));
  sides.beyond_tolerance = {"p99 is 4 ms higher"};
  CHECK(says(page_of_comparison(sides), "More than was allowed"));
}

TEST_CASE("an index lists runs and sweeps below a folder, and says what cannot be read") {
  namespace fs = std::filesystem;
  const fs::path top = fs::path("build") / "page-test-index";
  fs::remove_all(top);
  const auto write = [&](const char* name, const std::string& content) {
    fs::create_directories((top / name).parent_path());
    std::ofstream(top / name) << content;
  };
  write("shop/7/manifest.json", "{}");
  write("shop/7/summary.json", R"({"scenario":{"name":"shop"},"seed":7,"verdict":"failed",
    "orders":{"placed":100,"lost":2,"failed":0,"open":0},"e2e_latency":{"p99_ns":5000000}})");
  write("shop/7/report.html", "x");
  write("shop/sweep/results.jsonl", "{}");
  write("shop/sweep/summary.json", kSweepSummary);
  write("shop/sweep/kept/3/manifest.json", "{}");  // a sweep's own
  write("other/1/manifest.json", "{}");
  write("other/1/summary.json", "{\"scen");
  fs::create_directory_symlink("shop", top / "latest");
  const FoundRuns found = find_runs(top);
  CHECK(found.entries.size() == 2);
  CHECK(found.unreadable == 1);
  const std::string page = page_of_index("runs", found);
  CHECK(says(page, "1 run and 1 sweep: 0 held, 2 failed, 0 inconclusive."));
  CHECK(says(page, "<a href=\"shop/7/report.html\">shop/7</a>"));
  CHECK(says(page, "100 placed, 2 lost"));
  CHECK(says(page, "7 runs, 1 failed"));
  CHECK(says(page, "Of 1 folder the summary cannot be read"));
  fs::remove_all(top);
}

}  // namespace sim::page
