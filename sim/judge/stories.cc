#include "judge/stories.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "base/human.h"

namespace sim::judge {
namespace {

using metrics::kNever;
using metrics::OrderLedger;
using metrics::Outcome;
using Why = OrderStory::Why;
using Index = OrderLedger::Index;

constexpr std::size_t kOfEach = 3;

// ---- Which orders

bool is_handled_again(const MeasuredRun& run, Index index) {
  for (std::size_t s = 0; s < run.ledger.services(); ++s) {
    if (run.ledger.service(index, s).times > 1) return true;
  }
  return false;
}

std::vector<Index> slowest_of(const MeasuredRun& run) {
  std::vector<Index> slowest;
  const auto latency = [&run](Index i) { return run.ledger.ended(i) - run.ledger.order(i).intended; };
  for (Index i = 0; i < run.ledger.size(); ++i) {
    if (run.ledger.outcome(i) != Outcome::fulfilled || run.ledger.order(i).intended < nanos(run.warmup))
      continue;
    if (slowest.size() == kOfEach && latency(i) <= latency(slowest.back())) continue;
    const auto place = std::find_if(slowest.begin(), slowest.end(),
                                    [&](Index other) { return latency(other) < latency(i); });
    slowest.insert(place, i);
    if (slowest.size() > kOfEach) slowest.pop_back();
  }
  return slowest;
}

template <class Is>
std::vector<Index> first_that(const MeasuredRun& run, Is is) {
  std::vector<Index> found;
  for (Index i = 0; i < run.ledger.size() && found.size() < kOfEach; ++i) {
    if (is(i)) found.push_back(i);
  }
  return found;
}

// ---- What happened to one

class Teller {
 public:
  Teller(const MeasuredRun& run, const std::vector<FaultReport>& faults) : run_(run), faults_(faults) {}

  OrderStory tell(Index index, Why why) {
    const OrderLedger::Order& order = run_.ledger.order(index);
    story_ = OrderStory{why,
                        run_.names.flows[static_cast<std::size_t>(flow_of(order.id).value())],
                        number_of(order.id),
                        run_.ledger.outcome(index),
                        order.intended,
                        run_.ledger.ended(index) - order.intended,
                        {}};
    way_to_the_log(order);
    for (std::size_t s = 0; s < run_.ledger.services(); ++s) {
      if (run_.ledger.wants(order, s)) at_service(index, s);
    }
    around_it(order);
    std::stable_sort(story_.steps.begin(), story_.steps.end(),
                     [](const auto& a, const auto& b) { return a.at_ns < b.at_ns; });
    return std::move(story_);
  }

 private:
  void step(std::int64_t at, std::string what, bool is_around_it = false) {
    if (at != kNever) story_.steps.push_back({at, std::move(what), is_around_it});
  }

  std::string process(ProcessId id) const {
    const auto index = static_cast<std::size_t>(id.value());
    return id != kNoProcess && index < run_.names.processes.size() ? run_.names.processes[index] : "?";
  }

  void way_to_the_log(const OrderLedger::Order& order) {
    const OrderLedger::Batch& batch = run_.ledger.batch_of(order);
    step(order.intended, "placed by " + story_.flow);
    if (order.accepted > order.intended) step(order.accepted, "accepted by the producer, which was blocked");
    if (batch.batched != kNever) {
      const std::string partition = run_.record.topics()[batch.tp];
      const std::string others =
          batch.record_count > 1 ? " with " + std::to_string(batch.record_count - 1) + " others" : "";
      step(batch.batched, "leaves the producer's batch for " + partition + others);
      const std::string attempts =
          batch.attempts > 1 ? ", attempt " + std::to_string(batch.attempts) + " at the latest" : "";
      if (batch.appended != kNever)
        step(batch.sent, "sent to " + process(batch.leader) + attempts);
      else
        step(batch.sent, "sent" + attempts + ", and no leader appends it");
      step(batch.appended,
           process(batch.leader) + " appends it as offset " + std::to_string(run_.ledger.offset_of(order)));
      const std::string& isr = run_.ledger.isr_of(batch.isr);
      step(batch.high_watermark,
           "below the high watermark" + (isr.empty() ? std::string() : ": in sync are " + isr));
      step(batch.acknowledged, "acknowledged to " + story_.flow);
    }
    step(order.failed,
         std::string("reported as failed to ") + story_.flow + ": " + std::string(sim::name(order.error)));
  }

  void at_service(Index index, std::size_t s) {
    const OrderLedger::Service& row = run_.ledger.service(index, s);
    const std::string& service = run_.names.services[s];
    const std::string who = row.member < 0 ? service : service + "[" + std::to_string(row.member) + "]";
    step(row.fetched, who + " has fetched it");
    step(row.started, who + " begins to work on it");
    step(row.done, who + " has done it");
    step(run_.ledger.done_again_at(index, s),
         service + " does it again, " + std::to_string(row.times) + " times in all");
    step(row.committed, service + " has committed an offset behind it");
    if (run_.ledger.is_skipped(index, s))
      step(run_.ledger.skipped_at(index, s), service + "'s position is reset past it");
  }

  // Faults and changes of its partition's leader while it was under way.
  void around_it(const OrderLedger::Order& order) {
    const std::int64_t from = story_.intended_ns;
    const std::int64_t to = from + story_.latency_ns;
    const auto lies_within = [from, to](std::int64_t at) { return at >= from && at <= to; };
    for (const FaultReport& fault : faults_) {
      for (const FaultReport::Strike& strike : fault.strikes) {
        const std::string whom = strike.touched.empty() ? fault.target : joined(strike.touched, ", ");
        const bool is_on_already = strike.from_ns < from && strike.to_ns > from;
        if (is_on_already || lies_within(strike.from_ns))
          step(std::max(strike.from_ns, from),
               "fault " + fault.name + (is_on_already ? " is on: " : ": ") + fault.kind + " " + whom, true);
        if (strike.to_ns > strike.from_ns && lies_within(strike.to_ns) && strike.to_ns < run_.end_ns)
          step(strike.to_ns, "fault " + fault.name + " ends", true);
      }
    }
    const OrderLedger::Batch& batch = run_.ledger.batch_of(order);
    if (batch.batched == kNever) return;
    for (const trace::Leadership::Row& row : run_.record.leadership().rows()) {
      if (row.tp != batch.tp || !lies_within(nanos(row.at)) || row.leader == kNoNode) continue;
      if (std::string_view(row.event) != "leader") continue;
      step(nanos(row.at),
           "broker-" + std::to_string(row.leader.value()) + " leads " + run_.record.topics()[batch.tp] +
               " in leader epoch " + std::to_string(row.epoch),
           true);
    }
  }

  const MeasuredRun& run_;
  const std::vector<FaultReport>& faults_;
  OrderStory story_;
};

}  // namespace

const char* name(OrderStory::Why why) {
  switch (why) {
    case Why::slowest: return "slowest";
    case Why::lost: return "lost";
    case Why::failed: return "failed";
    case Why::handled_again: return "handled again";
    case Why::open: return "open";
  }
  return "?";
}

std::vector<OrderStory> stories_of(const MeasuredRun& run, const std::vector<FaultReport>& faults) {
  std::vector<OrderStory> stories;
  std::set<Index> told;
  const auto tell = [&](const std::vector<Index>& orders, Why why) {
    for (const Index index : orders) {
      if (told.insert(index).second) stories.push_back(Teller(run, faults).tell(index, why));
    }
  };
  const auto has = [&run](Outcome outcome) {
    return [&run, outcome](Index i) { return run.ledger.outcome(i) == outcome; };
  };
  tell(first_that(run, has(Outcome::lost)), Why::lost);
  tell(first_that(run, has(Outcome::failed)), Why::failed);
  tell(first_that(run, [&run](Index i) { return is_handled_again(run, i); }), Why::handled_again);
  tell(first_that(run, has(Outcome::open)), Why::open);
  tell(slowest_of(run), Why::slowest);
  return stories;
}

}  // namespace sim::judge
