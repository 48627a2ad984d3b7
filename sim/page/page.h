#pragma once

#include <string>
#include <vector>

#include "page/documents.h"

// report.html: a run on one page that needs nothing else, no network and no script. Who was not there sees
// first what happened, then the proof.
namespace sim::page {

// A setting of the scenario that is not what Kafka would take by itself.
struct ChangedSetting {
  std::string where;  // cluster, orders, payment, ...
  std::string name;
  std::string value;
  std::string standard;  // Kafka's default
  std::string meaning;
};

// The same documents give the same bytes.
std::string page_of(const Documents& run, const std::vector<ChangedSetting>& changed);

}  // namespace sim::page
