#include "cluster/disks.h"

#include <algorithm>

namespace sim::cluster {
namespace {

std::int64_t size_of(const log::LogWrite& write) {
  constexpr std::int64_t kSmallWriteBytes = 64;  // a truncation, a checkpoint's entry
  if (const auto* append = std::get_if<log::AppendBatch>(&write)) return append->batch.size_bytes();
  if (const auto* whole = std::get_if<log::WriteSnapshot>(&write)) return whole->snapshot->size_bytes;
  if (const auto* cleaned = std::get_if<log::ReplaceSegments>(&write)) {
    std::int64_t bytes = kSmallWriteBytes;
    for (const Batch& batch : *cleaned->batches) bytes += batch.size_bytes();
    return bytes;
  }
  return kSmallWriteBytes;
}

TopicPartition log_of(const log::LogWrite& write) {
  return std::visit([](const auto& one) { return one.tp; }, write);
}

}  // namespace

// ---- Devices

std::uint32_t Disks::broken() const {
  std::uint32_t result = 0;
  for (std::size_t d = 0; d < devices_.size(); ++d) {
    if (devices_[d].is_broken()) result |= std::uint32_t{1} << d;
  }
  return result;
}

void Disks::wait_until(std::uint32_t directories, Instant at) {
  for (std::size_t d = 0; d < devices_.size(); ++d) {
    if ((directories >> d & 1U) != 0) devices_[d].wait_until(at);
  }
}

// ---- Writes

std::uint32_t PendingWrites::new_write() {
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(writes_.size()));
    writes_.emplace_back();
  }
  const std::uint32_t index = free_.back();
  free_.pop_back();
  writes_[index] = Write{};
  writes_[index].pending = true;
  return index;
}

// All of it takes effect together, and nothing that was asked for later does before.
PendingWrites::Begun PendingWrites::begin(node::Persist& persist, Disks& disks, node::DurableImage& image,
                                          Instant now) {
  Begun begun{new_write(), now};
  std::uint32_t directories = 0;
  for (const log::LogWrite& write : persist.writes) {
    const std::int64_t bytes = size_of(write);
    const std::int32_t directory = disks.are_several() ? place(write, image) : 0;
    begun.done = std::max(begun.done, disks.device(directory).write(now, bytes));
    begun.bytes += bytes;
    directories |= std::uint32_t{1} << directory;
  }
  if ((directories & (directories - 1)) != 0) disks.wait_until(directories, begun.done);
  Write& pending = writes_[begun.index];
  pending.id = persist.id;
  pending.writes = std::move(persist.writes);
  pending.safety = persist.safety;
  return begun;
}

// Ends as a write does, of nothing.
PendingWrites::Begun PendingWrites::begin(const node::Scan& scan, Disks& disks, Instant now) {
  const std::uint32_t index = new_write();
  writes_[index].id = scan.id;
  return Begun{index, disks.device(scan.directory).scan(now, scan.bytes, scan.threads)};
}

void PendingWrites::wait_for(std::uint32_t index, std::optional<std::uint32_t> no_more_for) {
  if (no_more_for) writes_[*no_more_for].occupies_io_thread = false;
  writes_[index].occupies_io_thread = true;
}

void PendingWrites::perform(std::uint32_t index, Disks& disks, node::DurableImage& image, Instant now,
                            std::vector<std::int32_t>& failed) {
  Write& pending = writes_[index];
  if (pending.stage == Write::Stage::writing) {
    pending.stage = Write::Stage::written;
    for (const log::LogWrite& write : pending.writes) {
      const bool appends = std::holds_alternative<log::AppendBatch>(write);
      if (disks.had_trouble() && fails(pending, place(write, image), appends, disks, failed)) continue;
      image.perform(write, now);
      forget_flushes(write);
    }
    if (pending.safety == node::Safety::flushed) note_flushes(pending, image);
  } else if (pending.stage == Write::Stage::flushing) {
    pending.stage = Write::Stage::done;
    for (const auto& [tp, end] : pending.flushes) {
      if (disks.had_trouble() && fails(pending, image.directory_of(tp), false, disks, failed)) continue;
      image.flushed(tp, end);
    }
  }
}

PendingWrites::Progress PendingWrites::progress(std::uint32_t index) const {
  const Write& pending = writes_[index];
  const bool asks = pending.stage == Write::Stage::written && pending.safety == node::Safety::flushed;
  return asks ? Progress::must_be_flushed : Progress::over;
}

// fsync of one file after the other, where it is said which; else one of everything.
Instant PendingWrites::flush(std::uint32_t index, Disks& disks, node::DurableImage& image, Instant now) {
  Write& pending = writes_[index];
  pending.stage = Write::Stage::flushing;
  Instant done = now;
  bool names_logs = false;
  for (const log::LogWrite& write : pending.writes) {
    const auto* named = std::get_if<log::FlushLog>(&write);
    if (named == nullptr) continue;
    names_logs = true;
    const std::int32_t directory = disks.are_several() ? image.directory_of(named->tp) : 0;
    done = std::max(done, disks.device(directory).flush(now));
  }
  if (names_logs) return done;
  std::uint32_t flushed = 0;
  for (const log::LogWrite& write : pending.writes) {
    const std::int32_t directory = disks.are_several() ? place(write, image) : 0;
    const std::uint32_t bit = std::uint32_t{1} << directory;
    if ((flushed & bit) == 0) done = std::max(done, disks.device(directory).flush(now));
    flushed |= bit;
  }
  return done;
}

PendingWrites::Done PendingWrites::finish(std::uint32_t index) {
  Write& pending = writes_[index];
  pending.pending = false;
  free_.push_back(index);
  return {pending.id, pending.occupies_io_thread, pending.failed_directories};
}

bool PendingWrites::has(node::PersistId id) const {
  return std::any_of(writes_.begin(), writes_.end(),
                     [id](const Write& write) { return write.pending && write.id == id; });
}

std::vector<node::PersistId> PendingWrites::performed() const {
  std::vector<node::PersistId> ids;
  for (const Write& write : writes_) {
    if (write.pending && write.stage != Write::Stage::writing) ids.push_back(write.id);
  }
  return ids;
}

// Where the write goes. A log begins where it is asked for.
std::int32_t PendingWrites::place(const log::LogWrite& write, node::DurableImage& image) {
  if (const auto* created = std::get_if<log::CreateLog>(&write)) {
    return image.logs[created->tp].directory = created->directory;
  }
  return image.directory_of(log_of(write));
}

// On a broken device everything fails, on a full one what takes place; and what was to follow there.
bool PendingWrites::fails(Write& write, std::int32_t directory, bool appends, Disks& disks,
                          std::vector<std::int32_t>& failed) {
  const std::uint32_t bit = std::uint32_t{1} << directory;
  const disk::Device& on = disks.device(directory);
  if (on.is_broken() || (appends && on.is_full())) {
    write.failed_directories |= bit;
    failed.push_back(directory);
  }
  return (write.failed_directories & bit) != 0;
}

// What the fsync that is about to be asked for makes safe: the logs that FlushLog names, else all that were
// written to, and of a segment that is finished what lies below its end.
void PendingWrites::note_flushes(Write& pending, const node::DurableImage& image) {
  const bool names_logs = std::any_of(pending.writes.begin(), pending.writes.end(), [](const auto& write) {
    return std::holds_alternative<log::FlushLog>(write);
  });
  for (const log::LogWrite& write : pending.writes) {
    if (names_logs && !std::holds_alternative<log::FlushLog>(write)) continue;
    const TopicPartition tp = log_of(write);
    const auto found = image.logs.find(tp);
    if (found == image.logs.end()) continue;
    const auto* roll = std::get_if<log::RollSegment>(&write);
    const auto* cleaned = std::get_if<log::ReplaceSegments>(&write);
    const Offset whole = cleaned != nullptr ? cleaned->end : found->second.end_offset();
    pending.flushes.emplace_back(tp, roll != nullptr ? roll->base_offset : whole);
  }
}

// What is cut off, and written anew, is not what a flush under way was asked for.
void PendingWrites::forget_flushes(const log::LogWrite& write) {
  const auto* cut = std::get_if<log::TruncateLog>(&write);
  const auto* reset = std::get_if<log::ResetLog>(&write);
  const auto* deleted = std::get_if<log::DeleteLog>(&write);
  if (cut == nullptr && reset == nullptr && deleted == nullptr) return;
  for (Write& pending : writes_) {
    for (auto& [tp, end] : pending.flushes) {
      if (cut != nullptr && tp == cut->tp) end = std::min(end, cut->end);
      if ((reset != nullptr && tp == reset->tp) || (deleted != nullptr && tp == deleted->tp)) end = 0;
    }
  }
}

}  // namespace sim::cluster
