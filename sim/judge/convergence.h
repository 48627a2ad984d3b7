#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "judge/measured_run.h"

// Liveness: what has not come right by the end of a run whose faults were all taken back. (TigerBeetle's
// simulator asks the same of its core; here the core is the whole cluster.)
namespace sim::judge {

struct Unconverged {
  std::vector<std::string> partitions;  // "orders-3: ISR 1,2 of 1,2,3", "orders-4: nobody leads it"
  std::vector<std::string> lags;        // "payment in orders-3: 12 records"
  std::size_t open_orders = 0;
  // Partitions of which every replica that could have led has lost its log since somebody led: nothing can
  // bring their data back. Neither they nor what waits for them is counted.
  std::vector<std::string> excused;

  std::size_t size() const { return partitions.size() + lags.size() + open_orders; }
};

Unconverged unconverged_of(const MeasuredRun& run);

}  // namespace sim::judge
