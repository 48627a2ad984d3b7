#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "partition/partition_table.h"
#include "protocol/ids.h"

// The log directories of a broker (log.dirs): which are online, and what lies in which (LogManager's
// liveLogDirs, directoryIds, nextLogDirs; the offline partitions of ReplicaManager).
//
// The first holds the metadata log, too (metadata.log.dir is not set): if it fails the broker is gone, and so
// with an only directory there is nothing to keep here. Moving a replica from one to another is left out.
namespace sim::replica {

using partition::LocalIndex;

class LogDirectories {
 public:
  // Bit N of `failed`: that numbered N could not be opened. `replaced`: so many times the disks were new.
  LogDirectories(ProcessId self, std::int32_t count, std::uint32_t failed, std::uint32_t replaced);

  bool are_several() const { return logs_.size() > 1; }
  std::int32_t count() const { return static_cast<std::int32_t>(logs_.size()); }
  DirectoryId id(std::int32_t directory) const;
  bool is_online(std::int32_t directory) const { return (failed_ >> directory & 1U) == 0; }
  std::vector<DirectoryId> online() const;
  // nullopt: it is none of these, or not told.
  std::optional<std::int32_t> find(DirectoryId id) const;
  // For a new log: that with the fewest (nextLogDirs).
  std::int32_t next() const;

  // ---- What lies where, if there are several
  void add(LocalIndex local, std::int32_t directory);
  void remove(LocalIndex local);
  std::int32_t of(LocalIndex local) const { return of_[static_cast<std::size_t>(local)]; }
  // Takes the directory offline. Returns what lies there; the owner sees to that.
  std::vector<LocalIndex> fail(std::int32_t directory);

  // Partitions of this broker that lie in a directory that is offline.
  void set_offline(TopicPartition tp) { offline_.insert(tp); }
  bool is_offline(TopicPartition tp) const { return !offline_.empty() && offline_.contains(tp); }
  void forget_offline(TopicPartition tp) { offline_.erase(tp); }
  void forget_offline(TopicId topic);

 private:
  static constexpr std::int8_t kNowhere = -1;

  std::uint64_t first_id_;
  std::vector<std::int32_t> logs_;  // how many lie in each
  std::uint32_t failed_;
  std::vector<std::int8_t> of_;  // by local index
  std::set<TopicPartition> offline_;
};

}  // namespace sim::replica
