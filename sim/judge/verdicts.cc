#include "judge/verdicts.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/human.h"
#include "judge/group_metrics.h"
#include "judge/stuck.h"

namespace sim::judge {
namespace {

using metrics::kNever;
using metrics::OrderLedger;

constexpr std::size_t kNamed = 10;

std::string number(LeaderEpoch leader_epoch) {
  return std::to_string(leader_epoch.value());
}
std::string broker(NodeId id) {
  return "broker-" + std::to_string(id.value());
}

class Finder {
 public:
  explicit Finder(const MeasuredRun& run)
      : run_(run),
        ledger_(run.ledger),
        logs_(run.record.logs()),
        replicas_(run.record.checkers().replicas()) {}

  std::vector<OutcomeVerdict> find() {
    add("LOST(acked)", "", of_orders([this](OrderLedger::Index i) { return lost_acked(i); }));
    for_each_service("LOST(group)",
                     [this](OrderLedger::Index i, std::size_t s) { return lost_for_group(i, s); });
    add("FAILED", "", of_orders([this](OrderLedger::Index i) { return failed(i); }));
    add("DUP(log)", "", duplicates());
    for (std::size_t s = 0; s < ledger_.services(); ++s) add("ABORTED-READ", service(s), aborted_reads(s));
    add("TORN", "", torn());
    for_each_service("DUP(effect)", [this](OrderLedger::Index i, std::size_t s) { return done_again(i, s); });
    for (std::size_t s = 0; s < ledger_.services(); ++s) add("REORDER(key)", service(s), reordered(s));
    add("DIVERGED", "", diverged());
    add("UNAVAIL", "", unavailable());
    add("STUCK", "", stuck_partitions());
    for (std::size_t s = 0; s < ledger_.services(); ++s) add("STUCK", service(s), stuck_orders(s));
    return std::move(found_);
  }

 private:
  using Cases = std::vector<VerdictCase>;

  const std::string& service(std::size_t s) const { return run_.names.services[s]; }

  void add(const char* word, std::string service, Cases cases) {
    if (cases.empty()) return;
    std::stable_sort(cases.begin(), cases.end(),
                     [](const VerdictCase& a, const VerdictCase& b) { return a.at < b.at; });
    OutcomeVerdict verdict{word, std::move(service), std::move(cases), {}};
    verdict.of_kafka = static_cast<std::size_t>(std::count_if(
        verdict.cases.begin(), verdict.cases.end(), [this](const auto& one) { return is_of_kafka(one); }));
    if (verdict.of_kafka == verdict.cases.size()) verdict.of_kafka = 0;
    for (const VerdictCase& one : verdict.cases) {
      if (verdict.first.size() == kNamed) break;
      if (verdict.of_kafka == 0 || !is_of_kafka(one)) verdict.first.push_back(called(one));
    }
    found_.push_back(std::move(verdict));
  }

  bool is_of_kafka(const VerdictCase& one) const {
    return !one.order && run_.timeline.topics()[one.tp].starts_with("__");
  }

  std::string called(const VerdictCase& one) const {
    if (!one.order) return run_.timeline.topics()[one.tp];
    const RecordId id = ledger_.order(*one.order).id;
    const auto flow = static_cast<std::size_t>(flow_of(id).value());
    return (run_.names.flows.size() > 1 ? run_.names.flows[flow] + ":" : "") + std::to_string(number_of(id));
  }

  template <class Test>
  Cases of_orders(Test test) const {
    Cases cases;
    for (OrderLedger::Index i = 0; i < ledger_.size(); ++i) {
      if (auto one = test(i)) cases.push_back(std::move(*one));
    }
    return cases;
  }
  template <class Test>
  void for_each_service(const char* word, Test test) {
    for (std::size_t s = 0; s < ledger_.services(); ++s) {
      add(word, service(s), of_orders([&](OrderLedger::Index i) { return test(i, s); }));
    }
  }

  VerdictCase of_order(OrderLedger::Index index, std::int64_t at, std::string cause) const {
    const OrderLedger::Order& order = ledger_.order(index);
    VerdictCase one;
    one.at = at;
    one.order = index;
    one.tp = ledger_.batch_of(order).tp;
    one.offset = ledger_.offset_of(order);
    one.cause = std::move(cause);
    return one;
  }

  // The log lost it when a leader took over that did not have it: the last one that made it go.
  std::optional<VerdictCase> lost_acked(OrderLedger::Index index) const {
    if (!ledger_.lost_acked(index)) return std::nullopt;
    const OrderLedger::Batch& batch = ledger_.batch_of(ledger_.order(index));
    if (batch.appended == kNever) {
      return of_order(index, batch.acknowledged,
                      "acks=0: nobody had waited for it to be appended, and it never was");
    }
    const Offset offset = ledger_.offset_of(ledger_.order(index));
    if (offset == kNoOffset) {
      return of_order(index, batch.appended,
                      appended_by_replaced(ledger_.replaced_leader(ledger_.order(index))));
    }
    const auto& losses = replicas_.losses();
    for (auto loss = losses.rbegin(); loss != losses.rend(); ++loss) {
      const bool covers = loss->tp == batch.tp && loss->from <= offset && offset < loss->to;
      if (covers && nanos(loss->at) >= batch.appended) return of_order(index, nanos(loss->at), loss->cause);
    }
    return taken(index, batch, offset);
  }

  static std::string appended_by_replaced(const OrderLedger::ReplacedLeader* leader) {
    if (leader == nullptr) return "its leader had been replaced and did not know it yet";
    return broker(leader->broker) + " appended it in leader epoch " + number(leader->leader_epoch) + "; " +
           broker(leader->successor) + " had been leader in epoch " + number(leader->successor_epoch) +
           " since " + human_duration(leader->successor_since);
  }

  // No replica holds it any more, though no leader has taken over without it.
  VerdictCase taken(OrderLedger::Index index, const OrderLedger::Batch& batch, Offset offset) const {
    const observe::ReplicaLogs::Partition* log = logs_.find(batch.tp);
    const bool is_led = log != nullptr && logs_.has_leader(*log);
    const char* nobody = is_led ? "" : ", and nobody leads it";
    if (const auto disks = replicas_.taken(batch.tp, offset, offset + 1, Instant{Duration{batch.appended}})) {
      return of_order(index, nanos(disks->at), disks->what + nobody);
    }
    std::int64_t at = batch.appended;
    for (const auto& gap : open_gaps_of(run_.timeline)) {
      if (gap.tp == batch.tp) at = std::max(at, gap.from);
    }
    return of_order(index, at, std::string("no replica holds it any more") + nobody);
  }

  std::optional<VerdictCase> lost_for_group(OrderLedger::Index index, std::size_t s) const {
    if (!ledger_.lost_for_group(index, s)) return std::nullopt;
    const OrderLedger::Service& row = ledger_.service(index, s);
    const OrderLedger::Order& order = ledger_.order(index);
    if (ledger_.is_deleted(order)) {
      return of_order(index, ledger_.deleted_at(order), "deleted from the log before it was done");
    }
    if (const std::size_t maker = ledger_.upstream(index, s);
        maker != ledger_.services() && !ledger_.batch_read(index, s).is_live()) {
      return of_order(index,
                      std::max(ledger_.service(index, maker).committed, ledger_.service(index, maker).done),
                      ledger_.lost_for(index, maker)
                          ? service(maker) + " lost it before"
                          : service(maker) + " handled it and went on, and what it sent on is in no log");
    }
    if (ledger_.is_skipped(index, s)) {
      return of_order(index, ledger_.skipped_at(index, s), "its group's position was reset past it");
    }
    const std::int64_t compacted = ledger_.compacted_at(order);
    if (compacted != kNever && ledger_.is_passed_over(index, row, s)) {
      return of_order(index, row.fetched, "compacted away before it was read");
    }
    if (row.fetched == kNever && compacted != kNever && compacted <= row.committed) {
      return of_order(index, compacted, "compacted away before it was read");
    }
    return of_order(index, std::max(row.committed, ledger_.batch_of(order).appended),
                    "its group had committed past it");
  }

  std::optional<VerdictCase> failed(OrderLedger::Index index) const {
    const OrderLedger::Order& order = ledger_.order(index);
    if (order.failed == kNever) return std::nullopt;
    return of_order(index, order.failed, std::string(sim::name(order.error)));
  }

  std::optional<VerdictCase> done_again(OrderLedger::Index index, std::size_t s) const {
    const OrderLedger::Service& row = ledger_.service(index, s);
    if (row.times < 2) return std::nullopt;
    const std::int64_t again = ledger_.done_again_at(index, s);
    const std::string why = what_happened_to(run_, run_.names.groups[s], ledger_.process_of(s, row.member),
                                             std::max(row.fetched, std::int64_t{0}), again);
    return of_order(index, again,
                    "done " + std::to_string(row.times) + " times" + (why.empty() ? "" : "; " + why));
  }

  Cases aborted_reads(std::size_t s) const {
    Cases cases;
    for (const OrderLedger::AbortedRead& read : ledger_.aborted_reads()) {
      if (read.service != s) continue;
      VerdictCase one =
          of_order(read.order, read.at, "it had read the record of a transaction that was aborted");
      one.tp = read.tp;
      one.offset = read.offset;
      cases.push_back(std::move(one));
    }
    return cases;
  }

  Cases torn() const {
    Cases cases;
    for (const check::TornTransaction& torn : run_.record.checkers().transactions().torn()) {
      VerdictCase one;
      one.at = nanos(torn.at);
      one.tp = torn.tp;
      one.cause = torn.what;
      cases.push_back(std::move(one));
    }
    return cases;
  }

  Cases duplicates() const {
    Cases cases;
    for (const OrderLedger::Duplicate& duplicate : ledger_.duplicates()) {
      const OrderLedger::Batch& batch = ledger_.batch_of(ledger_.order(duplicate.order));
      VerdictCase one = of_order(duplicate.order, duplicate.at == kNever ? batch.appended : duplicate.at, "");
      one.tp = duplicate.tp;
      one.offset = duplicate.offset;
      one.cause =
          "already in the log at offset " + std::to_string(ledger_.offset_of(ledger_.order(duplicate.order)));
      cases.push_back(std::move(one));
    }
    return cases;
  }

  std::string key_text(std::int64_t key) const {
    return key < observe::kFirstRecordedKey ? std::to_string(key) : run_.names.key(key);
  }

  Cases reordered(std::size_t s) const {
    Cases cases;
    for (const OrderLedger::Index index : ledger_.reordered(s)) {
      cases.push_back(of_order(
          index, ledger_.service(index, s).done,
          "of key " + key_text(ledger_.order(index).key) + ", done before one that was placed earlier"));
    }
    return cases;
  }

  Cases diverged() const {
    Cases cases;
    logs_.partitions().for_each([&](TopicPartition tp, const observe::ReplicaLogs::Partition& log) {
      const Offset offset = logs_.divergence(log);
      if (offset == kNoOffset) return;
      VerdictCase one;
      const auto first = replicas_.first_divergence(tp);
      one.at = first ? nanos(*first) : run_.end_ns;
      one.tp = tp;
      one.offset = offset;
      one.cause = "two replicas differ from this offset on, below both high watermarks";
      cases.push_back(std::move(one));
    });
    return cases;
  }

  static VerdictCase of_partition(TopicPartition tp, std::int64_t from, std::int64_t to, std::string cause) {
    VerdictCase one;
    one.at = from;
    one.tp = tp;
    one.lasted = to - from;
    one.cause = std::move(cause);
    return one;
  }
  Cases unavailable() const {
    Cases cases;
    for (const auto& gap : run_.timeline.gaps()) {
      if (gap.to == metrics::kStillLasts || gap.to == gap.from) continue;
      cases.push_back(of_partition(gap.tp, gap.from, gap.to, std::string(kNobodyLedIt)));
    }
    for (const auto& gap : open_gaps_of(run_.timeline)) {
      if (run_.end_ns == gap.from || run_.end_ns - gap.from >= kStuckAfter) continue;
      cases.push_back(of_partition(gap.tp, gap.from, run_.end_ns, "nobody leads it, to the end of the run"));
    }
    const std::vector<StuckPartition> stuck = stuck_partitions_of(run_);
    for (const OrderLedger::Refusal& one : ledger_.refusals()) {
      const std::string error = " (" + std::string(sim::name(one.error)) + ")";
      if (one.to != kNever) {
        cases.push_back(of_partition(one.tp, one.from, one.to, "its leader refused orders" + error));
      } else if (std::none_of(stuck.begin(), stuck.end(), [&](const auto& s) { return s.tp == one.tp; })) {
        cases.push_back(of_partition(one.tp, one.from, run_.end_ns,
                                     "its leader refuses orders" + error + ", to the end of the run"));
      }
    }
    return cases;
  }
  Cases stuck_partitions() const {
    Cases cases;
    for (const StuckPartition& one : stuck_partitions_of(run_)) {
      cases.push_back(of_partition(
          one.tp, one.from, one.to,
          one.is_led ? "its leader refuses what is sent to it, or does not answer, and takes nothing"
                     : "nobody leads it, to the end of the run"));
    }
    return cases;
  }

  // Orders that wait in the log for a service that has done none of their partition for long: since its last,
  // or since they could be read. Not if who owns the partition is at work all the time: they wait their turn.
  Cases stuck_orders(std::size_t s) const {
    std::map<TopicPartition, std::int64_t> last;
    const std::vector<bool> is_busy = busy_members(s);
    const observe::ServiceId service_id{static_cast<std::int32_t>(s)};
    const auto waits_its_turn = [&](TopicPartition tp) {
      const auto& owners = run_.groups.owners(service_id, tp);
      return std::any_of(owners.begin(), owners.end(), [&](std::int32_t member) {
        return static_cast<std::size_t>(member) < is_busy.size() && is_busy[static_cast<std::size_t>(member)];
      });
    };
    for (OrderLedger::Index i = 0; i < ledger_.size(); ++i) {
      const std::int64_t done = ledger_.service(i, s).done;
      if (done == kNever) continue;
      std::int64_t& latest = last.try_emplace(ledger_.batch_read(i, s).tp, kNever).first->second;
      latest = std::max(latest, done);
    }
    return of_orders([&](OrderLedger::Index i) -> std::optional<VerdictCase> {
      const OrderLedger::Order& order = ledger_.order(i);
      const OrderLedger::Batch& batch = ledger_.batch_read(i, s);
      if (!ledger_.wants(order, s) || ledger_.service(i, s).done != kNever) return std::nullopt;
      if (!batch.is_live() || batch.high_watermark == kNever || ledger_.lost_for(i, s)) return std::nullopt;
      const auto found = last.find(batch.tp);
      const std::int64_t since = std::max(batch.high_watermark, found == last.end() ? kNever : found->second);
      if (run_.end_ns - since < kStuckAfter || waits_its_turn(batch.tp)) return std::nullopt;
      return of_order(i, since,
                      "its group makes no progress" + rebalances_since(s, run_.end_ns - kStuckAfter));
    });
  }

  // Whether each member of a service spent most of the last kStuckAfter on orders that it had not done
  // before.
  std::vector<bool> busy_members(std::size_t s) const {
    constexpr std::int64_t kMost = kStuckAfter / 5 * 4;
    const std::int64_t from = run_.end_ns - kStuckAfter;
    std::vector<std::int64_t> at_work;
    for (OrderLedger::Index i = 0; i < ledger_.size(); ++i) {
      const OrderLedger::Service& row = ledger_.service(i, s);
      const std::int64_t end = row.done == kNever ? run_.end_ns : row.done;
      if (row.started == kNever || row.member < 0 || end <= from) continue;
      const auto member = static_cast<std::size_t>(row.member);
      if (member >= at_work.size()) at_work.resize(member + 1, 0);
      at_work[member] += end - std::max(row.started, from);
    }
    std::vector<bool> busy;
    for (const std::int64_t ns : at_work) busy.push_back(ns >= kMost);
    return busy;
  }

  std::string rebalances_since(std::size_t s, std::int64_t from) const {
    std::size_t times = 0;
    std::string last;
    for (const metrics::GroupTimeline::Event& event : run_.groups.events()) {
      using Kind = metrics::GroupTimeline::Event::Kind;
      if (event.at < from || event.group != run_.names.groups[s]) continue;
      if (event.kind == Kind::rebalance_began) ++times;
      if (event.kind == Kind::departed) last = ", " + in_words(event.departure_reason);
    }
    if (times == 0) return "";
    return ": " + std::to_string(times) + (times == 1 ? " rebalance" : " rebalances") +
           " in its last minute" + last;
  }

  const MeasuredRun& run_;
  const OrderLedger& ledger_;
  const observe::ReplicaLogs& logs_;
  const check::ReplicaInvariants& replicas_;
  std::vector<OutcomeVerdict> found_;
};

}  // namespace

const std::vector<VerdictWord>& verdict_words() {
  static const std::vector<VerdictWord> words{
      {"LOST(acked)",
       "Acknowledged, and not in the final log: what the last leader holds or, without a leader, what an "
       "intact disk could still bring back."},
      {"LOST(group)",
       "In the log, and the group can no longer handle it: skipped, deleted by retention, compacted away."},
      {"FAILED", "The producer was told so."},
      {"DUP(log)", "In the log at two offsets."},
      {"ABORTED-READ", "A service has handled what was in a transaction that was aborted."},
      {"TORN",
       "A transaction took effect in part: not all of what it wrote, or not in all of its partitions."},
      {"DUP(effect)", "Handled more than once by a service."},
      {"REORDER(key)", "Orders of one key were handled in another order than they were placed in."},
      {"DIVERGED", "Two replicas that are up differ below both high watermarks when the run ends."},
      {"UNAVAIL",
       "A partition without a leader, or with one that refuses orders (NOT_ENOUGH_REPLICAS), for how long."},
      {"STUCK",
       "No progress for a minute, until somebody acts: a partition that nobody leads or that takes nothing, "
       "or "
       "orders that their group does not come to although it is not busy with others."}};
  return words;
}

std::vector<OutcomeVerdict> find_verdicts(const MeasuredRun& run) {
  return Finder(run).find();
}

}  // namespace sim::judge
