#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/cluster.h"
#include "scenario/scenario.h"
#include "trace/event_log.h"
#include "trace/meaning.h"

// Two worlds of one scenario, played side by side in one process: after each event they must have come to the
// same fingerprints, of the events and of what they mean. What is not determined by scenario and seed (an
// address that decides an order, memory that nobody has written) differs between two worlds of one process,
// and is found at the event at which it first makes a difference.
namespace sim::play {

// The last lines of an event log, and how many there were before them.
class RecentLines final : public trace::Sink {
 public:
  static constexpr std::size_t kKept = 200;

  void write(std::string_view bytes) override;
  const std::deque<std::string>& lines() const { return lines_; }
  std::uint64_t dropped() const { return dropped_; }

 private:
  std::deque<std::string> lines_;  // the last one may still be growing
  std::uint64_t dropped_ = 0;
  bool is_growing_ = false;
};

struct TwinDifference {
  std::uint64_t event = 0;  // at which they came to differ: its number, from 1 on
  Instant at{};
  std::string what;                 // "the events", "what the events mean" or "the number of events"
  std::vector<std::string> before;  // up to ten lines of events.jsonl that both told
  std::string first, second;        // the first line that differs; empty: that world told no more
};

class Twin {
 public:
  // Watches `first`, which must not have begun, and outlives this. The second world is made of `scenario`,
  // and has the limits that play_to_end sets the first.
  Twin(const scenario::Scenario& scenario, cluster::Cluster& first, std::optional<Duration> until = {});

  // After each step of the first world: the second takes one, too. `has_stepped`: there was something to
  // play. False: they differ; then it is not asked again.
  bool keeps_step(bool has_stepped);
  const std::optional<TwinDifference>& difference() const { return difference_; }

 private:
  struct Watch final : observe::Observer {
    explicit Watch(const observe::Names& names) : meaning(names), log(recent, trace::Level::full, names) {}
    void on(const observe::Observation& observation) override {
      meaning.on(observation);
      log.on(observation);
    }
    bool wants_messages() const override { return log.wants_messages(); }

    RecentLines recent;
    trace::Meaning meaning;
    trace::EventLog log;
  };

  void tell_difference(std::string what);

  cluster::Cluster& first_;
  cluster::Cluster second_;
  Watch first_watch_;
  Watch second_watch_;
  std::optional<TwinDifference> difference_;
};

}  // namespace sim::play
