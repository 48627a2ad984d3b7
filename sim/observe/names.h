#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/ids.h"

// What the numbers in observations are called in the scenario and in every output file.
namespace sim::observe {

// Keys of orders are numbers here: below this, customer 17 of a scenario, whose key is "user-17"; from it on,
// recorded keys in the order in which traces were read.
inline constexpr std::int64_t kFirstRecordedKey = std::int64_t{1} << 32;

struct Names {
  std::vector<std::string> processes;  // by ProcessId: controller-1, broker-1, order-service, payment[0], ...
  std::vector<std::string> flows;      // by FlowId
  std::vector<std::string> services;   // by ServiceId
  std::vector<std::string> groups;     // by ServiceId: its group.id
  std::vector<std::string> faults;     // by FaultId
  std::shared_ptr<const std::vector<std::string>> recorded_keys;  // null: there are none

  // The bytes of a key. REQUIRES: it is the number of one
  std::string key(std::int64_t number) const {
    if (number < kFirstRecordedKey) return "user-" + std::to_string(number);
    return recorded_keys->at(static_cast<std::size_t>(number - kFirstRecordedKey));
  }
};

}  // namespace sim::observe
