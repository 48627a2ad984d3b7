// What expectations ask of groups and of the quorum, and what a verdict says had happened to a group.
#include "judge/group_metrics.h"

#include <doctest/doctest.h>

#include "app/shop.h"
#include "judge/metric.h"

namespace sim::judge {
namespace group_metrics_test {

using observe::DepartureReason;
using observe::RebalanceReason;
using test::Story;

constexpr ProcessId kController{1};
constexpr observe::ServiceId kPaymentService{1};

// Payment forms at 1 s, a member is expelled at 10 s, another closed at 20 s; inventory forms only. Its
// partition is without an owner from 10 s to 13 s, and from 20 s to the end.
struct Groups {
  Groups() {
    begins(1'000, "inventory", RebalanceReason::member_joined);
    begins(1'000, "payment", RebalanceReason::member_joined);
    assigned(3'000, {test::kOrders0});
    departed(10'000, DepartureReason::session_expired);
    begins(10'000, "payment", RebalanceReason::member_expelled);
    revoked(10'000);
    assigned(13'000, {test::kOrders0});
    departed(20'000, DepartureReason::closed);
    revoked(20'000);
    for (const std::int64_t ms : {1'000, 1'500, 4'000, 4'500})
      story.tell(ms, kController, observe::MetadataCommitted{NodeId{1}, QuorumEpoch{1}, true, 0, ms / 100});
    story.tell(4'600, kController, observe::MetadataCommitted{NodeId{2}, QuorumEpoch{1}, false, 0, 99});
    for (const std::int32_t epoch : {1, 1, 2, 4, 3}) {
      story.tell(5'000 + epoch, kController,
                 observe::QuorumRoleChanged{
                     NodeId{1}, epoch == 1 ? observe::QuorumRole::leader : observe::QuorumRole::candidate,
                     QuorumEpoch{epoch}, kNoNode});
    }
    story.tell(22'000, test::kBroker1, observe::OffsetsReset{FaultId{0}, "payment", "orders"});
    record.finish(Instant{30s}, true);
  }
  void begins(std::int64_t ms, const char* group, RebalanceReason reason) {
    story.tell(ms, test::kBroker1, observe::RebalanceBegan{group, Generation{0}, reason, ""});
  }
  void departed(std::int64_t ms, DepartureReason reason) {
    story.tell(ms, test::kBroker1, observe::MemberDeparted{"payment", "m", reason});
  }
  void assigned(std::int64_t ms, std::vector<TopicPartition> partitions) {
    story.tell(ms, test::kPayment,
               observe::AssignmentReceived{kPaymentService, 0, Generation{1}, std::move(partitions)});
  }
  void revoked(std::int64_t ms) {
    story.tell(ms, test::kPayment, observe::PartitionsRevoked{kPaymentService, 0, {test::kOrders0}});
  }
  MeasuredRun run() const { return MeasuredRun(record, Duration{0}, Duration{25s}, 30'000'000'000); }

  static observe::Names names() {
    observe::Names all = test::shop_names();
    all.faults = {"replay"};
    return all;
  }
  record::RunRecord record{{names(), metrics::LedgerSpec{2, {3}}, {}}};
  Story story{record};
};

TEST_CASE("rebalances, members that are gone, partitions without an owner, commits and epochs are measured") {
  const Groups groups;
  struct Row {
    const char* metric;
    const char* of;
    std::int64_t want;  // ms, or a count
    bool at_least = false;
  };
  const Row rows[] = {{"rebalances", "", 3},
                      {"rebalances", "payment", 2},
                      {"rebalances", "inventory", 1},
                      {"expelled_members", "payment", 1},
                      {"left_members", "", 1},
                      {"left_members", "inventory", 0},
                      {"ownership_gap", "payment", 10'000, true},
                      {"ownership_gap", "inventory", 0},
                      {"metadata_commit_gap", "", 25'500},
                      {"quorum_epochs", "", 2}};
  for (const Row& row : rows) {
    CAPTURE(row.metric);
    CAPTURE(row.of);
    const Metric* metric = find_metric(row.metric);
    REQUIRE(metric != nullptr);
    Expectation asked;
    asked.metric = row.metric;
    asked.of = row.of;
    asked.statistic = metric->distribution ? "max" : "value";
    const Measured measured = measure(groups.run(), asked);
    CHECK(measured.value == (metric->unit == Unit::nanoseconds ? row.want * 1'000'000 : row.want));
    CHECK(measured.at_least == row.at_least);
  }
}

TEST_CASE("a group's summary counts what became of it; its words tell the first that explains") {
  const Groups groups;
  const MeasuredRun run = groups.run();
  const std::vector<GroupSummary> summaries = summarize_groups(run);
  REQUIRE(summaries.size() == 2);
  CHECK(summaries[0].rebalances == 1);
  CHECK(summaries[0].longest_gap_ns == -1);
  CHECK(summaries[1].left == 1);
  REQUIRE(summaries[1].expelled.size() == 1);
  CHECK(summaries[1].expelled[0].reason == DepartureReason::session_expired);
  CHECK(summaries[1].longest_gap_ns == 10'000'000'000);

  const auto told = [&](std::int64_t from_ms, std::int64_t to_ms) {
    return what_happened_to(run, "payment", test::kPayment, from_ms * 1'000'000, to_ms * 1'000'000);
  };
  CHECK(told(0, 2'000) == "a rebalance began: a member joined");
  CHECK(told(5'000, 15'000) ==
        "a member was expelled from the group: no heartbeat within session.timeout.ms");
  CHECK(told(15'000, 21'000) == "a member left the group: it was closed");
  CHECK(told(15'000, 25'000) == "its offsets were reset");
  CHECK(told(25'000, 30'000).empty());
}

}  // namespace group_metrics_test
}  // namespace sim::judge
