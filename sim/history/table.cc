#include "history/table.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <iterator>

#include "base/check.h"

namespace sim {

std::optional<KafkaVersion> read_kafka_version(std::string_view text) {
  KafkaVersion version;
  const char* const end = text.data() + text.size();
  const auto [dot, bad_major] = std::from_chars(text.data(), end, version.major);
  if (bad_major != std::errc{} || dot == end || *dot != '.') return std::nullopt;
  const auto [rest, bad_minor] = std::from_chars(dot + 1, end, version.minor);
  if (bad_minor != std::errc{}) return std::nullopt;
  if (rest != end) {
    std::int32_t patch = 0;
    if (*rest != '.') return std::nullopt;
    const auto [last, bad_patch] = std::from_chars(rest + 1, end, patch);
    if (bad_patch != std::errc{} || last != end) return std::nullopt;
  }
  const std::string known = "|" + std::string(history::kAllVersions) + "|";
  if (known.find("|" + history::text_of(version) + "|") == std::string::npos) return std::nullopt;
  return version;
}

namespace history {
namespace {

// ---- How a behaviour stands in a History

template <auto field, auto value>
constexpr Behaviour standing_at(Behaviour behaviour) {
  behaviour.apply = [](History& history) { history.*field = value; };
  behaviour.is_at = [](const History& history) { return history.*field == value; };
  return behaviour;
}
template <auto field>
constexpr Behaviour on(KafkaVersion since, std::string_view source, std::string_view meaning) {
  return standing_at<field, true>({.word = "on", .since = since, .source = source, .meaning = meaning});
}
template <auto field>
constexpr Behaviour off(std::string_view meaning, std::string_view excuse = {},
                        Unprevented unprevented = kNothing) {
  return standing_at<field, false>(
      {.word = "off", .meaning = meaning, .excuse = excuse, .unprevented = unprevented});
}
template <Truncation how>
constexpr Behaviour truncation(Behaviour behaviour) {
  return standing_at<&History::truncation, how>(behaviour);
}

// ---- The table: since when, which proposal or issue, and what it is without it

constexpr Behaviour kPreVote[] = {
    on<&History::pre_vote>(
        {4, 0}, "KIP-996",
        "Who has heard nothing of a leader asks whether it would be elected before it raises the "
        "epoch."),
    off<&History::pre_vote>("An isolated voter comes back with a higher epoch and deposes the leader.")};
constexpr Behaviour kCheckQuorum[] = {
    on<&History::check_quorum>({3, 7}, "KAFKA-15489",
                               "A leader of the quorum that hears of no majority within 1.5 times "
                               "controller.quorum.fetch.timeout.ms resigns."),
    off<&History::check_quorum>("Cut off, it believes in itself for ever.")};
constexpr Behaviour kDirectoryIds[] = {
    on<&History::directory_ids>({3, 9}, "KIP-853",
                                "Voters are known by the id of their log directory too (kraft.version 1)."),
    off<&History::directory_ids>("One that has lost its disk may vote twice.", {}, kForgetsVotes)};
constexpr Behaviour kFetchHighWatermark[] = {
    on<&History::fetch_high_watermark>(
        {4, 1}, "KIP-1166", "A parked fetch of the metadata log is answered when the high watermark moves."),
    off<&History::fetch_high_watermark>("Followers learn of a commit up to half a second late.")};
constexpr Behaviour kTruncation[] = {
    truncation<Truncation::fetch>({.word = "fetch",
                                   .since = {2, 7},
                                   .source = "KIP-595",
                                   .meaning = "Each fetch says in which epoch the log ends."}),
    truncation<Truncation::epoch_search>(
        {.word = "epoch-search",
         .since = {2, 0},
         .source = "KIP-279",
         .meaning = "It asks for the end of its last epoch, and on until both know the epoch.",
         .excuse = "truncation by epoch with search"}),
    truncation<Truncation::epoch>({.word = "epoch",
                                   .since = {0, 11},
                                   .source = "KIP-101",
                                   .meaning = "It asks once for the end of its last epoch.",
                                   .excuse = "truncation by epoch without search",
                                   .unprevented = kExposesUncovered}),
    truncation<Truncation::high_watermark>({.word = "high-watermark",
                                            .meaning = "It cuts all that it does not know to be committed.",
                                            .excuse = "truncation by high watermark",
                                            .unprevented = kExposesUncovered}),
};
constexpr Behaviour kFailedLogDirectories[] = {
    on<&History::failed_log_directories>(
        {3, 7}, "KIP-858",
        "A broker tells the controller of a log directory that failed, and leaderships move."),
    off<&History::failed_log_directories>("It keeps those it can no longer serve.")};
constexpr Behaviour kFetchLeaderEpoch[] = {
    on<&History::fetch_leader_epoch>(
        {2, 1}, "KIP-320", "Fetches of followers name the leader epoch they are of, and others are refused."),
    off<&History::fetch_leader_epoch>(
        "A follower that has missed a change of leaders goes on as if nothing had happened.",
        "fetches without a leader epoch", kExposesUncovered)};
constexpr Behaviour kIsrEpochStart[] = {
    on<&History::isr_epoch_start_check>({2, 1}, "KAFKA-7128",
                                        "Who joins the ISR has reached the start of the leader's epoch."),
    off<&History::isr_epoch_start_check>(
        "The leader's high watermark is enough, which may lie below what its predecessor acknowledged.",
        "an ISR joined below the epoch's start", kExposesUncovered)};
constexpr Behaviour kIsrMaximal[] = {
    on<&History::isr_maximal>(
        {2, 7}, "KIP-497",
        "The high watermark waits for whoever may be in the ISR while the controller has not "
        "answered."),
    off<&History::isr_maximal>("It waits for those alone that are in it either way.", "no maximal ISR",
                               kExposesBelowMinIsr | kExposesUncovered)};
constexpr Behaviour kIsrUnfenced[] = {
    on<&History::isr_unfenced_only>({3, 3}, "KIP-841",
                                    "No broker that is fenced or shutting down joins an ISR."),
    off<&History::isr_unfenced_only>("Neither the leader nor the controller looks.",
                                     "fenced brokers in the ISR")};
constexpr Behaviour kIsrBrokerEpoch[] = {
    on<&History::isr_broker_epoch>(
        {3, 5}, "KIP-903",
        "Who joins the ISR must be in the same life, by its broker epoch, in which it fetched."),
    off<&History::isr_broker_epoch>("A broker that came back empty may join for what it held before.",
                                    "ISR without broker epochs", kExposesUncovered)};
constexpr Behaviour kHighWatermarkMinIsr[] = {
    on<&History::high_watermark_min_isr>(
        {3, 7}, "KAFKA-15583",
        "The high watermark stands still while fewer than min.insync.replicas are in sync."),
    off<&History::high_watermark_min_isr>("What acks=1 sends is shown at once.",
                                          "a high watermark that min.insync.replicas does not hold",
                                          kExposesBelowMinIsr)};
constexpr Behaviour kPreferredReplica[] = {
    on<&History::preferred_replica_only_isr>({3, 4}, "KAFKA-14372",
                                             "A consumer is sent only to replicas that are in the ISR."),
    off<&History::preferred_replica_only_isr>("To one that has fallen behind, too, which holds it back.")};
constexpr Behaviour kEligibleReplicas[] = {
    on<&History::eligible_leader_replicas>(
        {4, 1}, "KIP-966, on for new clusters",
        "Replicas that left the ISR while min.insync.replicas was not met may still be elected."),
    off<&History::eligible_leader_replicas>("As with eligible.leader.replicas.version=0.",
                                            "no eligible leader replicas")};
constexpr Behaviour kConsumerGroupProtocol[] = {
    on<&History::consumer_group_protocol>(
        {4, 0}, "KIP-848, group.version 1",
        "Brokers coordinate groups of consumers with group.protocol=consumer."),
    off<&History::consumer_group_protocol>(
        "As with group.version 0: such consumers are refused (UNSUPPORTED_VERSION) and give up.")};
constexpr Behaviour kCordonedDirectories[] = {
    on<&History::cordoned_log_directories>(
        {4, 3}, "KIP-1066",
        "Once it has caught up, a broker says in its heartbeats which of its log directories take no more "
        "replicas; the first time after a registration that is a record of its own."),
    off<&History::cordoned_log_directories>("It says nothing of the kind.")};

constexpr Behaviour kTransactionVerification[] = {
    on<&History::transaction_verification>({3, 6}, "KIP-890, part 1",
                                           "Before it takes the first batch of a transaction, a leader asks "
                                           "the coordinator whether its partition "
                                           "is in it."),
    off<&History::transaction_verification>(
        "A batch that comes after its transaction has ended begins one that nobody will end.")};
constexpr Behaviour kTransactionEpochBump[] = {
    on<&History::transaction_epoch_bump>(
        {4, 0}, "KIP-890, part 2, on for new clusters",
        "Each completion bumps the producer epoch, and leaders add their partitions themselves "
        "(transaction.version 2)."),
    off<&History::transaction_epoch_bump>(
        "An epoch lasts as long as its producer, and the producer adds its partitions before it writes.")};
constexpr Behaviour kTransactionMarkerVersion[] = {
    on<&History::transaction_marker_version>(
        {4, 2}, "KIP-1228",
        "Markers say under which transaction.version they were written, and one of the very epoch in which "
        "data is being written is refused."),
    off<&History::transaction_marker_version>("A marker need not be of a newer epoch than the data.")};

constexpr Switch kSwitches[] = {
    {"pre-vote", "Whether a vote is tried out first.", kPreVote},
    {"check-quorum", "Whether a leader of the quorum notices that nobody follows it.", kCheckQuorum},
    {"directory-ids", "Whether a voter is told from one with an empty disk.", kDirectoryIds},
    {"fetch-high-watermark", "Whether followers of the metadata log learn of a commit at once.",
     kFetchHighWatermark},
    {"eligible-leader-replicas", "Who may be elected besides the ISR.", kEligibleReplicas},
    {"truncation", "How a follower finds out what of its log its leader does not have.", kTruncation},
    {"failed-log-directories", "Whether the controller learns of a log directory that failed.",
     kFailedLogDirectories},
    {"fetch-leader-epoch", "Whether a leader knows the epoch its followers are in.", kFetchLeaderEpoch},
    {"isr-epoch-start-check", "From where on a follower is in sync with a new leader.", kIsrEpochStart},
    {"isr-maximal", "Whom the high watermark waits for while the ISR changes.", kIsrMaximal},
    {"isr-unfenced-only", "Whether a broker must be alive to join an ISR.", kIsrUnfenced},
    {"isr-broker-epoch", "Whether a broker that joins an ISR must not have restarted.", kIsrBrokerEpoch},
    {"high-watermark-min-isr", "Whether the high watermark is held by min.insync.replicas.",
     kHighWatermarkMinIsr},
    {"preferred-replica-only-isr", "Which replicas consumers near them may read from.", kPreferredReplica},
    {"consumer-group-protocol", "Whether brokers speak the group protocol of KIP-848.",
     kConsumerGroupProtocol},
    {"cordoned-log-directories", "Whether brokers tell which log directories are cordoned (none is, here).",
     kCordonedDirectories},
    {"transaction-verification", "Whether leaders ask before they take a transaction's first batch.",
     kTransactionVerification},
    {"transaction-epoch-bump", "Whether each transaction has a producer epoch of its own.",
     kTransactionEpochBump},
    {"transaction-marker-version", "Whether a marker must be of a newer epoch than the data it ends.",
     kTransactionMarkerVersion},
};

using Whose = FormerDefault::Whose;
constexpr std::string_view kLongest = "9223372036854775807";
constexpr FormerDefault kFormerDefaults[] = {
    {"retries", Whose::producer, {2, 1}, "0", "KIP-91"},
    {"replica.lag.time.max.ms", Whose::server, {2, 5}, "10000", "KIP-537"},
    {"acks", Whose::producer, {3, 0}, "1", "KIP-679"},
    {"enable.idempotence", Whose::producer, {3, 0}, "false", "KIP-679"},
    {"session.timeout.ms", Whose::consumer, {3, 0}, "10000", "KIP-735"},
    {"partition.assignment.strategy", Whose::consumer, {3, 0}, "range", "KIP-726"},
    {"partitioner.adaptive.partitioning.enable", Whose::producer, {3, 3}, "false", "KIP-794"},
    {"metadata.max.idle.interval.ms", Whose::server, {3, 3}, "0", "KIP-835"},
    {"linger.ms", Whose::producer, {4, 0}, "0", "KIP-1030"},
    {"num.recovery.threads.per.data.dir", Whose::server, {4, 0}, "1", "KIP-1030"},
    {"log.message.timestamp.after.max.ms", Whose::server, {4, 0}, kLongest, "KIP-1030"},
    // What comes first counts: a release before 4.0 has 0.
    {"group.consumer.migration.policy", Whose::server, {4, 0}, "disabled", "KIP-848"},
    {"group.coordinator.append.linger.ms", Whose::server, {4, 0}, "0", "KIP-848, the new coordinator"},
    {"group.coordinator.append.linger.ms", Whose::server, {4, 2}, "5", "an adaptive linger since"},
};

}  // namespace

std::span<const Switch> switches() {
  return kSwitches;
}

const Switch* find_switch(std::string_view name) {
  const auto found = std::find_if(std::begin(kSwitches), std::end(kSwitches),
                                  [name](const Switch& one) { return one.name == name; });
  return found == std::end(kSwitches) ? nullptr : found;
}

const Behaviour& behaviour_in(const Switch& one, KafkaVersion version) {
  for (const Behaviour& behaviour : one.behaviours) {
    if (behaviour.since <= version) return behaviour;
  }
  return one.behaviours.back();
}

const Behaviour& behaviour_called(const Switch& one, std::string_view word) {
  const auto found = std::find_if(one.behaviours.begin(), one.behaviours.end(),
                                  [word](const Behaviour& behaviour) { return behaviour.word == word; });
  SIM_CHECK(found != one.behaviours.end(), "a switch is set to one of its words");
  return *found;
}

History history_of(KafkaVersion version) {
  History history;
  for (const Switch& one : kSwitches) behaviour_in(one, version).apply(history);
  return history;
}

std::span<const FormerDefault> former_defaults() {
  return kFormerDefaults;
}

std::string text_of(KafkaVersion version) {
  return std::to_string(version.major) + "." + std::to_string(version.minor);
}

std::string source_of(const Behaviour& behaviour) {
  if (behaviour.source.empty()) return {};
  return std::string(behaviour.source) + ", Kafka " + text_of(behaviour.since);
}

}  // namespace history
}  // namespace sim
