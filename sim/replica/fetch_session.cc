#include "replica/fetch_session.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

#include "base/check.h"

namespace sim::replica {

namespace {

constexpr Duration kEvictionAge =
    std::chrono::seconds(120);  // FetchSession.INCREMENTAL_FETCH_SESSIONS_EVICTION_MS
constexpr std::int32_t kFinalEpoch = -1;
constexpr std::int32_t kInitialEpoch = 0;

std::int32_t epoch_after(std::int32_t epoch) {
  return epoch == std::numeric_limits<std::int32_t>::max() ? 1 : epoch + 1;
}

}  // namespace

FetchSessions::Opened FetchSessions::open(const FetchRequest& request, PartitionTable& table,
                                          const Context& context) {
  if (request.session_epoch == kFinalEpoch || request.session_epoch == kInitialEpoch) {
    if (const auto old = find(request.session_id)) uncache(*old, table);  // a full fetch closes what it names
    const Slot slot = make(request, table, context);
    for (const FetchRequest::Partition& wanted : request.partitions) enter(slot, true, wanted, table);
    return Opened{ErrorCode::none, slot};
  }
  const auto slot = find(request.session_id);
  if (!slot) return Opened{ErrorCode::fetch_session_id_not_found, -1};
  if (at(*slot).next_epoch != request.session_epoch)
    return Opened{ErrorCode::invalid_fetch_session_epoch, -1};
  for (const FetchRequest::Partition& wanted : request.partitions) enter(*slot, false, wanted, table);
  for (const TopicPartition tp : request.forgotten) leave(*slot, tp, table);
  FetchSession& session = at(*slot);
  if (session.size == 0) {  // nothing left: it ends with this answer
    by_id_.erase(session.id);
    session.cached = false;
    return Opened{ErrorCode::none, *slot};
  }
  session.last_used = context.now();
  session.next_epoch = epoch_after(session.next_epoch);
  return Opened{ErrorCode::none, *slot};
}

std::optional<FetchSessions::Slot> FetchSessions::find(std::int32_t id) const {
  if (id == 0) return std::nullopt;
  const auto it = by_id_.find(id);
  return it == by_id_.end() ? std::nullopt : std::optional(it->second);
}

FetchSessions::Slot FetchSessions::make(const FetchRequest& request, PartitionTable& table,
                                        const Context& context) {
  const auto size = static_cast<std::int32_t>(request.partitions.size());
  const bool privileged = request.replica != kNoNode;
  const bool wanted = request.session_epoch == kInitialEpoch;
  const bool cached = wanted && (std::cmp_less(by_id_.size(), cache_slots_) ||
                                 try_evict(privileged, size, context.now(), table));
  Slot slot = static_cast<Slot>(sessions_.size());
  if (free_.empty()) {
    sessions_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  FetchSession& session = at(slot);
  session = FetchSession{};
  session.in_use = true;
  session.replica = request.replica;
  session.created = session.last_used = context.now();
  session.cached = cached;
  if (cached) {
    session.id = new_id(context.env.rng);
    by_id_.emplace(session.id, slot);
  }
  return slot;
}

std::int32_t FetchSessions::new_id(Rng& rng) const {
  for (;;) {
    const auto id = static_cast<std::int32_t>(rng.between(1, std::numeric_limits<std::int32_t>::max()));
    if (!by_id_.contains(id)) return id;
  }
}

// FetchSessionCacheShard.tryEvict: the least recently used if it is stale, else the least valuable, if it is
// worth less than the new one. Followers' sessions are worth more than consumers', large ones more than small
// ones; a session that has lived long enough may be replaced by anyone's.
bool FetchSessions::try_evict(bool privileged, std::int32_t size, LocalTime now, PartitionTable& table) {
  const FetchSession* oldest = nullptr;
  const FetchSession* cheapest = nullptr;
  const auto worth = [](const FetchSession& one) {
    return std::tuple(one.from_follower(), one.size, one.id);
  };
  for (const FetchSession& one : sessions_) {
    if (!one.in_use || !one.cached) continue;
    if (oldest == nullptr || std::tuple(one.last_used, one.id) < std::tuple(oldest->last_used, oldest->id))
      oldest = &one;
    const bool established = one.last_used - one.created > kEvictionAge;
    const bool evictable = privileged ? !one.from_follower() || established : established;
    if (evictable && (cheapest == nullptr || worth(one) < worth(*cheapest))) cheapest = &one;
  }
  if (oldest == nullptr) return false;
  const FetchSession* victim = cheapest;
  if (now - oldest->last_used > kEvictionAge)
    victim = oldest;
  else if (cheapest == nullptr || std::tuple(privileged, size, 0) < worth(*cheapest))
    return false;
  uncache(static_cast<Slot>(victim - sessions_.data()), table);
  return true;
}

// A fetch that waits in it is still answered.
void FetchSessions::uncache(Slot slot, PartitionTable& table) {
  FetchSession& session = at(slot);
  by_id_.erase(session.id);
  session.cached = false;
  if (!session.waiting) release(slot, table);
}

void FetchSessions::answered(Slot slot, PartitionTable& table) {
  FetchSession& session = at(slot);
  session.full = false;
  if (!session.cached) release(slot, table);
}

void FetchSessions::answered_in_vain(Slot slot, PartitionTable& table) {
  const FetchSession& session = at(slot);
  if (session.cached && session.full) return uncache(slot, table);
  if (!session.cached) release(slot, table);
}

void FetchSessions::release(Slot slot, PartitionTable& table) {
  FetchSession& session = at(slot);
  for (std::int32_t i = 0; std::cmp_less(i, session.partitions.size()); ++i) {
    if (!session.at(i).used) continue;
    settle(session, session.at(i), table);
    unwatch(slot, i);
  }
  session = FetchSession{};
  free_.push_back(slot);
}

void FetchSessions::settle(const FetchSession& session, const FetchedPartition& partition,
                           PartitionTable& table) const {
  if (!session.from_follower() || partition.listed || partition.local == kNotLocal) return;
  table.at(partition.local).follower_fetched_nothing_new(session.replica, session.last_used);
}

std::int32_t FetchSessions::index_of(Slot slot, TopicPartition tp, LocalIndex local) const {
  if (local != kNotLocal) {
    for (const FetchWatcher& watcher : watchers(local)) {
      if (watcher.session == slot) return watcher.partition;
    }
  }
  const FetchSession& session = sessions_[static_cast<std::size_t>(slot)];
  if (session.unresolved == 0) return -1;
  for (const std::int32_t i : session.to_look_at) {  // what is not here is listed
    const FetchedPartition& one = session.partitions[static_cast<std::size_t>(i)];
    if (one.used && one.local == kNotLocal && one.tp == tp) return i;
  }
  return -1;
}

void FetchSessions::enter(Slot slot, bool fresh, const FetchRequest::Partition& wanted,
                          const PartitionTable& table) {
  const LocalIndex local = table.find(wanted.tp);
  std::int32_t index = fresh ? -1 : index_of(slot, wanted.tp, local);
  FetchSession& session = at(slot);
  if (index < 0) {
    index = static_cast<std::int32_t>(session.partitions.size());
    if (session.free.empty()) {
      session.partitions.emplace_back();
    } else {
      index = session.free.back();
      session.free.pop_back();
    }
    FetchedPartition& added = session.at(index);
    const bool listed = added.listed;  // a place may still be listed from who had it before
    added = FetchedPartition{};
    added.listed = listed;
    added.tp = wanted.tp;
    added.local = local;
    added.used = true;
    added.order = session.next_order++;
    ++session.size;
    if (local == kNotLocal) ++session.unresolved;
    watch(slot, index);
  }
  FetchedPartition& one = session.at(index);
  one.fetch_offset = wanted.fetch_offset;
  one.follower_log_start = wanted.log_start_offset;
  one.current_leader_epoch = wanted.current_leader_epoch;
  one.last_fetched_epoch = wanted.last_fetched_epoch;
  one.max_bytes = wanted.max_bytes;
  list(slot, index);
}

void FetchSessions::leave(Slot slot, TopicPartition tp, PartitionTable& table) {
  const std::int32_t index = index_of(slot, tp, table.find(tp));
  if (index < 0) return;
  FetchSession& session = at(slot);
  settle(session, session.at(index), table);
  unwatch(slot, index);
  if (session.at(index).local == kNotLocal) --session.unresolved;
  session.at(index).used = false;
  session.free.push_back(index);
  --session.size;
}

void FetchSessions::list(Slot slot, std::int32_t partition) {
  FetchSession& session = at(slot);
  if (std::exchange(session.at(partition).listed, true)) return;
  session.to_look_at.push_back(partition);
}

void FetchSessions::list_everything() {
  for (Slot slot = 0; std::cmp_less(slot, sessions_.size()); ++slot) {
    for (std::int32_t i = 0; std::cmp_less(i, at(slot).partitions.size()); ++i) {
      if (at(slot).at(i).used) list(slot, i);
    }
  }
}

const std::vector<FetchWatcher>& FetchSessions::watchers(LocalIndex local) const {
  static const std::vector<FetchWatcher> kNobody;
  return std::cmp_less(local, watchers_.size()) ? watchers_[static_cast<std::size_t>(local)] : kNobody;
}

void FetchSessions::watch(Slot slot, std::int32_t partition) {
  const LocalIndex local = at(slot).at(partition).local;
  if (local == kNotLocal) return;
  if (!std::cmp_less(local, watchers_.size())) watchers_.resize(static_cast<std::size_t>(local) + 1);
  watchers_[static_cast<std::size_t>(local)].push_back(FetchWatcher{slot, partition});
}

void FetchSessions::unwatch(Slot slot, std::int32_t partition) {
  const LocalIndex local = at(slot).at(partition).local;
  if (local == kNotLocal) return;
  std::erase_if(watchers_[static_cast<std::size_t>(local)],
                [&](const FetchWatcher& one) { return one.session == slot; });
}

void FetchSessions::forget(LocalIndex local) {
  for (const FetchWatcher& watcher : watchers(local)) {
    at(watcher.session).at(watcher.partition).local = kNotLocal;
    ++at(watcher.session).unresolved;
    list(watcher.session, watcher.partition);
  }
  if (std::cmp_less(local, watchers_.size())) watchers_[static_cast<std::size_t>(local)].clear();
}

void FetchSessions::look_up(Slot slot, std::int32_t partition, const PartitionTable& table) {
  FetchedPartition& one = at(slot).at(partition);
  if (one.local != kNotLocal) return;
  one.local = table.find(one.tp);
  if (one.local == kNotLocal) return;
  --at(slot).unresolved;
  watch(slot, partition);
}

}  // namespace sim::replica
