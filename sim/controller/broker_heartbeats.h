#pragma once

#include <cstdint>
#include <map>

#include "protocol/ids.h"
#include "protocol/messages.h"

// What the controller knows of brokers' lives besides their registrations: whether each is fenced or shutting
// down, and how far it has replayed the metadata (BrokerHeartbeatManager in Kafka). Soft state: it is built
// anew by each active controller and is in no record. When brokers were last heard from is another matter:
// heartbeat_tracker.h.
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
//                                                       broker knows so, else controlled_shutdown
namespace sim::controller {

enum class BrokerState : std::uint8_t { fenced, unfenced, controlled_shutdown, shutdown_now };

class BrokerHeartbeats {
 public:
  // A registration as it is, or was just replayed.
  void replayed(NodeId broker, bool fenced);
  void remove(NodeId broker) { brokers_.erase(broker); }
  // It has sent a heartbeat; `fenced` is what it is from now on. REQUIRES: is_known(broker)
  void touch(NodeId broker, bool fenced, Offset metadata_offset);
  // Ahead of the record that says so. Nothing if it is not known.
  void fence(NodeId broker);
  // What must be known to all active brokers before it may go. REQUIRES: is_known(broker)
  void enter_controlled_shutdown(NodeId broker, Offset offset);

  bool is_known(NodeId broker) const { return brokers_.contains(broker); }
  bool is_shutting_down(NodeId broker) const;
  bool is_fenced(NodeId broker) const;
  BrokerState state(NodeId broker) const;  // REQUIRES: is_known(broker)
  // REQUIRES: is_known(request.broker)
  BrokerState next_state(const BrokerHeartbeatRequest& request, Offset registration_offset,
                         bool leads_any) const;

 private:
  struct Broker {
    Offset metadata_offset = kNoOffset;
    Offset controlled_shutdown_offset = kNoOffset;
    bool fenced = true;

    bool shutting_down() const { return controlled_shutdown_offset >= 0; }
  };
  Offset lowest_active_offset() const;

  std::map<NodeId, Broker> brokers_;
};

}  // namespace sim::controller
