#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/int128.h"
#include "scenario/clients.h"
#include "scenario/read_values.h"
#include "scenario/units.h"
#include "scenario/validate.h"

// What a scenario may ask for at most, taken as a whole: numbers that are fine one by one may together need
// more memory or time than any machine has. A limit is far above what is of use, and each is said with the
// number that exceeds it.
namespace sim::scenario {

namespace {

constexpr std::int64_t kMostThreads = 10'000;      // of one kind, of a server
constexpr std::int64_t kMostProcesses = 3'000;     // each pair of machines has a wire of its own
constexpr std::int64_t kMostReplicas = 100'000;    // some 50 KiB each
constexpr std::int64_t kMostOrders = 200'000'000;  // some 400 bytes each
constexpr std::int64_t kMostCycles = 1'000'000;    // of a daily curve or of bursts
constexpr std::int64_t kMostStrikes = 10'000;      // of one fault
constexpr std::int64_t kMostLastingStrikes = 100;  // of one fault of the network that nothing ends
constexpr std::int64_t kMostYearsOff = 20;         // of all wall clocks together
constexpr std::int64_t kYearNs = std::int64_t{366} * 86'400 * 1'000'000'000;

class Limits {
 public:
  Limits(const Value& root, Report& report) : root_(root), report_(report) {}

  void check() {
    check_threads();
    if (root_.at("cluster").at("brokers").invented) return;
    check_processes();
    check_replicas();
    if (root_.at("duration").invented) return;
    duration_ = nanoseconds_of(root_.at("duration"));
    for (const Entry& client : root_.at("clients").entries) {
      if (places_orders(client.value)) check_arrivals(client);
    }
    const Value* faults = root_.find("faults");
    if (faults == nullptr) return;
    for (std::size_t i = 0; i < faults->items.size(); ++i)
      check_strikes(faults->items[i], "faults[" + std::to_string(i) + "]");
  }

 private:
  static bool given(const Value& value) { return value.place.source >= 0; }

  void check_threads() {
    const Value& config = root_.at("cluster").at("config");
    for (const std::string_view name : {"num.network.threads", "num.io.threads",
                                        "num.recovery.threads.per.data.dir", "num.replica.fetchers"}) {
      const Value& threads = config.at(name);
      if (count_of(threads) <= kMostThreads) continue;
      report_.error(threads.place, "cluster.config: " + std::string(name) + " is " + threads.text +
                                       "; a server has at most " + std::to_string(kMostThreads) +
                                       " such threads here");
    }
  }

  void check_processes() {
    const Value& cluster = root_.at("cluster");
    std::int64_t processes = count_of(cluster.at("brokers"));
    if (cluster.at("combined").text != "true") processes += count_of(cluster.at("controllers"));
    const Value* largest = &cluster.at("brokers");
    for (const Entry& client : root_.at("clients").entries) {
      const Value* members = client.value.find("members");
      processes += members == nullptr ? 1 : count_of(*members);
      const bool is_larger = members != nullptr && given(*members) && count_of(*members) > count_of(*largest);
      if (is_larger) largest = members;
    }
    if (processes <= kMostProcesses) return;
    report_.error(largest->place, "the scenario has " + std::to_string(processes) +
                                      " servers, order services and members; it may have at most " +
                                      std::to_string(kMostProcesses));
  }

  void check_replicas() {
    const Value& config = root_.at("cluster").at("config");
    std::int64_t replicas = count_of(config.at("offsets.topic.num.partitions")) *
                            count_of(config.at("offsets.topic.replication.factor"));
    const Value* largest = &config.at("offsets.topic.num.partitions");
    std::int64_t most = replicas;
    for (const Entry& topic : root_.at("topics").entries) {
      const std::int64_t of_topic =
          count_of(topic.value.at("partitions")) * count_of(topic.value.at("replication.factor"));
      replicas += of_topic;
      if (of_topic <= most) continue;
      most = of_topic;
      largest = &topic.value.at("partitions");
    }
    if (replicas <= kMostReplicas) return;
    report_.error(given(*largest) ? largest->place : root_.at("cluster").at("config").place,
                  "the topics have " + std::to_string(replicas) +
                      " replicas in all (__consumer_offsets is one of them); they may have at most " +
                      std::to_string(kMostReplicas));
  }

  void check_arrivals(const Entry& client) {
    const Value& arrivals = client.value.at("arrivals");
    if (arrivals.entries.empty() || arrivals.invented) return;
    const std::string where = "clients." + client.key + ".arrivals";
    for (const auto& [curve, period] : {std::pair<std::string_view, std::string_view>{"daily", "day"},
                                        std::pair<std::string_view, std::string_view>{"burst", "every"}}) {
      const Value* of = arrivals.find(curve);
      const Value* length = of == nullptr ? nullptr : of->find(period);
      if (length == nullptr || length->invented || duration_ / nanoseconds_of(*length) <= kMostCycles)
        continue;
      return report_.error(
          length->place,
          where + "." + std::string(curve) + "." + std::string(period) + " (" + length->text +
              ") comes again " + std::to_string(duration_ / nanoseconds_of(*length)) +
              " times within the duration (" + root_.at("duration").text + "); at most " +
              std::to_string(kMostCycles) + " are played",
          "make it at least " + print_scalar(nice(duration_ / kMostCycles), UnitKind::duration));
    }
    check_orders(client, arrivals, where);
  }

  // In one digit, rounded up.
  static std::int64_t nice(std::int64_t ns) {
    std::int64_t step = 1;
    while (ns / step >= 10) step *= 10;
    return (ns + step) / step * step;
  }

  void check_orders(const Entry& client, const Value& arrivals, const std::string& where) {
    const Value* start = client.value.find("start");
    if (start == nullptr) return;
    const std::int64_t lasts = std::max<std::int64_t>(0, duration_ - nanoseconds_of(*start));
    const int128 expected = int128{highest_rate(arrivals)} * lasts / 1'000'000'000'000;
    const Value* limit = arrivals.find("orders");
    if (limit != nullptr && count_of(*limit) <= kMostOrders) return;
    if (expected <= kMostOrders) return;
    report_.error(arrivals.place,
                  where + ": up to " + std::to_string(static_cast<std::int64_t>(expected)) +
                      " orders would come; at most " + std::to_string(kMostOrders) + " are played",
                  "lower the rate or the duration, or set a limit, such as orders: 1000000");
  }

  void check_strikes(const Value& fault, const std::string& where) {
    if (fault.at("at").invented) return;
    const Value* every = fault.find("every");
    const std::int64_t left = duration_ - nanoseconds_of(fault.at("at"));
    const std::int64_t strikes = every == nullptr || left <= 0 ? 1 : (left - 1) / nanoseconds_of(*every) + 1;
    check_clocks(fault, strikes, where);
    if (every == nullptr || every->invented) return;
    if (strikes > kMostStrikes) {
      return report_.error(every->place,
                           where + ".every (" + every->text + "): it would strike " +
                               std::to_string(strikes) + " times; at most " + std::to_string(kMostStrikes) +
                               " are carried out",
                           "make it at least " + print_scalar(nice(left / kMostStrikes), UnitKind::duration));
    }
    if (fault.find("for") != nullptr || strikes <= kMostLastingStrikes) return;
    for (const std::string_view kind : {"delay", "loss", "bandwidth", "partition", "hold"}) {
      if (fault.find(kind) == nullptr) continue;
      report_.error(
          every->place,
          where + ".every (" + every->text + "): it would strike " + std::to_string(strikes) +
              " times, each on top of those before, as nothing ends "
              "it; at most " +
              std::to_string(kMostLastingStrikes) + " are carried out",
          "say how long it lasts, such as for: " +
              print_scalar(std::max<std::int64_t>(1, nanoseconds_of(*every) / 2), UnitKind::duration));
    }
  }

  // Steps of wall clocks add up.
  void check_clocks(const Value& fault, std::int64_t strikes, const std::string& where) {
    const Value* offset = fault.find("time-offset");
    if (offset == nullptr || offset->at("by").invented) return;
    const std::int64_t by = nanoseconds_of(offset->at("by"));
    wall_clocks_off_ += int128{by < 0 ? -by : by} * (fault.find("for") != nullptr ? 1 : strikes);
    if (wall_clocks_off_ <= int128{kMostYearsOff} * kYearNs) return;
    report_.error(offset->at("by").place, where + ".time-offset: with this, wall clocks are more than " +
                                              std::to_string(kMostYearsOff) +
                                              " years off in all; that is the most");
    wall_clocks_off_ = 0;
  }

  const Value& root_;
  Report& report_;
  std::int64_t duration_ = 0;
  int128 wall_clocks_off_ = 0;
};

}  // namespace

void validate_limits(const Value& root, Report& report) {
  Limits(root, report).check();
}

}  // namespace sim::scenario
