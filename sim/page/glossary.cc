#include "page/glossary.h"

#include "page/markup.h"

namespace sim::page {
namespace {

struct Term {
  const char* name;
  const char* meaning;
};
constexpr Term kTerms[] = {
    {"ABORTED-READ",
     "A service did an order whose record belonged to a transaction that was aborted: it reads uncommitted."},
    {"acknowledged", "The producer was told that the order is in the log, as safe as its acks ask for."},
    {"DIVERGED",
     "Two replicas of a partition hold different records at one offset below the high watermark."},
    {"DUP(effect)",
     "A service did an order more than once: it was read again after its offset was not committed."},
    {"DUP(log)",
     "The log of a partition holds an order twice: the producer sent it again, and both were appended."},
    {"end-to-end latency",
     "From the instant a customer meant to place an order, however blocked the producer was then, until "
     "every service "
     "had done it. What is not done counts at its age."},
    {"FAILED", "The producer reported an error for the order, and no service will do it."},
    {"fenced",
     "The controller counts the broker as dead, for it has not heard from it within "
     "broker.session.timeout.ms."},
    {"fingerprint",
     "A hash of everything that happened. The same scenario, seed and version of kraftsim give the same "
     "one."},
    {"high watermark",
     "The offset below which every in-sync replica has the log; consumers read no further."},
    {"ISR", "The in-sync replicas: those that have all that the leader acknowledged to acks=all producers."},
    {"lag", "How old the oldest order is that a consumer group has not committed yet."},
    {"leader epoch",
     "A number that rises with each new leader of a partition; what comes with an older one is refused."},
    {"LOST(acked)", "An order was acknowledged, and the final log of its partition does not hold it."},
    {"LOST(group)", "An order is in the log, but a group has gone past it without doing it."},
    {"open", "Still under way when the run ended."},
    {"REORDER(key)", "A service did two orders of one customer in another order than they were placed."},
    {"steady", "The time after the warm-up in which no fault is on."},
    {"STUCK", "A partition or a group makes no progress any more."},
    {"TORN", "A transaction took effect in part: some of what it wrote was committed, some aborted."},
    {"UNAVAIL", "A partition took no orders: nobody led it, or its leader refused them."},
};

}  // namespace

std::string glossary_markup() {
  std::string terms;
  for (const Term& term : kTerms)
    terms += element("dt", "", escaped(term.name)) + element("dd", "", escaped(term.meaning));
  return element("dl", "class=\"glossary\"", terms);
}

}  // namespace sim::page
