// A leader that dies, a controller that is cut off: how long it took others to take over, and until all was
// well again.
#include "judge/cluster_metrics.h"

#include <doctest/doctest.h>

#include <string>

#include "app/shop.h"
#include "judge/fault_report.h"
#include "report/console.h"

namespace sim::judge {
namespace {

using report::TextOptions;
using report::to_text;
using test::Story;

constexpr ProcessId kController1{1}, kController2{2}, kBroker1 = test::kBroker1, kBroker2 = test::kBroker2;
constexpr FaultId kCrash{0}, kCut{1};
const TopicPartition kOrders1{TopicId{1}, 1};

observe::Names names() {
  observe::Names names = test::shop_names();
  names.processes[1] = "controller-1";
  names.processes[2] = "controller-2";
  names.processes[11] = "broker-2";
  names.faults = {"crash", "cut"};
  return names;
}

observe::PartitionChanged decided(TopicPartition tp, std::int32_t leader, std::int32_t leader_epoch,
                                  std::vector<NodeId> isr, Offset offset) {
  observe::PartitionChanged fact;
  fact.tp = tp;
  fact.leader = NodeId{leader};
  fact.leader_epoch = LeaderEpoch{leader_epoch};
  fact.replicas = {NodeId{1}, NodeId{2}};
  fact.isr = std::move(isr);
  fact.offset = offset;
  return fact;
}

observe::BrokerStateChanged broker(std::int32_t id, bool fenced, Offset offset) {
  return {NodeId{id}, BrokerEpoch{1}, fenced, false, offset};
}

// Broker 1, leader of orders-0, dies at 10 s and is replaced at 19 s; at 15 s the controller had gone too.
struct World {
  World() : story(record) {
    const NodeId one{1}, two{2};
    story.tell(0, kController1, observe::TopicCreated{TopicId{1}, "orders", 2, 2});
    story.tell(1, kController1, observe::ControllerChanged{NodeId{3001}, QuorumEpoch{1}, true});
    story.tell(2, kController1, decided(test::kOrders0, 1, 0, {one, two}, 1));
    story.tell(2, kController1, decided(kOrders1, 2, 0, {two, one}, 2));
    story.leads(3, 0, 0, kBroker1);
    story.tell(3, kBroker2, observe::BecameLeader{kOrders1, two, LeaderEpoch{0}, 0});
    story.tell(10'000, kNoProcess, observe::FaultStruck{kCrash, {kBroker1}});
    story.tell(10'000, kBroker1, observe::ProcessStopped{});
    story.tell(15'000, kNoProcess, observe::FaultStruck{kCut, {kController1}});
    story.tell(17'000, kController2, observe::ControllerChanged{NodeId{3002}, QuorumEpoch{2}, true});
    story.tell(18'500, kController2, broker(1, true, 9));
    story.tell(18'500, kController2, decided(test::kOrders0, -1, 1, {one}, 10));
    story.tell(19'000, kController2, decided(test::kOrders0, 2, 2, {two}, 11));
    story.tell(19'000, kController2, decided(test::kOrders0, 2, 2, {two}, 11));  // told twice
    story.tell(19'000, kController2, decided(kOrders1, 2, 0, {two}, 12));
    story.tell(19'200, kBroker2, observe::BecameLeader{test::kOrders0, two, LeaderEpoch{2}, 5});
    story.tell(20'000, kNoProcess, observe::FaultEnded{kCrash, 1});
    story.tell(21'000, kController2, broker(1, false, 13));
    story.tell(22'000, kController2, decided(test::kOrders0, 2, 2, {two, one}, 14));
    story.tell(23'000, kController2, decided(kOrders1, 2, 0, {two, one}, 15));
    story.tell(30'000, kNoProcess, observe::FaultEnded{kCut, 7});
    record.finish(Instant{40s}, true);
  }
  Measured measured(Expectation expectation) const {
    return measure(MeasuredRun(record, Duration{1s}, Duration{30s}, 40'000'000'000), expectation);
  }

  record::RunRecord record{{names(), metrics::LedgerSpec{2, {3}}, {}}};
  Story story;
};

Expectation asking(const std::string& metric, const std::string& of = "", const std::string& fault = "",
                   const std::string& statistic = "max") {
  Expectation expectation;
  expectation.metric = metric;
  expectation.of = of;
  expectation.fault = fault;
  expectation.statistic = statistic;
  return expectation;
}

TEST_CASE("how long failovers took, how often there were any, and what was down meanwhile") {
  const World world;
  struct Row {
    Expectation asked;
    std::int64_t ms;  // or a count
    std::uint64_t samples;
    bool at_least;
  };
  const Row rows[] = {
      {asking("time_to_new_controller"), 2'000, 1, false},  // the cut alone touched the active one
      {asking("time_to_new_controller", "", "crash"), 7'000, 1, false},  // asked for by name
      {asking("time_to_new_leader"), 9'000, 1, false},                   // orders-1 had not lost its leader
      {asking("time_to_new_leader", "orders-0", "crash"), 9'000, 1, false},
      {asking("time_to_new_leader", "orders-1", "crash"), 30'000, 1, true},  // never: 40 s less 10 s
      {asking("time_to_new_leader", "orders"), 9'000, 1, false},
      {asking("time_to_fence"), 8'500, 1, false},
      {asking("time_to_fence", "broker-1", "cut"), 3'500, 1, false},
      {asking("time_to_fence", "broker-2", "cut"), 25'000, 1, true},
      {asking("unavailability"), 9'200, 1, false},  // until the new leader took over
      {asking("unavailability", "orders-1"), 0, 1, false},
      {asking("leader_elections", "", "", "value"), 1, 1, false},
      {asking("leader_elections", "orders-1", "", "value"), 0, 1, false},
      {asking("controller_elections", "", "", "value"), 1, 1, false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.asked.metric);
    CAPTURE(row.asked.of);
    CAPTURE(row.asked.fault);
    const Measured measured = world.measured(row.asked);
    const bool is_count = row.asked.statistic == "value";
    CHECK(measured.value == (is_count ? row.ms : row.ms * 1'000'000));
    CHECK(measured.samples == row.samples);
    CHECK(measured.at_least == row.at_least);
  }
}

TEST_CASE("gauges count the most at any time of their window") {
  const World world;
  struct Row {
    const char* metric;
    const char* of;
    Window window;
    std::int64_t want;
  };
  const Row rows[] = {
      {"fenced_brokers", "", Window::all, 1},        {"fenced_brokers", "broker-2", Window::all, 0},
      {"under_replicated", "", Window::all, 2},      {"under_replicated", "orders-1", Window::all, 1},
      {"under_replicated", "", Window::after, 2},    {"offline_partitions", "", Window::faults, 1},
      {"offline_partitions", "", Window::steady, 0}, {"offline_partitions", "", Window::after, 0},
  };
  for (const Row& row : rows) {
    CAPTURE(row.metric);
    CAPTURE(row.of);
    Expectation asked = asking(row.metric, row.of, "", "value");
    asked.window = row.window;
    asked.after_fault = "crash";
    CHECK(world.measured(asked).value == row.want);
  }
}

TEST_CASE("recovery counts from the fault's end, once the condition goes on to hold") {
  const World world;
  const auto recovery = [&world](const std::string& fault, const std::string& metric, std::int64_t limit) {
    Expectation asked = asking(kRecovery, "", fault, "value");
    asked.until.metric = metric;
    asked.until.comparison = Comparison::less_equal;
    asked.until.limit = limit;
    return world.measured(asked);
  };
  CHECK(recovery("crash", "under_replicated", 0).value == 3'000'000'000);  // at 23 s
  CHECK(recovery("crash", "under_replicated", 1).value == 2'000'000'000);
  CHECK(recovery("crash", "fenced_brokers", 0).value == 1'000'000'000);
  CHECK(recovery("cut", "under_replicated", 0).value == 0);
  CHECK(recovery("crash", "lag", 0).value == 0);
  const Measured never = recovery("crash", "under_replicated", -1);
  CHECK(never.value == 20'000'000'000);
  CHECK(never.at_least);
}

TEST_CASE("an effect that sets in after its fault has ended counts; what the next fault does, does not") {
  record::RunRecord record{{names(), metrics::LedgerSpec{2, {3}}, {}}};
  Story story(record);
  story.tell(10'000, kNoProcess, observe::FaultStruck{kCrash, {kBroker1}});
  story.tell(10'100, kNoProcess, observe::FaultEnded{kCrash, 1});
  story.tell(19'000, kController1, broker(1, true, 2));  // its session is over
  story.tell(25'000, kController1, broker(1, false, 3));
  story.tell(30'000, kNoProcess, observe::FaultStruck{kCut, {kController1}});
  story.tell(31'000, kController1, broker(2, true, 4));
  story.tell(33'000, kNoProcess, observe::FaultEnded{kCut, 1});
  record.finish(Instant{40s}, true);
  const auto recovery = [&](const std::string& fault) {
    Expectation asked = asking(kRecovery, "", fault, "value");
    asked.until.metric = "fenced_brokers";
    asked.until.comparison = Comparison::less_equal;
    return measure(MeasuredRun(record, Duration{1s}, Duration{30s}, 40'000'000'000), asked);
  };
  CHECK(recovery("crash").value == 14'900'000'000);
  CHECK_FALSE(recovery("crash").at_least);
  CHECK(recovery("cut").value == 7'000'000'000);
  CHECK(recovery("cut").at_least);
}

TEST_CASE(
    "a fault is reported with whom it hit and what it did; one that did nothing leaves the verdict open") {
  fault::Schedule schedule;
  schedule.push_back(fault::Fault{"crash", fault::Kill{{fault::LeaderOf{"orders", 0}}}, Instant{10s}});
  schedule.push_back(
      fault::Fault{"cut", fault::Partition{fault::Isolate{{fault::ActiveController{}}}}, Instant{15s}});
  schedule.push_back(fault::Fault{"late", fault::Pause{{fault::BrokerTarget{NodeId{2}}}}, Instant{99s}});
  const World world;
  const MeasuredRun run(world.record, Duration{1s}, Duration{30s}, 40'000'000'000);
  const auto reports = report_faults(schedule, run);
  REQUIRE(reports.size() == 3);
  CHECK(reports[0].role == "leader of orders-0");
  CHECK(reports[0].strikes.at(0).touched == std::vector<std::string>{"broker-1"});
  CHECK(reports[1].effects() == 7);
  CHECK(reports[2].strikes.empty());
  Summary summary;
  summary.scenario = "shop";
  summary.end.end = Instant{40s};
  summary.faults = reports;
  CHECK(to_text(summary, TextOptions{})
            .find("faults   crash   10 s to 20 s   broker-1 (leader of orders-0)      1 process killed; felt "
                  "until 23 s\n"
                  "         cut     15 s to 30 s   controller-1 (active controller)   7 messages dropped\n"
                  "         late    did not strike\n") != std::string::npos);
}

}  // namespace
}  // namespace sim::judge
