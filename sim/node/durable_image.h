#pragma once

#include <cstdint>
#include <map>
#include <variant>
#include <vector>

#include "base/rng.h"
#include "log/log_image.h"
#include "protocol/ids.h"

namespace sim::node {

// What a disk no longer has of a log: all from `to` on.
struct LostEnd {
  TopicPartition tp;
  Offset from = 0;  // where the log ended
  Offset to = 0;
};

// All that a process finds on its disks when it starts. Everything else dies with the process.
struct DurableImage {
  std::map<TopicPartition, log::LogImage> logs;
  std::uint32_t failed_directories = 0;  // bit N: that numbered N of log.dirs cannot be opened
  std::uint32_t replaced = 0;            // so many times by empty disks

  void perform(const log::LogWrite& write, Instant now) {
    const TopicPartition tp = std::visit([](const auto& one) { return one.tp; }, write);
    if (std::holds_alternative<log::DeleteLog>(write)) {
      logs.erase(tp);
      return;
    }
    log::LogImage& image = logs[tp];
    image.write_back(now);
    image.perform(write);
    image.dirtied(now);
  }

  // The directory of log.dirs in which the log lies, or would.
  std::int32_t directory_of(TopicPartition tp) const {
    const auto found = logs.find(tp);
    return found == logs.end() ? 0 : found->second.directory;
  }

  // fsync has brought `tp` to the platter up to `end`, unless it has left meanwhile.
  void flushed(TopicPartition tp, Offset end) {
    if (const auto found = logs.find(tp); found != logs.end()) found->second.flushed_to(end);
  }

  // Nothing of what was not flushed is left; or, with a `tail`, part of each log's, as it is drawn. What was
  // lost of the metadata log is left out: nobody had been told that it was safe.
  std::vector<LostEnd> lose_power(Instant now, Rng* tail = nullptr) {
    std::vector<LostEnd> lost;
    for (auto& [tp, image] : logs) {
      const Offset end = image.end_offset();
      image.write_back(now);
      image.lose_unflushed(tail);
      if (tp == kClusterMetadata) {
        image.recover();  // whose recovery is not modelled step by step
      } else if (image.end_offset() < end) {
        lost.push_back(LostEnd{tp, end, image.end_offset()});
      }
    }
    return lost;
  }

  // The metadata log is among what is lost even if it was empty: its quorum state is.
  std::vector<LostEnd> wipe() {
    std::vector<LostEnd> lost;
    for (const auto& [tp, image] : logs) {
      if (tp == kClusterMetadata || image.end_offset() > 0)
        lost.push_back(LostEnd{tp, image.end_offset(), 0});
    }
    logs.clear();
    ++replaced;
    return lost;
  }
};

}  // namespace sim::node
