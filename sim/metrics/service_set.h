#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace sim::metrics {

// Some of the services, by number. Of the first 64 it is a word; beyond that it grows.
class ServiceSet {
 public:
  ServiceSet() = default;
  // Bit s: service s is in it.
  ServiceSet(std::uint64_t bits) : first_(bits) {}  // NOLINT: a set of few services is written as bits

  void add(std::size_t service) {
    if (service < 64) {
      first_ |= std::uint64_t{1} << service;
      return;
    }
    if (service - 64 >= more_.size()) more_.resize(service - 63, false);
    more_[service - 64] = true;
  }
  void add_all(const ServiceSet& others) {
    first_ |= others.first_;
    for (std::size_t s = 0; s < others.more_.size(); ++s) {
      if (others.more_[s]) add(s + 64);
    }
  }
  bool has(std::size_t service) const {
    if (service < 64) return (first_ >> service & 1) != 0;
    return service - 64 < more_.size() && more_[service - 64];
  }
  bool empty() const { return first_ == 0 && std::find(more_.begin(), more_.end(), true) == more_.end(); }

 private:
  std::uint64_t first_ = 0;
  std::vector<bool> more_;  // from the 65th on
};

}  // namespace sim::metrics
