#pragma once

#include <map>
#include <optional>
#include <utility>

#include "base/rng.h"
#include "base/time.h"
#include "protocol/ids.h"

// When each registration of a broker was last heard from (BrokerHeartbeatTracker in Kafka 4.1). A session is
// a contact time that is no older than broker.session.timeout.ms, and nothing else: neither fencing nor a
// controlled shutdown ends it. So a broker that is started again may not register until its last life was
// silent for a whole session, and a broker that went in order is fenced once more when that has passed.
//
// An entry leaves only by expiring. Heartbeats of unknown brokers and of former epochs make entries, too.
namespace sim::controller {

class HeartbeatTracker {
 public:
  using Session = std::pair<NodeId, BrokerEpoch>;

  // `session_timeout`: above 0.
  explicit HeartbeatTracker(Duration session_timeout) : session_timeout_(session_timeout) {}

  void contacted(Session session, LocalTime now) { contact_times_.insert_or_assign(session, now); }
  // A session that goes on from before the run, unless it is known.
  void begun(Session session, LocalTime now) { contact_times_.try_emplace(session, now); }
  bool has_valid_session(Session session, LocalTime now) const;

  // Forgets one session that has expired, and tells which; nullopt: none has. Of several Kafka takes the one
  // that its hash map comes to first. That hangs on the epochs, and so on how often each broker was started
  // before the run: here it is drawn.
  std::optional<Session> take_expired(LocalTime now, Rng& rng);
  // The first instant at which a session will have expired; nullopt: there is none.
  std::optional<LocalTime> next_expiry() const;

 private:
  bool is_expired(LocalTime contact, LocalTime now) const { return contact + session_timeout_ < now; }

  std::map<Session, LocalTime> contact_times_;
  Duration session_timeout_;
};

}  // namespace sim::controller
