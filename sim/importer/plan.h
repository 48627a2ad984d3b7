#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "importer/inventory.h"

// What a scenario will say, made of what the files say. What they leave open is assumed, and marked so.
namespace sim::importer {

struct PlannedTopic {
  std::string name;
  std::string remark;  // where it comes from, or that it is assumed
  int partitions = 0;
  int replication_factor = 0;
  std::vector<std::vector<int>>
      replicas;  // brokers from 1 on, by partition; empty: the controller places them
  Origin origin;
  std::vector<Setting> settings;
};

struct PlannedClient {
  std::string name;
  std::string remark;
  bool produces = false;
  std::string topic;
  std::int64_t orders_per_second = 0;  // of a producer
  std::string group_id;                // of a consumer
  int members = 1;
  std::string commit;  // empty: Kafka's default
  std::vector<Setting> settings;
};

struct Plan {
  int brokers = 0;
  std::string brokers_remark;
  std::map<int, int> broker_numbers;  // by their ids in the files, from 1 on
  int controllers = 0;
  std::string controllers_remark;
  bool combined = false;
  std::string kafka;  // empty: the newest
  std::string kafka_remark;
  std::vector<std::string> racks;  // dealt out to the brokers in turn
  std::vector<Setting> settings;   // of all servers
  std::vector<PlannedTopic> topics;
  std::vector<PlannedClient> clients;
  std::int64_t first_order_s = 0;  // by then the groups have formed
  std::vector<LeftOut> left_out;
};

Plan plan_of(Inventory inventory);

}  // namespace sim::importer
