#pragma once

#include <cstdint>
#include <string>
#include <vector>

// What happened to one order and around it, as lines in order of time. It is told here and nowhere else,
// whether the run is still in memory (the orders of a page, judge/stories.h) or read back from its files
// (`kraftsim why`, report/why.h): each of them fills in the same facts.
namespace sim::judge {

// Stamps are nanoseconds of simulated time; -1: that did not happen, or is not known.
struct OrderFacts {
  struct Service {
    std::string name;
    std::int64_t member = -1;  // that did it first
    std::int64_t fetched = -1, started = -1, done = -1, done_again = -1, committed = -1;
    std::int64_t skipped = -1;  // its position was reset past it
    std::int64_t times = 0;     // how often it was done
  };
  std::string flow;
  std::string partition;  // "orders-0"; empty: it never left the producer
  std::string leader;     // the process that appended it
  std::string isr;        // when the high watermark passed it
  std::string error;      // that the producer reported
  std::int64_t intended = -1, accepted = -1, batched = -1, sent = -1, received = -1, appended = -1,
               high_watermark = -1, acknowledged = -1, failed = -1;
  std::int64_t offset = -1;
  std::int64_t batch_records = 0;
  std::int64_t retries = 0;  // of its batch
  std::vector<Service> services;
};

struct FaultStrike {
  std::string name;
  std::string kind;
  std::string whom;
  std::int64_t from = -1;
  std::int64_t to = -1;  // -1: it was never undone
};

// What befell the order's partition: a row of leadership.csv (trace/leadership.h), where `event` is
// explained.
struct PartitionChange {
  std::int64_t at = -1;
  std::string event;
  std::string leader;  // "broker-1"; empty: nobody
  std::string leader_epoch;
  std::string isr;
  std::int64_t offset = -1;
  std::string replica;  // "broker-2"
};

struct TaleLine {
  std::int64_t at = 0;
  std::string what;
  bool is_around_it = false;  // a fault or a change of its partition, and not a step of the order
  bool is_decisive = false;   // one that it could have gone well without
};

// Of faults and changes of the partition only what lies, or lasts, within [from, until].
std::vector<TaleLine> tell_order(const OrderFacts& order, const std::vector<FaultStrike>& faults,
                                 const std::vector<PartitionChange>& changes, std::int64_t from,
                                 std::int64_t until);

}  // namespace sim::judge
