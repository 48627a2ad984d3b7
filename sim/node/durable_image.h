#pragma once

#include <map>

#include "log/log_image.h"
#include "protocol/ids.h"

namespace sim::node {

// All that a process finds on its disks when it starts. Everything else dies with the process.
struct DurableImage {
  std::map<TopicPartition, log::LogImage> logs;

  void lose_power(Instant now) {
    for (auto& [tp, image] : logs) {
      image.write_back(now);
      image.lose_unflushed();
    }
  }
};

}  // namespace sim::node
