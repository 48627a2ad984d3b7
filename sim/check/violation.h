#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "observe/observation.h"

namespace sim::check {

// A broken promise of the simulated cluster: a bug of ours, or a planted one.
struct Violation {
  std::string invariant;
  Instant at;
  std::uint64_t seq = 0;
  std::string what;
  std::uint64_t times = 1;  // that this invariant was broken; the rest tells of the first
};

// The first of each invariant that was broken, in that order.
class Violations {
 public:
  // What is found from here on happened in this observation.
  void at(const observe::Observation& observation) {
    at_ = observation.at;
    seq_ = observation.seq;
  }
  void add(const char* invariant, std::string what) {
    for (Violation& known : all_) {
      if (known.invariant != invariant) continue;
      ++known.times;
      return;
    }
    all_.push_back(Violation{invariant, at_, seq_, std::move(what)});
  }
  const std::vector<Violation>& all() const { return all_; }

 private:
  std::vector<Violation> all_;
  Instant at_{};
  std::uint64_t seq_ = 0;
};

}  // namespace sim::check
