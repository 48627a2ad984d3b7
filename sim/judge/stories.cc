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
  Teller(const MeasuredRun& run, const std::vector<FaultReport>& faults) : run_(run) {
    for (const FaultReport& fault : faults) {
      for (const FaultReport::Strike& strike : fault.strikes) {
        const std::string whom = strike.touched.empty() ? fault.target : joined(strike.touched, ", ");
        const bool is_undone = strike.to_ns < run.end_ns;
        strikes_.push_back({fault.name, fault.kind, whom, strike.from_ns, is_undone ? strike.to_ns : kNever});
      }
    }
  }

  OrderStory tell(Index index, Why why) const {
    const OrderLedger::Order& order = run_.ledger.order(index);
    const OrderFacts facts = facts_of(index);
    OrderStory story{why,
                     facts.flow,
                     number_of(order.id),
                     run_.ledger.outcome(index),
                     order.intended,
                     run_.ledger.ended(index) - order.intended,
                     {}};
    story.steps = tell_order(facts, strikes_, changes_of(run_.ledger.batch_of(order)), order.intended,
                             run_.ledger.ended(index));
    return story;
  }

 private:
  std::string process(ProcessId id) const {
    const auto index = static_cast<std::size_t>(id.value());
    return id != kNoProcess && index < run_.names.processes.size() ? run_.names.processes[index] : "?";
  }

  OrderFacts facts_of(Index index) const {
    const OrderLedger::Order& order = run_.ledger.order(index);
    const OrderLedger::Batch& batch = run_.ledger.batch_of(order);
    OrderFacts facts;
    facts.flow = run_.names.flows[static_cast<std::size_t>(flow_of(order.id).value())];
    if (batch.batched != kNever) facts.partition = run_.record.topics()[batch.tp];
    facts.leader = process(batch.leader);
    facts.isr = run_.ledger.isr_of(batch.isr);
    facts.error = std::string(sim::name(order.error));
    facts.intended = order.intended;
    facts.accepted = order.accepted;
    facts.batched = batch.batched;
    facts.sent = batch.sent;
    facts.received = batch.received;
    facts.appended = batch.appended;
    facts.high_watermark = batch.high_watermark;
    facts.acknowledged = batch.acknowledged;
    facts.failed = order.failed;
    facts.offset = run_.ledger.offset_of(order);
    facts.batch_records = batch.record_count;
    facts.retries = batch.attempts > 1 ? batch.attempts - 1 : 0;
    for (std::size_t s = 0; s < run_.ledger.services(); ++s) {
      if (run_.ledger.wants(order, s)) facts.services.push_back(service_of(index, s));
    }
    return facts;
  }

  OrderFacts::Service service_of(Index index, std::size_t s) const {
    const OrderLedger::Service& row = run_.ledger.service(index, s);
    OrderFacts::Service service;
    service.name = run_.names.services[s];
    service.member = row.member;
    service.fetched = row.fetched;
    service.started = row.started;
    service.done = row.done;
    service.done_again = run_.ledger.done_again_at(index, s);
    service.committed = row.committed;
    if (run_.ledger.is_skipped(index, s)) service.skipped = run_.ledger.skipped_at(index, s);
    service.times = row.times;
    return service;
  }

  // Who leads from when on is what a page has room for.
  std::vector<PartitionChange> changes_of(const OrderLedger::Batch& batch) const {
    std::vector<PartitionChange> changes;
    if (batch.batched == kNever) return changes;
    for (const trace::Leadership::Row& row : run_.record.leadership().rows()) {
      if (row.tp != batch.tp || row.leader == kNoNode || std::string_view(row.event) != "leader") continue;
      PartitionChange change;
      change.at = nanos(row.at);
      change.event = row.event;
      change.leader = "broker-" + std::to_string(row.leader.value());
      change.leader_epoch = std::to_string(row.epoch);
      changes.push_back(std::move(change));
    }
    return changes;
  }

  const MeasuredRun& run_;
  std::vector<FaultStrike> strikes_;
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
  const Teller teller(run, faults);
  const auto tell = [&](const std::vector<Index>& orders, Why why) {
    for (const Index index : orders) {
      if (told.insert(index).second) stories.push_back(teller.tell(index, why));
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
