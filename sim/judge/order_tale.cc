#include "judge/order_tale.h"

#include <algorithm>
#include <utility>

#include "base/human.h"

namespace sim::judge {
namespace {

class OrderTale {
 public:
  explicit OrderTale(const OrderFacts& order) : order_(order) {}

  void tell_way_to_the_log() {
    step(order_.intended, "placed by " + order_.flow);
    if (order_.accepted > order_.intended)
      step(order_.accepted, "accepted by the producer, which was blocked", true);
    if (order_.batched >= 0) {
      const std::string others =
          order_.batch_records > 1 ? " with " + std::to_string(order_.batch_records - 1) + " others" : "";
      step(order_.batched, "leaves the producer's batch for " + order_.partition + others);
      const std::string attempts =
          order_.retries > 0 ? ", attempt " + std::to_string(order_.retries + 1) + " at the latest" : "";
      if (order_.appended >= 0)
        step(order_.sent, "sent to " + order_.leader + attempts, order_.retries > 0);
      else
        step(order_.sent, "sent" + attempts + ", and no leader appends it", true);
      if (order_.appended >= 0) step(order_.received, order_.leader + " has received it");
      step(order_.appended, order_.leader + " appends it as offset " + std::to_string(order_.offset));
      step(order_.high_watermark, "below the high watermark, consumers may read it" +
                                      (order_.isr.empty() ? std::string() : ": in sync are " + order_.isr));
      step(order_.acknowledged, "acknowledged to " + order_.flow);
    }
    step(order_.failed, "reported as failed to " + order_.flow + ": " + order_.error, true);
  }

  void tell_service(const OrderFacts::Service& service) {
    const std::string who =
        service.member < 0 ? service.name : service.name + "[" + std::to_string(service.member) + "]";
    step(service.fetched, who + " has fetched it");
    step(service.started, who + " begins to work on it");
    const std::string times = ", " + std::to_string(service.times) + " times in all";
    const bool is_told_apart = service.done_again >= 0;
    step(service.done, who + " has done it" + (service.times > 1 && !is_told_apart ? times : ""),
         service.times > 1);
    step(service.done_again, service.name + " does it again" + times, true);
    step(service.committed, service.name + " has committed an offset behind it");
    step(service.skipped, service.name + "'s position is reset past it", true);
  }

  void tell_fault(const FaultStrike& fault, std::int64_t from, std::int64_t until) {
    const bool is_on_already = fault.from < from && (fault.to < 0 || fault.to > from);
    const bool strikes_within = fault.from >= from && fault.from <= until;
    if (fault.from < 0 || (!is_on_already && !strikes_within)) return;
    const std::string how = is_on_already ? " is on since " + human_duration(fault.from) : " strikes";
    around(std::max(fault.from, from), "fault " + fault.name + how + ": " + fault.kind + " " + fault.whom,
           true);
    if (fault.to > fault.from && fault.to >= from && fault.to <= until)
      around(fault.to, "fault " + fault.name + " is over");
  }

  void tell_change(const PartitionChange& change) {
    const std::string& partition = order_.partition;
    const std::string who = change.leader.empty() ? "nobody" : change.leader;
    if (change.event == "leader") {
      around(change.at, who + " leads " + partition + " in leader epoch " + change.leader_epoch, true);
    } else if (change.event == "leader_stopped") {
      around(change.at, "the leader of " + partition + " has stopped: nobody leads it", true);
    } else if (change.event == "decided") {
      around(change.at, "the controller has decided: leader " + who + ", ISR " + change.isr);
    } else if (change.event == "isr") {
      around(change.at, "the ISR of " + partition + " is " + change.isr);
    } else if (change.event == "truncated") {
      const bool takes_it = order_.offset >= 0 && change.offset <= order_.offset;
      around(change.at,
             change.replica + " cuts its log of " + partition + " back to offset " +
                 std::to_string(change.offset) + (takes_it ? ": this order was beyond" : ""),
             takes_it);
    }
  }

  std::vector<TaleLine> take() {
    std::stable_sort(lines_.begin(), lines_.end(),
                     [](const TaleLine& a, const TaleLine& b) { return a.at < b.at; });
    return std::move(lines_);
  }

 private:
  void step(std::int64_t at, std::string what, bool is_decisive = false) {
    if (at >= 0) lines_.push_back({at, std::move(what), false, is_decisive});
  }
  void around(std::int64_t at, std::string what, bool is_decisive = false) {
    lines_.push_back({at, std::move(what), true, is_decisive});
  }

  const OrderFacts& order_;
  std::vector<TaleLine> lines_;
};

}  // namespace

std::vector<TaleLine> tell_order(const OrderFacts& order, const std::vector<FaultStrike>& faults,
                                 const std::vector<PartitionChange>& changes, std::int64_t from,
                                 std::int64_t until) {
  OrderTale tale(order);
  tale.tell_way_to_the_log();
  for (const OrderFacts::Service& service : order.services) tale.tell_service(service);
  for (const FaultStrike& fault : faults) tale.tell_fault(fault, from, until);
  if (!order.partition.empty()) {
    for (const PartitionChange& change : changes) {
      if (change.at >= from && change.at <= until) tale.tell_change(change);
    }
  }
  return tale.take();
}

}  // namespace sim::judge
