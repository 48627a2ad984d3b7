#pragma once

#include "node/node.h"

// The timers of a broker, and a clock rhythm that costs nothing while it has nothing to do.
namespace sim::broker {

inline constexpr node::TimerId kPurgatoryTimer{0};
inline constexpr node::TimerId kIsrTimer{1};
inline constexpr node::TimerId kCheckpointTimer{2};
inline constexpr node::TimerId kGroupTimer{3};
inline constexpr node::TimerId kAlterPartitionRetryTimer{4};
inline constexpr node::TimerId kAlterPartitionNetworkTimer{5};
inline constexpr node::TimerId kForwardingNetworkTimer{6};
inline constexpr node::TimerId kMetadataTimer{7};
inline constexpr node::TimerId kMetadataNetworkTimer{8};
// Two for each replica fetcher, from here on: its back-off, then its network client.
inline constexpr std::uint32_t kFirstFetcherTimer = 9;

// A periodic task of Kafka's scheduler that is armed only while there is work for it: it fires when the
// period's next turn comes, counted from the broker's start, as if it had run all the time.
class PeriodicTimer {
 public:
  PeriodicTimer(node::TimerId timer, Duration period) : timer_(timer), period_(period) {}

  void start(LocalTime now) { started_ = now; }

  void arm(LocalTime now, node::Effects& out) {
    if (armed_) return;
    armed_ = true;
    const std::int64_t turns = (now - started_) / period_ + 1;
    out.emplace_back(node::SetTimer{timer_, started_ + turns * period_});
  }
  void fired() { armed_ = false; }

 private:
  node::TimerId timer_;
  Duration period_;
  LocalTime started_{};
  bool armed_ = false;
};

}  // namespace sim::broker
