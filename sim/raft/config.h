#pragma once

#include <cstdint>
#include <vector>

#include "base/time.h"
#include "history/history.h"
#include "node/node.h"
#include "protocol/quorum.h"

// What a replica of the metadata log is told about itself and its quorum.
namespace sim::raft {

// Names, units and defaults are Kafka's (QuorumConfig, KafkaRaftClient).
struct RaftConfig {
  Duration election_timeout = std::chrono::milliseconds(1000);  // controller.quorum.election.timeout.ms
  Duration fetch_timeout = std::chrono::milliseconds(2000);     // controller.quorum.fetch.timeout.ms
  Duration election_backoff_max =
      std::chrono::milliseconds(1000);                         // controller.quorum.election.backoff.max.ms
  Duration request_timeout = std::chrono::milliseconds(2000);  // controller.quorum.request.timeout.ms
  Duration retry_backoff = std::chrono::milliseconds(20);      // controller.quorum.retry.backoff.ms
  Duration append_linger = std::chrono::milliseconds(25);      // controller.quorum.append.linger.ms
  Duration fetch_max_wait = std::chrono::milliseconds(500);
  std::int32_t max_batch_bytes = 8 * 1024 * 1024;
  std::int32_t max_fetch_bytes = 8 * 1024 * 1024;
  std::int32_t max_snapshot_chunk_bytes = 8 * 1024 * 1024;
  Duration clean_interval = std::chrono::seconds(60);
  std::int64_t retention_bytes = 100 * 1024 * 1024;  // metadata.max.retention.bytes
  Duration retention = std::chrono::hours(7 * 24);   // metadata.max.retention.ms
  Duration shutdown_timeout = std::chrono::seconds(5);
};

// Mistakes that only tests switch on, each to be found by an invariant.
enum class PlantedDefect : std::uint8_t {
  none,
  vote_without_log_check,       // whoever asks first gets the vote, however short its log
  vote_forgotten_on_restart,    // the file quorum-state loses the vote
  vote_granted_again,           // a second candidate of the same epoch is granted too
  elected_without_majority,     // half the votes are enough
  high_watermark_of_old_epoch,  // commits before anything of its own epoch is on a majority
  leader_counts_itself_twice,   // in the high watermark
  truncation_skipped,           // a diverging follower is sent what follows
  old_epoch_accepted,           // BeginQuorumEpoch of a deposed leader is believed
  acknowledged_before_flush,    // voters do not flush
};

struct ReplicaSpec {
  ReplicaKey self;
  ProcessId process = kNoProcess;
  // controller.quorum.voters, or what `kafka-storage format` put into the bootstrap checkpoint.
  std::vector<QuorumVoter> voters;
  // Where an observer asks who leads (controller.quorum.bootstrap.servers); empty: the voters above.
  std::vector<ProcessId> bootstrap_servers;
  bool always_flush = false;  // a process with the controller role flushes also while it is an observer
  RaftConfig config;
  History history;
  PlantedDefect defect = PlantedDefect::none;
};

}  // namespace sim::raft
