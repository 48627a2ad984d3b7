#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "cluster/roles.h"
#include "fault/fault.h"
#include "observe/fact.h"
#include "observe/names.h"

// What faults wait for: a fold over facts that knows which of their conditions have come true. It keeps
// nothing for conditions that no fault has.
namespace sim::cluster {

class Awaited {
 public:
  explicit Awaited(const fault::Schedule& schedule);

  // Whether the schedule has any condition at all.
  bool is_needed() const { return has_moments_ || has_lags_; }
  void on(const observe::Fact& fact, Instant now);

  // Of the last fact.
  bool is_moment(const fault::Moment& moment, const observe::Fact& fact, const Roles& roles) const;
  // Lag is as an operator sees it: from a group's committed offset to the end of the log, or the age of the
  // oldest record between them. A group that has neither committed nor begun anywhere has none.
  bool is_above(const fault::Threshold& threshold, Instant now, const observe::Names& names) const;

 private:
  struct Appended {
    Offset end = 0;
    Instant at{};
  };
  using GroupPartition = std::pair<std::string, TopicPartition>;

  std::int64_t lag_of(const GroupPartition& whose, Offset committed, fault::Threshold::What what,
                      Instant now) const;

  bool has_moments_ = false;
  bool has_lags_ = false;
  std::map<TopicPartition, std::deque<Appended>> appended_;
  std::map<GroupPartition, Offset> committed_;
};

}  // namespace sim::cluster
