#pragma once

#include <string>

#include "base/result.h"
#include "importer/first_scenario.h"

// What `kraftsim init` is told, by flags or on a terminal.
namespace sim::app {

struct InitAnswers {
  std::string brokers = "3";
  std::string controllers = "3";
  std::string topic = "orders";
  std::string partitions = "6";
  std::string replication_factor{};  // empty: 3, or as many as there are brokers if that is less
  std::string min_isr{};             // empty: 2, or the replication factor if that is less
  std::string rate = "200/s";
  std::string services = "payment,inventory";
  std::string acks = "all";
  std::string crash = "yes";
};

// Each answer that cannot be taken is a problem whose message names its flag.
Result<importer::FirstScenario> first_scenario_of(const InitAnswers& answers);

}  // namespace sim::app
