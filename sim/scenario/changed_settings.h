#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sim::scenario {

// A Kafka property of a scenario that has another value than Kafka gives it by default.
struct ChangedSetting {
  std::string where;  // "cluster", "topic orders", "payment"; "cluster, broker-2" if of one server
  std::string name;
  std::string value;
  std::string standard;
  std::string meaning;
};

// Of a scenario as print_yaml() prints it, in its order. Lines that are not like that are passed over.
std::vector<ChangedSetting> changed_settings(std::string_view resolved_yaml);

}  // namespace sim::scenario
