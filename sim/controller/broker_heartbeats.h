#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "base/time.h"
#include "protocol/ids.h"
#include "protocol/messages.h"

// The controller's view of brokers' lives, from their heartbeats (BrokerHeartbeatManager in Kafka). Soft
// state: it is built anew by each active controller and is in no record.
//
// A broker's state, evaluated at each heartbeat:
//
//   now                  wants shutdown   wants fence   next
//   fenced               yes              -             shutdown_now
//   fenced               no               no            unfenced once it has caught up with its registration
//   fenced               no               yes           fenced
//   unfenced             yes              yes           shutdown_now
//   unfenced             no               yes           fenced
//   unfenced             yes              no            controlled_shutdown if it leads, else shutdown_now
//   unfenced             no               no            unfenced
//   controlled_shutdown  -                -             shutdown_now once it leads nothing and every active
//   broker
//                                                       knows so, else controlled_shutdown
//
// Deliberately different: a session that ends is noticed at that instant, not by the next run of a periodic
// task (Kafka 4.1 looks every broker.session.timeout.ms / 8), because here nothing ticks.
namespace sim::controller {

enum class BrokerState : std::uint8_t { fenced, unfenced, controlled_shutdown, shutdown_now };

class BrokerHeartbeats {
 public:
  explicit BrokerHeartbeats(Duration session_timeout) : session_timeout_(session_timeout) {}

  // A registration as it is, or was just replayed. That counts as a sign of life: an unfenced broker must be
  // heard from within the session timeout.
  void replayed(NodeId broker, bool fenced, LocalTime now);
  void remove(NodeId broker) { brokers_.erase(broker); }
  // Heard from; `fenced` is what it is from now on. REQUIRES: is_known(broker)
  void touch(NodeId broker, bool fenced, Offset metadata_offset, LocalTime now);
  // Ends its session, ahead of the record that says so.
  void fence(NodeId broker);
  // What must be known to all active brokers before it may go. REQUIRES: is_known(broker)
  void enter_controlled_shutdown(NodeId broker, Offset offset);

  bool is_known(NodeId broker) const { return brokers_.contains(broker); }
  bool has_valid_session(NodeId broker, LocalTime now) const;
  bool is_shutting_down(NodeId broker) const;
  bool is_fenced(NodeId broker) const;
  BrokerState state(NodeId broker) const;  // REQUIRES: is_known(broker)
  // REQUIRES: is_known(request.broker)
  BrokerState next_state(const BrokerHeartbeatRequest& request, Offset registration_offset,
                         bool leads_any) const;

  // The broker whose session ended first; nullopt: all sessions are valid.
  std::optional<NodeId> stale_broker(LocalTime now) const;
  // The first instant at which a session will have ended; nullopt: no session runs.
  std::optional<LocalTime> next_expiry() const;

 private:
  struct Broker {
    LocalTime last_contact{};
    Offset metadata_offset = kNoOffset;
    Offset controlled_shutdown_offset = kNoOffset;
    bool fenced = true;

    bool shutting_down() const { return controlled_shutdown_offset >= 0; }
  };
  using Brokers = std::map<NodeId, Broker>;
  Offset lowest_active_offset() const;
  Brokers::const_iterator oldest_contact() const;

  Brokers brokers_;
  Duration session_timeout_;
};

}  // namespace sim::controller
