#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/distribution.h"
#include "base/rng.h"
#include "base/time.h"

// Draws what goes wrong in a run: faults as a scenario writes them, from a stream of their own, so that the
// rest of the run draws what it would have drawn without them, and each fault draws what it would have drawn
// without the others.
//
// Three ideas make rare failures less rare. Swarm testing (Groce et al. 2012; FoundationDB and TigerBeetle do
// the same): each run plays only some of the kinds, so that one kind does not hide what another would have
// shown. Moments: half of the faults wait for something that has just happened, such as an append that is
// neither flushed nor acknowledged, a new ISR or a rebalance. Swizzle (FoundationDB): brokers are cut off one
// by one and come back in another order.
namespace sim::chaos {

enum class Kind : std::uint8_t {
  kill,
  powerloss,
  stop,
  restart,
  pause,
  partition,
  swizzle,
  delay,
  loss,
  reset,
  io_delay,
  slow_cpu,
};
inline constexpr Kind kAllKinds[] = {Kind::kill,  Kind::powerloss, Kind::stop,     Kind::restart,
                                     Kind::pause, Kind::partition, Kind::swizzle,  Kind::delay,
                                     Kind::loss,  Kind::reset,     Kind::io_delay, Kind::slow_cpu};
std::string_view name_of(Kind kind);

struct Spec {
  std::int64_t budget = 6;   // faults in all, a swizzle being one
  std::int64_t at_once = 2;  // at most so many at any one time
  std::vector<Kind> kinds;   // to choose from; not empty
  Distribution gap;          // ns from one strike to the next
  Distribution length;       // ns; of those that last
  Duration from{};           // the first strikes no earlier ...
  Duration until{};          // ... and all have ended by then
  bool swarm = true;
  bool moments = true;
};

// What there is to hit.
struct Topic {
  std::string name;
  std::int64_t partitions = 1;
  std::int64_t replicas = 1;
};
struct Surroundings {
  std::int64_t brokers = 1;
  std::int64_t controllers = 1;  // 1: none that could be missed
  std::vector<Topic> topics;
  std::vector<std::string> groups;
};

struct DrawnFault {
  std::string name;  // chaos-1-kill
  Duration at{};
  Duration lasts{};  // 0: has no end of its own
  std::string when;  // append(orders-0), ...; empty: at `at`
  Duration waits{};  // for that, at most
  std::string kind;  // a key of a fault ...
  std::string body;  // ... and its value, as YAML in one line
};

// In order of time. REQUIRES: spec.from < spec.until
std::vector<DrawnFault> draw(const Spec& spec, const Surroundings& around, const Rng& rng);

}  // namespace sim::chaos
