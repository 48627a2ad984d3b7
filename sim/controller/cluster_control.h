#pragma once

#include <map>
#include <optional>
#include <vector>

#include "controller/broker_heartbeats.h"
#include "controller/config.h"
#include "controller/decision.h"
#include "controller/heartbeat_tracker.h"
#include "controller/replication_control.h"
#include "controller/striped_replica_placer.h"
#include "metadata/metadata_image.h"
#include "protocol/messages.h"

// Brokers: registrations, sessions, fencing (ClusterControlManager in Kafka, with the heartbeat handling of
// ReplicationControlManager). It lives as long as its controller is active: whoever becomes active gives
// every unfenced broker a whole new session.
namespace sim::controller {

// Where the RegisterBrokerRecord of each broker lies (registerBrokerRecordOffsets): it is no part of the
// image, but made by the same records.
using RegistrationOffsets = std::map<NodeId, Offset>;
void note_registration(const MetadataRecord& record, Offset offset, RegistrationOffsets& registered_at);

class ClusterControl {
 public:
  ClusterControl(const ControllerConfig& config, const metadata::MetadataImage& image,
                 const RegistrationOffsets& registered_at, LocalTime now);

  // After each record that `image` has replayed; the record lies at `offset`.
  void replayed(const metadata::MetadataImage& image, const MetadataRecord& record, Offset offset);

  // STALE_BROKER_EPOCH if it is not registered, or in another epoch.
  static ErrorCode check_broker_epoch(const metadata::MetadataImage& image, NodeId broker,
                                      BrokerEpoch broker_epoch);

  // The broker's epoch will be the offset at which the records go. An error comes without records.
  Decision<BrokerRegistrationResponse> register_broker(const metadata::MetadataImage& image,
                                                       const BrokerRegistrationRequest& request,
                                                       const ReplicationControl& replication,
                                                       LocalTime now) const;

  // Also notes that the broker is alive, whatever the answer. A broker that begins to shut down in order may
  // go when all active brokers have applied the records of this decision.
  Decision<BrokerHeartbeatResponse> heartbeat(const metadata::MetadataImage& image,
                                              const BrokerHeartbeatRequest& request,
                                              const ReplicationControl& replication, LocalTime now);

  // Forgets one session that has expired, and fences its broker: one at a time, so that the next decision
  // sees it. nullopt: no session has expired. No records: it was one of a former registration.
  std::optional<std::vector<MetadataRecord>> fence_one_stale_broker(const metadata::MetadataImage& image,
                                                                    const ReplicationControl& replication,
                                                                    LocalTime now, Rng& rng);
  std::optional<LocalTime> next_session_expiry() const { return tracker_.next_expiry(); }

  // Brokers that a new partition may be placed on: all but those that shut down.
  std::vector<UsableBroker> usable_brokers(const metadata::MetadataImage& image) const;

 private:
  BrokerHeartbeats heartbeats_;
  HeartbeatTracker tracker_;
  LocalTime activated_at_;
  RegistrationOffsets registered_at_;
};

}  // namespace sim::controller
