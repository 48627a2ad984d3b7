// Exports are made from the files of a run alone, and say what is wrong with what they were given.
#include "report/export.h"

#include <doctest/doctest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "app/shop.h"
#include "app/temporary_folder.h"
#include "report/continuous_integration.h"

namespace sim::report {
namespace {

namespace fs = std::filesystem;
using app::Recording;
using app::RecordingOptions;
using test::write_text;

ExportRequest of(const fs::path& run, const std::string& format, const std::string& order = {}) {
  ExportRequest request;
  request.run = run;
  request.format = format;
  request.order = order;
  return request;
}

std::string text_of(const ExportRequest& request) {
  const auto text = export_run(request);
  for (const Problem& problem : text.problems()) MESSAGE(problem.file << ": " << problem.message);
  REQUIRE(text.ok());
  return *text;
}

Problem refusal(const ExportRequest& request) {
  const auto text = export_run(request);
  REQUIRE_FALSE(text.ok());
  return text.problems()[0];
}

TEST_CASE("one order's story, from the click to the last commit, which is of the next offset") {
  test::TemporaryFolder tmp;
  test::record_shop(tmp.path() / "run", trace::Level::off);
  CHECK(text_of(of(tmp.path() / "run", "mermaid", "2")) ==
        "sequenceDiagram\n"
        "    title Order 2 of order-service: fulfilled after 55 ms\n"
        "    actor customer as customer\n"
        "    participant producer as order-service\n"
        "    participant leader as broker-1<br/>leader\n"
        "    participant log as orders-0<br/>offset 1\n"
        "    participant service0 as inventory[0]\n"
        "    participant service1 as payment[0]\n"
        "    participant coordinator as group coordinator<br/>__consumer_offsets\n"
        "    customer->>producer: +0 ns order 2, 100 B, key user-7, placed at 1.100000 s\n"
        "    Note over producer: +1 ms send() has put it into a batch\n"
        "    producer->>leader: +6 ms ProduceRequest with a batch of this order alone\n"
        "    Note over leader: +9 ms an I/O thread takes it, 2 ms after it arrived\n"
        "    leader->>log: +12 ms append at offset 1\n"
        "    Note over log: +16 ms high watermark is now beyond 1\n"
        "    leader-->>producer: +17 ms acknowledged: orders-0 offset 1\n"
        "    producer-->>customer: +17 ms your order is placed\n"
        "    log->>service0: +20 ms poll() returns offset 1\n"
        "    Note over service0: +25 ms done, after 5 ms of work\n"
        "    service0->>coordinator: commit orders-0 = 2, the NEXT offset to read (Kafka never commits the "
        "last one "
        "read)\n"
        "    coordinator-->>service0: +27 ms committed: inventory will go on at 2\n"
        "    log->>service1: +50 ms poll() returns offset 1\n"
        "    Note over service1: +55 ms done, after 5 ms of work\n"
        "    Note over service1: +55 ms and done again: 2 times in all\n"
        "    Note over customer: +55 ms every service has done it\n"
        "    service1->>coordinator: commit orders-0 = 2, the NEXT offset to read (Kafka never commits the "
        "last one "
        "read)\n"
        "    coordinator-->>service1: +57 ms committed: payment will go on at 2\n");
}

TEST_CASE("an order that failed, and the slowest one, which it is") {
  test::TemporaryFolder tmp;
  test::record_shop(tmp.path() / "run", trace::Level::off);
  const std::string failed = text_of(of(tmp.path() / "run", "mermaid", "order-service/1"));
  CHECK(failed.find("producer--xcustomer: +700 ms failed: REQUEST_TIMED_OUT") != std::string::npos);
  CHECK(failed.find("participant leader") == std::string::npos);
  CHECK(text_of(of(tmp.path() / "run", "mermaid", "slowest")) == failed);
}

TEST_CASE("a commit covers more than one order") {
  OrderRow order;
  order.outcome = "fulfilled";
  order.topic = "orders";
  order.partition = 3;
  order.offset = 7;
  order.leader = "broker-2";
  order.isr = "1;2;3";
  order.intended = 0;
  order.ended = order.appended = order.high_watermark = 5'000'000;
  OrderRow::Service service;
  service.name = "payment";
  service.committed = 9'000'000;
  order.services.push_back(service);
  const std::string text = mermaid_of_order(order, {12});
  CHECK(text.find("commit orders-3 = 12, the NEXT offset to read") != std::string::npos);
  CHECK(text.find("participant followers as broker-1, broker-3<br/>followers") != std::string::npos);
}

TEST_CASE("a window shows what changed in it, and only that") {
  test::TemporaryFolder tmp;
  test::record_shop(tmp.path() / "run", trace::Level::control);
  ExportRequest request = of(tmp.path() / "run", "mermaid");
  request.window = {Duration{0s}, Duration{500ms}};
  const std::string text = text_of(request);
  CHECK(text.find("Note over n0: 0.000000 s BecameLeader orders-0 broker 1 leader_epoch 0 epoch_start 0") !=
        std::string::npos);
  CHECK(text.find("RecordFailed") == std::string::npos);
  request.window = {Duration{500ms}, Duration{1s}};
  CHECK(text_of(request).find("RecordFailed order 1 REQUEST_TIMED_OUT") != std::string::npos);
}

TEST_CASE("a window shows an election and what the new controller decides") {
  test::TemporaryFolder tmp;
  scenario::Scenario scenario = test::shop();
  observe::Names names = test::shop_names();
  names.processes[1] = "controller-1";
  names.processes[2] = "controller-2";
  names.faults = {"brain"};
  scenario.cluster.faults.push_back(
      fault::Fault{"brain", fault::Kill{{fault::ActiveController{}}}, Instant{1s}});
  RecordingOptions options;
  options.folder = tmp.path() / "run";
  options.trace = trace::Level::control;
  auto recording = Recording::open(scenario, names, options);
  REQUIRE(recording.ok());
  test::Story story(**recording);
  test::play_shop(story);
  constexpr ProcessId kFirst{1}, kSecond{2};
  const QuorumEpoch epoch{5};
  story.tell(1'400, kNoProcess, observe::FaultStruck{FaultId{0}, {kFirst}});
  story.tell(1'400, kFirst, observe::ProcessStopped{});
  story.tell(1'410, kSecond,
             observe::QuorumRoleChanged{NodeId{3002}, observe::QuorumRole::candidate, epoch, kNoNode});
  story.tell(1'420, test::kBroker1,
             observe::QuorumRoleChanged{NodeId{1}, observe::QuorumRole::unattached, epoch, kNoNode});
  story.tell(1'430, kFirst, observe::QuorumVoteAnswered{NodeId{3001}, NodeId{3002}, epoch, true, false});
  story.tell(1'440, kSecond, observe::ControllerChanged{NodeId{3002}, epoch, true});
  story.tell(1'450, kSecond, observe::BrokerStateChanged{NodeId{1}, BrokerEpoch{1}, true, false, 3});
  for (std::int32_t partition = 0; partition < 3; ++partition) {
    observe::PartitionChanged changed;
    changed.tp = TopicPartition{TopicId{1}, partition};
    changed.leader = NodeId{partition == 0 ? -1 : 2};
    changed.isr = {NodeId{2}};
    story.tell(1'450, kSecond, changed);
  }
  story.tell(1'460, kNoProcess, observe::FaultEnded{FaultId{0}, 1});
  (*recording)->finish(test::settled_end());
  REQUIRE_FALSE((*recording)->not_written());
  ExportRequest request = of(tmp.path() / "run", "mermaid");
  request.window = {Duration{1'400ms}, Duration{1'500ms}};
  CHECK(text_of(request) ==
        "sequenceDiagram\n"
        "    title What changed between 1.4 s and 1.5 s\n"
        "    participant n0 as controller-1\n"
        "    participant n1 as controller-2\n"
        "    Note over n0: 1.400000 s fault brain\n"
        "    Note over n0: 1.400000 s ProcessStopped\n"
        "    Note over n1: 1.410000 s Candidate in epoch 5\n"
        "    n0-->>n1: 1.430000 s would vote in epoch 5: no\n"
        "    Note over n1: 1.440000 s active controller in epoch 5\n"
        "    Note over n1: 1.450000 s broker-1 fenced\n"
        "    Note over n1: 1.450000 s orders-0: no leader, ISR 2 and 2 alike\n");
}

TEST_CASE("OpenMetrics: production names, groups as labels, families together, an end") {
  test::TemporaryFolder tmp;
  test::record_shop(tmp.path() / "run");
  const std::string text = text_of(of(tmp.path() / "run", "openmetrics"));
  CHECK(text.find("# TYPE kafka_consumergroup_lag gauge\n"
                  "kafka_consumergroup_lag{consumergroup=\"inventory\"} 0 1.000\n"
                  "kafka_consumergroup_lag{consumergroup=\"inventory\"} 0 1.500\n"
                  "kafka_consumergroup_lag{consumergroup=\"payment\"} 0 1.000\n") != std::string::npos);
  CHECK(text.find("kraftsim_orders_placed_per_s 2 1.000\n") != std::string::npos);
  CHECK(text.substr(text.size() - 6) == "# EOF\n");
}

TEST_CASE("Perfetto: a process per node, slices end to end, an arrow for each message, counters") {
  test::TemporaryFolder tmp;
  test::record_shop(tmp.path() / "run");
  const auto trace = nlohmann::json::parse(text_of(of(tmp.path() / "run", "perfetto", "0")));
  std::map<std::int64_t, std::string> nodes;
  std::map<std::string, std::vector<std::pair<double, double>>> slices;  // by node
  std::map<std::int64_t, std::vector<std::string>> arrows;               // by id
  std::set<std::string> counters;
  for (const auto& event : trace["traceEvents"]) {
    const std::string node = nodes[event["pid"]];
    if (event["ph"] == "M") nodes[event["pid"]] = event["args"]["name"];
    if (event["ph"] == "X")
      slices[node].emplace_back(event["ts"], event["ts"].get<double>() + event["dur"].get<double>());
    if (event["ph"] == "s" || event["ph"] == "f") arrows[event["id"]].push_back(node);
    if (event["ph"] == "C") counters.insert(event["name"]);
  }
  CHECK(slices.at("order-service").front().first == doctest::Approx(100'000));  // its intended time, us
  CHECK(slices.at("order-service").back().second == doctest::Approx(117'000));  // acknowledged
  CHECK(slices.at("broker-1").size() == 4);
  for (const auto& [node, list] : slices) {
    CAPTURE(node);
    for (std::size_t i = 1; i < list.size(); ++i) CHECK(list[i].first >= list[i - 1].second - 1e-6);
  }
  CHECK(arrows.size() == 3);
  CHECK(arrows.at(1) == std::vector<std::string>{"order-service", "broker-1"});
  CHECK(arrows.at(2) == std::vector<std::string>{"broker-1", "inventory[0]"});
  CHECK(counters.contains("kafka_consumergroup_lag_seconds payment"));
}

TEST_CASE("OTLP: a trace per order, whose spans have parents of their own and lie within the order") {
  test::TemporaryFolder tmp;
  test::record_shop(tmp.path() / "run");
  const auto json = nlohmann::json::parse(text_of(of(tmp.path() / "run", "otlp")));
  std::map<std::string, std::set<std::string>> spans;  // by trace
  std::map<std::string, std::string> parents;
  std::set<std::string> services;
  std::size_t roots = 0;
  std::size_t failed = 0;
  for (const auto& resource : json["resourceSpans"]) {
    services.insert(resource["resource"]["attributes"][0]["value"]["stringValue"]);
    for (const auto& span : resource["scopeSpans"][0]["spans"]) {
      CHECK(span["traceId"].get<std::string>().size() == 32);
      CHECK(spans[span["traceId"]].insert(span["spanId"]).second);
      CHECK(std::stoll(span["endTimeUnixNano"].get<std::string>()) >=
            std::stoll(span["startTimeUnixNano"].get<std::string>()));
      if (span.contains("parentSpanId"))
        parents[span["parentSpanId"]] = span["traceId"];
      else
        failed += ++roots > 0 && span["status"]["code"] == 2 ? 1 : 0;
    }
  }
  CHECK(spans.size() == 3);
  CHECK(roots == 3);
  CHECK(failed == 1);
  for (const auto& [parent, trace] : parents) CHECK(spans[trace].contains(parent));
  CHECK(services == std::set<std::string>{"broker-1", "inventory", "order-service", "payment"});
}

TEST_CASE("JUnit and GitHub: a case for each expectation, an error at its line for each that failed") {
  test::TemporaryFolder tmp;
  const judge::Summary summary = test::record_shop(tmp.path() / "run");
  const std::string xml = text_of(of(tmp.path() / "run", "junit"));
  CHECK(xml.find("tests=\"3\" failures=\"1\" errors=\"0\"") != std::string::npos);
  CHECK(xml.find("<testcase classname=\"shop\" name=\"durable\" time=\"0\"/>") != std::string::npos);
  CHECK(xml.find("message=\"e2e_latency max is 1.3 s, expected &lt; 500 ms\"") != std::string::npos);
  const std::string annotations =
      "file=scenarios/shop.yaml,line=9,title=kraftsim%3A tail::e2e_latency max is 1.3 s, expected < 500 "
      "ms\n";
  CHECK(text_of(of(tmp.path() / "run", "github")) ==
        "::error " + annotations.substr(0, 5) + annotations.substr(15));
  CHECK(github_annotations(summary, "scenarios/shop.yaml") == "::error " + annotations);
  CHECK(github_command("error", "a,b.yaml", 0, "50%", "two\nlines") ==
        "::error file=a%2Cb.yaml,title=kraftsim%3A 50%25::two%0Alines\n");
}

TEST_CASE("promtool: the samples from second 1 on, and each alert asked for at each time") {
  test::TemporaryFolder tmp;
  test::record_shop(tmp.path() / "run");
  ExportRequest request = of(tmp.path() / "run", "promtool");
  CHECK(refusal(request).message == "say which alerts: --rules FILE");
  request.rules = tmp.path() / "rules.yml";
  CHECK(refusal(request).message == "cannot be read");
  write_text(request.rules, "groups:\n- name: g\n  rules: []\n");
  CHECK(refusal(request).message == "has no alert");
  write_text(request.rules,
             "groups:\n- rules:\n  - alert: \"Lag: high\"\n    expr: 1\n  -   alert: Down # really\n");
  write_text(tmp.path() / "run" / "metrics.csv",
             "t_s,kafka_consumergroup_lag[payment],x\n1.000,4,\n2.000,5,7\n12.000,6,8\n12.500,9,9\n");
  const std::string text = text_of(request);
  CHECK(
      text.find(
          "series: 'kafka_consumergroup_lag{consumergroup=\"payment\"}'\n        values: '_ 4 5 _ _ _ _ _ _ "
          "_ _ _ 6'\n") != std::string::npos);
  CHECK(text.find("series: 'kraftsim_x'\n        values: '_ _ 7 _ _ _ _ _ _ _ _ _ 8'\n") !=
        std::string::npos);
  CHECK(
      text.find("      - {eval_time: 5s, alertname: 'Lag: high'}\n      - {eval_time: 10s, alertname: 'Lag: "
                "high'}\n      - {eval_time: 5s, alertname: 'Down'}\n") != std::string::npos);
}

TEST_CASE("ShiViz: clocks know what messages carried, those that are not shown, too") {
  test::TemporaryFolder tmp;
  const fs::path run = tmp.path() / "run";
  test::record_shop(run, trace::Level::control);
  const auto message = [](int ms, const char* ev, const char* name, const char* from, const char* to) {
    return nlohmann::ordered_json{{"t", ms * 1'000'000},
                                  {"node", ev[7] == 'S' ? from : to},
                                  {"ev", ev},
                                  {"msg", name},
                                  {"from", from},
                                  {"to", to},
                                  {"lane", "raft"},
                                  {"correlation", 7}}
               .dump() +
           "\n";
  };
  const auto told = [](int ms, const char* node) {
    return nlohmann::ordered_json{{"t", ms * 1'000'000}, {"node", node}, {"ev", "ProcessStarted"}}.dump() +
           "\n";
  };
  write_text(run / "events.jsonl", told(1, "a") + message(2, "MessageSent", "VoteRequest", "a", "b") +
                                       message(3, "MessageDelivered", "VoteRequest", "a", "b") +
                                       message(4, "MessageSent", "FetchRequest", "b", "c") +
                                       message(5, "MessageDelivered", "FetchRequest", "b", "c") +
                                       told(6, "c") + told(7, "d"));
  CHECK(text_of(of(run, "shiviz")) ==
        "(?<event>.*)\\n(?<host>\\S*) (?<clock>{.*})\n\n"
        "0.001000 s ProcessStarted\na {\"a\":1}\n"
        "0.002000 s sends VoteRequest to b\na {\"a\":2}\n"
        "0.003000 s receives VoteRequest from a\nb {\"a\":2, \"b\":1}\n"
        "0.006000 s ProcessStarted\nc {\"a\":2, \"b\":1, \"c\":1}\n"
        "0.007000 s ProcessStarted\nd {\"d\":1}\n");
  ExportRequest window = of(run, "shiviz");
  window.window = {Duration{6ms}, Duration{8ms}};
  CHECK(refusal(window).hint == "run it with --trace full");
}

TEST_CASE("what is wrong is said") {
  test::TemporaryFolder tmp;
  const fs::path run = tmp.path() / "run";
  test::record_shop(run, trace::Level::off);
  CHECK(refusal(of(tmp.path() / "no", "mermaid", "1")).message == "does not exist");
  CHECK(refusal(of(tmp.path(), "mermaid", "1")).message ==
        "is not the folder of a run: it has no manifest.json of kraftsim");
  CHECK(refusal(of(run, "mermaid", "3")).message == "there is no order 3");
  CHECK(refusal(of(run, "mermaid", "3")).hint == "orders 0 to 2 were placed in this run");
  CHECK(refusal(of(run, "mermaid", "one")).message == "\"one\" names no order");
  CHECK(refusal(of(run, "mermaid", "-1")).message == "\"-1\" names no order");
  CHECK(refusal(of(run, "mermaid")).message == "say which part: --order ID, or --window FROM..TO");
  CHECK(refusal(of(run, "visio")).message == "\"visio\" is not a format");
  ExportRequest window = of(run, "mermaid");
  window.window = {Duration{0s}, Duration{1s}};
  CHECK(refusal(window).message == "does not exist: this run kept no trace");
  write_text(run / "orders.csv", "flow,order\n");
  CHECK(refusal(of(run, "mermaid", "1")).message == "does not have the columns of this version of kraftsim");
  write_text(run / "metrics.csv", "t_s,a\n1\n");
  CHECK(refusal(of(run, "openmetrics")).line == 2);
  write_text(run / "events.jsonl", "{\"t\":5,\n");
  CHECK(refusal(window).line == 1);
}

}  // namespace
}  // namespace sim::report
