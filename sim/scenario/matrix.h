#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "scenario/scenario.h"

// The configurations that a sweep holds against each other, read from a file of their own:
//
//   acks-all: {clients.order-service.config.acks: all}             one by one, by name, or
//   acks-1:   {clients.order-service.config.acks: 1}
//
//   clients.order-service.config.acks: [1, all]                    every combination of these values
//   topics.orders.config.min.insync.replicas: [1, 2]
namespace sim::scenario {

struct Configuration {
  std::string name;  // part of names of folders; empty: the scenario as it is
  std::vector<Override> overrides;
};

inline constexpr std::size_t kMostConfigurations = 1'000;

Result<std::vector<Configuration>> read_matrix(const std::string& file);

}  // namespace sim::scenario
