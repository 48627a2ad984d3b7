#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>

// Which Kafka is played: a release, and the mechanisms that it has. Protocol code reads the struct History;
// what its switches are called, since when Kafka has each and what it prevents is in the table
// (history/table.h). A new switch is a field here, a row there, and the code that reads the field.
namespace sim {

struct KafkaVersion {
  std::int32_t major = 0;
  std::int32_t minor = 0;
  auto operator<=>(const KafkaVersion&) const = default;
};
inline constexpr KafkaVersion kOldestKafka{2, 0};
inline constexpr KafkaVersion kNewestKafka{4, 4};  // the newest that a real cluster was recorded of

// "3.6" or "3.6.1": releases from kOldestKafka to kNewestKafka; a patch release plays as its minor one.
// Nothing: there is no such release, or it is not played.
std::optional<KafkaVersion> read_kafka_version(std::string_view text);

// How a replica that begins to follow finds out which end of its log the leader does not have.
enum class Truncation : std::uint8_t {
  fetch,           // each fetch says in which epoch the log ends, and is told where it diverges
  epoch_search,    // asks for the end of its last epoch, and on until both know the epoch
  epoch,           // asks once, and is told an offset but not of which epoch
  high_watermark,  // cuts all that it does not know to be committed
};

// The mechanisms that Kafka did not always have. The defaults are those of kNewestKafka. What is switched off
// is really absent: a follower that truncates by its high watermark really does so, and whether that loses
// anything is the run's affair.
struct History {
  // The quorum of controllers
  bool pre_vote = true;
  bool check_quorum = true;
  bool directory_ids = true;
  bool fetch_high_watermark = true;
  // Replication
  Truncation truncation = Truncation::fetch;
  bool failed_log_directories = true;
  bool fetch_leader_epoch = true;
  bool isr_epoch_start_check = true;
  bool isr_maximal = true;
  bool isr_unfenced_only = true;
  bool isr_broker_epoch = true;
  bool high_watermark_min_isr = true;
  bool preferred_replica_only_isr = true;
  bool eligible_leader_replicas = true;
  bool cordoned_log_directories = true;
  // Transactions
  bool transaction_verification = true;
  bool transaction_epoch_bump = true;
  bool transaction_marker_version = true;
  // Groups
  bool consumer_group_protocol = true;

  bool operator==(const History&) const = default;
};

}  // namespace sim
