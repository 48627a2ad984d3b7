// A short run written by hand, recorded: the summary says what happened, and the files are the same each time.
#include "app/recording.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "app/console.h"
#include "app/temporary_folder.h"
#include "observe/story.h"

namespace sim::app {
namespace {

namespace fs = std::filesystem;
using test::read_text;
using test::Story;

scenario::Scenario shop() {
  scenario::Scenario scenario;
  scenario.file = "scenarios/shop.yaml";
  scenario.name = "shop";
  scenario.seed = 7;
  scenario.duration = 2s;
  scenario.source_text = "name: shop\n";
  scenario.resolved_yaml = "name: shop\nseed: 7\n";
  workload::FlowSpec flow;
  flow.name = "order-service";
  flow.topic = "orders";
  scenario.cluster.flows.push_back(flow);
  for (const char* name : {"inventory", "payment"}) {
    workload::ServiceSpec service;
    service.name = name;
    service.topic = "orders";
    scenario.cluster.services.push_back(service);
  }
  check::Expectation tail;
  tail.id = "tail";
  tail.metric = "e2e_latency";
  tail.statistic = "max";
  tail.comparison = check::Comparison::less;
  tail.limit = 500'000'000;
  tail.unit = check::Unit::nanoseconds;
  tail.limit_text = "< 500 ms";
  tail.source = "scenarios/shop.yaml:9";
  scenario.expectations.push_back(tail);
  check::Expectation lost;
  lost.id = "durable";
  lost.metric = "lost_orders";
  lost.statistic = "value";
  lost.comparison = check::Comparison::equal;
  lost.limit_text = "= 0";
  scenario.expectations.push_back(lost);
  return scenario;
}

observe::Names names() {
  observe::Names names;
  names.processes.resize(32);
  names.processes[10] = "broker-1";
  names.processes[20] = "order-service";
  names.processes[30] = "inventory[0]";
  names.processes[31] = "payment[0]";
  names.flows = {"order-service"};
  names.services = {"inventory", "payment"};
  names.groups = {"inventory", "payment"};
  return names;
}

void handled(Story& story, std::int64_t ms, std::int32_t service, Offset offset, std::int64_t number) {
  story.polled(ms, service, offset, offset + 1);
  story.started(ms, service, offset, number);
  story.done(ms + 5, service, offset, number);
  story.committed(ms + 7, service, offset + 1);
}

// Three orders: one fulfilled, one failed, one fulfilled and then done again by payment.
void play(Story& story) {
  story.tell(0, test::kBroker1, observe::TopicCreated{TopicId{1}, "orders", 1, 1});
  story.leads(0, 0, 0);
  story.isr(0, {NodeId{1}});
  story.published(100, {0}, 0);
  handled(story, 120, 0, 0, 0);
  handled(story, 130, 1, 0, 0);
  story.placed(200, 1);
  story.failed(900, 1, ErrorCode::request_timed_out);
  story.published(1'100, {2}, 1);
  handled(story, 1'120, 0, 1, 2);
  handled(story, 1'150, 1, 1, 2);
  handled(story, 1'300, 1, 1, 2);
}

RunEnd settled_end() {
  RunEnd end;
  end.end = Instant{1'500ms};
  end.events = 42;
  end.fingerprint = 0x9f3c77a104be2d10;
  end.repro = "kraftsim run scenarios/shop.yaml --seed 7";
  return end;
}

Summary record(const fs::path& out, trace::Level trace = trace::Level::control) {
  RecordingOptions options;
  options.folder = out;
  options.trace = trace;
  auto recording = Recording::open(shop(), names(), options);
  REQUIRE(recording.ok());
  Story story(**recording);
  play(story);
  CHECK((*recording)->settled());
  auto summary = (*recording)->finish(settled_end());
  REQUIRE(summary.ok());
  return *summary;
}

TEST_CASE("the summary counts each order once and judges what was expected") {
  test::TemporaryFolder tmp;
  const Summary summary = record(tmp.path() / "run");
  CHECK(summary.orders.placed == 3);
  CHECK(summary.orders.fulfilled == 2);
  CHECK(summary.orders.failed == 1);
  CHECK(summary.orders.lost == 0);
  CHECK(summary.orders.open == 0);
  CHECK(summary.services[1].duplicate_effects == 1);
  CHECK(summary.services[0].duplicate_effects == 0);
  CHECK(summary.e2e.count == 3);
  CHECK(summary.e2e.max == 700'000'000);  // the failure, at its age
  CHECK(summary.expectations[0].verdict == check::Verdict::failed);
  CHECK(summary.expectations[1].verdict == check::Verdict::ok);
  CHECK(summary.violations.empty());
  CHECK(summary.verdict == check::Verdict::failed);
  CHECK(exit_code(summary) == 1);
  CHECK(summary.slowest->order == 1);
  CHECK(summary.slowest->stage == metrics::Stage::send_wait);
  std::int64_t shares = 0;
  for (const StageShare& stage : summary.stages) shares += stage.share_milli_percent;
  CHECK(shares == doctest::Approx(100'000).epsilon(0.001));
}

TEST_CASE("the console's text: verdict first, limit beside value, the repro command last") {
  test::TemporaryFolder tmp;
  const Summary summary = record(tmp.path() / "run");
  CHECK(to_text(summary, TextOptions{}) ==
        "FAIL  shop   seed 7   1.5 s simulated\n"
        "  x  e2e_latency max   700 ms   expected < 500 ms   shop.yaml:9\n"
        "  ok lost_orders       0        expected = 0     \n"
        "orders   3 placed · 2 fulfilled · 1 failed · 0 lost\n"
        "again    payment did 1 order more than once, 1 effect too many\n"
        "latency  max 700 ms\n"
        "produce  max 700 ms\n"
        "slowest  order 1: 700 ms, failed, 700 ms of it waiting for send() (inventory)\n"
        "repro    kraftsim run scenarios/shop.yaml --seed 7   fingerprint 9f3c77a104be2d10\n");
  const std::string on_terminal = to_text(summary, TextOptions{true, Duration{710ms}, "runs/shop/7"});
  CHECK(on_terminal.find("\033[1;31mFAIL\033[0m") == 0);
  CHECK(on_terminal.find("simulated in 710 ms") != std::string::npos);
  CHECK(on_terminal.find("runs/shop/7/summary.json") != std::string::npos);
}

TEST_CASE("two recordings of the same run differ in host.json only") {
  test::TemporaryFolder tmp;
  record(tmp.path() / "one");
  record(tmp.path() / "two");
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(tmp.path() / "one")) {
    if (entry.is_directory() || entry.path().filename() == "host.json") continue;
    CAPTURE(entry.path().string());
    ++files;
    CHECK(read_text(entry.path()) == read_text(tmp.path() / "two" / entry.path().lexically_relative(tmp.path() / "one")));
  }
  CHECK(files == 13);
}

TEST_CASE("the manifest names every file but itself and host.json, with its sum") {
  test::TemporaryFolder tmp;
  record(tmp.path() / "run");
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
  record(tmp.path() / "run", trace::Level::off);
  CHECK(read_text(tmp.path() / "run" / "orders.csv") ==
        "flow,order,key,value_bytes,warmup,outcome,error,intended_ns,accepted_ns,batched_ns,sent_ns,received_ns,dequeued_ns,"
        "appended_ns,high_watermark_ns,acknowledged_ns,failed_ns,ended_ns,topic,partition,offset,leader,isr,batch_records,retries,"
        "inventory_fetched_ns,inventory_started_ns,inventory_done_ns,inventory_committed_ns,inventory_member,inventory_times,"
        "inventory_lost,payment_fetched_ns,payment_started_ns,payment_done_ns,payment_committed_ns,payment_member,payment_times,"
        "payment_lost\n"
        "order-service,0,7,100,0,fulfilled,,100000000,101000000,106000000,106000000,107000000,109000000,112000000,116000000,"
        "117000000,,135000000,orders,0,0,broker-1,1,1,0,120000000,120000000,125000000,127000000,0,1,0,130000000,130000000,"
        "135000000,137000000,0,1,0\n"
        "order-service,1,7,100,0,failed,REQUEST_TIMED_OUT,200000000,,,,,,,,,900000000,900000000,,,,,,0,0,,,,,,0,0,,,,,,0,0\n"
        "order-service,2,7,100,0,fulfilled,,1100000000,1101000000,1106000000,1106000000,1107000000,1109000000,1112000000,"
        "1116000000,1117000000,,1155000000,orders,0,1,broker-1,1,1,0,1120000000,1120000000,1125000000,1127000000,0,1,0,"
        "1150000000,1150000000,1155000000,1157000000,0,2,0\n");
  CHECK_FALSE(fs::exists(tmp.path() / "run" / "events.jsonl"));
}

TEST_CASE("metrics.csv has a row per second under production names") {
  test::TemporaryFolder tmp;
  record(tmp.path() / "run");
  const std::string csv = read_text(tmp.path() / "run" / "metrics.csv");
  CHECK(csv.find("kafka_consumergroup_lag_seconds[payment]") != std::string::npos);
  CHECK(std::count(csv.begin(), csv.end(), '\n') == 3);
  CHECK(csv.find("\n1.000,2,1,1,1,0,2,,,,700.000000,1,200,0,0,0,0.000,0,0.000,0\n") != std::string::npos);
}

TEST_CASE("an interrupted run is recorded and marked partial") {
  test::TemporaryFolder tmp;
  RecordingOptions options;
  options.folder = tmp.path() / "run";
  auto recording = Recording::open(shop(), names(), options);
  Story story(**recording);
  story.published(100, {0}, 0);
  CHECK_FALSE((*recording)->settled());
  RunEnd end = settled_end();
  end.reason = StopReason::interrupted;
  const auto summary = (*recording)->finish(end);
  CHECK(summary.value().orders.open == 1);
  CHECK(to_text(*summary, TextOptions{}).find("PARTIAL FAIL  shop") == 0);
  CHECK(nlohmann::json::parse(read_text(tmp.path() / "run" / "summary.json"))["partial"] == true);
}

}  // namespace
}  // namespace sim::app
