#pragma once

#include <string>
#include <vector>

#include "protocol/ids.h"

// What the numbers in observations are called in the scenario and in every output file.
namespace sim::observe {

struct Names {
  std::vector<std::string> processes;  // by ProcessId: controller-1, broker-1, order-service, payment[0], ...
  std::vector<std::string> flows;      // by FlowId
  std::vector<std::string> services;   // by ServiceId
  std::vector<std::string> groups;     // by ServiceId: its group.id
  std::vector<std::string> faults;     // by FaultId
};

}  // namespace sim::observe
