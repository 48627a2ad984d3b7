#pragma once

#include <cstdint>
#include <string>
#include <vector>

// The scenario somebody begins with: an order service, a topic, services that handle each order, a fault and
// what must hold.
namespace sim::importer {

struct FirstScenario {
  int brokers = 3;
  int controllers = 3;
  std::string topic = "orders";
  int partitions = 6;
  int replication_factor = 3;
  int min_isr = 2;
  std::int64_t orders_per_second = 200;
  std::vector<std::string> services = {"payment", "inventory"};
  std::string acks = "all";
  bool has_crash = true;  // a broker crashes in the middle
};

// As a file of that name; the services have as many members as the load needs. REQUIRES: numbers from 1 on,
// replication_factor <= brokers, min_isr <= replication_factor, at least one service
std::string first_scenario_text(const FirstScenario& wanted, const std::string& file);

// Members of a service and how long an order takes it, so that they are busy for some 60 % of the time.
struct Crew {
  int members = 1;
  std::int64_t service_us = 0;  // the median
};
Crew crew_for(std::int64_t orders_per_second, int partitions);

}  // namespace sim::importer
