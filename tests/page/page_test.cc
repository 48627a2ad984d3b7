#include "page/page.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "page/charts.h"
#include "page/finding.h"
#include "page/markup.h"
#include "page/scale.h"

namespace sim::page {
namespace {

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A folder with the files that a test puts there.
class RunFolder {
 public:
  RunFolder() { std::filesystem::create_directories(path_); }
  ~RunFolder() { std::filesystem::remove_all(path_); }
  void write(const char* name, const std::string& content) const { std::ofstream(path_ / name) << content; }
  Documents read() const { return read_documents(path_); }

 private:
  std::filesystem::path path_ = std::filesystem::path("build") / "page-test-run";
};

constexpr const char* kSummary =
    R"json({"schema":"kraftsim-summary/1","version":"9","seed":7,"verdict":"failed",
 "scenario":{"name":"shop <b>","about":"a & b"},"end_ns":10000000000,"repro":"kraftsim run shop.yaml --seed 7",
 "orders":{"placed":100,"fulfilled":97,"lost":2,"failed":1,"open":0},
 "expectations":[{"id":"a","verdict":"failed","metric":"lost_orders","statistic":"value","window":"all","unit":"count",
                  "measured":2,"samples":100,"expected":"= 0","source":"shop.yaml:3"},
                 {"id":"b","verdict":"ok","metric":"e2e_latency","statistic":"p99","window":"steady","unit":"ns",
                  "measured":70905738,"samples":90,"expected":"< 500 ms"}],
 "verdicts":[{"verdict":"UNAVAIL","count":9,"longest_ns":2000000000,"cause":"nobody led it"},
             {"verdict":"LOST(acked)","count":2,"cause":"broker-1 became leader"}],
 "faults":[{"name":"crash","kind":"kill","effect":"process killed",
            "strikes":[{"from_ns":3000000000,"to_ns":5000000000,"touched":["broker-3"],"effects":1}]}]})json";

constexpr const char* kCharts = R"json({"schema":"kraftsim-charts/1","bin_ns":1000000000,
 "bins":[{"from_ns":0,"orders":50,"p50_ns":5000000,"p90_ns":7000000,"p99_ns":null,"max_ns":9000000,"fulfilled":50},
         {"from_ns":1000000000,"orders":50,"p50_ns":6000000,"p90_ns":8000000,"p99_ns":null,"max_ns":9000000000,
          "fulfilled":47,"lost":2,"failed":1}],
 "curves":[{"of":"end_to_end","orders":100,"beyond":[100,50,10,3],"latency_ns":[1,5000000,7000000,9000000]}],
 "bands":[{"from_percent":0,"to_percent":50,"orders":50,"stages_mean_ns":{"service":3000000,"network":1000000}}],
 "leaders":[{"topic":"orders","partition":0,"spans":[{"from_ns":0,"to_ns":10000000000,"leader":1,"isr":3}]}],
 "stories":[{"why":"lost","flow":"shop","order":7,"outcome":"lost","intended_ns":1000000000,"latency_ns":9000000000,
             "steps":[{"at_ns":1000000000,"what":"placed by shop","around_it":false}]}]})json";

}  // namespace

TEST_CASE("what a scenario says never becomes markup") {
  CHECK(escaped("<script>\"&'\x01\x1b[31m") == "&lt;script&gt;&quot;&amp;&#39;[31m");
  RunFolder folder;
  folder.write("summary.json", kSummary);
  const std::string page = page_of(folder.read(), {});
  CHECK(holds(page, "shop &lt;b&gt;"));
  CHECK_FALSE(holds(page, "shop <b>"));
  CHECK_FALSE(holds(page, "<script"));
}

TEST_CASE("the finding says what failed, what became of the orders and the worst cause") {
  RunFolder folder;
  folder.write("summary.json", kSummary);
  CHECK(
      finding_of_run(folder.read()) ==
      "1 of 2 expectations failed: lost_orders is 2, expected = 0. Of 100 orders 2 were lost, 1 was refused "
      "or "
      "given up. 2 acknowledged orders can be found in no log any more: broker-1 became leader. Faults: kill "
      "broker-3 at 3 s.");
}

TEST_CASE("a whole run is drawn, each figure with a table of its own") {
  RunFolder folder;
  folder.write("summary.json", kSummary);
  folder.write("charts.json", kCharts);
  folder.write("metrics.csv",
               "t_s,kafka_consumergroup_lag_seconds[payment]\n1.000,0.250\n2.000,\n3.000,1.500\n");
  folder.write("scenario.resolved.yaml", "schema: kraftsim/v1\n");
  const Documents run = folder.read();
  CHECK(run.missing.empty());
  CHECK(run.metrics.milli.at("kafka_consumergroup_lag_seconds[payment]")[0] == 250);
  CHECK_FALSE(run.metrics.milli.at("kafka_consumergroup_lag_seconds[payment]")[1].has_value());
  const Figure timeline = incident_timeline(run);
  CHECK(timeline.finding ==
        "The median is usually 6 ms; an order placed about 1 s into the run waits longest, 9 s");
  CHECK(holds(timeline.markup, "crash: kill broker-3, 3 s to 5 s"));
  CHECK(holds(timeline.markup, "from 1 s: 2 lost"));
  CHECK(holds(timeline.markup, ">payment</text>"));
  CHECK(holds(timeline.markup, "orders-0: broker-1 leads, ISR of 3"));
  CHECK(holds(percentile_spectrum(run).markup, ">p90</text>"));
  const Figure stages = stage_breakdown(run);
  CHECK(holds(stages.finding, "of the fulfilled orders the largest share goes to: service, 75.0 %"));
  CHECK(holds(stages.caption, "The 3 that were not fulfilled are left out."));
  CHECK(holds(page_of(run, {{"cluster", "acks", "1", "all", "what it means"}}),
              "Order 7 of shop (lost): lost, 9 s old"));
}

TEST_CASE(
    "a folder that is partial, damaged or of another version gives what it has, and says what it has not") {
  RunFolder folder;
  Documents run = folder.read();
  CHECK(run.missing.size() == 4);
  CHECK(holds(page_of(run, {}), "summary.json is not there"));

  folder.write("summary.json",
               R"({"schema":"kraftsim-summary/9","orders":{"placed":"many"},"verdicts":{"a":[1]}})");
  folder.write("charts.json",
               R"({"schema":"kraftsim-charts/1","bins":[1,{"max_ns":"x"},{"from_ns":5}],"curves":[{"of":3}],
                                  "bands":[{}],"leaders":[null,{"spans":[{}]}],"stories":["?"],"controllers":[2]})");
  folder.write("metrics.csv", "t_s,lag\n1.000,2\n2.000,oops,3\n");
  run = folder.read();
  CHECK(run.metrics.at_ms.size() == 1);
  const std::string page = page_of(run, {});
  CHECK(holds(page, "summary.json is of another version (kraftsim-summary/9, not kraftsim-summary/1)"));
  CHECK(holds(page, "metrics.csv is damaged; it is shown up to there"));

  folder.write("charts.json", "{\"schema\": ");
  CHECK(holds(page_of(folder.read(), {}), "charts.json is damaged"));
  CHECK_FALSE(holds(page_of(folder.read(), {}), "Nothing was placed"));
}

TEST_CASE("where no order was placed, or none was done, no latency is made up") {
  RunFolder folder;
  folder.write(
      "summary.json",
      R"({"schema":"kraftsim-summary/1","end_ns":5000000000,"orders":{"placed":0},"e2e_latency":{"count":0,"max_ns":0},
                                   "services":{"pay":{"latency":{"count":0,"max_ns":0}}}})");
  CHECK_FALSE(holds(page_of(folder.read(), {}), "0 ns"));
  folder.write("charts.json", kCharts);
  folder.write("summary.json", R"({"schema":"kraftsim-summary/1","orders":{"placed":100,"fulfilled":0}})");
  CHECK(percentile_spectrum(folder.read()).finding == "None of 100 orders was ever done");
}

TEST_CASE("scales: round values, and places by integers alone") {
  CHECK(round_values(0, 100, 6) == std::vector<std::int64_t>{0, 20, 40, 60, 80, 100});
  CHECK(log_values(500, 60'000) == std::vector<std::int64_t>{1'000, 10'000});
  CHECK(log_values(20, 200) == std::vector<std::int64_t>{20, 50, 100, 200});
  CHECK(round_below(999) == 500);
  CHECK(round_below(1) == 1);
  CHECK(round_above(201) == 500);
  CHECK(round_above(500) == 500);
  CHECK(round_above(501) == 1000);
  const Scale log = Scale::logarithmic(1, 10'000, 0, 400);
  CHECK(log.at(100) == 200);
  CHECK(log.at(0) == 0);
  CHECK(log.at(1'000'000) == 400);
  CHECK(round_times(94'000'000'000, 9).size() == 7);
}

TEST_CASE("labels are kept apart, and within their panel") {
  std::vector<Label> labels{{500, "a", ""}, {510, "b", ""}, {505, "c", ""}};
  spread(labels, 0, 600);
  CHECK(labels[0].words == "a");
  for (std::size_t i = 1; i < labels.size(); ++i) CHECK(labels[i].y - labels[i - 1].y >= 130);
  CHECK(labels.back().y <= 600);
}

}  // namespace sim::page
