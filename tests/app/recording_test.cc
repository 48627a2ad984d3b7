// A short run written by hand, recorded: the summary says what happened, and the files are the same each
// time.
#include "app/recording.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/shop.h"
#include "app/temporary_folder.h"
#include "report/build_id.h"
#include "report/console.h"

namespace sim::app {
namespace {

namespace fs = std::filesystem;
using judge::RunEnd;
using judge::StageShare;
using judge::StopReason;
using judge::Summary;
using report::Sha256;
using report::TextOptions;
using report::to_text;
using test::read_text;
using test::Story;

TEST_CASE("the summary counts each order once and judges what was expected") {
  test::TemporaryFolder tmp;
  const Summary summary = test::record_shop(tmp.path() / "run");
  CHECK(summary.orders.placed == 3);
  CHECK(summary.orders.fulfilled == 2);
  CHECK(summary.orders.failed == 1);
  CHECK(summary.orders.lost == 0);
  CHECK(summary.orders.open == 0);
  CHECK(summary.services[1].duplicate_effects == 1);
  CHECK(summary.services[0].duplicate_effects == 0);
  CHECK(summary.e2e.count == 3);
  CHECK(summary.e2e.max == 1'300'000'000);  // the failure, at its age when the run ends
  CHECK(summary.expectations[0].verdict == judge::Verdict::failed);
  CHECK(summary.expectations[1].verdict == judge::Verdict::ok);
  CHECK(summary.violations.empty());
  CHECK(summary.verdict == judge::Verdict::failed);
  CHECK(judge::exit_code(summary) == 1);
  CHECK(summary.slowest->order == 1);
  CHECK(summary.slowest->stage == metrics::Stage::send_wait);
  std::int64_t shares = 0;
  for (const StageShare& stage : summary.stages) shares += stage.share_milli_percent;
  CHECK(shares == doctest::Approx(100'000).epsilon(0.001));
}

TEST_CASE("the console's text: verdict first, limit beside value, the repro command last") {
  test::TemporaryFolder tmp;
  const Summary summary = test::record_shop(tmp.path() / "run");
  CHECK(to_text(summary, TextOptions{}) ==
        "FAIL  shop   seed 7   1.5 s simulated\n"
        "  x  e2e_latency max   1.3 s   expected < 500 ms   shop.yaml:9\n"  // the one that failed, at its age
        "  ok lost_orders       0       expected = 0     \n"
        "orders   3 placed · 2 fulfilled · 1 failed · 0 lost\n"
        "again    payment did 1 order more than once, 1 effect too many\n"
        "verdicts FAILED                1 order   at 900 ms: 1\n"
        "           1 × REQUEST_TIMED_OUT\n"
        "         DUP(effect) payment   1 order   at 1.31 s: 2\n"
        "           1 × done 2 times\n"
        "latency  max 1.3 s\n"
        "produce  max 700 ms\n"
        "slowest  order 1: 1.3 s, failed, 1.3 s of it waiting for send() (inventory)\n"
        "repro    kraftsim run scenarios/shop.yaml --seed 7   fingerprint 9f3c77a104be2d10\n"
        "         scenario sha256 " +
            summary.end.scenario_sha256.substr(0, 16) + ", build " + report::build_id() + "\n");
  CHECK(summary.end.scenario_sha256.size() == 64);
  const std::string on_terminal = to_text(summary, TextOptions{true, Duration{710ms}, "runs/shop/7"});
  CHECK(on_terminal.find("\033[1;31mFAIL\033[0m") == 0);
  CHECK(on_terminal.find("simulated in 710 ms") != std::string::npos);
  CHECK(on_terminal.find("runs/shop/7/report.html") != std::string::npos);
}

TEST_CASE("two recordings of the same run differ in host.json only") {
  test::TemporaryFolder tmp;
  test::record_shop(tmp.path() / "one");
  test::record_shop(tmp.path() / "two");
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(tmp.path() / "one")) {
    if (entry.is_directory() || entry.path().filename() == "host.json") continue;
    CAPTURE(entry.path().string());
    ++files;
    CHECK(read_text(entry.path()) ==
          read_text(tmp.path() / "two" / entry.path().lexically_relative(tmp.path() / "one")));
  }
  CHECK(files == 17);
}

TEST_CASE("the manifest names every file but itself and host.json, with its sum") {
  test::TemporaryFolder tmp;
  test::record_shop(tmp.path() / "run");
  const auto manifest = nlohmann::json::parse(read_text(tmp.path() / "run" / "manifest.json"));
  CHECK(manifest["fingerprint"] == "9f3c77a104be2d10");
  CHECK(manifest["scenario"]["sha256"] == Sha256::of("name: shop\n"));
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(tmp.path() / "run")) {
    const std::string name = entry.path().lexically_relative(tmp.path() / "run").string();
    if (entry.is_directory() || name == "host.json" || name == "manifest.json") continue;
    CAPTURE(name);
    ++files;
    CHECK(manifest["files"].at(name)["sha256"] == Sha256::of(read_text(entry.path())));
  }
  CHECK(files == manifest["files"].size());
}

TEST_CASE("orders.csv has a row per order with every stamp") {
  test::TemporaryFolder tmp;
  test::record_shop(tmp.path() / "run", trace::Level::off);
  CHECK(
      read_text(tmp.path() / "run" / "orders.csv") ==
      "flow,order,key,value_bytes,warmup,outcome,error,intended_ns,accepted_ns,batched_ns,sent_ns,received_"
      "ns,dequeued_ns,"
      "appended_ns,high_watermark_ns,acknowledged_ns,failed_ns,ended_ns,topic,partition,offset,leader,isr,"
      "batch_records,retries,"
      "inventory_fetched_ns,inventory_started_ns,inventory_done_ns,inventory_committed_ns,inventory_member,"
      "inventory_times,"
      "inventory_lost,payment_fetched_ns,payment_started_ns,payment_done_ns,payment_committed_ns,payment_"
      "member,payment_times,"
      "payment_lost\n"
      "order-service,0,7,100,0,fulfilled,,100000000,101000000,106000000,106000000,107000000,109000000,"
      "112000000,116000000,"
      "117000000,,135000000,orders,0,0,broker-1,1,1,0,120000000,120000000,125000000,127000000,0,1,0,"
      "130000000,130000000,"
      "135000000,137000000,0,1,0\n"
      "order-service,1,7,100,0,failed,REQUEST_TIMED_OUT,200000000,,,,,,,,,900000000,1500000000,,,,,,0,0,,,,,"
      ",0,0,,,,,,0,0\n"
      "order-service,2,7,100,0,fulfilled,,1100000000,1101000000,1106000000,1106000000,1107000000,"
      "1109000000,1112000000,"
      "1116000000,1117000000,,1155000000,orders,0,1,broker-1,1,1,0,1120000000,1120000000,1125000000,"
      "1127000000,0,1,0,"
      "1150000000,1150000000,1155000000,1157000000,0,2,0\n");
  CHECK_FALSE(fs::exists(tmp.path() / "run" / "events.jsonl"));
}

TEST_CASE("metrics.csv has a row per second under production names") {
  test::TemporaryFolder tmp;
  test::record_shop(tmp.path() / "run");
  const std::string csv = read_text(tmp.path() / "run" / "metrics.csv");
  CHECK(csv.find("kafka_consumergroup_lag_seconds[payment]") != std::string::npos);
  CHECK(std::count(csv.begin(), csv.end(), '\n') == 3);
  CHECK(csv.find("\n1.000,2,1,1,1,0,2,,,,1300.000000,1,200,0,0,0,0,0,0,2.000000,3.000000,4.000000,0.000,0,0,"
                 "0,0.000,0,0,0\n") != std::string::npos);
}

TEST_CASE("nothing is written before a run is over, nor at all if nobody asked for files") {
  test::TemporaryFolder tmp;
  RecordingOptions options;
  options.folder = tmp.path() / "runs" / "shop" / "7";
  {
    auto thrown_away = Recording::open(test::shop(), test::shop_names(), options);
    REQUIRE(thrown_away.ok());
    Story story(**thrown_away);
    test::play_shop(story);
    CHECK(fs::is_empty(tmp.path()));
  }
  CHECK(fs::is_empty(tmp.path()));
  options.folder.clear();
  auto unasked = Recording::open(test::shop(), test::shop_names(), options);
  REQUIRE(unasked.ok());
  Story story(**unasked);
  test::play_shop(story);
  const Summary summary = (*unasked)->finish(test::settled_end());
  CHECK_FALSE((*unasked)->not_written());
  CHECK(summary.orders.placed == 3);
  CHECK(fs::is_empty(tmp.path()));
}

TEST_CASE("the lines of a trace go at once where they stay, and nowhere if the run is thrown away") {
  test::TemporaryFolder tmp;
  RecordingOptions options;
  options.folder = tmp.path() / "run";
  options.trace = trace::Level::full;
  {
    auto recording = Recording::open(test::shop(), test::shop_names(), options);
    REQUIRE(recording.ok());
    Story story(**recording);
    for (int i = 0; i < 5'000; ++i) story.placed(i, i);
    std::uintmax_t bytes = 0;
    for (const auto& entry : fs::recursive_directory_iterator(tmp.path()))
      if (entry.path().filename() == "events.jsonl") bytes += entry.file_size();
    CHECK(bytes > 100'000);
    CHECK_FALSE(fs::exists(options.folder));
  }
  CHECK(fs::is_empty(tmp.path()));
}

TEST_CASE("what cannot be written leaves the verdict, and one reason") {
  test::TemporaryFolder tmp;
  RecordingOptions options;
  options.folder = tmp.path() / "run";
  auto recording = Recording::open(test::shop(), test::shop_names(), options);
  REQUIRE(recording.ok());
  Story story(**recording);
  test::play_shop(story);
  test::write_text(options.folder, "a file that came meanwhile");
  const Summary summary = (*recording)->finish(test::settled_end());
  CHECK(summary.orders.placed == 3);
  REQUIRE((*recording)->not_written());
  CHECK((*recording)->not_written()->message == "is a file, not a folder");
}

TEST_CASE("an interrupted run is recorded and marked partial") {
  test::TemporaryFolder tmp;
  RecordingOptions options;
  options.folder = tmp.path() / "run";
  auto recording = Recording::open(test::shop(), test::shop_names(), options);
  Story story(**recording);
  story.published(100, {0}, 0);
  CHECK_FALSE((*recording)->record().settled());
  RunEnd end = test::settled_end();
  end.reason = StopReason::interrupted;
  const Summary summary = (*recording)->finish(end);
  CHECK(summary.orders.open == 1);
  CHECK(to_text(summary, TextOptions{}).find("PARTIAL FAIL  shop") == 0);
  CHECK(nlohmann::json::parse(read_text(tmp.path() / "run" / "summary.json"))["partial"] == true);
}

}  // namespace
}  // namespace sim::app
