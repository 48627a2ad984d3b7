#include "controller/heartbeat_tracker.h"

#include <vector>

namespace sim::controller {

bool HeartbeatTracker::has_valid_session(Session session, LocalTime now) const {
  const auto it = contact_times_.find(session);
  return it != contact_times_.end() && !is_expired(it->second, now);
}

std::optional<HeartbeatTracker::Session> HeartbeatTracker::take_expired(LocalTime now, Rng& rng) {
  std::vector<std::map<Session, LocalTime>::iterator> expired;
  for (auto it = contact_times_.begin(); it != contact_times_.end(); ++it) {
    if (is_expired(it->second, now)) expired.push_back(it);
  }
  if (expired.empty()) return std::nullopt;
  std::uint64_t chosen = 0;
  if (expired.size() > 1) chosen = rng.below(expired.size());
  const auto it = expired[chosen];
  const Session session = it->first;
  contact_times_.erase(it);
  return session;
}

std::optional<LocalTime> HeartbeatTracker::next_expiry() const {
  std::optional<LocalTime> oldest;
  for (const auto& [session, contact] : contact_times_) {
    if (!oldest || contact < *oldest) oldest = contact;
  }
  if (!oldest) return std::nullopt;
  return *oldest + session_timeout_ + Duration{1};  // valid up to and including its last instant
}

}  // namespace sim::controller
