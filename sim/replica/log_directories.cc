#include "replica/log_directories.h"

namespace sim::replica {

LogDirectories::LogDirectories(ProcessId self, std::int32_t count, std::uint32_t failed,
                               std::uint32_t replaced)
    : first_id_(static_cast<std::uint64_t>(self.value()) + 1 + (std::uint64_t{replaced} << 40)),
      logs_(static_cast<std::size_t>(count), 0),
      failed_(failed) {}

DirectoryId LogDirectories::id(std::int32_t directory) const {
  return DirectoryId{first_id_ + (static_cast<std::uint64_t>(directory) << 32)};
}

std::vector<DirectoryId> LogDirectories::online() const {
  std::vector<DirectoryId> result;
  for (std::int32_t d = 0; d < count(); ++d) {
    if (is_online(d)) result.push_back(id(d));
  }
  return result;
}

std::optional<std::int32_t> LogDirectories::find(DirectoryId wanted) const {
  for (std::int32_t d = 0; d < count(); ++d) {
    if (id(d) == wanted) return d;
  }
  return std::nullopt;
}

std::int32_t LogDirectories::next() const {
  std::int32_t best = 0;
  for (std::int32_t d = 1; d < count(); ++d) {
    const auto logs = [this](std::int32_t of) { return logs_[static_cast<std::size_t>(of)]; };
    if (is_online(d) && (!is_online(best) || logs(d) < logs(best))) best = d;
  }
  return best;
}

void LogDirectories::add(LocalIndex local, std::int32_t directory) {
  const auto index = static_cast<std::size_t>(local);
  if (index >= of_.size()) of_.resize(index + 1, kNowhere);
  of_[index] = static_cast<std::int8_t>(directory);
  ++logs_[static_cast<std::size_t>(directory)];
}

void LogDirectories::remove(LocalIndex local) {
  if (!are_several()) return;
  --logs_[static_cast<std::size_t>(of(local))];
  of_[static_cast<std::size_t>(local)] = kNowhere;
}

std::vector<LocalIndex> LogDirectories::fail(std::int32_t directory) {
  failed_ |= std::uint32_t{1} << directory;
  std::vector<LocalIndex> locals;
  for (std::size_t i = 0; i < of_.size(); ++i) {
    if (of_[i] == directory) locals.push_back(static_cast<LocalIndex>(i));
  }
  return locals;
}

void LogDirectories::forget_offline(TopicId topic) {
  std::erase_if(offline_, [topic](TopicPartition tp) { return tp.topic == topic; });
}

}  // namespace sim::replica
