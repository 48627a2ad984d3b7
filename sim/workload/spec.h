#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/distribution.h"
#include "base/time.h"
#include "client/config.h"

// What the applications of a scenario do: who sends which orders when, and who handles them how.
// Values only; scenario fills them in, workload plays them.
namespace sim::workload {

// Rates are thousandths of an order per second, so that 0.5/s is exact.
using MilliRate = std::int64_t;

// Open-loop arrivals: the next order comes when it comes, however slow the cluster is.
struct ConstantArrivals {
  MilliRate rate = 0;
};
struct PoissonArrivals {
  MilliRate rate = 0;
};
struct RampArrivals {  // Poisson, rate growing (or falling) linearly from `from` to `to` over `over`, then
                       // `to`
  MilliRate from = 0, to = 0;
  Duration over{};
};
struct BurstArrivals {  // Poisson at `base`; every `every`, for `length`, at `peak`
  MilliRate base = 0, peak = 0;
  Duration every{}, length{};
};
struct DailyArrivals {  // Poisson; a day of `day` goes smoothly from `low` to `high` and back, highest at
                        // `peak_at`
  MilliRate low = 0, high = 0;
  Duration day{}, peak_at{};
};
// No order is larger; producers refuse far smaller ones, and a batch with it has a size that fits an int, as
// in Kafka.
inline constexpr std::int64_t kMostValueBytes = std::int64_t{1} << 30;

struct TraceOrder {
  std::int64_t at_ns = 0;
  std::int64_t key = -1;  // -1 = none; otherwise the key's number (observe::Names)
  std::int32_t value_bytes = 0;
};
struct TraceArrivals {  // recorded orders, sorted by time
  std::shared_ptr<const std::vector<TraceOrder>> orders;
  std::string file;
  std::shared_ptr<const std::vector<std::string>>
      keys{};  // of all traces, from observe::kFirstRecordedKey on
};
using Arrivals = std::variant<ConstantArrivals, PoissonArrivals, RampArrivals, BurstArrivals, DailyArrivals,
                              TraceArrivals>;

struct FlowSpec {  // an order service
  std::string name;
  std::string rack;  // empty = none
  std::string topic;
  Arrivals arrivals = ConstantArrivals{};
  bool keyed = false;
  Distribution key = Distribution::constant(0);  // the customer's number; its key is "user-<number>"
  Distribution record_bytes = Distribution::constant(1024);  // value size
  client::ProducerConfig producer;
  Duration start_at{};           // of the first order
  Distribution start_time{};     // from when its process is started again until it runs
  std::int64_t max_orders = -1;  // -1 = until the scenario's load ends
  // With producer.transactional_id: so many orders are sent in one transaction, and this share of all
  // transactions (millionths) is aborted by the application when all were sent.
  std::int32_t orders_per_transaction = 1;
  std::int32_t aborts_millionths = 0;
};

enum class CommitMode : std::uint8_t {
  auto_commit,  // enable.auto.commit=true
  after_batch,  // commitSync after all records of a poll were processed
  after_each,   // commitSync after each record
  before,       // commitSync of the polled positions before processing (at most once)
  transaction,  // sendOffsetsToTransaction, in one transaction with what is produced of a poll
};

// What a service sends on, one record for each order that it has handled.
struct OnwardSpec {
  std::string topic;
  std::int32_t hop = 1;  // of its records, see protocol/ids.h
  Distribution record_bytes = Distribution::constant(1024);
  // With CommitMode::transaction, producer.transactional_id is what the members' ids begin with:
  // "payment-0", "payment-1".
  client::ProducerConfig producer;
  bool id_per_start = false;  // each start of a member takes an id of its own, so that nobody is fenced by it
  bool sends_group_metadata = true;    // KIP-447; false: a zombie is not known by its generation
  std::int32_t aborts_millionths = 0;  // share of transactions that the application aborts, and does again
  std::shared_ptr<const std::vector<std::string>> recorded_keys{};  // of all traces
};

// With several workers in a member: what they must not handle side by side.
enum class WorkOrder : std::uint8_t { partition, key, none };
// And what is committed of a partition whose records are finished out of order.
enum class CommitPosition : std::uint8_t {
  low_water,  // up to the first that is not finished
  highest,    // behind the last that is: what is unfinished below it is as good as done
};

struct ServiceSpec {  // a consumer group of its own: inventory, payment, fulfillment
  std::string name;
  std::string rack;  // of its members; empty = none
  std::string topic;
  std::int32_t members = 1;
  Distribution service_time = Distribution::constant(0);  // per order, ns
  CommitMode commit = CommitMode::auto_commit;
  std::optional<OnwardSpec> produces;
  std::int32_t workers = 1;  // threads of a member that handle orders; with more than one, poll() goes on
  WorkOrder order = WorkOrder::partition;
  CommitPosition commit_position = CommitPosition::low_water;
  client::ConsumerConfig consumer;
  Duration start_at{};           // of the first member
  Distribution start_stagger{};  // how long after one member the next one starts
  Distribution start_time{};     // from when a member is started again until it runs
};

}  // namespace sim::workload
