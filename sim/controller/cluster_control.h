#pragma once

#include <map>
#include <optional>
#include <vector>

#include "controller/broker_heartbeats.h"
#include "controller/config.h"
#include "controller/decision.h"
#include "controller/replication_control.h"
#include "controller/striped_replica_placer.h"
#include "metadata/metadata_image.h"
#include "protocol/messages.h"

// Brokers: registrations, sessions, fencing (ClusterControlManager in Kafka, with the heartbeat handling of
// ReplicationControlManager).
//
// Registrations that were written with incarnation 0 (bootstrap_records) are those of brokers that need not
// heartbeat: no session runs for them until they have sent one. All others start one when a controller
// becomes active, and are fenced when it ends.
namespace sim::controller {

class ClusterControl {
 public:
  explicit ClusterControl(const ControllerConfig& config) : heartbeats_(from_millis(config.broker_session_timeout_ms)) {}

  // After each record that `image` has replayed; the record lies at `offset`.
  void replayed(const metadata::MetadataImage& image, const MetadataRecord& record, Offset offset, LocalTime now);

  // STALE_BROKER_EPOCH if it is not registered, or in another epoch.
  static ErrorCode check_broker_epoch(const metadata::MetadataImage& image, NodeId broker, BrokerEpoch broker_epoch);

  // The broker's epoch will be the offset at which the records go. An error comes without records.
  Decision<BrokerRegistrationResponse> register_broker(const metadata::MetadataImage& image,
                                                       const BrokerRegistrationRequest& request,
                                                       const ReplicationControl& replication, LocalTime now) const;

  // Also notes that the broker is alive. A broker that begins to shut down in order may go when all active brokers
  // have applied the records of this decision.
  Decision<BrokerHeartbeatResponse> heartbeat(const metadata::MetadataImage& image, const BrokerHeartbeatRequest& request,
                                              const ReplicationControl& replication, LocalTime now);

  // Fences the broker whose session ended first, if one did: one at a time, so that the next decision sees it.
  std::vector<MetadataRecord> fence_one_stale_broker(const metadata::MetadataImage& image,
                                                     const ReplicationControl& replication, LocalTime now);
  std::optional<LocalTime> next_session_expiry() const { return heartbeats_.next_expiry(); }

  // Brokers that a new partition may be placed on: all but those that shut down.
  std::vector<UsableBroker> usable_brokers(const metadata::MetadataImage& image) const;

 private:
  BrokerHeartbeats heartbeats_;
  std::map<NodeId, Offset> registration_offsets_;  // of the RegisterBrokerRecord
};

}  // namespace sim::controller
