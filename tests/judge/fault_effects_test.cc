// A strike's window lasts until its effect is over: when that is, and what says so.
#include "judge/fault_effects.h"

#include <doctest/doctest.h>

#include "app/shop.h"
#include "judge/metric.h"

namespace sim::judge {
namespace fault_effects_test {

using test::handled;
using test::Story;

constexpr FaultId kPause{0}, kNext{1};

observe::Names two_faults() {
  observe::Names names = test::shop_names();
  names.faults = {"pause", "next"};
  return names;
}

// An order a second from 1 s on, handled at once but for those between 10 s and `resumed`: these are handled
// then, all at once. The fault lasts from 10 s to 12 s.
struct Backlog {
  explicit Backlog(std::int64_t resumed_ms, std::int64_t end_ms = 200'000) : end_ns(end_ms * 1'000'000) {
    story.tell(0, test::kBroker1, observe::TopicCreated{TopicId{1}, "orders", 1, 1});
    story.leads(0, 0, 0);
    story.isr(0, {NodeId{1}});
    std::vector<std::int64_t> waiting;
    for (std::int64_t number = 0; number < 30; ++number) {
      const std::int64_t at = 1'000 + number * 1'000;
      if (at == 11'000) story.tell(10'000, kNoProcess, observe::FaultStruck{kPause, {ProcessId{30}}});
      if (at == 13'000) story.tell(12'000, kNoProcess, observe::FaultEnded{kPause, 1});
      if (!waiting.empty() && at > resumed_ms) {
        for (const std::int64_t one : waiting) done(resumed_ms, one);
        waiting.clear();
      }
      story.published(at, {number}, number);
      if (at > 10'000 && at <= resumed_ms) {
        waiting.push_back(number);
      } else {
        done(at + 50, number);
      }
    }
    record.finish(Instant{Duration{end_ns}}, true);
  }
  void done(std::int64_t ms, std::int64_t number) {
    for (const std::int32_t service : {0, 1}) handled(story, ms, service, number, number);
  }
  MeasuredRun run() const { return MeasuredRun(record, Duration{1s}, Duration{31s}, end_ns); }

  record::RunRecord record{{two_faults(), metrics::LedgerSpec{2, {3}}, {}}};
  Story story{record};
  std::int64_t end_ns;
};

std::int64_t measured_max(const MeasuredRun& run, Window window) {
  Expectation asked;
  asked.metric = "lag";
  asked.statistic = "max";
  asked.window = window;
  return measure(run, asked).value.value_or(-1);
}

TEST_CASE("what sets in at the end of a fault, or lasts beyond it, counts as its, not as steady") {
  const Backlog backlog(15'500);
  const MeasuredRun run = backlog.run();
  REQUIRE(run.faults.size() == 1);
  CHECK(run.faults[0].to == Instant{12s});
  CHECK(run.faults[0].effect_to == Instant{16s});  // the first second that ends well
  CHECK(run.faults[0].ends_by == EffectEnd::recovered);
  CHECK(measured_max(run, Window::faults) > 3'000'000'000);
  CHECK(measured_max(run, Window::steady) < 1'000'000'000);
}

TEST_CASE("a fault that nobody felt ends with the second in which it ended") {
  const Backlog backlog(0);
  CHECK(backlog.run().faults[0].effect_to == Instant{12s});
  CHECK(backlog.run().faults[0].ends_by == EffectEnd::recovered);
}

TEST_CASE("what never recovers is put down to the fault for a minute, and to the end of the run at most") {
  const Backlog never(1'000'000);
  CHECK(never.run().faults[0].effect_to == Instant{72s});
  CHECK(never.run().faults[0].ends_by == EffectEnd::grace);
  CHECK(measured_max(never.run(), Window::steady) > 60'000'000'000);
  const Backlog cut(1'000'000, 40'000);
  CHECK(cut.run().faults[0].effect_to == Instant{40s});
  CHECK(cut.run().faults[0].ends_by == EffectEnd::end_of_run);
}

TEST_CASE("the next strike ends the window of the one before; what decisions show counts to the nanosecond") {
  record::RunRecord record{{two_faults(), metrics::LedgerSpec{2, {3}}, {}}};
  Story story(record);
  const auto decided = [&](std::int64_t ms, std::vector<NodeId> isr, Offset offset) {
    observe::PartitionChanged fact;
    fact.tp = test::kOrders0;
    fact.leader = NodeId{1};
    fact.leader_epoch = LeaderEpoch{0};
    fact.replicas = {NodeId{1}, NodeId{2}};
    fact.isr = std::move(isr);
    fact.offset = offset;
    story.tell(ms, ProcessId{1}, fact);
  };
  story.tell(0, test::kBroker1, observe::TopicCreated{TopicId{1}, "orders", 1, 2});
  decided(1, {NodeId{1}, NodeId{2}}, 1);
  story.tell(10'000, kNoProcess, observe::FaultStruck{kPause, {test::kBroker1}});
  story.tell(12'000, kNoProcess, observe::FaultEnded{kPause, 1});
  SUBCASE("an effect that sets in later counts") {  // a broker is missed when its session is over
    decided(17'000, {NodeId{1}}, 2);
    decided(20'500, {NodeId{1}, NodeId{2}}, 3);
    record.finish(Instant{60s}, true);
    const MeasuredRun run(record, Duration{0}, Duration{50s}, 60'000'000'000);
    CHECK(run.faults[0].effect_to == Instant{21s});
    CHECK(run.faults[0].ends_by == EffectEnd::recovered);
  }
  SUBCASE("until another strikes") {
    decided(17'000, {NodeId{1}}, 2);
    story.tell(19'000, kNoProcess, observe::FaultStruck{kNext, {test::kBroker1}});
    story.tell(19'000, kNoProcess, observe::FaultEnded{kNext, 1});
    decided(20'500, {NodeId{1}, NodeId{2}}, 3);
    record.finish(Instant{60s}, true);
    const MeasuredRun run(record, Duration{0}, Duration{50s}, 60'000'000'000);
    REQUIRE(run.faults.size() == 2);
    CHECK(run.faults[0].effect_to == Instant{19s});
    CHECK(run.faults[0].ends_by == EffectEnd::next_strike);
    // It was worse already when the second struck: that one made nothing worse.
    CHECK(run.faults[1].ends_by == EffectEnd::recovered);
  }
}

}  // namespace fault_effects_test
}  // namespace sim::judge
